"""The public services: where each is accepted, what it ends with, and the steps of its routes with their limits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from config.errors import NotFoundError
from config.language import Text
from config.regulation.reading import Entry, own_folder, read_toml, toml_sources
from config.regulation.records import KINDS

_ = Text

RESULTS = ("notice", "referral", "certificate")
FORMS = ("slip", "receipt", *RESULTS)
ROLES = ("inspector", "accumulator", "courier", "registrar", "head", "executor", "akim")
STEPS = (
    "accept",
    "collect",
    "carry",
    "register",
    "pass_to_head",
    "resolve",
    "examine",
    "prepare",
    "sign",
    "complete",
    "send",
    "carry_result",
    "take_over",
    "hand_over",
)
"""The steps in the order in which a route takes them; a route leaves out those that it does not have."""
COUNTED = ("minutes", "working_days", "days", "runs_per_day")
WITHIN = ("working_day",)
CLOCKS = ("restarts", "stops", "runs_on")
"""What becomes of the executor's clock when the head sends a draft back for completion.

It restarts with the whole limit (of the step `complete` where the route has it), stops while the head has the draft and
goes on with what was left, or runs on as if nothing had happened.
"""
_SLUG = re.compile(r"[a-z]+(_[a-z]+)*")


class UnknownServiceError(NotFoundError):
    """No service has this code. Facts: `service`, `known`."""

    code = "unknown_service"
    text = _("No service is called {service}. Use one of: {known}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How long a step may take: `amount` of `unit` (one of `COUNTED`), or `within` one of `WITHIN`.

    `days` are calendar days, `working_days` and `minutes` run in the working time of the office that holds the packet,
    `runs_per_day` waits for the next courier run.
    """

    unit: str
    amount: int | str

    def as_json(self) -> dict[str, int | str]:
        """Return the limit as the data files write it, for instance `{"minutes": 30}`."""
        return {self.unit: self.amount}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a route: `who` does `what` at which kind of office; no `limit` where the text sets none."""

    code: str
    who: str
    at: str
    what_kk: str
    what_ru: str
    limit: Limit | None
    limit_printed: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A paper of the service and the annex of its regulation that approves it; `annex` is None for a paper of ours."""

    code: str
    annex: int | None
    name_kk: str
    name_ru: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The way of a packet accepted at one kind of office, the `channel`.

    `given_at_acceptance` is the code of the form that the applicant gets, or empty; `sent_back` is one of `CLOCKS`.
    """

    channel: str
    given_at_acceptance: str
    sent_back: str
    steps: tuple[Step, ...]

    def step(self, code: str) -> Step | None:
        """Return the step with this code, or None where the route has none."""
        return next((step for step in self.steps if step.code == code), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A public service of the regulation."""

    number: int
    code: str
    name_kk: str
    name_ru: str
    result: str
    result_by_post: bool
    forms: tuple[Form, ...]
    routes: dict[str, Route]

    @property
    def channels(self) -> tuple[str, ...]:
        """The kinds of office at which the service is accepted."""
        return tuple(self.routes)


def read_services(own: Path | None = None) -> dict[str, Service]:
    """Read all services by code, in the order of their numbers; raise `RegulationError` for the first wrong entry."""
    found: dict[str, Service] = {}
    for name, file in toml_sources("services", own=own):
        entry = read_toml(name, file)
        service = _service(entry)
        for other in found.values():
            if service.code == other.code or service.number == other.number:
                raise entry.wrong(
                    f"the number or the code of service {other.number} ({other.code}) is given twice",
                    field="code" if service.code == other.code else "number",
                )
        found[service.code] = service
    return dict(sorted(found.items(), key=lambda item: item[1].number))


def _service(entry: Entry) -> Service:
    code = entry.text("code")
    if not _SLUG.fullmatch(code):
        raise entry.wrong(f'the code "{code}" must be small Latin letters and underscores', field="code")
    forms = tuple(_forms(entry))
    ways = entry.entry("routes")
    routes = {channel: _route(ways.entry(channel), channel, forms) for channel in ways.names()}
    service = Service(
        number=entry.number("number"),
        code=code,
        name_kk=entry.text("name_kk"),
        name_ru=entry.text("name_ru"),
        result=entry.one_of("result", RESULTS),
        result_by_post=entry.yes_or_no("result_by_post"),
        forms=forms,
        routes=routes,
    )
    entry.done()
    if not routes:
        raise ways.wrong("at least one route is needed")
    if service.result not in {form.code for form in forms}:
        raise entry.wrong(
            f'the result is a {service.result}, and there is no form "{service.result}"', field="result"
        )
    return service


def _forms(entry: Entry) -> Iterator[Form]:
    seen: set[str] = set()
    for written in entry.entries("forms"):
        code = written.one_of("code", FORMS)
        if code in seen:
            raise written.wrong(f'the form "{code}" is given twice', field="code")
        seen.add(code)
        yield Form(
            code=code,
            annex=written.number("annex") if written.has("annex") else None,
            name_kk=written.text("name_kk"),
            name_ru=written.text("name_ru"),
        )
        written.done()


def _route(entry: Entry, channel: str, forms: tuple[Form, ...]) -> Route:
    if channel not in KINDS:
        raise entry.wrong(f'"{channel}" is no channel; use one of {", ".join(KINDS)}')
    steps = tuple(_step(step) for step in entry.entries("steps"))
    given = entry.any_text("given_at_acceptance")
    sent_back = entry.one_of("sent_back", CLOCKS)
    entry.done()
    order = [STEPS.index(step.code) for step in steps]
    if order != sorted(set(order)):
        raise entry.wrong(f"the steps must stand once each and in this order: {', '.join(STEPS)}")
    codes = [step.code for step in steps]
    for needed in ("accept", "resolve", "prepare", "sign", "hand_over"):
        if needed not in codes:
            raise entry.wrong(f'the step "{needed}" is missing')
    if steps[0].at != channel:
        raise entry.wrong(f"the first step must be at the {channel}")
    if given and given not in {form.code for form in forms}:
        raise entry.wrong(
            f'the form "{given}" is given at acceptance, and there is no such form',
            field="given_at_acceptance",
        )
    return Route(channel=channel, given_at_acceptance=given, sent_back=sent_back, steps=steps)


def _step(entry: Entry) -> Step:
    step = Step(
        code=entry.one_of("code", STEPS),
        who=entry.one_of("who", ROLES),
        at=entry.one_of("at", KINDS),
        what_kk=entry.any_text("what_kk"),
        what_ru=entry.text("what_ru"),
        limit=_limit(entry.entry("limit")) if entry.has("limit") else None,
        limit_printed=entry.any_text("limit_printed"),
        source=entry.text("source"),
    )
    entry.done()
    return step


def _limit(entry: Entry) -> Limit:
    units = entry.names()
    if len(units) != 1 or units[0] not in (*COUNTED, "within"):
        raise entry.wrong(
            f"one of {', '.join(COUNTED)} or within is needed, not {', '.join(units) or 'nothing'}"
        )
    unit = units[0]
    return Limit(unit=unit, amount=entry.one_of("within", WITHIN) if unit == "within" else entry.number(unit))


@cache
def _services() -> dict[str, Service]:
    return read_services(own_folder())


def services() -> tuple[Service, ...]:
    """Return all services in the order of their numbers."""
    return tuple(_services().values())


def service(code: str) -> Service:
    """Return the service with this code; raise `UnknownServiceError`."""
    try:
        return _services()[code]
    except KeyError:
        raise UnknownServiceError(service=code, known=", ".join(_services())) from None


def accepted_at(channel: str) -> tuple[Service, ...]:
    """Return the services that a kind of office accepts."""
    return tuple(held for held in services() if channel in held.routes)


def as_json(held: Service) -> dict[str, object]:
    """Return a service as `shabarman services --json` shows it: plain texts, lists and mappings."""
    return {
        "number": held.number,
        "code": held.code,
        "names": {"kk": held.name_kk, "ru": held.name_ru},
        "channels": list(held.channels),
        "result": held.result,
        "result_by_post": held.result_by_post,
        "forms": [
            {"code": form.code, "annex": form.annex, "names": {"kk": form.name_kk, "ru": form.name_ru}}
            for form in held.forms
        ],
        "routes": {
            channel: {
                "given_at_acceptance": route.given_at_acceptance or None,
                "sent_back": route.sent_back,
                "steps": [
                    {
                        "code": step.code,
                        "who": step.who,
                        "at": step.at,
                        "what": {"kk": step.what_kk or None, "ru": step.what_ru},
                        "limit": step.limit.as_json() if step.limit else None,
                        "limit_printed": step.limit_printed or None,
                        "source": step.source,
                    }
                    for step in route.steps
                ],
            }
            for channel, route in held.routes.items()
        },
    }
