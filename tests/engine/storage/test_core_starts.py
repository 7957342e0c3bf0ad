"""An official core that starts on a database of ours finds its tables, and makes what is missing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.conftest import Opener
from tests.support.core_layout import INDEXES, TABLES, statements_at_start
from tests.support.databases import Postgres, TestDatabase

pytestmark = pytest.mark.postgres

_COLUMNS = """
    SELECT a.attrelid::regclass::text, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
      replace(pg_get_expr(d.adbin, d.adrelid), $$'0'::bigint$$, '0')
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = ANY(%s::regclass[]) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2
"""
_CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = ANY(%s::regclass[]) AND contype IN ('p', 'u', 'f') ORDER BY 1, 2
"""
_INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) ORDER BY 1"
NOTHING: dict[str, set[Any]] = {"columns": set(), "constraints": set(), "indexes": set()}


def layout_of(database: TestDatabase) -> dict[str, list[Any]]:
    return {
        name: database.query(query, list(TABLES))
        for name, query in (("columns", _COLUMNS), ("constraints", _CONSTRAINTS), ("indexes", _INDEXES))
    }


def test_a_core_makes_only_what_is_missing(
    fresh_postgres_database: TestDatabase, postgres_server: Postgres, start: Opener
) -> None:
    """SI-66. Every column, key and index that both make is the same, so that nothing is made twice."""
    ours, theirs = fresh_postgres_database, postgres_server.create()
    start(ours.uri, keeps_users=True).users.count(tenant_id=None)
    before = layout_of(ours)
    for database in (ours, theirs):
        for statement in statements_at_start():
            database.query(statement)
    after = layout_of(ours)
    assert {kind: set(rows) ^ set(layout_of(theirs)[kind]) for kind, rows in after.items()} == NOTHING
    assert (after["columns"], after["constraints"]) == (before["columns"], before["constraints"])
    made = {name for name, _ in after["indexes"]} - {name for name, _ in before["indexes"]}
    assert made <= set(INDEXES)
    postgres_server.drop(theirs)
