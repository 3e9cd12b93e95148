from routing.envelope import MAX_IDS
from routing.queues import UPKEEP, names
from tasks.app import app
from tasks.names import ANNOUNCEMENTS, MOST_IDS, TASK_OF, TICKS
from tasks.schedule import beat_schedule
from workflow.telling import MESSAGE_TYPES


def test_every_message_type_has_a_task_and_every_task_a_function() -> None:
    assert set(TASK_OF) == MESSAGE_TYPES
    app.loader.import_default_modules()
    assert {name for name in app.tasks if not name.startswith("celery.")} == ANNOUNCEMENTS | TICKS


def test_tasks_are_named_subject_and_verb() -> None:
    for name in ANNOUNCEMENTS | TICKS:
        subject, _, verb = name.partition(".")
        assert subject.isidentifier()
        assert verb.isidentifier()


def test_the_schedule_ticks_often_into_the_queue_for_it() -> None:
    schedule = beat_schedule()
    assert set(schedule) == TICKS
    for entry in schedule.values():
        assert entry["options"]["queue"] == UPKEEP
        assert entry["schedule"] <= 600
        # Not by a clock that may be off: long enough for every plausible difference between two machines.
        assert entry["options"]["expires"] >= 3600 > entry["schedule"]
    assert UPKEEP in names()


def test_limits_of_tasks_fit_into_an_envelope() -> None:
    assert set(MOST_IDS) <= ANNOUNCEMENTS
    assert max(MOST_IDS.values()) <= MAX_IDS
