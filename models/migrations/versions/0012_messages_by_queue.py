"""Unfinished messages are found queue by queue, so that a backlog of one office holds up no other."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

UNFINISHED = sa.text("state IN ('pending', 'published')")


def upgrade() -> None:
    """Replace the index by due time alone: the server would take it, and read a whole backlog for each other queue.

    Programs before this step go on: what they ask by due time is sorted from the new index.
    """
    op.create_index(
        "ix_messages_unfinished_by_queue",
        "messages",
        ["queue", "due_at"],
        postgresql_where=UNFINISHED,
        sqlite_where=UNFINISHED,
    )
    op.drop_index("ix_messages_unfinished", "messages")


def downgrade() -> None:
    """Refuse: there is no way back."""
    raise NotImplementedError("There is no way back: restore a backup instead.")
