from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from config import services
from config.regulation.reading import RegulationError
from config.services import read_services

MIN, DAYS, WORKING = "minutes", "days", "working_days"

# Per service: channels, result, by post, form given at acceptance at the department, limits of the direct route in
# the order accept, resolve, examine, prepare, sign, hand over.
TABLE: dict[str, tuple[tuple[str, ...], str, bool, str, list[int | tuple[str, int]]]] = {
    "sanatorium": (("department",), "notice", True, "slip", [15, 30, (DAYS, 1), (DAYS, 9), 30, 15]),
    "assistant": (("department",), "notice", True, "slip", [15, 30, (DAYS, 1), (DAYS, 9), 30, 15]),
    "wheelchair": (("department",), "notice", True, "slip", [15, 30, (DAYS, 1), (DAYS, 9), 30, 15]),
    "employment": (("department",), "referral", False, "", [5, 5, 5, 5, 5, 5]),
    "local_aid": (("department",), "notice", True, "slip", [15, 30, (DAYS, 1), (DAYS, 14), 30, 15]),
    "aid_certificate": (("department", "akimat"), "certificate", False, "", [2, 2, 2, 2, 2, 2]),
    "child_allowance": (
        ("centre", "department", "akimat"),
        "notice",
        True,
        "slip",
        [15, 30, (WORKING, 3), (WORKING, 3), 60, 30],
    ),
}
CENTRE_ROUTE = [
    ("accept", "inspector", "centre", {"minutes": 30}),
    ("collect", "accumulator", "centre", {"runs_per_day": 2}),
    ("carry", "courier", "centre", {"runs_per_day": 2}),
    ("register", "registrar", "department", {"minutes": 30}),
    ("pass_to_head", "registrar", "department", {"minutes": 15}),
    ("resolve", "head", "department", {"minutes": 60}),
    ("examine", "executor", "department", {"minutes": 60}),
    ("prepare", "executor", "department", {"working_days": 1}),
    ("sign", "head", "department", {"minutes": 60}),
    ("complete", "executor", "department", {"minutes": 15}),
    ("send", "registrar", "department", {"minutes": 15}),
    ("carry_result", "courier", "department", {"runs_per_day": 2}),
    ("take_over", "accumulator", "centre", None),
    ("hand_over", "inspector", "centre", {"within": "working_day"}),
]
DIRECT = ["accept", "resolve", "examine", "prepare", "sign", "hand_over"]


def test_seven_services_in_their_order() -> None:
    assert [(service.number, service.code) for service in services.services()] == list(
        enumerate(TABLE, start=1)
    )


@pytest.mark.parametrize("code", TABLE)
def test_service_is_as_the_regulation_has_it(code: str) -> None:
    channels, result, by_post, given, limits = TABLE[code]
    service = services.service(code)
    route = service.routes["department"]
    assert (service.channels, service.result, service.result_by_post) == (channels, result, by_post)
    assert route.given_at_acceptance == given
    assert [step.code for step in route.steps] == DIRECT
    assert [step.who for step in route.steps] == [
        "registrar",
        "head",
        "executor",
        "executor",
        "head",
        "executor",
    ]
    found = [(step.limit.unit, step.limit.amount) for step in route.steps if step.limit]
    assert found == [limit if isinstance(limit, tuple) else (MIN, limit) for limit in limits]
    assert all(step.what_kk and step.limit_printed and step.source for step in route.steps)


def test_route_of_the_centre() -> None:
    route = services.service("child_allowance").routes["centre"]
    assert route.given_at_acceptance == "receipt"
    assert [
        (step.code, step.who, step.at, step.limit.as_json() if step.limit else None) for step in route.steps
    ] == CENTRE_ROUTE
    collect, missing = route.step("collect"), route.step("no_such")
    assert collect is not None
    assert collect.limit_printed == "Күніне 1 рет"
    assert missing is None


def test_akim_signs_the_certificate_himself() -> None:
    steps = services.service("aid_certificate").routes["akimat"].steps
    assert [step.who for step in steps] == ["registrar", "akim", "executor", "executor", "akim", "executor"]
    assert {step.at for step in steps} == {"akimat"}


def test_allowance_accepted_at_an_akimat_travels_to_the_department_and_back() -> None:
    steps = services.service("child_allowance").routes["akimat"].steps
    assert [step.at for step in steps] == ["akimat"] * 3 + ["department"] * 7 + ["akimat"]
    there = ["accept", "collect", "carry", "register"]
    assert [step.code for step in steps] == [*there, *DIRECT[1:-1], "send", "carry_result", "hand_over"]


def test_forms_have_the_annexes_of_the_source() -> None:
    forms = {
        service.code: {form.code: form.annex for form in service.forms} for service in services.services()
    }
    ordinary = {"slip": 2, "notice": 3}
    assert forms == {
        "sanatorium": ordinary,
        "assistant": ordinary,
        "wheelchair": ordinary,
        "employment": {"referral": 2},
        "local_aid": ordinary,
        "aid_certificate": {"certificate": 3},
        "child_allowance": {"notice": 4, "slip": 5, "receipt": 6},
    }


def test_only_service_seven_is_accepted_at_a_centre() -> None:
    assert [service.code for service in services.accepted_at("centre")] == ["child_allowance"]
    assert [service.code for service in services.accepted_at("akimat")] == [
        "aid_certificate",
        "child_allowance",
    ]
    assert len(services.accepted_at("department")) == 7


def test_json_is_plain_and_complete() -> None:
    shown: Any = json.loads(json.dumps(services.as_json(services.service("child_allowance"))))
    assert shown["names"]["kk"] == "18 жасқа дейінгі балалы отбасыларға мемлекеттік жәрдемақылар тағайындау"
    assert shown["channels"] == ["centre", "department", "akimat"]
    assert shown["routes"]["centre"]["steps"][0]["limit"] == {"minutes": 30}
    assert shown["routes"]["centre"]["steps"][12]["limit"] is None
    assert shown["forms"][0] == {
        "code": "notice",
        "annex": 4,
        "names": {"kk": "Мекеме хаттарының бланкі (хабарлама)", "ru": "Уведомление"},
    }


def test_unknown_service_names_the_known_ones() -> None:
    with pytest.raises(
        services.UnknownServiceError, match=r"No service is called pension\. Use one of: sanatorium, "
    ):
        services.service("pension")


def own(folder: Path, text: str, name: str = "8-new.toml") -> Path:
    (folder / "services").mkdir()
    (folder / "services" / name).write_text(text, encoding="utf-8")
    return folder


def packaged(name: str) -> str:
    return files("config.regulation").joinpath("services", name).read_text(encoding="utf-8")


def test_new_service_needs_no_code(tmp_path: Path) -> None:
    new = (
        packaged("6-aid-certificate.toml")
        .replace("number = 6", "number = 8")
        .replace("aid_certificate", "new_one")
    )
    found = read_services(own(tmp_path, new))
    assert list(found) == [*TABLE, "new_one"]
    assert found["new_one"].channels == ("department", "akimat")


def test_channel_is_added_to_a_service_by_its_file(tmp_path: Path) -> None:
    steps = packaged("7-child-allowance.toml").split("[routes.centre]")[1].split("# Where there is no")[0]
    centre = "\n[routes.centre]" + steps.split("[routes.department]")[0].replace('"receipt"', '"slip"')
    changed = own(tmp_path, packaged("1-sanatorium.toml") + centre, name="1-sanatorium.toml")
    assert read_services(changed)["sanatorium"].channels == ("department", "centre")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            "number = 8",
            "number = 7",
            r"the number or the code of service 7 \(child_allowance\) is given twice",
        ),
        ('"other"', '"sanatorium"', r"of service 1 \(sanatorium\) is given twice"),
        (
            'code = "other"',
            'code = "Other"',
            r"services/8-new.toml, line 2, the file: .*small Latin letters",
        ),
        ('result = "referral"', 'result = "letter"', r'"letter" is no result; use one of notice, referral'),
        (
            'result = "referral"',
            'result = "notice"',
            r'the result is a notice, and there is no form "notice"',
        ),
        ("result_by_post = false", 'result_by_post = "no"', r'"result_by_post" must be true or false'),
        ("result_by_post = false", "", r'the field "result_by_post" is missing'),
        ("result_by_post = false", "result_by_post = false\nfree = true", r'the field "free" is not known'),
        (
            "routes.department",
            "routes.post",
            r'routes, post: "post" is no channel; use one of centre, department',
        ),
        (
            'who = "head"',
            'who = "boss"',
            r'routes, department, steps 2: "boss" is no who; use one of inspector',
        ),
        ('code = "resolve"', 'code = "ponder"', r'steps 2: "ponder" is no code; use one of accept, collect'),
        (
            'code = "examine"',
            'code = "prepare"',
            r"department: the steps must stand once each and in this order",
        ),
        ('code = "resolve"', 'code = "register"', r'department: the step "resolve" is missing'),
        ('at = "department"', 'at = "centre"', r"the first step must be at the department"),
        (
            "{ minutes = 5 }",
            "{ hours = 5 }",
            r"steps 1, limit: one of minutes, working_days, days, .* not hours",
        ),
        ("{ minutes = 5 }", "{ minutes = 5, days = 1 }", r"limit: one of .* not minutes, days"),
        ("{ minutes = 5 }", "{ minutes = 0 }", r'limit: the field "minutes" must be 1 or more'),
        ("{ minutes = 5 }", '{ within = "year" }', r'"year" is no within; use one of working_day'),
        (
            'acceptance = ""',
            'acceptance = "slip"',
            r'the form "slip" is given at acceptance, and there is no such',
        ),
        ("annex = 2", 'annex = "two"', r'forms 1: the field "annex" must be a whole number'),
        ("number = 8", "number = ", r"services/8-new.toml, the file: it is no valid data .*line 1"),
    ],
)
def test_wrong_entry_is_refused_with_its_place(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    text = (
        packaged("4-employment.toml").replace("number = 4", "number = 8").replace(' "employment"', ' "other"')
    )
    assert old in text
    with pytest.raises(RegulationError, match=complaint):
        read_services(own(tmp_path, text.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('who = "head"', 'who = "boss"'),
        ("{ minutes = 5 }", "{ minutes = 0 }"),
        ("{ minutes = 5 }", "{ hours = 5 }"),
        ("result_by_post = false", "result_by_post = false\nfree = true"),
        ('acceptance = ""', 'acceptance = "slip"'),
        ("annex = 2", 'annex = "two"'),
        ('result = "referral"', 'result = "notice"'),
        ('at = "department"', 'at = """\nthe\ndepartment"""'),
    ],
)
def test_wrong_entry_is_refused_with_its_line(tmp_path: Path, old: str, new: str) -> None:
    text = packaged("4-employment.toml")
    begin, _, _ = text.partition(old)
    # The changed line, or the last one where the change has more.
    line = begin.count("\n") + 1 + new.count("\n")
    with pytest.raises(RegulationError, match=rf"^services/4-employment\.toml, line {line}, "):
        read_services(own(tmp_path, text.replace(old, new, 1), name="4-employment.toml"))


def test_an_entry_without_a_field_is_refused_with_the_line_on_which_it_begins(tmp_path: Path) -> None:
    lines = packaged("4-employment.toml").splitlines()
    resolve = lines.index('code = "resolve"')
    del lines[resolve + 1]
    with pytest.raises(RegulationError, match=rf'line {resolve}, .*steps 2: the field "who" is missing'):
        read_services(own(tmp_path, "\n".join(lines), name="4-employment.toml"))


def test_empty_route_table_is_refused(tmp_path: Path) -> None:
    text = packaged("4-employment.toml").split("[routes.department]")[0].replace("number = 4", "number = 8")
    with pytest.raises(RegulationError, match="at least one route is needed"):
        read_services(own(tmp_path, text.replace('"employment"', '"other"') + "[routes]\n"))
