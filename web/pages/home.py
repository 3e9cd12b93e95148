"""The first page: what there is to do for whom, what we have been told, which manifests are under way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from config.calendar import Calendar
from config.language import Text
from models.packet import State
from models.staff import Role
from web.asking import Asking, AskingForm, AskingPage
from web.pages.desk import PASSERS
from web.pages.showing import show
from web.reading import mark_read
from web.views import deadlines, lists, manifests, notices
from web.views.lists import Pile
from workflow.collecting import COLLECTORS
from workflow.deciding import DECIDERS
from workflow.handing import WHO_HANDS_OVER
from workflow.hours import calendar

router = APIRouter()

NOTICES_READ = 300
"""Unread notices that are looked through; the page shows them in groups."""

NEWEST = 3
"""Groups that are shown at once: on a telephone more would push what waits in the office out of sight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Packets that somebody works off at a page of its own."""

    title: Text
    roles: tuple[Role, ...]
    takes: Callable[[Pile], bool]
    address: str
    mine: bool = False
    """Whether only those are counted that the person is to work on by name."""


TASKS = (
    Task(
        title=Text("To hand out"),
        roles=tuple(sorted(WHO_HANDS_OVER)),
        takes=lambda pile: pile.state is State.READY or (pile.state is State.SIGNED and pile.direct),
        address="/desk/hand-out",
    ),
    Task(
        title=Text("To send"),
        roles=tuple(sorted(COLLECTORS)),
        takes=lambda pile: (
            (pile.state in {State.ACCEPTED, State.SIGNED} and not pile.direct)
            or (pile.state is State.RECEIVED and not pile.ours)
        ),
        address="/desk/send",
    ),
    Task(
        title=Text("To register"),
        roles=(Role.REGISTRAR,),
        takes=lambda pile: pile.state is State.RECEIVED and pile.ours,
        address="/packets?state=received",
    ),
    Task(
        title=Text("To pass to the head"),
        roles=PASSERS,
        takes=lambda pile: pile.state is State.REGISTERED or (pile.state is State.ACCEPTED and pile.direct),
        address="/desk/pass",
    ),
    Task(
        title=Text("Resolutions"),
        roles=DECIDERS,
        takes=lambda pile: pile.state is State.WITH_HEAD,
        address="/desk/resolve",
    ),
    Task(
        title=Text("To sign"),
        roles=DECIDERS,
        takes=lambda pile: pile.state is State.FOR_SIGNATURE,
        address="/desk/sign",
    ),
    Task(
        title=Text("To draft"),
        roles=(Role.EXECUTOR,),
        takes=lambda pile: pile.state is State.WITH_EXECUTOR,
        address="/desk/draft",
        mine=True,
    ),
)
"""What each role works off, in the order of the trip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """One task with what lies there now."""

    task: Task
    count: int
    late: int
    next: str | None
    """In words, how much time is left for the first that is not late."""


@router.get("/")
def home(
    request: Request, asking: AskingPage, bags: Annotated[str, Query(max_length=60)] = ""
) -> HTMLResponse:
    """Show what the person has to do, and what the office has been told; manifests from `bags` on."""
    with asking.database.reading() as session:
        piles = lists.piles(session, by=asking.by, now=asking.now)
        mine = (
            lists.piles(session, by=asking.by, now=asking.now, mine=True) if asking.may(Role.EXECUTOR) else []
        )
        dates = calendar(session)
        under_way = manifests.under_way(session, by=asking.by, after=bags)
        told = notices.unread(session, by=asking.by, limit=NOTICES_READ)
        unread = len(told) if len(told) < NOTICES_READ else notices.count_unread(session, by=asking.by)
        differences = manifests.count_differences(session, by=asking.by)
    tasks = [task for task in TASKS if asking.may(*task.roles)]
    others: Counter[State] = Counter()
    for pile in piles:
        if not any(task.takes(pile) for task in tasks if not task.mine):
            others[pile.state] += pile.count
    return show(
        request,
        "home.html",
        asking=asking,
        doing=[_doing(task, mine if task.mine else piles, dates, asking) for task in tasks],
        others={state: others[state] for state in State if others[state]},
        under_way=under_way,
        news=notices.grouped_news(told, language=asking.language),
        address=notices.address,
        newest=NEWEST,
        unread=unread,
        differences=differences,
    )


@router.post("/notices/read")
def read_notices(asking: AskingForm, id: Annotated[list[int] | None, Form()] = None) -> Response:  # noqa: A002
    """Mark notices as read."""
    asking.database.transact(lambda session: mark_read(session, id or [], by=asking.by, now=asking.now))
    return RedirectResponse("/?said=read", status_code=303)


@router.get("/packets")
def held(
    request: Request, asking: AskingPage, state: str = "", order: str = "", after: str = ""
) -> HTMLResponse:
    """List the packets that the own office holds, all or those in one state."""
    chosen = State(state) if state in set(State) else None
    with asking.database.reading() as session:
        page = lists.held(
            session,
            by=asking.by,
            now=asking.now,
            language=asking.language,
            states=(chosen,) if chosen else (),
            order=order,
            after=after,
        )
    return show(
        request,
        "packets.html",
        asking=asking,
        page=page,
        state=chosen,
        State=State,
    )


def _doing(task: Task, piles: list[Pile], dates: Calendar, asking: Asking) -> Doing:
    taken = [pile for pile in piles if task.takes(pile)]
    due_at = min((pile.due_at for pile in taken if pile.due_at), default=None)
    return Doing(
        task=task,
        count=sum(pile.count for pile in taken),
        late=sum(pile.late for pile in taken),
        next=deadlines.left(dates, asking.by.office, due_at=due_at, now=asking.now, language=asking.language)
        if due_at
        else None,
    )
