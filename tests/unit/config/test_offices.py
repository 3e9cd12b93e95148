from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from config import offices
from config.regulation.reading import OWN_FOLDER, RegulationError, own_folder
from config.regulation.register import read_register

AKIMATS = {
    "aksu": 18,
    "alakol": 23,
    "balkhash": 15,
    "enbekshikazakh": 26,
    "eskeldi": 11,
    "zhambyl": 24,
    "ile": 10,
    "karasai": 13,
    "karatal": 10,
    "kerbulak": 15,
    "koksu": 10,
    "panfilov": 14,
    "raiymbek": 23,
    "sarkan": 13,
    "talgar": 11,
    "uygur": 14,
    "kapshagay": 2,
    "taldykorgan": 2,
    "tekeli": 0,
}


def test_counts_are_those_of_the_annexes() -> None:
    assert {kind: len(offices.offices(kind)) for kind in offices.KINDS} == {
        "centre": 19,
        "department": 19,
        "akimat": 254,
    }
    assert {district.code: len(offices.akimats(district.code)) for district in offices.districts()} == AKIMATS


@pytest.mark.parametrize("district", offices.districts(), ids=lambda district: district.code)
def test_each_district_has_one_department_and_one_centre(district: offices.District) -> None:
    assert (offices.department_of(district.code).kind, offices.centre_of(district.code).kind) == (
        "department",
        "centre",
    )
    name = district.name_kk.split()[0]
    assert name in offices.department_of(district.code).name_kk
    assert name in offices.centre_of(district.code).name_kk
    rows = [akimat.row for akimat in offices.akimats(district.code)]
    assert rows == list(range(1, AKIMATS[district.code] + 1))


def test_codes_follow_the_scheme() -> None:
    number = {district.code: district.number for district in offices.districts()}
    for office in offices.offices():
        expected = {
            "centre": 1000 + number[office.district],
            "department": 2000 + number[office.district],
            "akimat": 3000 + 100 * number[office.district] + office.row,
        }
        assert int(office.code) == expected[office.kind]
        assert re.fullmatch(r"[1-8]\d{3}", office.code)
        assert not office.code.startswith("80")
    assert len({office.code for office in offices.offices()}) == 292


@pytest.mark.parametrize("kind", offices.KINDS)
def test_every_field_is_filled(kind: str) -> None:
    for office in offices.offices(kind):
        assert re.search(r"[А-я]", office.name_ru)
        assert not re.search(r"[әіғқңөұүһӘІҒҚҢӨҰҮҺ]", office.name_ru), office
        assert "\n" not in office.name_kk + office.address
        assert office.phones
        assert office.hours.printed
        assert (
            office.sites
            or office.emails
            or kind != "akimat"
            or office.code in {"3510", "3813", "4702", "4802"}
        )


def test_numbers_that_cannot_be_dialled_are_these() -> None:
    dead = [office.code for office in offices.offices() for phone in office.phones if phone.number is None]
    too_long = ["3403", "3407", "3411", "3412", "3414", "3416", "3418", "3419", "3420", "3424", "3426"]
    assert dead == [*too_long, "3703", "4308", "4310"]


def test_all_telephones_of_a_centre_are_there() -> None:
    numbers = [phone.number for phone in offices.office("1012").phones]
    assert numbers == ["+77283155129", "+77283155126", "+77283155111", "+77283155130"]
    assert sum(len(office.phones) for office in offices.offices("centre")) == 45


def test_hours_are_those_of_the_regulation() -> None:
    for office in offices.offices():
        shown: Any = offices.as_json(office)["hours"]
        week = ["09:00-20:00"] if office.kind == "centre" else ["09:00-13:00", "14:00-18:00"]
        saturday = ["09:00-15:00"] if office.kind == "centre" else []
        assert list(shown["weekly"].values()) == [week] * 5 + [saturday, []]
        assert list(shown["weekly"]) == list(offices.WEEK)
        assert not office.hours.open_on_public_holidays


def test_json_is_plain_and_complete() -> None:
    shown: Any = json.loads(json.dumps(offices.as_json(offices.office("2006"))))
    assert {"code", "kind", "district", "names", "address", "phones", "email", "hours"} <= set(shown)
    assert shown["email"] == ["zhambyl.rotzszn@mail.online.kz"]
    assert shown["phones"] == [{"number": "+77277022260", "printed": "8-72770 2-22-60"}]
    assert shown["names"]["kk"] == "Жамбыл ауданының жұмыспен қамту және әлеуметтік бағдарламалар бөлімі"
    assert shown["names"]["ru"] == "Отдел занятости и социальных программ Жамбылского района"
    assert "оnline" in shown["printed"]["address"]


def test_unknown_codes_say_what_to_do() -> None:
    with pytest.raises(offices.UnknownOfficeError, match="No office has the code 9999"):
        offices.office("9999")
    for ask in (offices.district, offices.department_of, offices.centre_of, offices.akimats):
        with pytest.raises(offices.UnknownDistrictError, match="No district has the code almaty"):
            ask("almaty")


def test_reading_is_quick() -> None:
    started = time.process_time()
    read_register()
    assert time.process_time() - started < 0.25, "reading took ten times what it should"


def test_register_is_read_once() -> None:
    assert offices.register() is offices.register()


def change(folder: Path, file: str, edit: Callable[[Any], object]) -> None:
    data = json.loads(files("config.regulation").joinpath(file).read_text(encoding="utf-8"))
    edit(data)
    (folder / file).write_text(json.dumps(data), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "edit", "complaint"),
    [
        (
            "akimats.json",
            lambda data: data[4].pop("name_ru"),
            r'akimats.json, entry 5 \(3105\): .*"name_ru" is missing',
        ),
        ("akimats.json", lambda data: data[4].update(name_ru=" "), r'entry 5 \(3105\): .*"name_ru" is blank'),
        (
            "akimats.json",
            lambda data: data[4].update(row="5"),
            r'entry 5 \(3105\): .*"row" must be a whole number',
        ),
        ("akimats.json", lambda data: data[4].update(row=True), r'"row" must be a whole number'),
        ("akimats.json", lambda data: data[4].update(row=0), r'"row" must be 1 or more'),
        (
            "akimats.json",
            lambda data: data[4].update(code="3104"),
            r"entry 5 \(3104\): the code 3104 is given twice",
        ),
        ("akimats.json", lambda data: data[4].update(code="8001"), r"entry 5 \(8001\): .*not begin with 80"),
        ("akimats.json", lambda data: data[4].update(code="9801"), r"entry 5 \(9801\): .*the first 1-8"),
        (
            "akimats.json",
            lambda data: data[4].update(district="aqsu"),
            r'"aqsu" is no district; use one of aksu, ',
        ),
        ("akimats.json", lambda data: data[4].update(adress="x"), r'the field "adress" is not known'),
        ("akimats.json", lambda data: data[4].update(emails=["a @b.kz"]), r'"a @b.kz" is no e-mail address'),
        ("akimats.json", lambda data: data[4].update(emails="a@b.kz"), r'"emails" must be a list of texts'),
        ("akimats.json", lambda data: data[4].update(phones=[]), r"a telephone is missing"),
        (
            "akimats.json",
            lambda data: data[4].update(places=[]),
            r"the places by which it is found are missing",
        ),
        (
            "akimats.json",
            lambda data: data[4]["places"][0].update(kind="town"),
            r'places 1: "town" is no kind',
        ),
        (
            "akimats.json",
            lambda data: data[4]["phones"][0].update(number="87283227050"),
            r"entry 5 \(3105\), phones 1: .*must be \+7 and ten digits",
        ),
        (
            "akimats.json",
            lambda data: data[4]["phones"][0].pop("number"),
            r'phones 1: the field "number" is missing',
        ),
        ("akimats.json", lambda data: data[4].update(printed="x"), r'"printed" must be an entry'),
        (
            "akimats.json",
            lambda data: data.insert(0, "x"),
            r"entry 1: an entry with named fields is expected",
        ),
        (
            "centres.json",
            lambda data: data.pop(),
            r"centres.json, district tekeli: exactly one centre .* there are 0",
        ),
        (
            "departments.json",
            lambda data: data[1].update(district="aksu"),
            r"exactly one department .* there are 2",
        ),
        ("districts.json", lambda data: data[1].update(code="Alakol"), r"entry 2: .*small Latin letters"),
        (
            "districts.json",
            lambda data: data[1].update(code="aksu"),
            r"entry 2 \(aksu\): the code is given twice",
        ),
        ("districts.json", lambda data: data.reverse(), r"entry 1 \(tekeli\): the number must be 1"),
        (
            "hours.json",
            lambda data: data["centre"]["weekly"].pop("sunday"),
            r"centre, weekly: the day sunday is missing",
        ),
        (
            "hours.json",
            lambda data: data["centre"]["weekly"].update(monday=["9-20"]),
            r'monday: "9-20" must be written as 09:00-13:00',
        ),
        (
            "hours.json",
            lambda data: data["centre"]["weekly"].update(monday=["09:00-13:00", "12:00-18:00"]),
            r'monday: "12:00-18:00" must begin after',
        ),
        (
            "hours.json",
            lambda data: data["centre"].update(open_on_public_holidays="no"),
            r"must be true or false",
        ),
        (
            "hours.json",
            lambda data: data.pop("akimat"),
            r'"akimat" is no hours; use one of department, centre',
        ),
    ],
)
def test_wrong_entry_is_refused_with_its_place(
    tmp_path: Path, file: str, edit: Callable[[Any], object], complaint: str
) -> None:
    change(tmp_path, file, edit)
    with pytest.raises(RegulationError, match=complaint) as refused:
        read_register(tmp_path)
    assert str(refused.value).endswith("Correct the entry and start again.")
    assert set(refused.value.facts) == {"file", "entry", "reason"}


def test_file_that_is_no_json_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "centres.json").write_text('[\n  {"code": "1001",}\n]', encoding="utf-8")
    with pytest.raises(RegulationError, match=r"centres.json, the file: it is no valid data .*line 2"):
        read_register(tmp_path)
    (tmp_path / "centres.json").write_text("{}", encoding="utf-8")
    with pytest.raises(RegulationError, match="a list of entries is expected"):
        read_register(tmp_path)


def test_file_of_the_operator_stands_in_place_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(tmp_path, "centres.json", lambda data: data[0].update(address="Жаңа көше, 1"))
    monkeypatch.setenv(OWN_FOLDER, str(tmp_path))
    register = read_register(own_folder())
    assert register.offices["1001"].address == "Жаңа көше, 1"
    assert register.offices["1001"].printed == offices.office("1001").printed
    monkeypatch.setenv(OWN_FOLDER, str(tmp_path / "none"))
    with pytest.raises(RegulationError, match="there is no such folder"):
        own_folder()
    monkeypatch.delenv(OWN_FOLDER)
    assert own_folder() is None
