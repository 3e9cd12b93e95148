"""The names of the tasks, which operators see in Flower and in logs; part of the contract with them."""

from workflow.telling import MESSAGE_TYPES

MAIL = "notice.email"
"""The one message whose effect is outside the database."""

TASK_OF = {
    kind: kind if kind == MAIL else f"{kind.partition('.')[0]}.announce" for kind in sorted(MESSAGE_TYPES)
}
"""Type of a message → name of the task that carries it."""

ANNOUNCEMENTS = frozenset(TASK_OF.values())
"""Tasks that take one list of message ids."""

PLAN_RUNS = "runs.plan"
CHECK_OUTBOX = "upkeep.outbox"
CLEAR_SIGN_INS = "upkeep.sign_ins"
CHECK_DEADLINES = "deadlines.check"
CHECK_CALENDAR = "calendar.check"

TICKS = frozenset({PLAN_RUNS, CHECK_OUTBOX, CLEAR_SIGN_INS, CHECK_DEADLINES, CHECK_CALENDAR})
"""Tasks of the schedule; they take nothing and ask the database what is due."""

MOST_IDS = {MAIL: 10}
"""Task → most ids in one task, where fewer than `relay_batch` fit into the time limit of a task."""
