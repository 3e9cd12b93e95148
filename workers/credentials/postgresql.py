"""Roles of PostgreSQL: statements for an administrator of the server, to be run with psql."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from models.rights import DatabaseRole
from workers.credentials.roles import Passwords

ITERATIONS = 4096
"""Of SCRAM; PostgreSQL's own number. The passwords have 160 bits and cannot be guessed with any number."""

CONNECTIONS = {
    DatabaseRole.MIGRATE: 5,
    DatabaseRole.WEB: 120,
    DatabaseRole.RELAY: 40,
    DatabaseRole.WORKER: 120,
    DatabaseRole.BACKUP: 5,
    DatabaseRole.ARCHIVE: 5,
}
"""Most connections of each role, so that one kind of process cannot shut the others out."""


def roles_script(*, database: str, passwords: Passwords) -> str:
    """Return a script for psql that makes the database and its roles; safe to repeat.

    Passwords are in it as verifiers only.
    """
    lines = [
        "-- Run as an administrator of the server: psql -v ON_ERROR_STOP=1 -f roles.sql postgres",
        "-- Safe to repeat. Rights on tables are given by `shabarman migrate`.",
    ]
    for role, most in CONNECTIONS.items():
        name = f"{database}_{role}"
        absent = f"NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}')"
        rights = f"LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT {most}"
        password = verifier(passwords.of(name))
        lines.append(f"SELECT 'CREATE ROLE \"{name}\"' WHERE {absent} \\gexec")
        lines.append(f"ALTER ROLE \"{name}\" {rights} PASSWORD '{password}';")
    owner, roles = f'"{database}_migrate"', ", ".join(f'"{database}_{role}"' for role in CONNECTIONS)
    lines += [
        f"SELECT 'CREATE DATABASE \"{database}\" OWNER {owner} ENCODING ''UTF8'' TEMPLATE template0'",
        f"WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{database}') \\gexec",
        f'REVOKE ALL ON DATABASE "{database}" FROM PUBLIC;',
        f'GRANT CONNECT ON DATABASE "{database}" TO {roles};',
        f'\\connect "{database}"',
        f"ALTER SCHEMA public OWNER TO {owner};",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC;",
        f"GRANT USAGE ON SCHEMA public TO {roles};",
    ]
    return "\n".join(lines) + "\n"


def verifier(password: str) -> str:
    """Return what the server keeps of a password instead of it (RFC 5802, SCRAM-SHA-256)."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    client = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt_, client_, server_ = (base64.b64encode(part).decode() for part in (salt, client, server))
    return f"SCRAM-SHA-256${ITERATIONS}:{salt_}${client_}:{server_}"
