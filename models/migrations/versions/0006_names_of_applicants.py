"""Applicants' names as offices look them up."""

import sqlalchemy as sa
from alembic import op

from config.letters import name_key

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KEY = sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql")
AT_ONCE = 5000
"""Packets that are read and entered together."""


def upgrade() -> None:
    """Add the table, and enter the packets that are there."""
    names = op.create_table(
        "applicant_names",
        sa.Column("office", sa.String(length=4), nullable=False, comment="office that may look it up"),
        sa.Column("key", KEY, nullable=False, comment="name in the spelling of config.letters.name_key"),
        sa.Column("packet_id", BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(["office"], ["offices.code"], name=op.f("fk_applicant_names_office_offices")),
        sa.ForeignKeyConstraint(
            ["packet_id"], ["packets.id"], name=op.f("fk_applicant_names_packet_id_packets")
        ),
        sa.PrimaryKeyConstraint("office", "key", "packet_id", name=op.f("pk_applicant_names")),
    )
    packets = sa.table("packets", *map(sa.column, ("id", "origin", "department", "applicant_name")))
    bind, last = op.get_bind(), 0
    while True:
        rows = bind.execute(
            sa.select(packets).where(packets.c.id > last).order_by(packets.c.id).limit(AT_ONCE)
        ).all()
        if not rows:
            return
        last = rows[-1].id
        op.bulk_insert(
            names,
            [
                {"office": office, "key": name_key(row.applicant_name)[:200], "packet_id": row.id}
                for row in rows
                for office in sorted({row.origin, row.department})
            ],
        )


def downgrade() -> None:
    """Take the table away: everything in it follows from the packets."""
    op.drop_table("applicant_names")
