"""From the commit to the notice, through a real broker and a real worker."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from celery import Celery
from sqlalchemy import delete, func, select

from config.offices import centre_of, districts
from models import DeadLetter, Job, Notice, Run
from routing.envelope import announcement
from routing.link import Link, Parcel
from routing.seal import HEADER, keys_of, seal
from tests.integration.servers import Broker, PostgresqlDatabase, SqliteFiles
from tests.integration.tasks.house import ROOT, House, house, until
from tests.integration.tasks.post import (
    EMBEDDED,
    EVERY_PAIR,
    RABBITMQ,
    REDIS,
    WITHOUT_BROKER,
    for_akimat,
    inspector,
    messages,
    notices,
    poison,
    put,
    quick,
    row,
    states,
)
from tests.unit.tasks.envelopes import STRAY_BODIES, STRAY_TEXTS, delivery, stray_deliveries, stray_headers
from workflow.telling import MESSAGE_TYPES


def houses(pairs: list[Any]) -> pytest.MarkDecorator:
    """Run a test in a house of each of `pairs`; all tests of one house come one after another."""
    built = [pytest.param(one.values, id=one.id, marks=one.marks) for one in pairs]
    return pytest.mark.parametrize("at_work", built, indirect=True, scope="module")


with_a_broker = houses(EVERY_PAIR)
with_and_without = houses([*EVERY_PAIR, *WITHOUT_BROKER])


@pytest.fixture(scope="module")
def at_work(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Keep one worker for all tests of this module: it has to live through each of them."""
    kind, server = request.param
    broker: Broker | None = None
    if server != "none":
        broker = request.getfixturevalue(f"{server}_server")
        broker.empty()
    folder = tmp_path_factory.mktemp("house")
    if kind == "sqlite":
        files: SqliteFiles = request.getfixturevalue("sqlite_files")
        url = files.fresh(folder)
    else:
        database: PostgresqlDatabase = request.getfixturevalue("postgresql")
        database.empty()
        url = database.url
    with house(url, broker, folder, target="workers" if kind == "sqlite" else "tasks.app") as running:
        yield running
        if broker is not None:
            assert running.worker.lives
            assert b"Traceback" not in running.worker.log.read_bytes()


def count(house: House, table: type[Notice | DeadLetter | Run | Job]) -> int:
    with house.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


@with_and_without
def test_every_kind_of_news_reaches_its_office(at_work: House) -> None:
    rows = [row(type_) for type_ in sorted(MESSAGE_TYPES - {"notice.email"})]
    rows += [row(queue=f"centre.{district.code}") for district in districts()]
    ids = put(at_work.database, *rows)
    assert at_work.all_are("done", ids)
    told = {notice.message_id: notice.office for notice in notices(at_work.database)}
    assert [told[one] for one in ids[-19:]] == [centre_of(district.code).code for district in districts()]
    assert {message.attempts for message in messages(at_work.database, ids)} == {1}


@with_and_without
def test_a_ready_result_is_in_the_inspectors_mail(at_work: House) -> None:
    person = inspector(at_work.database, email="one@example.kz", language="en")
    [ready] = put(at_work.database, row("result.ready", staff_id=person))
    assert at_work.all_are("done", [ready])
    assert until(lambda: any(letter["To"] == "one@example.kz" for letter in at_work.letters.taken))
    assert until(lambda: {one.state.value for one in messages(at_work.database)} == {"done"})


@with_a_broker
def test_doubled_reordered_and_forged_tasks_have_no_effect(at_work: House) -> None:
    ids = put(at_work.database, *(row() for _ in range(20)))
    link = Link(at_work.broker.url, keys=keys_of(quick()))
    link.open()
    # The last first and one by one, then all of them again, also under other names, and ids of nothing.
    backwards = [Parcel(queue="centre.aksu", task="packet.announce", ids=(one,)) for one in reversed(ids)]
    assert link.publish(backwards) == ([], "")
    for task in ("packet.announce", "packet.announce", "deadline.announce", "notice.email"):
        assert link.publish([Parcel(queue="centre.aksu", task=task, ids=tuple(ids))]) == ([], "")
    assert link.publish([Parcel(queue="centre.ile", task="result.announce", ids=(2**62, 2**62 + 1))]) == (
        [],
        "",
    )
    link.close()
    after = put(at_work.database, row(), row(queue="centre.ile"))
    assert at_work.all_are("done", [*ids, *after])
    told = [notice.message_id for notice in notices(at_work.database)]
    assert len(told) == len(set(told))
    assert set(ids) <= set(told)


@with_a_broker
def test_junk_is_put_aside_and_the_worker_goes_on(at_work: House) -> None:
    before = count(at_work, DeadLetter)
    junk = 0
    if at_work.broker.is_redis:
        for raw in stray_deliveries():
            at_work.broker.push("centre.aksu", raw)
            junk += 1
    for headers in stray_headers():
        push(at_work, json.dumps([[[1]], {}, {}]).encode(), headers)
        junk += 1
    proper = announcement(task="packet.announce", task_id=uuid4().hex, ids=[1], origin="test")[1]
    for body in (*(json.dumps(odd).encode() for odd in STRAY_BODIES), *STRAY_TEXTS):
        push(at_work, body, proper)
        junk += 1
    good = put(at_work.database, row(), row("result.ready"))
    assert at_work.all_are("done", good)
    assert until(lambda: count(at_work, DeadLetter) == before + junk)
    assert at_work.worker.lives
    assert until(lambda: at_work.broker.length("centre.aksu") == 0)
    with at_work.database.reading() as session:
        kept = session.scalars(select(DeadLetter)).all()
    assert {letter.queue for letter in kept} <= {"centre.aksu"}
    assert all(letter.reason and len(letter.digest) == 64 for letter in kept)


def push(house: House, body: bytes, headers: dict[str, object]) -> None:
    if house.broker.is_redis:
        raw = json.dumps(delivery(body=body, headers=headers, tag=uuid4().hex)).encode()
        house.broker.push("centre.aksu", raw)
        return
    house.broker.push(
        "centre.aksu",
        body,
        application_headers=headers,
        content_type="application/json",
        content_encoding="utf-8",
    )


def sealed(ids: list[int], *, task: str = "packet.announce") -> tuple[bytes, dict[str, object]]:
    """Return body and headers of an envelope as a relay writes it."""
    content, headers = announcement(task=task, task_id=uuid4().hex, ids=ids, origin="test")
    body = json.dumps(content).encode()
    headers[HEADER] = seal(keys_of(quick())[0], queue="centre.aksu", headers=headers, body=body)
    return body, headers


@with_a_broker
def test_only_what_this_installation_sealed_is_taken(at_work: House) -> None:
    """An envelope that is sent again as it is does no harm; under the name of another task it is junk."""
    [mine] = put(at_work.database, row())
    assert at_work.all_are("done", [mine])
    before = count(at_work, DeadLetter)
    body, headers = sealed([mine])
    for _ in range(3):
        push(at_work, body, dict(headers))
    forged: list[dict[str, object]] = [
        headers | {"task": "notice.email"},
        headers | {"id": uuid4().hex},
        headers | {HEADER: "0" * 64},
        {name: value for name, value in headers.items() if name != HEADER},
    ]
    for one in forged:
        push(at_work, body, one)
    other_body, _ = sealed([mine, 1])
    push(at_work, other_body, dict(headers))
    assert until(lambda: count(at_work, DeadLetter) == before + len(forged) + 1)
    with at_work.database.reading() as session:
        reasons = list(
            session.scalars(select(DeadLetter.reason).order_by(DeadLetter.id.desc()).limit(len(forged) + 1))
        )
    assert sorted(reasons) == ["the envelope has no seal", *["the seal does not fit"] * len(forged)]
    after = put(at_work.database, row())
    assert at_work.all_are("done", after)
    assert count(at_work, DeadLetter) == before + len(forged) + 1
    assert [notice.message_id for notice in notices(at_work.database)].count(mine) == 1


@with_a_broker
def test_forged_remote_control_is_ignored(at_work: House) -> None:
    with Celery(broker=at_work.broker.url) as stranger:
        for command in ("shutdown", "pool_shrink", "cancel_consumer"):
            stranger.control.broadcast(
                command, arguments={"queue": "centre.aksu"} if command[0] == "c" else None
            )
    ids = put(at_work.database, row())
    assert at_work.all_are("done", ids)
    assert at_work.worker.lives


@with_and_without
def test_a_poison_message_goes_alone_and_ends_dead(at_work: House) -> None:
    rows = [for_akimat() for _ in range(200)]
    rows[120] = poison()
    ids = put(at_work.database, *rows)
    bad = ids.pop(120)
    assert at_work.all_are("done", ids)
    assert at_work.all_are("dead", [bad])
    message = messages(at_work.database, [bad])[0]
    assert (message.attempts, message.publications) == (3, 3)


TICKING = """
import tasks.schedule
tasks.schedule.EVERY = dict.fromkeys(tasks.schedule.EVERY, 0.5)
from tasks.app import app
app.Beat(loglevel="ERROR", quiet=True).run()
"""


@houses(
    [EMBEDDED, REDIS, RABBITMQ]
)  # What decides are rows, and `test_turns.py` has these on both databases.
def test_the_schedule_plans_the_runs_however_often_it_ticks(at_work: House) -> None:
    before = count(at_work, DeadLetter)
    beats = [
        subprocess.Popen((sys.executable, "-c", TICKING), cwd=ROOT, env=os.environ | at_work.environment)
        for _ in range(2)
    ]
    try:
        assert until(lambda: count(at_work, Run) > 0)
    finally:
        for beat in beats:
            beat.kill()
            beat.wait()
    assert until(lambda: at_work.broker.length("upkeep") == 0)
    assert count(at_work, DeadLetter) == before


@houses([EMBEDDED])
@pytest.mark.skipif(shutil.which("faketime") is None, reason="libfaketime is not installed")
@pytest.mark.parametrize("off", ["+2h", "-2h"])
def test_ticks_of_a_beat_whose_clock_is_wrong_are_carried_out(at_work: House, off: str) -> None:
    with at_work.database.transaction() as session:
        session.execute(delete(Job))
    beat = subprocess.Popen(
        ("faketime", "-f", off, sys.executable, "-c", TICKING),
        cwd=ROOT,
        env=os.environ | at_work.environment,
        start_new_session=True,
    )
    try:
        assert until(lambda: count(at_work, Job) > 0)
    finally:
        os.killpg(beat.pid, signal.SIGKILL)
        beat.wait()


@with_a_broker
def test_a_wiped_broker_loses_nothing(at_work: House) -> None:
    ids: list[int] = []
    for _ in range(5):
        ids += put(
            at_work.database, *(row(queue=f"centre.{place.code}") for place in districts() for _ in range(10))
        )
        at_work.broker.empty()
    assert at_work.all_are("done", ids)
    told = [notice.message_id for notice in notices(at_work.database) if notice.message_id in set(ids)]
    assert sorted(told) == sorted(ids)
    assert set(states(at_work.database, ids)) == {"done"}
