"""Archives are closed: nothing is added to the history of an archived packet, and a sealed archive stays as it is."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

CLOSED = ("prints", "discrepancies", "return_slips")
"""Tables whose rows come without a move of their packet. Events, clocks and messages come with one, which the packet
itself refuses once it is marked: every scan writes them, and would pay for a rule that is never broken."""


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


def upgrade() -> None:
    """Add the rules; programs of the step before ask in their own code, and work on."""
    if op.get_bind().dialect.name == "postgresql":
        _on_postgresql()
    else:
        _on_sqlite()


def downgrade() -> None:
    """Refuse: there is no way back."""
    raise NotImplementedError("There is no way back: restore a backup instead.")
