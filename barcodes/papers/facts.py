"""What several papers are told alike: names in both languages, offices, services, enclosures, dates, copies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from config.errors import BadInputError
from config.language import Text

_MONTHS_KK = (
    ("қаңтар", "қаңтарында"),
    ("ақпан", "ақпанында"),
    ("наурыз", "наурызында"),
    ("сәуір", "сәуірінде"),
    ("мамыр", "мамырында"),
    ("маусым", "маусымында"),
    ("шілде", "шілдесінде"),
    ("тамыз", "тамызында"),
    ("қыркүйек", "қыркүйегінде"),
    ("қазан", "қазанында"),
    ("қараша", "қарашасында"),
    ("желтоқсан", "желтоқсанында"),
)
"""Of each month its name, and the form that says when."""
_MONTHS_RU = (
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
)
QUARTERS = {"1": "I", "2": "II", "3": "III", "4": "IV"}
NBSP = "\u00a0"


class PaperError(BadInputError):
    """A paper that cannot be printed as asked; `what` says why, and what to do."""

    code = "bad_paper"
    text = Text("The paper cannot be printed: {what}.")


@dataclass(frozen=True, slots=True)
class Both:
    """The same in Kazakh and in Russian."""

    kk: str
    ru: str


NOTHING = Both("", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An office as papers name it."""

    name: Both
    address: str = ""
    phones: tuple[str, ...] = ()
    hours: str = ""
    """As the regulation prints them; empty where it prints none."""
    institution: bool = False
    """A state institution, whose name stands in quotation marks with «ММ», «ГУ» beside it."""

    @property
    def full(self) -> Both:
        """The name with its legal form, as letters begin."""
        if not self.institution:
            return self.name
        return Both(f"«{self.name.kk}» ММ", f"ГУ «{self.name.ru}»")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The service that was asked for."""

    number: int
    """As the regulation counts them, 1 to 7: forms differ by it."""
    name: Both


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosed:
    """One kind of enclosed document."""

    name: str
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Which print of a paper this is."""

    number: int = 1
    """Counts from 1; from the second on the paper says so."""

    def __post_init__(self) -> None:
        """Refuse what counts no print."""
        if self.number < 1:
            raise PaperError(what=Text("copies count from 1"))

    @property
    def mark(self) -> str:
        """What a reprint carries; empty on the first print."""
        return "" if self.number == 1 else f"{self.number}-көшірме · копия{NBSP}{self.number}"


FIRST = Copy()


def on_day(day: date | None) -> Both:
    """Return a day as the sentences of the forms say when; a place for the pen where it is not known."""
    if day is None:
        return Both(
            f"20___{NBSP}жылдың «____»{NBSP}__________________",
            f"«____»{NBSP}__________________ 20___{NBSP}года",
        )
    return Both(
        f"{day.year}{NBSP}жылдың «{day.day}»{NBSP}{_MONTHS_KK[day.month - 1][1]}",
        f"«{day.day}»{NBSP}{_MONTHS_RU[day.month - 1]} {day.year}{NBSP}года",
    )


def day_of(day: date | None) -> Both:
    """Return a day as letters are dated; a place for the pen where it is not known."""
    if day is None:
        return Both(f"20___{NBSP}жылғы «____»{NBSP}__________________", on_day(None).ru)
    return Both(f"{day.year}{NBSP}жылғы {day.day}{NBSP}{_MONTHS_KK[day.month - 1][0]}", on_day(day).ru)


def short(moment: date | None) -> str:
    """Return a day as `23.11.2026`; a moment (local, as the caller gives it) with hours and minutes."""
    if moment is None:
        return ""
    return f"{moment:%d.%m.%Y %H:%M}" if isinstance(moment, datetime) else f"{moment:%d.%m.%Y}"
