"""Nothing of the source is lost: the printed fields rebuild the tables of the annexes, character by character."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest

from config import offices
from config.offices import Office
from config.regulation.reading import read_json

SOURCE: Any = read_json("source.json")
CORRECTIONS: Any = read_json("corrections.json")

# Taken from the text of the resolution itself: SHA-256 of all characters of the table cells that are not blank.
TAKEN = {
    (1, 1): "18dac2f94938c80a397cbf579ee537b9955f0d5e7e4683275edd4578bfc6ed8d",
    (2, 1): "18dac2f94938c80a397cbf579ee537b9955f0d5e7e4683275edd4578bfc6ed8d",
    (3, 1): "18dac2f94938c80a397cbf579ee537b9955f0d5e7e4683275edd4578bfc6ed8d",
    (4, 1): "18dac2f94938c80a397cbf579ee537b9955f0d5e7e4683275edd4578bfc6ed8d",
    (5, 1): "c3d39092d7403ce853d09d2c0ac5a91d94f3e9642448d1edcd537fac96dadc5b",
    (6, 1): "c8144df1c247777abbbdbe3d155d1e53aaf196d9fa8d5f5e49ab16c1efa99912",
    (6, 2): "60924d1af47dcb65db49fee38f657fb6b115ae06777a6807422f8e1867427a0f",
    (7, 1): "c3d39092d7403ce853d09d2c0ac5a91d94f3e9642448d1edcd537fac96dadc5b",
    (7, 2): "56f28e03b11ba5ae90cf80f2c244e2d96ecf11aaa81dc76e34826f7607ecd2aa",
    (7, 3): "c174a14b9e3fb48a771c3f1094e150b7816993751f7b557cc792a3a3310dcba7",
}


def squeezed(*texts: str) -> str:
    return re.sub(r"\s+", "", "".join(texts))


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def printed_cells(office: Office, variants: dict[tuple[str, str], str]) -> list[str]:
    cells = {name: getattr(office.printed, name) for name in ("name", "address", "phone", "hours")}
    return [str(office.row), *(variants.get((office.code, name), cell) for name, cell in cells.items())]


def table(annex: Any) -> str:
    variants = {(one["code"], one["field"]): one["printed"] for one in annex["variants"]}
    rows = offices.offices(annex["kind"])
    headings = {one["after"]: one["printed"] for one in annex["districts"]}
    cells = list(annex["headings"])
    for place in range(len(rows) + 1):
        if place in annex["column_numbers_after"]:
            cells.append("12345")
        if place in headings:
            cells.append(headings[place])
        if place < len(rows):
            cells += printed_cells(rows[place], variants)
    return squeezed(*cells)


@pytest.mark.parametrize("annex", SOURCE["annexes"], ids=lambda annex: f"{annex['service']}-{annex['annex']}")
def test_annex_is_rebuilt_from_the_printed_fields(annex: Any) -> None:
    rebuilt = table(annex)
    assert len(rebuilt) == annex["characters"]
    assert digest(rebuilt) == annex["sha256"] == TAKEN[annex["service"], annex["annex"]]


def test_all_annexes_with_offices_are_there() -> None:
    found = [(annex["service"], annex["annex"]) for annex in SOURCE["annexes"]]
    assert found == list(TAKEN)


def test_annexes_differ_only_where_it_is_listed() -> None:
    different = {
        (annex["service"], annex["annex"]): [(one["code"], one["field"]) for one in annex["variants"]]
        for annex in SOURCE["annexes"]
        if annex["variants"]
    }
    short_hours = [("2001", "hours"), ("2008", "hours")]
    assert different == {
        **{(service, 1): short_hours for service in (1, 2, 3, 4)},
        (6, 1): [("2014", "name")],
        (6, 2): [("3104", "name"), ("3108", "name"), ("3112", "name"), ("3307", "name")],
    }


@pytest.mark.parametrize("office", offices.offices(), ids=lambda office: office.code)
def test_row_has_its_checksum(office: Office) -> None:
    assert digest(squeezed(*printed_cells(office, {})))[:16] == SOURCE["rows"][office.code]


def test_every_checksum_has_its_row() -> None:
    assert set(SOURCE["rows"]) == {office.code for office in offices.offices()}


def corrected(office: Office, field: str) -> bool:
    return any(
        one.get("office") == office.code and one["field"] == field and one["corrected"] is not None
        for one in CORRECTIONS
    )


def in_printed(value: str, cell: str) -> bool:
    return squeezed(value) in squeezed(cell)


@pytest.mark.parametrize("office", offices.offices(), ids=lambda office: office.code)
def test_what_is_not_as_printed_is_listed_as_corrected(office: Office) -> None:
    printed = office.printed
    assert (office.name_kk == " ".join(printed.name.split("\n"))) != corrected(office, "name")
    lines = [line for line in printed.address.split("\n") if "@" not in line and ".kz" not in line]
    joined = re.sub(r"\s+", " ", " ".join(lines)).strip(" ,")
    assert (office.address == joined) != corrected(office, "address")
    assert all(in_printed(email, printed.address) for email in office.emails) or corrected(office, "email")
    assert all(in_printed(site, printed.address) for site in office.sites) or corrected(office, "site")


@pytest.mark.parametrize("office", offices.offices(), ids=lambda office: office.code)
def test_telephones_have_all_digits_that_are_printed(office: Office) -> None:
    cell = re.sub(r"\D", "", office.printed.phone)
    numbers = [phone.number for phone in office.phones]
    listed = [one for one in CORRECTIONS if one.get("office") == office.code and one["field"] == "phone"]
    if None in numbers:
        assert len(listed) == 1
        assert listed[0]["corrected"] is None
        assert all(squeezed(phone.printed) in squeezed(office.printed.phone) for phone in office.phones)
        return
    if office.kind == "centre":
        code, *rest = [part for part in re.split(r"[\s,]+", office.printed.phone) if part]
        expected = ["+7" + re.sub(r"\D", "", code + one)[1:] for one in rest]
    else:
        expected = ["+7" + cell[1:]]
    assert numbers == expected or corrected(office, "phone")


def carried_out(office: Office) -> dict[str, str]:
    """Return what the data has in each field, as corrections are compared."""
    numbers = [phone.number[2:] for phone in office.phones if phone.number]
    return {
        "name": office.name_kk,
        "address": office.address,
        "email": " ".join(office.emails),
        "site": " ".join(office.sites),
        "phone": " ".join(numbers),
    }


def test_corrections_are_carried_out() -> None:
    listed = [one for one in CORRECTIONS if "office" in one and one["corrected"] is not None]
    assert len(listed) >= 20
    for one in listed:
        field = one["field"]
        stands = carried_out(offices.office(one["office"]))[field]
        if field != "phone":
            assert one["corrected"] in stands, one
        elif "," not in one["corrected"]:
            assert re.sub(r"\D", "", one["corrected"])[1:] == stands, one


def test_corrections_quote_what_is_printed() -> None:
    for one in CORRECTIONS:
        assert set(one) - {"office"} == {"where", "field", "printed", "corrected", "reason"}
        assert len(one["reason"]) > 15, one
        if "office" in one:
            printed = offices.office(one["office"]).printed
            assert in_printed(one["printed"], printed.name + printed.address + printed.phone), one


@pytest.mark.parametrize(
    ("printed", "corrected"),
    [
        ("Балхаш ауданы", "Балқаш ауданы"),
        ("Карасай ауданы", "Қарасай ауданы"),
        ("Уйғыр ауданы", "Ұйғыр ауданы"),
        ("Қапшагай қаласы", "Қапшағай қаласы"),
        ("Сарқант ауданының", "Сарқан ауданының"),
        ("zhambyl. rotzszn@mail. оnline.kz", "zhambyl.rotzszn@mail.online.kz"),
        ("872839 872839 21349", "872839 21349"),
        ("872777 23-41", None),
        ("ХКҚО-ның инспекторы", "ХҚКО-ның инспекторы"),
        ("Ушарал қаласы", None),
        ("Чунжа ауылы", None),
    ],
)
def test_known_blemish_is_listed(printed: str, corrected: str | None) -> None:
    assert corrected in [one["corrected"] for one in CORRECTIONS if one["printed"] == printed]


def test_title_of_another_service_is_listed_for_both_diagrams() -> None:
    titles = [
        one["where"] for one in CORRECTIONS if "Мемлекеттік атаулы әлеуметтік көмекті" in one["printed"]
    ]
    assert titles == ["service 5, annex 5, title of the diagram", "service 6, annex 5, title of the diagram"]
