"""What refreshes of very many sessions cost a database, and what would make them cheaper."""

from __future__ import annotations

from collections.abc import Iterator

from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.embedded.inspection import DatabaseFacts
from supertokens_py.formatting import counted

from .findings import Finding

#: With fewer sessions nobody would notice.
MANY = 100_000


def dear_refreshes(facts: DatabaseFacts, settings: ResolvedEngineConfig) -> Iterator[Finding]:
    """Yield that an index of expiry may be dropped, where no official core uses the database."""
    rows, setting = facts.rows, settings.shared_with_core
    is_shared = setting == "YES" or (setting == "AUTO" and bool(facts.layout.core_tables))
    if rows is None or is_shared or not rows.is_expiry_indexed or rows.live_sessions < MANY:
        return
    name = f"{settings.table_prefix}session_info"
    yield Finding(
        "note",
        "database",
        f"each refresh of {counted(rows.live_sessions, 'live session')} writes to every index of {name}, "
        "since expires_at is indexed; tables that are made today have no such index",
        f"DROP INDEX CONCURRENTLY {settings.table_prefix}session_expiry_index; "
        f"ALTER TABLE {name} SET (fillfactor = 90)",
    )
