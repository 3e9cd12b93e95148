"""What operators watch and set: heartbeats, changes, run times of centres, own registers, reasons of dead messages."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NOW = {"postgresql": "clock_timestamp()", "sqlite": "(strftime('%Y-%m-%d %H:%M:%f000', 'now'))"}

POSTGRESQL_TRIGGERS = tuple(
    f"CREATE TRIGGER {table}_stay BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION history_stays()"
    for table in ("changes", "run_times")
)
SQLITE_TRIGGERS = tuple(
    f"CREATE TRIGGER {table}_stay_{verb.lower()} BEFORE {verb} ON {table} "
    f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed or deleted'); END"
    for table in ("changes", "run_times")
    for verb in ("UPDATE", "DELETE")
)


def _word(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    """Add the tables, the columns and the indexes; what is there keeps its meaning."""
    dialect = op.get_bind().dialect.name
    now = sa.text(NOW[dialect])
    op.create_table(
        "heartbeats",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("role", _word("role", "relay", "worker"), nullable=False),
        sa.Column("host", sa.String(length=100), nullable=False, comment="name of the machine"),
        sa.Column("process", sa.Integer(), nullable=False, comment="process id on that machine"),
        sa.Column("name", sa.String(length=200), nullable=False, comment="as Flower and the log name it"),
        sa.Column(
            "queues", sa.JSON(), nullable=False, comment="the queues that a worker serves; none means all"
        ),
        sa.Column("started_at", MOMENT, server_default=now, nullable=False),
        sa.Column(
            "seen_at",
            MOMENT,
            server_default=now,
            nullable=False,
            comment="last sign of life, by the database's clock",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_heartbeats")),
        sa.UniqueConstraint("role", "host", "process", name=op.f("uq_heartbeats_role_host_process")),
    )
    op.create_table(
        "changes",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column(
            "by",
            sa.String(length=64),
            nullable=False,
            comment="login, or the system user at the command line",
        ),
        sa.Column("kind", _word("kind", "person", "office"), nullable=False),
        sa.Column(
            "subject", sa.String(length=64), nullable=False, comment="login of the person, code of the office"
        ),
        sa.Column("field", sa.String(length=40), nullable=False, comment="name of what was changed"),
        sa.Column("before", sa.JSON(), nullable=True, comment="empty where there was nothing, or a secret"),
        sa.Column("after", sa.JSON(), nullable=True, comment="empty where nothing is left, or a secret is"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changes")),
    )
    op.create_index("ix_changes_subject", "changes", ["kind", "subject"])
    op.create_table(
        "run_times",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("centre", sa.String(length=4), nullable=False),
        sa.Column(
            "times",
            sa.JSON(),
            nullable=True,
            comment="such as 10:00, time of Almaty; empty: as the settings say",
        ),
        sa.Column("set_at", MOMENT, nullable=False),
        sa.Column("set_by", sa.String(length=64), nullable=False, comment="login of the operator"),
        sa.ForeignKeyConstraint(["centre"], ["offices.code"], name=op.f("fk_run_times_centre_offices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_times")),
    )
    op.add_column(
        "offices",
        sa.Column(
            "own_register",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="it numbers packets in a system of its own",
        ),
    )
    op.add_column(
        "messages",
        sa.Column(
            "reason",
            sa.String(length=80),
            nullable=True,
            comment="code or kind of the last error",
        ),
    )
    op.drop_index("ix_packets_holder", table_name="packets")
    op.create_index("ix_packets_holder", "packets", ["holder_office", "state", "state_since"])
    for side in ("office", "sender"):
        op.create_index(
            f"ix_discrepancies_open_{side}",
            "discrepancies",
            [side],
            postgresql_where=sa.text("settled_at IS NULL"),
            sqlite_where=sa.text("settled_at IS NULL"),
        )
    op.create_index("ix_scans_received_at", "scans", ["received_at"], postgresql_using="brin")
    for statement in POSTGRESQL_TRIGGERS if dialect == "postgresql" else SQLITE_TRIGGERS:
        op.execute(statement)


def downgrade() -> None:
    """Refuse: history is never thrown away."""
    raise NotImplementedError("There is no way back: restore a backup instead.")
