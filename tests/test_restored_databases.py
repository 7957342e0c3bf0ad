"""A PostgreSQL database is given to another test only when it is as it was made."""

from __future__ import annotations

import pytest

from tests.support.databases import Postgres

pytestmark = pytest.mark.postgres

CHANGES = [
    "ALTER TABLE session_info ADD COLUMN other int",
    "ALTER TABLE session_info ALTER COLUMN user_id TYPE text",
    "CREATE INDEX ON session_info (session_data)",
    "DROP TABLE role_permissions",
    "CREATE FUNCTION other() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET work_mem = ''1MB'''; END $$",
    "UPDATE key_value SET value = 'other'",
]


def test_a_database_with_other_tables_and_rows_is_given_away_again(postgres_server: Postgres) -> None:
    """Without them."""
    # A new one: what an earlier test did to it, say an index that it made, would be found here.
    database = postgres_server.create()
    database.query("CREATE TABLE other (a int); INSERT INTO roles VALUES ('public', 'admin')")
    postgres_server.restore(database, noticed_within=60)
    again = postgres_server.take()
    assert again == database
    assert again.query("SELECT to_regclass('other')::text, (SELECT count(*) FROM roles)") == [(None, 0)]
    postgres_server.restore(again)


def test_a_database_that_was_changed_is_not(postgres_server: Postgres) -> None:
    for change in CHANGES:
        database = postgres_server.create()
        database.query(change)
        postgres_server.restore(database)
        other = postgres_server.take()
        assert other != database, change
        postgres_server.restore(other)
