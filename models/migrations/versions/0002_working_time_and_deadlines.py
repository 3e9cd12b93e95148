"""Working time, deadlines and the promised date."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

POSTGRESQL_TRIGGERS = (
    "CREATE TRIGGER office_days_stay BEFORE UPDATE OR DELETE ON office_days "
    "FOR EACH ROW EXECUTE FUNCTION history_stays()",
)
SQLITE_TRIGGERS = tuple(
    f"CREATE TRIGGER office_days_stay_{verb.lower()} BEFORE {verb} ON office_days "
    "BEGIN SELECT RAISE(ABORT, 'rows of office_days are never changed or deleted'); END"
    for verb in ("UPDATE", "DELETE")
)


def word(*words: str, name: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    """Add the table of dates, the clocks of the steps, what became of runs, and the promised date."""
    op.create_table(
        "calendar_years",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seeded_at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.Column("confirmed_by", sa.String(length=64), nullable=True),
        sa.Column("source", sa.Text(), nullable=True, comment="decree on the transfer of days off"),
        sa.Column("warned_on", sa.Date(), nullable=True, comment="last day on which operators were told"),
        sa.CheckConstraint(
            "(confirmed_at IS NULL) = (source IS NULL)", name=op.f("ck_calendar_years_confirmed_by_a_source")
        ),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_calendar_years")),
    )
    op.create_table(
        "office_days",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="date of Almaty"),
        sa.Column("office_kind", word("centre", "department", "akimat", name="office_kind"), nullable=False),
        sa.Column("office", sa.String(length=4), nullable=True, comment="empty: all offices of the kind"),
        sa.Column(
            "kind",
            word("holiday", "moved", "transferred", "working", "hours", "closed", "ordinary", name="kind"),
            nullable=False,
        ),
        sa.Column(
            "hours",
            sa.JSON(none_as_null=True),
            nullable=True,
            comment="spans such as 09:00-13:00, where the date has its own",
        ),
        sa.Column(
            "name_kk",
            sa.String(length=200),
            nullable=False,
            comment="name of the holiday or the reason, in Kazakh",
        ),
        sa.Column("name_ru", sa.String(length=200), nullable=False, comment="the same in Russian"),
        sa.Column("source", sa.Text(), nullable=False, comment="decree, order or seed that says so"),
        sa.Column("estimated", sa.Boolean(), nullable=False, comment="the date is not decreed yet"),
        sa.Column("set_at", MOMENT, nullable=False),
        sa.Column(
            "set_by",
            sa.String(length=64),
            nullable=False,
            comment="operator at the command line; empty for the seed",
        ),
        sa.CheckConstraint(
            "kind != 'hours' OR hours IS NOT NULL", name=op.f("ck_office_days_own_hours_are_given")
        ),
        sa.ForeignKeyConstraint(["office"], ["offices.code"], name=op.f("fk_office_days_office_offices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_office_days")),
    )
    op.create_index("ix_office_days_day", "office_days", ["day"], unique=False)
    op.create_table(
        "deadlines",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("packet_id", BIG_ID, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False, comment="event that opened it"),
        sa.Column("step", sa.String(length=20), nullable=False, comment="code of the step in the regulation"),
        sa.Column(
            "round", sa.Integer(), nullable=False, comment="round of the packet, 1 before any sending back"
        ),
        sa.Column("office", sa.String(length=4), nullable=False, comment="office that holds it"),
        sa.Column(
            "holder_role",
            word(
                "inspector",
                "accumulator",
                "courier",
                "registrar",
                "head",
                "executor",
                "clerk",
                "akim",
                "operator",
                "administrator",
                name="holder_role",
            ),
            nullable=False,
        ),
        sa.Column("holder_id", BIG_ID, nullable=True),
        sa.Column("limits", sa.JSON(), nullable=False, comment="what the due time is counted from, in order"),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column(
            "due_at",
            MOMENT,
            nullable=False,
            comment="may be before opened_at where a used-up clock runs on",
        ),
        sa.Column("told", sa.Integer(), nullable=False, comment="thresholds told so far"),
        sa.Column("next_at", MOMENT, nullable=True, comment="when the next threshold may be told"),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("ending", word("done", "undone", "left", name="ending"), nullable=True),
        sa.Column(
            "late_minutes",
            sa.Integer(),
            nullable=True,
            comment="working minutes after the due time; empty when it was kept",
        ),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it was late, as who was late explains it"),
        sa.Column("reason_by", BIG_ID, nullable=True),
        sa.Column("reason_at", MOMENT, nullable=True),
        sa.Column(
            "changes", sa.JSON(), nullable=False, comment="what moved the due time or the run, when and why"
        ),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (ending IS NULL)", name=op.f("ck_deadlines_closed_with_an_ending")
        ),
        sa.CheckConstraint(
            "closed_at IS NULL OR next_at IS NULL", name=op.f("ck_deadlines_nobody_told_after_closing")
        ),
        sa.CheckConstraint(
            "late_minutes IS NULL OR late_minutes >= 0 AND closed_at > due_at",
            name=op.f("ck_deadlines_late_when_closed_late"),
        ),
        sa.CheckConstraint(
            "(reason IS NULL) = (reason_by IS NULL)", name=op.f("ck_deadlines_reason_by_somebody")
        ),
        sa.CheckConstraint(
            "(reason IS NULL) = (reason_at IS NULL)", name=op.f("ck_deadlines_reason_at_a_time")
        ),
        sa.ForeignKeyConstraint(["holder_id"], ["staff.id"], name=op.f("fk_deadlines_holder_id_staff")),
        sa.ForeignKeyConstraint(["office"], ["offices.code"], name=op.f("fk_deadlines_office_offices")),
        sa.ForeignKeyConstraint(["packet_id"], ["packets.id"], name=op.f("fk_deadlines_packet_id_packets")),
        sa.ForeignKeyConstraint(["reason_by"], ["staff.id"], name=op.f("fk_deadlines_reason_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadlines")),
    )
    op.create_index("ix_deadlines_packet_id", "deadlines", ["packet_id"], unique=False)
    for name, columns, unique, where in (
        ("uq_deadlines_one_open", ["packet_id"], True, "closed_at IS NULL"),
        ("ix_deadlines_next_at", ["next_at"], False, "next_at IS NOT NULL"),
        ("ix_deadlines_open", ["office", "due_at"], False, "closed_at IS NULL"),
    ):
        op.create_index(
            name,
            "deadlines",
            columns,
            unique=unique,
            postgresql_where=sa.text(where),
            sqlite_where=sa.text(where),
        )
    op.add_column(
        "packets",
        sa.Column(
            "promised_at",
            MOMENT,
            nullable=True,
            comment="when the result is promised for, as the receipt prints it",
        ),
    )
    op.add_column(
        "runs",
        sa.Column(
            "cancelled",
            sa.String(length=40),
            nullable=True,
            comment="why it does not take place: kind of the day, or timetable",
        ),
    )
    op.add_column(
        "runs",
        sa.Column(
            "late_told_at",
            MOMENT,
            nullable=True,
            comment="when operators were told that it did not depart on time",
        ),
    )
    op.add_column(
        "manifests",
        sa.Column(
            "left_behind",
            sa.JSON(),
            server_default="[]",
            nullable=False,
            comment="runs that left without it: {departs_at, why}",
        ),
    )
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in POSTGRESQL_TRIGGERS if on_postgresql else SQLITE_TRIGGERS:
        op.execute(statement)


def downgrade() -> None:
    """Refuse: what was promised and who was late is history."""
    raise NotImplementedError("There is no way back before this step: restore a backup instead.")
