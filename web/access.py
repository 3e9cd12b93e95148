"""Who may use which address: one rule for each route. The guard (`web.asking`) asks here; without a rule nobody enters.

A rule says which roles may use the address, and for what it names (a packet, a manifest, a person) which offices may.
The roles are checked before the route is entered; the offices by the view or the workflow, which see the row. A test
sends every role of every kind of office to every route and compares the answers with this table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from fastapi import Request
from starlette.exceptions import HTTPException

from config.errors import ShabarmanError
from config.language import Text
from models.scan import Station
from models.staff import Role
from workflow.accepting import ACCEPTORS
from workflow.closing import RECEIVERS
from workflow.collecting import COLLECTORS
from workflow.deciding import DECIDERS
from workflow.handing import WHO_HANDS_OVER
from workflow.people import Actor, require_role
from workflow.scanning import WHO
from workflow.settling import WHO_ADMITS, WHO_GIVES_UP, WHO_NOTES
from workflow.staffing import KEEPERS


class Side(StrEnum):
    """Which offices may do it with what the address names. For all others it does not exist (404)."""

    ANY = "any"
    """Nothing of an office is named; a list shows what is of the own office."""
    INVOLVED = "involved"
    """Those that have, or had, to do with it; operators and administrators."""
    SENDER = "sender"
    """The one that sends or accepted it. Other involved offices hear why not."""
    RECEIVER = "receiver"
    """The one that receives it or decides on it. Other involved offices hear why not."""
    LATE = "late"
    """The one that was late with it, and there the person who was; others cannot explain for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Who may use one address."""

    roles: frozenset[Role] = frozenset(Role)
    side: Side = Side.ANY
    public: bool = False
    """Needs no sign-in."""
    with_given_password: bool = False
    """Open also to who must change the password first."""


class NoRuleError(ShabarmanError):
    """A route was added and nobody said who may use it. Fact: `route`."""

    code = "no_rule"
    status = 500
    text = Text(
        "Nobody has said who may use this address ({route}), so nobody may. Tell the operator: a rule is missing."
    )


def only(roles: Iterable[Role], side: Side = Side.ANY) -> Rule:
    """Return the rule that lets in `roles`, where the named thing is on `side`."""
    return Rule(roles=frozenset(roles), side=side)


PUBLIC = Rule(public=True)
EVERYBODY = Rule()
"""Everybody who has signed in."""
WITH_GIVEN_PASSWORD = Rule(with_given_password=True)
INVOLVED = Rule(side=Side.INVOLVED)

COMMANDS: Mapping[str, Rule] = {
    "withdraw": only(ACCEPTORS, Side.SENDER),
    "take_out": only(COLLECTORS, Side.SENDER),
    "damage": only(RECEIVERS, Side.RECEIVER),
    "refuse": only(RECEIVERS, Side.RECEIVER),
    "register": only({Role.REGISTRAR}, Side.RECEIVER),
    "pass": only({Role.REGISTRAR, Role.CLERK}, Side.RECEIVER),
    "resolve": only(DECIDERS, Side.RECEIVER),
    "draft": only({Role.EXECUTOR}, Side.RECEIVER),
    "sign": only(DECIDERS, Side.RECEIVER),
    "send_back": only(DECIDERS, Side.RECEIVER),
    "never_sent": only(WHO_ADMITS, Side.SENDER),
    "lose": only(WHO_GIVES_UP, Side.INVOLVED),
    "reroute": only({Role.REGISTRAR}, Side.RECEIVER),
    "post": only(WHO_HANDS_OVER, Side.RECEIVER),
    "slip": only({Role.EXECUTOR, Role.REGISTRAR}, Side.RECEIVER),
    "explain": Rule(side=Side.LATE),
    "undo": INVOLVED,
}
"""What is done with one packet → its rule, the same for pages and programs."""

_WITH_MANY = ("pass", "resolve", "sign")
_OF_LINES = ("damage", "refuse")
_NOT_OF_THE_API = frozenset({*_WITH_MANY, "slip"})

RULES: dict[str, Rule] = {
    # For supervisors, and for whoever has not signed in.
    "GET /health/live": PUBLIC,
    "GET /health/ready": PUBLIC,
    "GET /metrics": PUBLIC,
    "GET /static/{version}/{name:path}": PUBLIC,
    "GET /sign-in": PUBLIC,
    "POST /sign-in": PUBLIC,
    "POST /language": PUBLIC,
    "GET /status": PUBLIC,
    "GET /api/openapi.json": PUBLIC,
    "GET /api/v1/status/{status_code}": PUBLIC,
    # Pages.
    "POST /sign-out": WITH_GIVEN_PASSWORD,
    "POST /sign-out/everywhere": WITH_GIVEN_PASSWORD,
    "GET /password": WITH_GIVEN_PASSWORD,
    "POST /password": WITH_GIVEN_PASSWORD,
    "GET /": EVERYBODY,
    "POST /notices/read": EVERYBODY,
    "GET /find": EVERYBODY,
    "POST /find": EVERYBODY,
    "GET /packets": EVERYBODY,
    "GET /accept": only(ACCEPTORS),
    "POST /accept": only(ACCEPTORS),
    "POST /accept/department": only(ACCEPTORS),
    "GET /packets/{number}": INVOLVED,
    "GET /packets/{number}/label.{fmt}": INVOLVED,
    "GET /packets/{number}/papers": INVOLVED,
    "POST /packets/{number}/papers/{paper}": INVOLVED,
    "GET /manifests/{number}": INVOLVED,
    "GET /manifests/{number}/lines": INVOLVED,
    "GET /manifests/{number}/label.{fmt}": INVOLVED,
    "GET /manifests/{number}/papers": INVOLVED,
    "POST /manifests/{number}/papers/{paper}": INVOLVED,
    "POST /manifests/{number}/seal": only(COLLECTORS, Side.SENDER),
    "POST /manifests/{number}/close": only(RECEIVERS, Side.RECEIVER),
    "GET /differences": EVERYBODY,
    "POST /differences/{discrepancy}/note": only(WHO_NOTES, Side.INVOLVED),
    "GET /papers": EVERYBODY,
    "POST /papers/labels": INVOLVED,
    "GET /papers/card.pdf": EVERYBODY,
    "GET /papers/addresses.pdf": EVERYBODY,
    "GET /desk/send": only(COLLECTORS),
    "GET /desk/pass": only(COMMANDS["pass"].roles),
    "POST /desk/pass": COMMANDS["pass"],
    "GET /desk/hand-out": only(WHO_HANDS_OVER),
    "POST /desk/hand-out": only(WHO_HANDS_OVER),
    "GET /desk/resolve": only(DECIDERS),
    "POST /desk/resolve": COMMANDS["resolve"],
    "GET /desk/draft": only({Role.EXECUTOR}),
    "GET /desk/sign": only(DECIDERS),
    "POST /desk/sign": COMMANDS["sign"],
    "POST /desk/sign/{number}/send-back": COMMANDS["send_back"],
    "GET /scan": EVERYBODY,
    "GET /scan/depart/bags": only(WHO[Station.DEPART]),
    "GET /scan/test": EVERYBODY,
    "GET /scan/test/label.svg": EVERYBODY,
    # Those who keep the house.
    **dict.fromkeys(
        (
            "GET /board",
            "GET /board/unread",
            "GET /board/messages",
            "GET /board/run",
            "GET /board/{what}",
            "GET /dead-letters",
            "POST /dead-letters",
            "GET /scan-log",
            "GET /people",
            "GET /people/new",
            "POST /people/new",
            "GET /people/{login}",
            "POST /people/{login}",
            "POST /people/{login}/password",
            "POST /people/{login}/switch",
            "GET /offices",
            "GET /offices/{code}",
            "POST /offices/{code}",
            "POST /offices/{code}/facts",
            "GET /calendar",
            "POST /calendar/day",
            "POST /calendar/confirm",
        ),
        only(KEEPERS),
    ),
    # Programs. A scan at a station of other roles is recorded, and answered with the verdict `not_allowed`.
    "POST /api/v1/scans": EVERYBODY,
    "POST /api/v1/readings": EVERYBODY,
    "POST /api/v1/packets": only(ACCEPTORS),
    "GET /api/v1/packets": EVERYBODY,
    "GET /api/v1/packets/{number}": INVOLVED,
    "POST /api/v1/packets/{number}/papers/{paper}": INVOLVED,
    "PUT /api/v1/packets/{number}/return_slip": COMMANDS["slip"],
    "GET /api/v1/manifests": EVERYBODY,
    "GET /api/v1/manifests/{number}": INVOLVED,
    "POST /api/v1/manifests/{number}/papers/{paper}": INVOLVED,
    "POST /api/v1/manifests/{number}/seal": only(COLLECTORS, Side.SENDER),
    "POST /api/v1/manifests/{number}/close": only(RECEIVERS, Side.RECEIVER),
    "GET /api/v1/discrepancies": EVERYBODY,
    "POST /api/v1/discrepancies/{discrepancy}/note": only(WHO_NOTES, Side.INVOLVED),
    "GET /api/v1/unclaimed": EVERYBODY,
    "PUT /api/v1/staff/{login}/absence": only(DECIDERS, Side.RECEIVER),
    "GET /api/v1/notices": EVERYBODY,
    "POST /api/v1/notices/read": EVERYBODY,
    "GET /api/v1/events": EVERYBODY,
    "GET /api/v1/me": EVERYBODY,
    "GET /api/v1/residence": EVERYBODY,
    "GET /api/v1/offices": EVERYBODY,
    "GET /api/v1/services": EVERYBODY,
    # Addresses of which one part is a word of a closed list.
    **{f"GET /scan/{station.value}": only(WHO[station]) for station in Station},
    **{
        f"POST /packets/{{number}}/{command}": rule
        for command, rule in COMMANDS.items()
        if command not in _OF_LINES
    },
    **{f"POST /manifests/{{number}}/lines/{{packet}}/{command}": COMMANDS[command] for command in _OF_LINES},
    **{
        f"POST /api/v1/packets/{{number}}/{command}": rule
        for command, rule in COMMANDS.items()
        if command not in _NOT_OF_THE_API
    },
    **{f"POST /api/v1/packets/{command}": COMMANDS[command] for command in _WITH_MANY},
}
"""Method and path → rule. `{command}` and `{station}` of a path are filled in, each word has a rule of its own."""

WORDS = ("command", "station")
"""Parts of a path that are words of a closed list."""


def rule_of(request: Request) -> Rule:
    """Return the rule of the route that `request` goes to.

    Raises NoRuleError for a route without one, and a plain 404 for a word that is not on its list.
    """
    path: str = request.scope["route"].path
    method = "GET" if request.method == "HEAD" else request.method
    filled = path
    for word in WORDS:
        filled = filled.replace(f"{{{word}}}", str(request.path_params.get(word)))
    rule = RULES.get(f"{method} {filled}")
    if rule is None and filled != path:
        raise HTTPException(404)
    if rule is None:
        raise NoRuleError(route=f"{method} {path}")
    return rule


def admit(rule: Rule, by: Actor) -> None:
    """Raise RoleError unless `by` has a role that `rule` lets in."""
    require_role(by, *rule.roles)
