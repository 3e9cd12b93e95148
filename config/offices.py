"""The register of offices: districts, 19 departments, 19 centres and 254 village akimats, as annexes 1-3 print them."""

from __future__ import annotations

from functools import cache

from config.errors import NotFoundError
from config.language import Text
from config.regulation.reading import own_folder
from config.regulation.records import (
    KINDS,
    WEEK,
    District,
    Hours,
    Office,
    Phone,
    Place,
    Printed,
    Register,
)
from config.regulation.register import read_register

_ = Text

__all__ = [
    "KINDS",
    "WEEK",
    "District",
    "Hours",
    "Office",
    "Phone",
    "Place",
    "Printed",
    "Register",
    "UnknownDistrictError",
    "UnknownOfficeError",
    "akimats",
    "as_json",
    "centre_of",
    "department_of",
    "district",
    "districts",
    "office",
    "offices",
    "register",
]


class UnknownOfficeError(NotFoundError):
    """No office has this code. Fact: `office_code`."""

    code = "unknown_office"
    text = _("No office has the code {office_code}. `shabarman offices` lists the codes.")


class UnknownDistrictError(NotFoundError):
    """No district has this code. Fact: `district`."""

    code = "unknown_district"
    text = _("No district has the code {district}. `shabarman offices` lists the districts.")


@cache
def register() -> Register:
    """Return the register of this installation, read once."""
    return read_register(own_folder())


def districts() -> tuple[District, ...]:
    """Return the districts and cities in the order of annex 1."""
    return tuple(register().districts.values())


def district(code: str) -> District:
    """Return one district; raise `UnknownDistrictError`."""
    try:
        return register().districts[code]
    except KeyError:
        raise UnknownDistrictError(district=code) from None


def offices(kind: str | None = None) -> tuple[Office, ...]:
    """Return all offices, or those of one `kind` (`centre`, `department`, `akimat`)."""
    return tuple(office for office in register().offices.values() if kind in {None, office.kind})


def office(code: str) -> Office:
    """Return the office with this code; raise `UnknownOfficeError`."""
    try:
        return register().offices[code]
    except KeyError:
        raise UnknownOfficeError(office_code=code) from None


def department_of(district_code: str) -> Office:
    """Return the department of a district; raise `UnknownDistrictError`."""
    return _only("department", district_code)


def centre_of(district_code: str) -> Office:
    """Return the centre of a district; raise `UnknownDistrictError`."""
    return _only("centre", district_code)


def akimats(district_code: str) -> tuple[Office, ...]:
    """Return the village akimats of a district (none in `tekeli`); raise `UnknownDistrictError`."""
    wanted = district(district_code).code
    return tuple(held for held in offices("akimat") if held.district == wanted)


def _only(kind: str, district_code: str) -> Office:
    wanted = district(district_code).code
    return next(held for held in offices(kind) if held.district == wanted)


def as_json(held: Office) -> dict[str, object]:
    """Return an office as `shabarman offices --json` shows it: plain texts, lists and mappings."""
    return {
        "code": held.code,
        "kind": held.kind,
        "district": held.district,
        "names": {"kk": held.name_kk, "ru": held.name_ru},
        "address": held.address,
        "phones": [{"number": phone.number, "printed": phone.printed} for phone in held.phones],
        "email": list(held.emails),
        "site": list(held.sites),
        "hours": {
            "weekly": {
                day: [f"{start:%H:%M}-{end:%H:%M}" for start, end in spans]
                for day, spans in zip(WEEK, held.hours.weekly, strict=True)
            },
            "open_on_public_holidays": held.hours.open_on_public_holidays,
            "time_zone": "Asia/Almaty",
            "printed": held.hours.printed,
        },
        "printed": {
            "name": held.printed.name,
            "address": held.printed.address,
            "phone": held.printed.phone,
            "hours": held.printed.hours,
        },
    }
