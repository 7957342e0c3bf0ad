"""What to tell the operator about a failure of PostgreSQL or SQLite. Pure."""

from __future__ import annotations

import re
import sqlite3

# Exact codes first, then their classes (PostgreSQL's documentation, appendix A).
_POSTGRES = {
    "08P01": "a pooler in between does not track prepared statements: set prepare_threshold to 0",
    "0A000": "a column has another type than when a statement was prepared: migrate while no process runs",
    "25006": "the server or the user is read-only: connect to the primary",
    "26000": "a pooler in between does not track prepared statements: set prepare_threshold to 0",
    "28": "check user and password in connection_uri, and pg_hba.conf",
    "3D": "create the database, or correct its name in connection_uri",
    "3F": "the schema is missing: run `supertokens doctor`",
    "42501": "let this user create and use tables in the schema (GRANT)",
    "42P01": "tables are missing: run `supertokens doctor`",
    "42P05": "a pooler in between does not track prepared statements: set prepare_threshold to 0",
    "42": "the tables are not as expected: run `supertokens doctor`",
    "53100": "the server's disk is full: free some space",
    "53300": "the server has no room for more connections: lower pool_size (SUPERTOKENS_POOL_SIZE), or raise "
    "max_connections",
    "53": "the server is out of a resource: raise its limits or lower pool_size",
    "55P03": "a lock was held for too long: look for long transactions, then try again",
    "57014": "a statement_timeout of the role or the server ended the statement, or somebody cancelled it",
    "57": "the server is shutting down or starting up: try again",
}
_SQLITE = {
    sqlite3.SQLITE_READONLY: "let the user that runs the application write the file and its directory",
    sqlite3.SQLITE_CANTOPEN: "check that its directory exists and that the application may write there",
    sqlite3.SQLITE_FULL: "the disk is full: free some space",
    sqlite3.SQLITE_IOERR: "reading or writing the file failed: check the disk",
    sqlite3.SQLITE_PERM: "let the user that runs the application write the file and its directory",
    sqlite3.SQLITE_CORRUPT: "the file is damaged: restore a backup",
    sqlite3.SQLITE_NOTADB: "the file is no SQLite database: choose another one",
}
# psycopg gives no SQLSTATE for a connection that was refused, so the words of libpq, of PostgreSQL and of
# the poolers have to do. Words in another language (lc_messages) get the general advice.
_REFUSALS = (
    (r"session is read-only|hot standby mode", "25006"),
    (r"too many (clients|connections)|connection slots|no more connections allowed|max client", "53300"),
    (r"starting up|shutting down|in recovery mode|not (yet )?accepting connections", "57P03"),
    (r"database .* does not exist|no such database", "3D000"),
    (r"authentication failed|no password supplied|pg_hba\.conf|role .* does not exist|no such user", "28000"),
    (r"not permitted to log in", "28000"),
    (r"permission denied", "42501"),
)
_CONNECTING = (
    (r"unsupported startup parameter", "leave the option out of connection_uri: the pooler refuses it"),
    (r"statement pooling", "let the pooler use pool_mode=transaction or session"),
    (r"query_wait_timeout", "the pooler has no free connection to the server: raise its default_pool_size"),
    (r"does not support SSL|certificate|sslmode", "check sslmode and the certificates in connection_uri"),
    (r"resolve|translate host name|Name or service", "check the host name in connection_uri"),
)


def refusal_code(text: str) -> str:
    """Return the SQLSTATE that the message of a refused connection stands for, or ""."""
    return next((code for pattern, code in _REFUSALS if re.search(pattern, text)), "")


def of_postgres(sqlstate: str, text: str) -> str:
    """Return what to do about an error; `sqlstate` may be empty where connecting failed."""
    if not sqlstate:
        general = "check that the server runs and connection_uri is right"
        return next((advice for pattern, advice in _CONNECTING if re.search(pattern, text)), general)
    found = _POSTGRES.get(sqlstate) or _POSTGRES.get(sqlstate[:2])
    return found or "look into the server's log"


def of_sqlite(primary_code: int) -> str:
    """Return what to do about an error with this primary result code."""
    return _SQLITE.get(primary_code, "check the file")
