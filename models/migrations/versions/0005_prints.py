"""The log of prints: a reprint says which copy it is."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

POSTGRESQL_TRIGGERS = (
    "CREATE TRIGGER prints_stay BEFORE UPDATE OR DELETE ON prints FOR EACH ROW EXECUTE FUNCTION history_stays()",
)
SQLITE_TRIGGERS = tuple(
    f"CREATE TRIGGER prints_stay_{verb.lower()} BEFORE {verb} ON prints "
    "BEGIN SELECT RAISE(ABORT, 'rows of prints are never changed or deleted'); END"
    for verb in ("UPDATE", "DELETE")
)


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "prints",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column(
            "paper",
            sa.Enum(
                "label",
                "receipt",
                "slip",
                "notice",
                "refusal",
                "referral",
                "certificate",
                "control",
                "manifest",
                "discrepancy",
                "batch_refusal",
                "bag_label",
                name="paper",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("packet_id", BIG_ID, nullable=True),
        sa.Column("manifest_id", BIG_ID, nullable=True),
        sa.Column(
            "copy", sa.Integer(), nullable=False, comment="1, and 1 more for each reprint, which carries it"
        ),
        sa.Column("printed_at", MOMENT, nullable=False),
        sa.Column("printed_by", BIG_ID, nullable=False),
        sa.Column("office", sa.String(length=4), nullable=False, comment="office of who printed it"),
        sa.CheckConstraint(
            "(packet_id IS NULL) != (manifest_id IS NULL)", name=op.f("ck_prints_of_one_thing")
        ),
        sa.CheckConstraint("copy >= 1", name=op.f("ck_prints_copies_from_one")),
        sa.ForeignKeyConstraint(["packet_id"], ["packets.id"], name=op.f("fk_prints_packet_id_packets")),
        sa.ForeignKeyConstraint(
            ["manifest_id"], ["manifests.id"], name=op.f("fk_prints_manifest_id_manifests")
        ),
        sa.ForeignKeyConstraint(["printed_by"], ["staff.id"], name=op.f("fk_prints_printed_by_staff")),
        sa.ForeignKeyConstraint(["office"], ["offices.code"], name=op.f("fk_prints_office_offices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prints")),
        sa.UniqueConstraint("packet_id", "paper", "copy", name=op.f("uq_prints_packet_id_paper_copy")),
        sa.UniqueConstraint("manifest_id", "paper", "copy", name=op.f("uq_prints_manifest_id_paper_copy")),
    )
    op.create_index("ix_prints_office_printed_at", "prints", ["office", "printed_at"])
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in POSTGRESQL_TRIGGERS if on_postgresql else SQLITE_TRIGGERS:
        op.execute(statement)


def downgrade() -> None:
    """Refuse: history is never thrown away."""
    raise NotImplementedError("There is no way back: restore a backup instead.")
