"""Whether missing tables can be made, and whether the sessions lie under another prefix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, column, func, select, table, text

from supertokens_py.engine.embedded.schema import other_session_tables
from supertokens_py.engine.embedded.tables import Tables

from .findings import Finding

_TOPIC = "database"
_MAY_CREATE = """
    SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = wanted.name),
        CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = wanted.name)
        THEN has_schema_privilege(wanted.name, 'CREATE')
        ELSE has_database_privilege(current_database(), 'CREATE') END
    FROM (SELECT COALESCE(CAST(:schema AS text), current_schema()) AS name) wanted
"""


def check_creatable(connection: Connection, tables: Tables) -> Iterator[Finding]:
    """Say that what is missing cannot be made with this user's rights; for databases that lack something."""
    if connection.dialect.name != "postgresql":
        return
    row = connection.execute(text(_MAY_CREATE), {"schema": tables.schema}).one()
    if row[1]:
        return
    where = f"the schema {tables.schema!r}" if tables.schema else "the schema of the connection"
    what = f"tables in {where}" if row[0] else where
    yield Finding(
        "error",
        _TOPIC,
        f"this user may not create {what}: every log-in would fail",
        "let a user who may create them run `supertokens schema create`, or what `supertokens schema print` "
        "prints, and grant this one SELECT, INSERT, UPDATE and DELETE; or GRANT CREATE",
    )


def check_other_prefixes(
    connection: Connection, tables: Tables, names: Iterable[str], *, live: int, now_ms: int
) -> Iterator[Finding]:
    """Say where live sessions lie under another prefix in the same schema, while none does under ours."""
    for name in other_session_tables(names, tables):
        other = table(name, column("expires_at"), schema=tables.schema)
        count = connection.scalar(select(func.count()).select_from(other).where(other.c.expires_at > now_ms))
        if count and not live:
            prefix = name.removesuffix("session_info")
            yield Finding(
                "error",
                _TOPIC,
                f"{name} holds {count} live sessions, and {tables.sessions.name} none",
                f"set SUPERTOKENS_TABLE_PREFIX={prefix or '(nothing)'} to go on with them",
            )
