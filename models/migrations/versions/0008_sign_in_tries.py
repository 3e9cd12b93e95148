"""Failed sign-ins are counted in the database; passwords that somebody else gave are to be changed."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the table and the column; who has a password already keeps it."""
    op.create_table(
        "sign_in_tries",
        sa.Column(
            "key_hash", sa.String(length=64), nullable=False, comment="SHA-256 of what is counted, hex"
        ),
        sa.Column("failures", sa.Integer(), nullable=False, comment="tries in a row that did not succeed"),
        sa.Column("last_at", MOMENT, nullable=False, comment="last try; pauses are counted from here"),
        sa.Column("known_at", MOMENT, nullable=True, comment="last success of this login at this address"),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_sign_in_tries")),
    )
    op.create_index("ix_sign_in_tries_last_at", "sign_in_tries", ["last_at"])
    op.add_column(
        "staff",
        sa.Column(
            "password_given",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="somebody else knows the password: to be changed first of all",
        ),
    )


def downgrade() -> None:
    """Refuse: there is no way back."""
    raise NotImplementedError("There is no way back: restore a backup instead.")
