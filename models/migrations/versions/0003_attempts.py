"""The story of failed messages, alerts, and the schedule as rows."""

import sqlalchemy as sa
from alembic import op

from models.base import database_now

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "attempts",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("message_id", BIG_ID, nullable=False),
        sa.Column("life", sa.Integer(), nullable=False, comment="1, and one more after each replay"),
        sa.Column("number", sa.Integer(), nullable=False, comment="which attempt of this life"),
        sa.Column(
            "at",
            MOMENT,
            server_default=database_now(),
            nullable=False,
            comment="when it was known to have failed",
        ),
        sa.Column(
            "error", sa.Text(), nullable=False, comment="what went wrong and where, without anybody's data"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_attempts_message_id_messages")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sa.UniqueConstraint("message_id", "life", "number", name=op.f("uq_attempts_message_id_life_number")),
    )
    op.create_table(
        "message_decisions",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("message_id", BIG_ID, nullable=False),
        sa.Column(
            "action",
            sa.Enum(
                "replayed", "discarded", name="action", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column(
            "by",
            sa.String(length=64),
            nullable=False,
            comment="login, or the system user at the command line",
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, server_default=database_now(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_message_decisions_message_id_messages")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_decisions")),
    )
    op.create_index(
        op.f("ix_message_decisions_message_id"), "message_decisions", ["message_id"], unique=False
    )
    op.create_table(
        "alerts",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column(
            "office",
            sa.String(length=60),
            nullable=False,
            comment="code of the office that was not told; else the queue",
        ),
        sa.Column("reason", sa.String(length=80), nullable=False, comment="code or kind of the error"),
        sa.Column("day", sa.Date(), nullable=False, comment="date of Almaty"),
        sa.Column("message_id", BIG_ID, nullable=False, comment="the first of that day"),
        sa.Column("deaths", sa.Integer(), nullable=False, comment="messages that died of it on that day"),
        sa.Column("raised_at", MOMENT, server_default=database_now(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_alerts_message_id_messages")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.UniqueConstraint("office", "reason", "day", name=op.f("uq_alerts_office_reason_day")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("job", sa.String(length=40), nullable=False, comment="name of the task"),
        sa.Column("due", MOMENT, nullable=False, comment="by the database's clock"),
        sa.Column(
            "missed",
            sa.Integer(),
            nullable=False,
            comment="moments before it that passed without a tick",
        ),
        sa.Column("taken_at", MOMENT, server_default=database_now(), nullable=False),
        sa.Column(
            "done_at",
            MOMENT,
            nullable=True,
            comment="empty while it runs, and where its worker died of it",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("job", "due", name=op.f("uq_jobs_job_due")),
    )


def downgrade() -> None:
    """Refuse: what was decided about messages is history."""
    raise NotImplementedError("There is no way back before this step: restore a backup instead.")
