"""Hands: everything is done here by a list of scans or one command, each in a transaction of its own."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TypeVar

from barcodes.numbers import Command, command_code, grouped, packet_number
from config.errors import ShabarmanError
from models.database import Database
from models.scan import Station, Verdict
from models.staff import Role
from workflow.people import Actor
from workflow.protocol import Answer, Scanned
from workflow.scanning import Handful, record

Result = TypeVar("Result")

LONGEST_LIST = 200
KAZAKH_KEYS = str.maketrans("1234567890", '"әіңғ,.үұқ')
"""What a scanner types, which presses the keys of a US keyboard, under a Kazakh layout."""

TYPED = 0.25
"""Share of the scans that do not arrive as plain digits."""
NOISE = 0.03
"""Share of the scans beside which something goes wrong: read twice, misread, another number, a card of commands."""
RESENT = 0.05
"""Share of the lists that a client sends again, because it had no answer."""


class Hands:
    """People who scan and act, by a virtual clock."""

    def __init__(
        self,
        database: Database,
        crew: dict[tuple[Role, str], Actor],
        *,
        deputies: dict[str, Actor],
        dice: random.Random,
        mark: str,
    ) -> None:
        """Work in `database`; `mark` begins the id of every scan, so that two simulations never share one.

        `deputies` are the second executors of the departments, by code of the office.
        """
        self.database, self.crew, self.dice, self.mark = database, crew, dice, mark
        self.deputies = deputies
        self.by_id = {person.id: person for person in (*crew.values(), *deputies.values())}
        self.surprises: list[str] = []
        """Answers that were not what the people expected."""
        self.refusals = 0
        """Commands that were refused, as they should be."""
        self._ids = count(1)
        self._now = datetime.min.replace(tzinfo=UTC)

    @property
    def now(self) -> datetime:
        """The moment of the last thing that was done."""
        return self._now

    def begin(self, moment: datetime) -> None:
        """Let everybody begin the next part of the day at `moment`, or as soon as the one before is done."""
        self._now = max(moment, self._now)

    def who(self, role: Role, office: str) -> Actor:
        """Return the person with this role in an office."""
        return self.crew[role, office]

    def act(self, by: Actor, command: Callable[..., Result], *arguments: object, **options: object) -> Result:
        """Give `command` of `workflow` as `by`, in a transaction of its own, a moment after the last one.

        The moments are short, because the offices work side by side.
        """
        now = self._next_moment()
        return self.database.transact(lambda session: command(session, *arguments, by=by, now=now, **options))

    def _next_moment(self) -> datetime:
        self._now += timedelta(milliseconds=self.dice.randint(10, 90))
        return self._now

    def is_refused(
        self, by: Actor, command: Callable[..., object], *arguments: object, code: str, **options: object
    ) -> None:
        """Try what is not allowed: an error with this code is what everybody expects."""
        try:
            self.act(by, command, *arguments, **options)
        except ShabarmanError as error:
            self.refusals += 1
            self.expect(error.code == code, f"refused as {error.code} instead of {code}")
        else:
            self.expect(None, f"not refused as {code}")

    def expect(self, as_it_should: object, otherwise: str) -> None:
        """Keep a surprise, unless everything is as it should be."""
        if not as_it_should:
            self.surprises.append(otherwise)

    def scan(
        self,
        by: Actor,
        station: Station,
        codes: Sequence[str],
        *,
        verdict: Verdict = Verdict.TAKEN,
        manifest: str | None = None,
    ) -> list[Answer]:
        """Scan `codes` in lists of realistic length, with what goes wrong in between; return their answers in order.

        Each is expected to get `verdict`.
        """
        answers: list[Answer] = []
        for some in self._lists(codes):
            answers += self._scan_list(by, station, some, verdict=verdict, manifest=manifest)
        return answers

    def _lists(self, codes: Sequence[str]) -> Iterator[Sequence[str]]:
        place = 0
        while place < len(codes):
            luck = self.dice.random()
            size = 1 if luck < 0.05 else self.dice.randint(5, 40) if luck < 0.15 else LONGEST_LIST
            yield codes[place : place + size]
            place += size

    def _scan_list(
        self, by: Actor, station: Station, codes: Sequence[str], *, verdict: Verdict, manifest: str | None
    ) -> list[Answer]:
        wanted: list[tuple[str, Verdict, bool]] = []
        for code in codes:
            wanted.append((self._read(code), verdict, True))
            if self.dice.random() < NOISE:
                wanted.append(self._noise(code, by, verdict))
        now = self._next_moment()
        scans = [
            Scanned(
                id=f"{self.mark}-{next(self._ids)}",
                raw=raw,
                station=station,
                at=now - timedelta(milliseconds=5),
                device="simulation",
                manifest=manifest,
            )
            for raw, _, _ in wanted
        ]
        (answers,) = record(self.database, [Handful(scans=scans, by=by, now=now)])
        for (raw, expected, _), answer in zip(wanted, answers, strict=True):
            self.expect(
                answer.verdict is expected,
                f"{station} {answer.code or raw}: {answer.verdict} instead of {expected}, {answer.sentence('en')}",
            )
        if self.dice.random() < RESENT:
            (again,) = record(self.database, [Handful(scans=scans, by=by, now=self._next_moment())])
            self.expect(again == answers, f"{station}: another answer to the same scans of {by.login}")
        return [answer for (_, _, wished), answer in zip(wanted, answers, strict=True) if wished]

    def _read(self, code: str) -> str:
        """Return what arrives when the label `code` is scanned, or typed by hand."""
        if self.dice.random() >= TYPED:
            return code
        return self.dice.choice(
            (
                code.translate(KAZAKH_KEYS),
                f"]C1{code}",
                grouped(code),
                f"{code}\r",
                grouped(code).replace(" ", "-"),
            )
        )

    def _noise(self, code: str, by: Actor, verdict: Verdict) -> tuple[str, Verdict, bool]:
        twice = Verdict.ALREADY if verdict is Verdict.TAKEN else None
        luck = self.dice.random()
        if luck < 0.5 and twice is not None and len(code) == 14:
            return self._read(code), twice, False
        if luck < 0.8:
            misread = str((int(code[5]) + 1) % 10)
            return code[:5] + misread + code[6:], Verdict.BAD_CHECK, False
        if luck < 0.9:
            return packet_number(by.office, 2099, self.dice.randint(1, 999_999)), Verdict.UNKNOWN, False
        return command_code(Command.YES), Verdict.COMMAND, False
