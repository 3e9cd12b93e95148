"""What each process may do with each table on PostgreSQL: rights of the roles that belong to one database.

The roles are named after the database: `shabarman_web`, `shabarman_relay` and so on for the database `shabarman`. They
are made by an administrator of the server (`shabarman credentials` writes the statements); their rights are given
here, with every migration, so that a new table has them from its first moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

from sqlalchemy import Connection, text

LOOK = frozenset({"SELECT"})
NOTE = LOOK | {"INSERT"}
"""For what is only ever added to: history."""
WRITE = NOTE | {"UPDATE"}
REMOVE = WRITE | {"DELETE"}
CLEAR = LOOK | {"DELETE"}
"""For history that goes into an archive: read, and deleted where the triggers let it go, never changed."""
NOTHING: frozenset[str] = frozenset()


class DatabaseRole(StrEnum):
    """The roles of one database, by the process that signs in with them."""

    MIGRATE = "migrate"
    """Owns the tables and makes them; used by `shabarman migrate` and by an operator's commands, by no process."""
    WEB = "web"
    RELAY = "relay"
    WORKER = "worker"
    BACKUP = "backup"
    """Reads everything, for `shabarman backup` and for those who count."""
    ARCHIVE = "archive"
    """Takes what ended long ago out of the database, for `shabarman archive`; sees no people and no passwords."""


_USUAL = {
    DatabaseRole.WEB: WRITE,
    DatabaseRole.RELAY: NOTHING,
    DatabaseRole.WORKER: WRITE,
    DatabaseRole.BACKUP: LOOK,
    DatabaseRole.ARCHIVE: NOTHING,
}
"""For a table that is not named below."""

_FIXED = frozenset({"alembic_version", "compatibility"})
"""Tables that only a migration writes."""

_LEAVING = CLEAR | {"UPDATE (id)"}
"""For rows that are locked before they leave: PostgreSQL lets only those lock who may change something, which here is
the key alone."""

_ARCHIVED = LOOK | {
    "UPDATE (archive_id, archived_at, applicant_phone, residence, enclosures, details, remark, reason)"
}
"""For the row of a packet: its mark, and what the row no longer says once its history has gone."""

_OTHERWISE: dict[str, dict[DatabaseRole, frozenset[str]]] = {
    # Who signs in is the pages' business; workers look up where mail goes.
    "staff": {DatabaseRole.RELAY: LOOK, DatabaseRole.WORKER: LOOK},
    "sign_ins": {DatabaseRole.WEB: REMOVE, DatabaseRole.WORKER: NOTHING},
    "tokens": {DatabaseRole.WEB: REMOVE, DatabaseRole.WORKER: NOTHING},
    # A migration enters them; the pages only say which have a register of their own.
    "offices": {
        DatabaseRole.WEB: LOOK | {"UPDATE"},
        DatabaseRole.RELAY: LOOK,
        DatabaseRole.WORKER: LOOK,
    },
    # What operators know better of an office; the workers go by it.
    "office_facts": {DatabaseRole.WORKER: LOOK},
    # The schedule is the workers'; old moments are cleared away.
    "jobs": {DatabaseRole.WEB: LOOK, DatabaseRole.WORKER: REMOVE},
    # The relay leases messages; what it cannot deliver is alerted.
    "messages": {DatabaseRole.RELAY: WRITE, DatabaseRole.ARCHIVE: _LEAVING},
    "attempts": {DatabaseRole.RELAY: NOTE, DatabaseRole.ARCHIVE: CLEAR},
    "alerts": {DatabaseRole.RELAY: WRITE, DatabaseRole.ARCHIVE: _LEAVING},
    # What ended long ago goes into archives, and its packet is marked.
    "archives": {
        DatabaseRole.WEB: LOOK,
        DatabaseRole.WORKER: NOTHING,
        DatabaseRole.ARCHIVE: REMOVE,
    },
    "leaving_scans": {
        DatabaseRole.WEB: LOOK,
        DatabaseRole.WORKER: NOTHING,
        DatabaseRole.ARCHIVE: NOTE | {"DELETE"},
    },
    "packets": {DatabaseRole.ARCHIVE: _ARCHIVED},
    "events": {DatabaseRole.ARCHIVE: CLEAR},
    "scans": {DatabaseRole.ARCHIVE: CLEAR},
    "prints": {DatabaseRole.ARCHIVE: CLEAR},
    "deadlines": {DatabaseRole.ARCHIVE: _LEAVING},
    "discrepancies": {DatabaseRole.ARCHIVE: _LEAVING},
    "return_slips": {DatabaseRole.ARCHIVE: CLEAR | {"UPDATE (packet_id)"}},
    "notices": {DatabaseRole.ARCHIVE: _LEAVING},
    "message_decisions": {DatabaseRole.ARCHIVE: CLEAR},
    # A bag's list stays: it is a paper of two offices, and its packets are archived at different times.
    "manifests": {DatabaseRole.ARCHIVE: LOOK},
    "manifest_lines": {DatabaseRole.ARCHIVE: LOOK},
    # Relays and workers say that they live; the pages show it.
    "heartbeats": {DatabaseRole.WEB: LOOK, DatabaseRole.RELAY: REMOVE, DatabaseRole.WORKER: REMOVE},
}
"""Exceptions from the above, by table."""


def rights_of(role: DatabaseRole, table: str, *, history: bool) -> frozenset[str]:
    """Return the verbs of SQL that `role` may use on `table`, some with their columns; the owner needs none given.

    Rows of `history` are never changed, and go into archives at most; triggers say so to the owner as well.
    """
    if table in _FIXED:
        return LOOK
    found = _OTHERWISE.get(table, {}).get(role, _USUAL[role])
    if history:
        return found & (CLEAR if role is DatabaseRole.ARCHIVE else NOTE)
    return found


def give_rights(connection: Connection) -> None:
    """Give the roles of this database, those that exist, exactly their rights on all tables of today."""
    name = str(connection.scalar(text("SELECT current_database()")))
    schema = str(connection.scalar(text("SELECT current_schema()")))
    there = set(connection.scalars(text("SELECT rolname FROM pg_roles")))
    tables = {
        row.table: row.history
        for row in connection.execute(text(_TABLES), {"schema": schema, "keeper": HISTORY_KEEPER})
    }
    for role in _USUAL:
        if f"{name}_{role}" in there:
            for statement in _statements(f'"{name}_{role}"', role, tables, schema=f'"{schema}"'):
                connection.execute(text(statement))


HISTORY_KEEPER = "history_stays"
"""The trigger function that refuses every change of a row."""

_TABLES = """
    SELECT t.relname AS table, EXISTS (
        SELECT FROM pg_trigger g JOIN pg_proc f ON f.oid = g.tgfoid
        WHERE g.tgrelid = t.oid AND f.proname = :keeper
    ) AS history
    FROM pg_class t
    WHERE t.relnamespace = to_regnamespace(quote_ident(:schema)) AND t.relkind IN ('r', 'p')
    AND pg_has_role(t.relowner, 'USAGE')
    ORDER BY t.relname
"""


def _statements(role: str, kind: DatabaseRole, tables: Mapping[str, bool], *, schema: str) -> Iterator[str]:
    yield f"GRANT USAGE ON SCHEMA {schema} TO {role}"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}"
    verb = "SELECT" if kind is DatabaseRole.BACKUP else "USAGE"
    yield f"GRANT {verb} ON ALL SEQUENCES IN SCHEMA {schema} TO {role}"
    # Asked by whoever moves papers or tells of it; the others are functions of triggers, which need no right.
    yield f"GRANT EXECUTE ON FUNCTION {schema}.all_found TO {role}"
    for table, history in tables.items():
        if verbs := rights_of(kind, table, history=history):
            yield f'GRANT {", ".join(sorted(verbs))} ON {schema}."{table}" TO {role}'
