"""Telephones, e-mail and hours of offices as operators know them, beside what the regulation printed."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

POSTGRESQL_TRIGGERS = (
    "CREATE TRIGGER office_facts_stay BEFORE UPDATE OR DELETE ON office_facts "
    "FOR EACH ROW EXECUTE FUNCTION history_stays()",
)
SQLITE_TRIGGERS = tuple(
    f"CREATE TRIGGER office_facts_stay_{verb.lower()} BEFORE {verb} ON office_facts "
    "BEGIN SELECT RAISE(ABORT, 'rows of office_facts are never changed or deleted'); END"
    for verb in ("UPDATE", "DELETE")
)


def upgrade() -> None:
    """Add the table; programs of the step before go by the regulation alone."""
    op.create_table(
        "office_facts",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("office", sa.String(length=4), nullable=False),
        sa.Column(
            "fact",
            sa.Enum(
                "phones", "emails", "hours", name="fact", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column(
            "value",
            sa.JSON(none_as_null=True),
            nullable=True,
            comment="list of texts, for hours seven lists of spans from Monday; empty: as printed",
        ),
        sa.Column("source", sa.Text(), nullable=False, comment="order, letter or call that says so"),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.String(length=64), nullable=False, comment="login of the operator"),
        sa.ForeignKeyConstraint(["office"], ["offices.code"], name=op.f("fk_office_facts_office_offices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_office_facts")),
    )
    op.create_index("ix_office_facts_office", "office_facts", ["office"])
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in POSTGRESQL_TRIGGERS if on_postgresql else SQLITE_TRIGGERS:
        op.execute(statement)


def downgrade() -> None:
    """Refuse: who knew what is history."""
    raise NotImplementedError("There is no way back: restore a backup instead.")
