"""Archives are closed: nothing is added to the history of an archived packet, and a sealed archive stays as it is."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

CLOSED = ("prints", "discrepancies", "return_slips")
"""Tables whose rows come without a move of their packet. Events, clocks and messages come with one, which the packet
itself refuses once it is marked, or of an open clock or message, of which it has none: every scan writes them, and would
pay for a rule of their own (docs/archives.md says how much)."""


FIXED = (
    *("month", "part", "file", "packets", "scans", "rows", "size", "sha256"),
    *("version", "made_by", "started_at", "sealed_at"),
)
"""What is known of a sealed archive. That it is finished, and how many of its lines do not count, comes later."""

RESEALS = "OLD.sealed_at IS NOT NULL AND ({} OR {} OR NEW.stayed < OLD.stayed)".format(
    " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in FIXED),
    "(OLD.finished_at IS NOT NULL AND NEW.finished_at IS DISTINCT FROM OLD.finished_at)",
)


def _archived(row: str) -> str:
    """Return whether the packet of a row is archived; asked by its key alone."""
    return f"(SELECT p.archived_at FROM packets p WHERE p.id = {row}.packet_id) IS NOT NULL"


def _on_postgresql() -> None:
    # After the statement: the keys of the rows have then waited for whoever was about to archive their packets.
    op.execute(
        "CREATE FUNCTION archived_is_closed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF EXISTS (SELECT FROM added WHERE {_archived('added')}) THEN "
        "RAISE EXCEPTION 'nothing is added to % of an archived packet', TG_TABLE_NAME; END IF; RETURN NULL; END $$"
    )
    for table in CLOSED:
        op.execute(
            f"CREATE TRIGGER {table}_archived_is_closed AFTER INSERT ON {table} REFERENCING NEW TABLE AS added "
            "FOR EACH STATEMENT EXECUTE FUNCTION archived_is_closed()"
        )
    op.execute("DROP TRIGGER archives_archived_stay_update ON archives")
    op.execute(
        f"CREATE TRIGGER archives_archived_stay_update BEFORE UPDATE ON archives FOR EACH ROW WHEN ({RESEALS}) "
        "EXECUTE FUNCTION archived_stays()"
    )


def _on_sqlite() -> None:
    for table in CLOSED:
        op.execute(
            f"CREATE TRIGGER {table}_archived_is_closed BEFORE INSERT ON {table} WHEN {_archived('NEW')} "
            f"BEGIN SELECT RAISE(ABORT, 'nothing is added to {table} of an archived packet'); END"
        )
    op.execute("DROP TRIGGER archives_archived_stay_update")
    op.execute(
        f"CREATE TRIGGER archives_archived_stay_update BEFORE UPDATE ON archives WHEN {RESEALS} "
        "BEGIN SELECT RAISE(ABORT, 'this row of archives belongs to an archive and stays as it is'); END"
    )


ALERTS_STAY = (
    "CREATE TRIGGER alerts_stay_unless_archived BEFORE DELETE ON alerts WHEN NOT ((SELECT a.sealed_at FROM archives a "
    "WHERE a.id = (SELECT p.archive_id FROM packets p WHERE p.number = (SELECT m.subject FROM messages m "
    "WHERE m.id = OLD.message_id) AND p.archived_at IS NULL)) IS NOT NULL) "
    "BEGIN SELECT RAISE(ABORT, 'rows of alerts are never deleted before they are archived'); END"
)
"""As step 0010 has it: with its table a trigger of SQLite goes."""


def _alerts_stay() -> None:
    """Let the first message of an alert go without the alert, where others died of the same on that day."""
    with op.batch_alter_table("alerts") as alerts:
        alerts.alter_column(
            "message_id",
            existing_type=BIG_ID,
            nullable=True,
            comment="the first of that day; empty once it is archived and others died as well",
            existing_comment="the first of that day",
        )
        alerts.drop_constraint("fk_alerts_message_id_messages", type_="foreignkey")
        alerts.create_foreign_key(
            "fk_alerts_message_id_messages", "messages", ["message_id"], ["id"], ondelete="SET NULL"
        )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(ALERTS_STAY)


def upgrade() -> None:
    """Add the rules; programs of the step before ask in their own code, and work on."""
    if op.get_bind().dialect.name == "postgresql":
        _on_postgresql()
    else:
        _on_sqlite()
    _alerts_stay()


def downgrade() -> None:
    """Refuse: there is no way back."""
    raise NotImplementedError("There is no way back: restore a backup instead.")
