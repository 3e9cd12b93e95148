"""Manifests that are not closed, those that a courier gave today, and the runs of a day are found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

NOT_CLOSED = sa.text("closed_at IS NULL")


def upgrade() -> None:
    """Add the indexes."""
    op.create_index(
        "ix_manifests_under_way",
        "manifests",
        ["closed_at"],
        postgresql_where=NOT_CLOSED,
        sqlite_where=NOT_CLOSED,
    )
    op.create_index("ix_manifests_courier_id_opened_at", "manifests", ["courier_id", "opened_at"])
    op.create_index("ix_runs_departs_at", "runs", ["departs_at"])


def downgrade() -> None:
    """Refuse: there is no way back."""
    raise NotImplementedError("There is no way back: restore a backup instead.")
