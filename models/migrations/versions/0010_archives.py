"""Archives: history may go, into a file that is sealed, and only that of packets that are marked for it."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

HISTORY = ("events", "scans", "prints")
"""Tables whose rows nobody could delete before this step; that nobody changes them stays."""

GUARDED = {
    "events": "packet",
    "prints": "packet",
    "deadlines": "packet",
    "discrepancies": "packet",
    "return_slips": "packet",
    "scans": "scan",
    "messages": "message",
    "notices": "news",
    "attempts": "news",
    "message_decisions": "news",
    "alerts": "news",
}
"""Table → what tells of a row whose history it is."""


def _leaves(packet: str) -> str:
    """Return whether the packet that `packet` names leaves now; asked row by row, and so by unique keys alone."""
    marked = f"SELECT p.archive_id FROM packets p WHERE {packet} AND p.archived_at IS NULL"
    return f"(SELECT a.sealed_at FROM archives a WHERE a.id = ({marked})) IS NOT NULL"


GOES = {
    "packet": _leaves("p.id = OLD.packet_id"),
    "message": _leaves("p.number = OLD.subject"),
    "news": _leaves("p.number = (SELECT m.subject FROM messages m WHERE m.id = OLD.message_id)"),
    "scan": (
        f"{_leaves('p.number = OLD.code')} OR (SELECT a.sealed_at FROM archives a WHERE a.id = "
        "(SELECT l.archive_id FROM leaving_scans l WHERE l.scan_id = OLD.id)) IS NOT NULL"
    ),
}
"""When a row may be deleted: its packet is marked, the file is sealed, and the packet is not archived yet."""

MOVES = (
    "OLD.archive_id IS NOT NULL AND "
    "(OLD.archived_at IS NOT NULL OR NEW.version <> OLD.version OR NEW.state <> OLD.state)"
)
RESEALS = (
    "OLD.sealed_at IS NOT NULL AND (NEW.sha256 IS NULL OR NEW.sha256 <> OLD.sha256 OR NEW.file <> OLD.file "
    "OR NEW.packets <> OLD.packets OR NEW.scans <> OLD.scans OR NEW.rows <> OLD.rows)"
)
STAYING = (
    ("packets", "UPDATE", MOVES),
    ("packets", "DELETE", "OLD.archive_id IS NOT NULL"),
    ("archives", "UPDATE", RESEALS),
    ("archives", "DELETE", "OLD.sealed_at IS NOT NULL"),
)
"""(table, verb, when it is refused): the way of a marked packet is over, and a sealed archive stays as it is."""


_NEW_MARK = "(OLD.archive_id IS NULL OR OLD.archive_id <> NEW.archive_id)"
_SEALED = "(SELECT a.sealed_at FROM archives a WHERE a.id = NEW.archive_id)"
MARKED = f"NEW.archive_id IS NOT NULL AND ({_NEW_MARK} OR (NEW.archived_at IS NOT NULL AND OLD.archived_at IS NULL))"
MISMARKS = (
    "NEW.state NOT IN ('handed_over', 'lost', 'withdrawn') "
    f"OR ({_NEW_MARK} AND (NEW.archived_at IS NOT NULL OR {_SEALED} IS NOT NULL)) "
    f"OR (NOT {_NEW_MARK} AND {_SEALED} IS NULL)"
)
"""When a mark is refused: a packet is marked at its end only, before the seal, and archived after it. Otherwise history
could go that is in no file."""
ENTERED_MARKED = "NEW.archive_id IS NOT NULL"
"""A new packet has a history to come."""


def _on_postgresql() -> None:
    for kind, condition in GOES.items():
        op.execute(
            f"CREATE FUNCTION archived_{kind}_goes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF {condition} THEN RETURN OLD; END IF; "
            "RAISE EXCEPTION 'rows of % are never deleted before they are archived', TG_TABLE_NAME; END $$"
        )
    for table in HISTORY:
        op.execute(f"DROP TRIGGER {table}_stay ON {table}")
        op.execute(
            f"CREATE TRIGGER {table}_stay BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION history_stays()"
        )
    for table, kind in GUARDED.items():
        op.execute(
            f"CREATE TRIGGER {table}_stay_unless_archived BEFORE DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION archived_{kind}_goes()"
        )
    op.execute(
        "CREATE FUNCTION archived_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'row % of % belongs to an archive and stays as it is', OLD.id, TG_TABLE_NAME; END $$"
    )
    for table, verb, condition in STAYING:
        op.execute(
            f"CREATE TRIGGER {table}_archived_stay_{verb.lower()} BEFORE {verb} ON {table} "
            f"FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION archived_stays()"
        )
    op.execute(
        "CREATE FUNCTION archived_marks() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {MISMARKS} THEN RAISE EXCEPTION 'packet % may not be archived so', OLD.number; END IF; "
        "RETURN NEW; END $$"
    )
    op.execute(
        "CREATE FUNCTION archived_enters() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'packet % may not be archived so', NEW.number; END $$"
    )
    op.execute(
        f"CREATE TRIGGER packets_archived_marks BEFORE UPDATE ON packets FOR EACH ROW WHEN ({MARKED}) "
        "EXECUTE FUNCTION archived_marks()"
    )
    op.execute(
        f"CREATE TRIGGER packets_archived_enters BEFORE INSERT ON packets FOR EACH ROW WHEN ({ENTERED_MARKED}) "
        "EXECUTE FUNCTION archived_enters()"
    )


def _on_sqlite() -> None:
    for table in HISTORY:
        op.execute(f"DROP TRIGGER {table}_stay_delete")
    for table, kind in GUARDED.items():
        op.execute(
            f"CREATE TRIGGER {table}_stay_unless_archived BEFORE DELETE ON {table} WHEN NOT ({GOES[kind]}) "
            f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are never deleted before they are archived'); END"
        )
    for table, verb, condition in STAYING:
        op.execute(
            f"CREATE TRIGGER {table}_archived_stay_{verb.lower()} BEFORE {verb} ON {table} WHEN {condition} "
            f"BEGIN SELECT RAISE(ABORT, 'this row of {table} belongs to an archive and stays as it is'); END"
        )
    op.execute(
        f"CREATE TRIGGER packets_archived_marks BEFORE UPDATE ON packets WHEN ({MARKED}) AND ({MISMARKS}) "
        "BEGIN SELECT RAISE(ABORT, 'this packet may not be archived so'); END"
    )
    op.execute(
        f"CREATE TRIGGER packets_archived_enters BEFORE INSERT ON packets WHEN {ENTERED_MARKED} "
        "BEGIN SELECT RAISE(ABORT, 'this packet may not be archived so'); END"
    )


def upgrade() -> None:
    """Add the tables, the marks and the rule; programs of the step before know no marked packets, and work on."""
    op.create_table(
        "archives",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column(
            "month",
            sa.String(length=7),
            nullable=False,
            comment="in which its packets ended, such as 2024-03, time of Almaty",
        ),
        sa.Column(
            "part",
            sa.Integer(),
            nullable=False,
            comment="1, and 1 more for each further file of the month",
        ),
        sa.Column("file", sa.String(length=60), nullable=False, comment="name in the folder of archives"),
        sa.Column("packets", sa.Integer(), nullable=False, comment="lines of packets in the file"),
        sa.Column(
            "scans",
            sa.Integer(),
            nullable=False,
            comment="lines of scans that belong to no packet of the database",
        ),
        sa.Column("rows", sa.BigInteger(), nullable=False, comment="rows of all tables in the file"),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="bytes of the file"),
        sa.Column("sha256", sa.String(length=64), nullable=True, comment="of the file, hex"),
        sa.Column(
            "stayed",
            sa.Integer(),
            nullable=False,
            comment="lines that do not count: changed meanwhile, and still in the database",
        ),
        sa.Column("version", sa.String(length=40), nullable=False, comment="of the program that began it"),
        sa.Column("made_by", sa.String(length=64), nullable=False, comment="system user at the command line"),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("sealed_at", MOMENT, nullable=True, comment="when the file was read back and found right"),
        sa.Column("finished_at", MOMENT, nullable=True, comment="when the last of its rows had gone"),
        sa.CheckConstraint("part >= 1", name=op.f("ck_archives_parts_from_one")),
        sa.CheckConstraint(
            "(sealed_at IS NULL) = (sha256 IS NULL)", name=op.f("ck_archives_sealed_with_a_digest")
        ),
        sa.CheckConstraint(
            "finished_at IS NULL OR sealed_at IS NOT NULL", name=op.f("ck_archives_finished_after_the_seal")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archives")),
        sa.UniqueConstraint("month", "part", name=op.f("uq_archives_month_part")),
        sa.UniqueConstraint("file", name=op.f("uq_archives_file")),
    )
    op.create_table(
        "leaving_scans",
        sa.Column("scan_id", sa.String(length=64), nullable=False),
        sa.Column("archive_id", BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["archive_id"], ["archives.id"], name=op.f("fk_leaving_scans_archive_id_archives")
        ),
        sa.PrimaryKeyConstraint("scan_id", name=op.f("pk_leaving_scans")),
    )
    op.create_index(op.f("ix_leaving_scans_archive_id"), "leaving_scans", ["archive_id"])
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    # As in step 0004: a new table in the place of the old one would break the keys that point at it.
    number, moment = ("BIGINT", "TIMESTAMPTZ") if on_postgresql else ("INTEGER", "DATETIME")
    op.execute(
        f"ALTER TABLE packets ADD COLUMN archive_id {number} "
        "CONSTRAINT fk_packets_archive_id_archives REFERENCES archives (id)"
    )
    op.execute(
        f"ALTER TABLE packets ADD COLUMN archived_at {moment} "
        "CONSTRAINT ck_packets_archived_somewhere CHECK (archived_at IS NULL OR archive_id IS NOT NULL)"
    )
    if on_postgresql:
        for column, comment in (
            ("archive_id", "the archive that takes its history; no move follows"),
            ("archived_at", "when its history went into that archive; nothing of it changes any more"),
        ):
            op.execute(f"COMMENT ON COLUMN packets.{column} IS '{comment}'")
    for name, columns, where in (
        (
            "ix_packets_ended",
            ["state_since"],
            "state IN ('handed_over', 'lost', 'withdrawn') AND archive_id IS NULL",
        ),
        ("ix_packets_archive", ["archive_id", "id"], "archive_id IS NOT NULL"),
    ):
        op.create_index(
            name, "packets", columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where)
        )
    if on_postgresql:
        _on_postgresql()
    else:
        _on_sqlite()


def downgrade() -> None:
    """Refuse: what lies in archives is not in the database."""
    raise NotImplementedError("There is no way back: restore a backup instead.")
