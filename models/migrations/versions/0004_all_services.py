"""All seven services: fields of the result, posting, deputies, return slips of referrals."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns and the table; what is there keeps its meaning."""
    op.add_column(
        "packets",
        sa.Column(
            "details",
            sa.JSON(),
            server_default="{}",
            nullable=False,
            comment="fields of the result's paper: employer, quarter …",
        ),
    )
    op.add_column(
        "packets",
        sa.Column(
            "postal_number",
            sa.String(length=13),
            nullable=True,
            comment="S10 number, where the result was posted",
        ),
    )
    op.add_column(
        "staff",
        sa.Column("absent_until", sa.Date(), nullable=True, comment="last day of an absence, date of Almaty"),
    )
    # A new table in the place of the old one, Alembic's usual way on SQLite, would break the keys that point at it.
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    number = "BIGINT" if on_postgresql else "INTEGER"
    op.execute(
        f"ALTER TABLE staff ADD COLUMN deputy_id {number} CONSTRAINT fk_staff_deputy_id_staff REFERENCES staff (id)"
    )
    if on_postgresql:
        op.execute("COMMENT ON COLUMN staff.deputy_id IS 'who works in this person''s place meanwhile'")
    op.create_index(
        "ix_packets_ready",
        "packets",
        ["state_since"],
        postgresql_where=sa.text("state = 'ready'"),
        sqlite_where=sa.text("state = 'ready'"),
    )
    op.create_table(
        "return_slips",
        sa.Column("packet_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("hired", sa.Boolean(), nullable=False, comment="whether the person was taken on"),
        sa.Column("entered_on", sa.Date(), nullable=True, comment="first day of work"),
        sa.Column(
            "order_number", sa.String(length=40), nullable=True, comment="number of the employer's order"
        ),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("received_by", BIG_ID, nullable=False),
        sa.CheckConstraint("hired = (entered_on IS NOT NULL)", name=op.f("ck_return_slips_hired_on_a_day")),
        sa.CheckConstraint(
            "hired = (order_number IS NOT NULL)", name=op.f("ck_return_slips_hired_by_an_order")
        ),
        sa.ForeignKeyConstraint(
            ["packet_id"], ["packets.id"], name=op.f("fk_return_slips_packet_id_packets")
        ),
        sa.ForeignKeyConstraint(
            ["received_by"], ["staff.id"], name=op.f("fk_return_slips_received_by_staff")
        ),
        sa.PrimaryKeyConstraint("packet_id", name=op.f("pk_return_slips")),
    )


def downgrade() -> None:
    """Refuse: history is never thrown away."""
    raise NotImplementedError("There is no way back: restore a backup instead.")
