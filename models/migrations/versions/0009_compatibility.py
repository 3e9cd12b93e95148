"""Which programs still work with the tables."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; programs from this step on heed it, older ones ask for exactly their own step."""
    made = op.create_table(
        "compatibility",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "oldest",
            sa.String(length=32),
            nullable=False,
            comment="the oldest step whose programs still work with these tables",
        ),
        sa.CheckConstraint("id = 1", name=op.f("ck_compatibility_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_compatibility")),
    )
    op.bulk_insert(made, [{"id": 1, "oldest": revision}])


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("compatibility")
