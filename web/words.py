"""Words for the closed lists of the field, as people call them."""

from collections.abc import Mapping
from typing import Any

from barcodes.numbers import grouped
from config.language import Text
from config.offices import office, register
from config.services import services
from models.discrepancy import DiscrepancyKind
from models.manifest import LineState, ManifestState
from models.packet import Channel, Leg, Outcome
from models.scan import Station, Verdict
from models.staff import Role
from workflow.moves import Move
from workflow.protocol import STATES

ROLES: dict[str, Text] = {
    Role.INSPECTOR: Text("inspector"),
    Role.ACCUMULATOR: Text("inspector of the accumulation section"),
    Role.COURIER: Text("courier"),
    Role.REGISTRAR: Text("registrar"),
    Role.HEAD: Text("head of the department"),
    Role.EXECUTOR: Text("responsible executor"),
    Role.CLERK: Text("clerk of the akimat"),
    Role.AKIM: Text("akim"),
    Role.OPERATOR: Text("operator"),
    Role.ADMINISTRATOR: Text("administrator"),
}

VERDICTS: dict[str, Text] = {
    Verdict.TAKEN: Text("Taken"),
    Verdict.ALREADY: Text("Already done"),
    Verdict.UNEXPECTED: Text("Not expected"),
    Verdict.ELSEWHERE: Text("Belongs elsewhere"),
    Verdict.WRONG_STATE: Text("Not now"),
    Verdict.CLOSED: Text("Closed"),
    Verdict.UNKNOWN: Text("Unknown"),
    Verdict.BAD_CHECK: Text("Misread"),
    Verdict.NOT_ALLOWED: Text("Not allowed here"),
    Verdict.COMMAND: Text("Command"),
}

COMMANDS: dict[str, Text] = {
    "close_batch": Text("Close the batch"),
    "undo": Text("Undo the last"),
    "yes": Text("Yes"),
    "no": Text("No"),
    "print": Text("Print"),
}
"""What the codes of the desk card are called on it."""

REPAIRS: dict[str, Text] = {
    "none": Text("none needed"),
    "aim": Text("the prefix of the scanner was taken off"),
    "kk": Text("brought back from the Kazakh layout"),
    "kk_latin": Text("brought back from the Kazakh Latin layout"),
}
"""What was undone to read a text."""

STATIONS: dict[str, Text] = {
    Station.COLLECT: Text("Put on the manifest"),
    Station.DEPART: Text("Take the bag (courier)"),
    Station.RECEIVE: Text("Take over from the courier"),
    Station.REGISTER: Text("Register"),
    Station.PASS: Text("Pass to the head"),
    Station.RESULT: Text("Send the results back"),
    Station.HAND_OVER: Text("Hand over to the applicant"),
    Station.LOOK_UP: Text("Look up"),
}

DEVICES: dict[str, Text] = {
    "scanner": Text("scanner"),
    "keyboard": Text("keyboard"),
    "camera": Text("camera"),
}
"""By what a page says that it was read."""

STATION_HINTS: dict[str, Text] = {
    Station.COLLECT: Text("Scan each packet. The right manifest is chosen by itself."),
    Station.DEPART: Text("Scan the barcode of each sealed manifest that you take with you."),
    Station.RECEIVE: Text("Scan the manifest first, then each packet of the bag."),
    Station.REGISTER: Text("Scan each packet that you enter in the register."),
    Station.PASS: Text("Scan each packet that you lay before the head."),
    Station.RESULT: Text("Scan each signed result that goes back to its centre."),
    Station.HAND_OVER: Text("Scan the packet when the applicant has signed the receipt."),
    Station.LOOK_UP: Text("Scan any packet to see where it is. Nothing is changed."),
}

MANIFEST_STATES: dict[str, Text] = {
    ManifestState.OPEN: Text("open"),
    ManifestState.SEALED: Text("sealed"),
    ManifestState.IN_TRANSIT: Text("on the way"),
    ManifestState.RECEIVING: Text("being taken over"),
    ManifestState.CLOSED: Text("closed"),
}

LINE_STATES: dict[str, Text] = {
    LineState.LISTED: Text("not scanned yet"),
    LineState.RECEIVED: Text("taken over"),
    LineState.DAMAGED: Text("damaged"),
    LineState.REFUSED: Text("refused at the door"),
    LineState.MISSING: Text("missing"),
    LineState.ELSEWHERE: Text("turned up elsewhere"),
    LineState.TAKEN_OUT: Text("taken out"),
    LineState.UNEXPECTED: Text("not expected"),
}

LEGS: dict[str, Text] = {Leg.OUT: Text("to the department"), Leg.BACK: Text("results, back to the centre")}

CHANNELS: dict[str, Text] = {
    Channel.CENTRE: Text("public service centre"),
    Channel.DEPARTMENT: Text("department"),
    Channel.AKIMAT: Text("village akimat"),
}

OUTCOMES: dict[str, Text] = {
    Outcome.ASSIGNED: Text("assigned"),
    Outcome.REFUSED: Text("refused with a reason"),
}

DIFFERENCES: dict[str, Text] = {
    DiscrepancyKind.MISSING: Text("missing"),
    DiscrepancyKind.UNEXPECTED: Text("not expected"),
    DiscrepancyKind.DAMAGED: Text("damaged"),
    DiscrepancyKind.REFUSED: Text("refused at the door"),
    DiscrepancyKind.MISROUTED: Text("brought to the wrong office"),
}

SETTLEMENTS: dict[str, Text] = {
    "found": Text("found"),
    "lost": Text("lost"),
    "never_sent": Text("never sent"),
    "noted": Text("noted"),
    "taken_back": Text("taken back"),
    "taken_over": Text("taken over"),
}

MOVES: dict[str, Text] = {
    Move.ACCEPT: Text("accepted from the applicant"),
    Move.WITHDRAW: Text("withdrawn by the applicant"),
    Move.COLLECT: Text("put on a manifest"),
    Move.TAKE_OUT: Text("taken out of the manifest"),
    Move.DEPART: Text("taken by the courier"),
    Move.RECEIVE: Text("taken over from the courier"),
    Move.TURN_UP: Text("turned up without being expected"),
    Move.REFUSE: Text("refused at the door"),
    Move.TAKE_BACK: Text("taken back from the courier"),
    Move.MISS: Text("missing from the bag"),
    Move.FIND: Text("found"),
    Move.NEVER_SENT: Text("said to be never sent"),
    Move.LOSE: Text("given up as lost"),
    Move.REROUTE: Text("directed to another department"),
    Move.REGISTER: Text("registered"),
    Move.PASS_ON: Text("passed to the head"),
    Move.RESOLVE: Text("resolution: executor named"),
    Move.REASSIGN: Text("given to another executor"),
    Move.DRAFT: Text("notice drafted"),
    Move.SIGN: Text("notice signed"),
    Move.SEND_BACK: Text("sent back for completion"),
    Move.HAND_OVER: Text("handed over to the applicant"),
    Move.UNDO: Text("taken back"),
}

WHY: dict[str, Text] = {
    "holiday": Text("a public holiday"),
    "moved": Text("a holiday that was moved"),
    "transferred": Text("a day off that was transferred"),
    "working": Text("other working hours"),
    "hours": Text("other working hours"),
    "closed": Text("the office was closed"),
    "ordinary": Text("an ordinary day after all"),
    "undo": Text("the step was taken back"),
    "take_out": Text("taken out of the manifest"),
    "never_sent": Text("it was never sent"),
    "not_on_the_manifest": Text("left behind: not on the manifest when the courier left"),
    "not_sealed": Text("left behind: the manifest was not sealed when the courier left"),
    "not_taken": Text("left behind: the courier did not take the sealed bag"),
    "run_did_not_depart": Text("left behind: the courier did not come"),
    "timetable": Text("the run was taken out of the timetable"),
}
"""Why a clock or a bag was changed, as its history keeps it."""


def office_name(code: str | None, language: str) -> str:
    """Return the name of an office: in Kazakh for `kk`, else in Russian; the code where it is unknown."""
    held = register().offices.get(code or "")
    if held is None:
        return code or "–"
    return held.name_kk if language == "kk" else held.name_ru


OFFICE_KINDS: dict[str, Text] = {
    "centre": Text("centre"),
    "department": Text("employment department"),
    "akimat": Text("akimat"),
}
"""Kinds of offices, short."""


def short_office(code: str | None, language: str) -> str:
    """Return how people call an office among themselves: its district and its kind, or its village and its kind."""
    held = register().offices.get(code or "")
    if held is None:
        return code or "–"
    kind = OFFICE_KINDS[held.kind].render(language)
    if held.kind == "akimat" and held.places:
        place = held.places[-1]
        return f"{place.kk if language == 'kk' else place.ru}, {kind}"
    return f"{district_name(held.district, language)}, {kind}"


def district_name(code: str, language: str) -> str:
    """Return the name of a district; the code where it is unknown."""
    held = register().districts.get(code)
    if held is None:
        return code
    return held.name_kk if language == "kk" else held.name_ru


def district_of(office_code: str, language: str) -> str:
    """Return the name of the district of an office."""
    return district_name(office(office_code).district, language)


def service_name(code: str, language: str) -> str:
    """Return the title of a service; the code where it is unknown."""
    held = next((held for held in services() if held.code == code), None)
    if held is None:
        return code
    return held.name_kk if language == "kk" else held.name_ru


def spoken(facts: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Return the facts of an error or an answer with codes of the field turned into words."""
    return {name: _spoken(name, value, language) for name, value in facts.items()}


def _spoken(name: str, value: object, language: str) -> object:
    match name, value:
        case "roles", str():
            return ", ".join(_word(ROLES, role, language) for role in value.split(", "))
        case "command", str():
            return _word(COMMANDS, value, language)
        case "state", str():
            return _word(STATES, value, language)
        case "move", str():
            return _word(MOVES, value, language)
        case "office", str() if value in register().offices:
            return office_name(value, language)
        case "number" | "manifest" | "what", str():
            return grouped(value)
    return value


def _word(listed: Mapping[Any, Text], word: str, language: str) -> str:
    known = listed.get(word)
    return known.render(language) if known else word
