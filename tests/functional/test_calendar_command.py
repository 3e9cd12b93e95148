"""`shabarman calendar` as an operator has it."""

import json

from config.public_days import DayKind
from tests.functional.installation import Installation
from workers.commands.calendar import KindName


def test_the_kinds_of_the_command_line_are_those_of_the_calendar() -> None:
    assert [kind.value for kind in KindName] == [kind.value for kind in DayKind]


def test_an_operator_corrects_and_confirms_a_year(installation: Installation) -> None:
    assert installation.run("migrate").returncode == 0
    listed = installation.run("calendar", "list", "--year", "2027")
    assert "Құрбан айттың" in listed.stdout or "Курбан айта" in listed.stdout
    assert "not confirmed yet" in listed.stderr

    done = installation.run(
        *("calendar", "set", "2027-05-17..2027-05-18", "closed", "--office", "2001", "--source", "Order 5"),
        *("--name-ru", "Ремонт"),
    )
    assert (done.returncode, done.stderr.strip()) == (0, "Set. Deadlines moved later: 0.")
    for wrong, code in (
        (("2027-13-01", "closed", "--all"), "is no date"),
        (("2027-05-18..2027-07-18", "closed", "--all"), "is no date"),
        (("2027-05-18", "closed"), "Say which offices"),
        (("2027-05-18", "closed", "--all", "--office", "2001"), "Say which offices"),
        (("2027-05-18", "closed", "--of", "school"), "Say which offices"),
        (("2027-05-18", "hours", "--all", "--hours", "9-13"), "is no span such as"),
        (("2027-05-18", "closed", "--office", "9999"), "No office has the code 9999"),
    ):
        refused = installation.run("calendar", "set", *wrong, "--source", "Order 5")
        assert (refused.returncode, code in refused.stderr) == (1, True), refused.stderr
    assert installation.run("calendar", "confirm", "2027", "--source", "Decree 9").returncode == 0

    shown = json.loads(
        installation.run("calendar", "list", "--year", "2027", "--office", "2001", "--json").stdout
    )
    assert shown["confirmed"] == "Decree 9"
    days = {day["date"]: day for day in shown["days"] if day["offices"] == "2001"}
    assert list(days) == ["2027-05-17", "2027-05-18"]
    assert days["2027-05-17"]["names"]["ru"] == "Ремонт"
    assert days["2027-05-17"]["set_by"]
