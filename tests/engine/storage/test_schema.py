"""Tables: the official layout, adoption of an official core's database, prefix and schema."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from supertokens_py.engine.embedded.keys.key_material import new_key_text
from supertokens_py.engine.embedded.session_state.refresh_tokens import hash1, hash2, new_master_key
from supertokens_py.engine.embedded.session_state.session_rows import RotationStatements, SessionStatements
from supertokens_py.engine.embedded.storage.driver_queries import DriverQuery
from supertokens_py.exceptions import ConfigError
from tests.engine.conftest import Opener
from tests.engine.driver import Driver, claims, header
from tests.support.databases import Postgres, Sqlite, TestDatabase
from tests.support.refresh_tokens import session_token, token_key

#: The official layout of the tables that we own (engine: Tables).
OFFICIAL_COLUMNS = {
    "apps": ["app_id varchar(64) nn", "created_at_time bigint"],
    "tenants": ["app_id varchar(64) nn", "tenant_id varchar(64) nn", "created_at_time bigint"],
    "tenant_configs": [
        "connection_uri_domain varchar(256) nn", "app_id varchar(64) nn", "tenant_id varchar(64) nn",
        "core_config text", "email_password_enabled boolean", "passwordless_enabled boolean",
        "third_party_enabled boolean", "is_first_factors_null boolean",
    ],
    "tenant_first_factors": [
        "connection_uri_domain varchar(256) nn", "app_id varchar(64) nn", "tenant_id varchar(64) nn",
        "factor_id varchar(128) nn",
    ],
    "key_value": [
        "app_id varchar(64) nn", "tenant_id varchar(64) nn", "name varchar(128) nn", "value text",
        "created_at_time bigint",
    ],
    "session_info": [
        "app_id varchar(64) nn", "tenant_id varchar(64) nn", "session_handle varchar(255) nn",
        "user_id varchar(128) nn", "refresh_token_hash_2 varchar(128) nn", "session_data text",
        "expires_at bigint nn", "created_at_time bigint nn", "jwt_user_payload text",
        "use_static_key boolean nn", "prev_refresh_token_hash_2 varchar(128)",
        "refresh_token_rotated_at bigint",
    ],
    "session_access_token_signing_keys": ["app_id varchar(64) nn", "created_at_time bigint nn", "value text"],
    "jwt_signing_keys": [
        "app_id varchar(64) nn", "key_id varchar(255) nn", "key_string text nn", "algorithm varchar(10) nn",
        "created_at bigint",
    ],
    "roles": ["app_id varchar(64) nn", "role varchar(255) nn"],
    "role_permissions": ["app_id varchar(64) nn", "role varchar(255) nn", "permission varchar(255) nn"],
    "user_roles": [
        "app_id varchar(64) nn", "tenant_id varchar(64) nn", "user_id varchar(128) nn",
        "role varchar(255) nn",
    ],
    "user_metadata": ["app_id varchar(64) nn", "user_id varchar(128) nn", "user_metadata text nn"],
    "user_last_active": ["app_id varchar(64) nn", "user_id varchar(128) nn", "last_active_time bigint"],
}  # fmt: skip
OFFICIAL_COLUMNS["tenant_required_secondary_factors"] = OFFICIAL_COLUMNS["tenant_first_factors"]

OFFICIAL_KEYS = {
    "apps": ("app_id", []),
    "tenants": ("app_id, tenant_id", ["(app_id) apps"]),
    "tenant_configs": ("connection_uri_domain, app_id, tenant_id", []),
    "tenant_first_factors": (
        "connection_uri_domain, app_id, tenant_id, factor_id",
        ["(connection_uri_domain, app_id, tenant_id) tenant_configs"],
    ),
    "tenant_required_secondary_factors": (
        "connection_uri_domain, app_id, tenant_id, factor_id",
        ["(connection_uri_domain, app_id, tenant_id) tenant_configs"],
    ),
    "key_value": ("app_id, tenant_id, name", ["(app_id, tenant_id) tenants"]),
    "session_info": ("app_id, tenant_id, session_handle", ["(app_id, tenant_id) tenants"]),
    "session_access_token_signing_keys": ("app_id, created_at_time", ["(app_id) apps"]),
    "jwt_signing_keys": ("app_id, key_id", ["(app_id) apps"]),
    "roles": ("app_id, role", ["(app_id) apps"]),
    "role_permissions": ("app_id, role, permission", ["(app_id, role) roles"]),
    "user_roles": ("app_id, tenant_id, user_id, role", ["(app_id, tenant_id) tenants"]),
    "user_metadata": ("app_id, user_id", ["(app_id) apps"]),
    "user_last_active": ("app_id, user_id", ["(app_id) apps"]),
}

OFFICIAL_INDEXES = {
    "session_info_user_id_app_id_index": "(user_id, app_id)",
    "role_permissions_permission_index": "(app_id, permission)",
    "user_roles_app_id_role_index": "(app_id, role)",
    "user_roles_role_index": "(app_id, tenant_id, role)",
    "user_roles_app_id_user_id_index": "(app_id, user_id)",
    "user_last_active_app_id_last_active_time_index": "(app_id, last_active_time)",
}

#: DDL as an official core of the last generation before the rotation columns wrote it.
OFFICIAL_DDL = """
CREATE TABLE apps (app_id VARCHAR(64) NOT NULL DEFAULT 'public', created_at_time BIGINT,
  CONSTRAINT apps_pkey PRIMARY KEY (app_id));
CREATE TABLE tenants (app_id VARCHAR(64) NOT NULL DEFAULT 'public',
  tenant_id VARCHAR(64) NOT NULL DEFAULT 'public', created_at_time BIGINT,
  CONSTRAINT tenants_pkey PRIMARY KEY (app_id, tenant_id),
  CONSTRAINT tenants_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps (app_id) ON DELETE CASCADE);
CREATE TABLE key_value (app_id VARCHAR(64) DEFAULT 'public', tenant_id VARCHAR(64) DEFAULT 'public',
  name VARCHAR(128), value TEXT, created_at_time BIGINT,
  CONSTRAINT key_value_pkey PRIMARY KEY (app_id, tenant_id, name),
  CONSTRAINT key_value_tenant_id_fkey FOREIGN KEY (app_id, tenant_id)
    REFERENCES tenants (app_id, tenant_id) ON DELETE CASCADE);
CREATE TABLE session_info (app_id VARCHAR(64) DEFAULT 'public', tenant_id VARCHAR(64) DEFAULT 'public',
  session_handle VARCHAR(255) NOT NULL, user_id VARCHAR(128) NOT NULL,
  refresh_token_hash_2 VARCHAR(128) NOT NULL, session_data TEXT, expires_at BIGINT NOT NULL,
  created_at_time BIGINT NOT NULL, jwt_user_payload TEXT, use_static_key BOOLEAN NOT NULL,
  CONSTRAINT session_info_pkey PRIMARY KEY (app_id, tenant_id, session_handle),
  CONSTRAINT session_info_tenant_id_fkey FOREIGN KEY (app_id, tenant_id)
    REFERENCES tenants (app_id, tenant_id) ON DELETE CASCADE);
CREATE INDEX session_expiry_index ON session_info (expires_at);
CREATE TABLE session_access_token_signing_keys (app_id VARCHAR(64) DEFAULT 'public',
  created_at_time BIGINT NOT NULL, value TEXT,
  CONSTRAINT session_access_token_signing_keys_pkey PRIMARY KEY (app_id, created_at_time));
CREATE TABLE jwt_signing_keys (app_id VARCHAR(64) DEFAULT 'public', key_id VARCHAR(255) NOT NULL,
  key_string TEXT NOT NULL, algorithm VARCHAR(10) NOT NULL, created_at BIGINT,
  CONSTRAINT jwt_signing_keys_pkey PRIMARY KEY (app_id, key_id));
CREATE TABLE app_id_to_user_id (app_id VARCHAR(64) NOT NULL DEFAULT 'public', user_id CHAR(36) NOT NULL,
  recipe_id VARCHAR(128) NOT NULL, primary_or_recipe_user_id CHAR(36) NOT NULL,
  is_linked_or_is_a_primary_user BOOLEAN NOT NULL DEFAULT FALSE, PRIMARY KEY (app_id, user_id));
CREATE TABLE userid_mapping (app_id VARCHAR(64) NOT NULL DEFAULT 'public',
  supertokens_user_id CHAR(36) NOT NULL, external_user_id VARCHAR(128) NOT NULL, external_user_id_info TEXT,
  UNIQUE (app_id, supertokens_user_id), UNIQUE (app_id, external_user_id));
CREATE TABLE emailpassword_users (app_id VARCHAR(64), user_id CHAR(36), email VARCHAR(256));
INSERT INTO apps VALUES ('public', 1);
INSERT INTO tenants VALUES ('public', 'public', 1), ('public', 't1', 1);
INSERT INTO emailpassword_users VALUES ('public', 'x', 'x@example.com');
"""

SHAPE = """
    SELECT c.relname, a.attname || ' ' ||
      replace(format_type(a.atttypid, a.atttypmod), 'character varying', 'varchar') ||
      CASE WHEN a.attnotnull THEN ' nn' ELSE '' END
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind = 'r' AND a.attnum > 0 AND NOT attisdropped
    ORDER BY c.relname, a.attnum
"""


def shape(database: TestDatabase) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for table, column in database.query(SHAPE):
        found.setdefault(table, []).append(column)
    return found


@pytest.mark.postgres
def test_columns_are_the_official_ones(postgres_database: TestDatabase):
    """25: names, types and order of every table that we own."""
    assert shape(postgres_database) == OFFICIAL_COLUMNS


@pytest.mark.postgres
def test_keys_are_the_official_ones(postgres_database: TestDatabase):
    """25: primary keys, and foreign keys that delete along."""
    found: dict[str, tuple[str, list[str]]] = {}
    sql = (
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE contype IN ('p', 'f') AND connamespace = 'public'::regnamespace"
    )
    for table, name, text in sorted(postgres_database.query(sql), key=lambda row: row[2], reverse=True):
        if text.startswith("PRIMARY KEY"):
            assert name == f"{table}_pkey"
            found[table] = (text.removeprefix("PRIMARY KEY (").removesuffix(")"), [])
    for table, name, text in postgres_database.query(sql):
        if text.startswith("FOREIGN KEY"):
            own, _, rest = text.removeprefix("FOREIGN KEY ").partition(" REFERENCES ")
            parent, _, action = rest.partition("(")
            assert action.endswith("ON DELETE CASCADE")
            assert name.startswith(f"{table}_")
            assert name.endswith("_fkey")
            found[table][1].append(f"{own} {parent.strip()}")
    assert found == OFFICIAL_KEYS


@pytest.mark.postgres
def test_indexes_are_the_official_ones(postgres_database: TestDatabase):
    """25: by name, but for those that repeat the beginning of a primary key, and that of expiry."""
    sql = "SELECT indexname, substring(indexdef from '\\(.*\\)') FROM pg_indexes WHERE schemaname = 'public'"
    found = dict(postgres_database.query(sql))
    assert {name: found.get(name) for name in OFFICIAL_INDEXES} == OFFICIAL_INDEXES
    assert "session_expiry_index" not in found


@pytest.mark.postgres
def test_a_new_table_is_searched_by_its_whole_key(empty_postgres_database: TestDatabase, start: Opener):
    """Without statistics PostgreSQL takes the smallest index that could serve, be it a tenant's."""
    core = start(empty_postgres_database.uri)
    handle = core.create().handle
    for _ in range(7):
        core.create()
    tables = core.database.tables
    statements = vars(RotationStatements(tables)) | vars(SessionStatements(tables))
    values = {
        "tenant": "public", "handle": handle, "user": "user", "now": 1, "presented": "a", "current": "b",
        "expires": 2, "static": False, "text": "{}", "kept_from": 1, "kept_until": 0,
    }  # fmt: skip

    def condition(connection: Any, statement: Any) -> str:
        query = DriverQuery.of(statement, connection.dialect)
        lines = connection.connection.cursor().execute(f"EXPLAIN {query.text}", {**query.constants, **values})
        return next(line for (line,) in lines if "Index Cond" in line)

    of_one = ("tokens", "rotate_current", "lock", "rotate", "keep", "rerotate", "set_payload",
              "replace_payload", "replace_data", "information", "delete")  # fmt: skip
    of_user = ("user_handles", "user_handles_in_tenant", "revoke_user", "revoke_user_in_tenant")
    found = core.database.read(
        lambda c: {name: condition(c, statements[name]) for name in (*of_one, *of_user)}
    )
    assert [name for name in of_one if handle not in found[name]] == []
    assert [name for name in of_user if "(user_id)" not in found[name]] == []


def test_sqlite_has_the_same_columns(sqlite_database: TestDatabase):
    """One layout for both."""
    for table, columns in OFFICIAL_COLUMNS.items():
        assert sqlite_database.columns(table) == [column.split()[0] for column in columns]


def test_opening_again_changes_nothing(shared_database: TestDatabase, start: Opener):
    """Idempotent: nothing is created, altered or written."""
    query = SHAPE if shared_database.kind == "postgresql" else "SELECT sql FROM sqlite_master ORDER BY 1"
    before = shared_database.query(query), shared_database.query("SELECT * FROM tenants")
    start(shared_database.uri).keys.jwks()
    assert (shared_database.query(query), shared_database.query("SELECT * FROM tenants")) == before


def test_an_older_database_of_ours_is_extended(fresh_shared: TestDatabase, start: Opener):
    """Additive upgrade: missing tables, columns and rows are added, what is there stays."""
    session = start(fresh_shared.uri).create(payload={"a": 1})
    for statement in (
        "ALTER TABLE session_info DROP COLUMN prev_refresh_token_hash_2",
        "ALTER TABLE session_info DROP COLUMN refresh_token_rotated_at",
        "DROP TABLE role_permissions",
        "DROP TABLE user_metadata",
    ):
        fresh_shared.query(statement)
    core = start(fresh_shared.uri)
    assert core.refresh(session).payload == {"a": 1}
    assert core.roles.add("admin", ["read"]) is True
    assert core.metadata.merge("u", {"a": 1}) == {"a": 1}


class OfficialCore:
    """Writes what an official core writes, from the format alone (engine: Refresh tokens, Session rows)."""

    def __init__(self, database: TestDatabase) -> None:
        self.database = database
        self.master_key = new_master_key()
        self.now_ms = time.time_ns() // 1_000_000
        self.kid = f"d-{self.now_ms - 5000}"
        database.query(OFFICIAL_DDL)
        database.query(
            "INSERT INTO key_value VALUES ('public', 'public', 'refresh_token_key', %s, 1)", self.master_key
        )
        database.query(
            "INSERT INTO session_access_token_signing_keys VALUES ('public', %s, %s)",
            self.now_ms - 5000, new_key_text().replace("|", ";"),
        )  # fmt: skip
        database.query(
            "INSERT INTO jwt_signing_keys VALUES ('public', 's-official', %s, 'RS256', 1)", new_key_text()
        )

    def session(self, handle: str, *, user_id: str = "u", tenant_id: str = "public") -> str:
        nonce = hashlib.sha256(handle.encode()).hexdigest()
        token = session_token(
            self.master_key, handle=handle, user_id=user_id, nonce=nonce, tenant_id=tenant_id,
            iv=hashlib.sha256(nonce.encode()).digest()[:12],
        )  # fmt: skip
        self.database.query(
            "INSERT INTO session_info VALUES "
            "('public', %s, %s, %s, %s, '{\"d\":1}', %s, %s, '{\"p\":1}', false)",
            tenant_id, handle, user_id, hash2(token), self.now_ms + 10**9, self.now_ms,
        )  # fmt: skip
        return token


@pytest.fixture
def official(empty_postgres_database: TestDatabase) -> OfficialCore:
    """A PostgreSQL database as an official core left it."""
    return OfficialCore(empty_postgres_database)


@pytest.mark.postgres
def test_nobody_is_logged_out_by_the_adoption(official: OfficialCore, start: Opener):
    """Sessions, keys and tenants of an official core go on."""
    tokens = {"h1": official.session("h1"), "h2_t1": official.session("h2_t1", tenant_id="t1")}
    core = start(official.database.uri)
    for handle, token in tokens.items():
        refreshed = core.refresh(token)
        assert (refreshed.handle, refreshed.user_id, refreshed.payload) == (handle, "u", {"p": 1})
        assert header(refreshed.access_token.text)["kid"] == official.kid
        assert core.refresh(token).refresh_token == refreshed.refresh_token
        assert core.sessions.information(handle).data == {"d": 1}
    assert [key["kid"] for key in core.keys.jwks().keys] == [official.kid, "s-official"]
    assert [tenant.tenant_id for tenant in core.tenants.all()] == ["public", "t1"]


@pytest.mark.postgres
def test_adoption_only_adds(official: OfficialCore, start: Opener):
    """Two columns and the missing tables; nothing else is touched."""
    before = shape(official.database)
    start(official.database.uri).keys.jwks()
    after = shape(official.database)
    assert after["session_info"] == before["session_info"] + OFFICIAL_COLUMNS["session_info"][-2:]
    assert {name: after[name] for name in before if name != "session_info"} == {
        name: before[name] for name in before if name != "session_info"
    }
    assert after.keys() == before.keys() | OFFICIAL_COLUMNS.keys()
    assert official.database.query("SELECT email FROM emailpassword_users") == [("x@example.com",)]
    layout = (
        "SELECT reloptions, to_regclass('session_expiry_index') IS NOT NULL FROM pg_class WHERE relname = %s"
    )
    assert official.database.query(layout, "session_info") == [(None, True)]


FOREIGN_TABLES = ("emailpassword_users", "app_id_to_user_id", "userid_mapping")


def bytes_of(database: TestDatabase, table: str) -> tuple[Any, ...]:
    """Return where a table lies, and its rows with the place and the transaction that each was written by."""
    (place,) = database.query(
        "SELECT pg_relation_filepath(oid), relnatts FROM pg_class WHERE oid = %s::regclass", table
    )
    indexes = database.query("SELECT indexdef FROM pg_indexes WHERE tablename = %s ORDER BY 1", table)
    rows = database.query(f"SELECT ctid::text, xmin::text, t::text FROM {table} t ORDER BY ctid")
    return place, indexes, rows


@pytest.mark.postgres
def test_tables_of_other_recipes_stay_as_they_are(official: OfficialCore, start: Opener):
    """Byte for byte, through the adoption and a whole life of sessions, roles, metadata and tenants."""
    query = official.database.query
    query("INSERT INTO app_id_to_user_id VALUES ('public', 'x', 'emailpassword', 'x', false)")
    query("INSERT INTO userid_mapping VALUES ('public', 'x', 'mine', NULL)")
    before = {table: bytes_of(official.database, table) for table in FOREIGN_TABLES}
    assert all(rows for _, _, rows in before.values())
    token = official.session("h1", user_id="mine")
    core = start(official.database.uri)
    refreshed = core.refresh(token)
    core.sessions.regenerate(refreshed.access_token.text, merge={"a": 1})
    core.roles.add("admin", ["read"])
    core.roles.assign("mine", "admin", tenant_id="public")
    core.metadata.merge("mine", {"a": 1})
    core.tenants.put("t2", {})
    core.tenants.delete("t2")
    assert core.sessions.revoke_user("mine", tenant_id=None) == ["h1"]
    core.clean_up()
    core.close()
    assert {table: bytes_of(official.database, table) for table in FOREIGN_TABLES} == before


@pytest.mark.postgres
def test_an_official_core_can_read_what_we_write(official: OfficialCore, start: Opener):
    """The way back: a token of ours opens by the official rules, and its row holds its hash."""
    core = start(official.database.uri)
    presented = official.session("h1")
    refreshed = core.refresh(presented)
    sealed, nonce, suffix = refreshed.refresh_token.text.split(".")
    raw = base64.b64decode(sealed, validate=True)
    key = token_key(official.master_key, raw[:12])
    contents = json.loads(AESGCM(key).decrypt(raw[:12], raw[12:], None))
    assert contents == {
        "sessionHandle": "h1",
        "userId": "u",
        "parentRefreshTokenHash1": hash1(presented),
        "nonce": nonce,
    }
    assert suffix == "V2"
    row = official.database.one("session_info WHERE session_handle = 'h1'")
    assert row["refresh_token_hash_2"] == hash2(refreshed.refresh_token.text)


@pytest.mark.postgres
def test_linked_and_mapped_users_keep_their_ids(official: OfficialCore, start: Opener):
    """SI-67: 5 and 19: `sub` is the primary user in external form, `rsub` the login method."""
    recipe, primary = "r" * 36, "p" * 36
    query = official.database.query
    for user in (recipe, primary):
        query("INSERT INTO app_id_to_user_id VALUES ('public', %s, 'emailpassword', %s, true)", user, primary)
    query("INSERT INTO userid_mapping VALUES ('public', %s, 'ext-primary', NULL)", primary)
    core = start(official.database.uri)

    def ids(session: Any) -> tuple[str, str]:
        found = claims(session)
        assert (session.user_id, session.recipe_user_id) == (found["sub"], found["rsub"])
        return found["sub"], found["rsub"]

    assert ids(core.create("stranger")) == ("stranger", "stranger")
    assert ids(core.create(recipe)) == ("ext-primary", recipe)
    assert ids(core.create(primary)) == ids(core.create("ext-primary")) == ("ext-primary", "ext-primary")
    session = core.create(recipe)
    assert ids(core.refresh(session)) == ("ext-primary", recipe)
    assert (
        claims(core.sessions.regenerate(session.access_token.text).access_token.text)["sub"] == "ext-primary"
    )
    assert core.sessions.information(session.handle).user_id == "ext-primary"
    query("INSERT INTO userid_mapping VALUES ('public', %s, 'ext-recipe', NULL)", recipe)
    assert ids(core.create(recipe)) == ids(core.create("ext-recipe")) == ("ext-primary", "ext-recipe")


@pytest.mark.postgres
@pytest.mark.parametrize("named", ["primary", "linked", "mapped", "ext-mapped"])
def test_a_user_of_linked_login_methods_is_one_user(official: OfficialCore, start: Opener, named: str):
    """9.1, 9.3: listing and revoking reach every login method, named by any of them."""
    primary, linked, mapped = "p" * 36, "l" * 36, "m" * 36
    query = official.database.query
    for user in (primary, linked, mapped):
        query("INSERT INTO app_id_to_user_id VALUES ('public', %s, 'emailpassword', %s, true)", user, primary)
    query(
        "INSERT INTO app_id_to_user_id VALUES ('public', %s, 'emailpassword', %s, false)", "x" * 36, "x" * 36
    )
    core = start(official.database.uri)
    before_mapping = core.create(mapped).handle
    query("INSERT INTO userid_mapping VALUES ('public', %s, 'ext-mapped', NULL)", mapped)
    user_id = {"primary": primary, "linked": linked, "mapped": mapped}.get(named, named)
    alone = {
        "primary": [core.create(primary).handle],
        "linked": [core.create(linked).handle],
        "mapped": [before_mapping],
        "ext-mapped": [core.create("ext-mapped").handle],
    }
    there = core.create(linked, tenant_id="t1").handle
    strangers = [core.create("x" * 36).handle, core.create("stranger").handle]
    everything = {handle for handles in alone.values() for handle in handles}
    assert core.sessions.user_handles(user_id, tenant_id="public", linked_accounts=False) == alone[named]
    assert set(core.sessions.user_handles(user_id, tenant_id="public")) == everything
    assert core.sessions.user_handles(user_id, tenant_id="t1") == [there]
    assert set(core.sessions.user_handles(user_id, tenant_id=None)) == everything | {there}
    assert core.sessions.revoke_user(user_id, tenant_id="public", linked_accounts=False) == alone[named]
    left = (everything | {there}) - set(alone[named])
    assert set(core.sessions.revoke_user(user_id, tenant_id=None)) == left
    assert [core.sessions.information(handle) for handle in left] == [None] * 4
    assert [core.sessions.information(handle).handle for handle in strangers] == strangers


@pytest.mark.postgres
def test_a_layout_too_old_is_refused(empty_postgres_database: TestDatabase, start: Opener):
    """Nothing is changed in a database that cannot be adopted."""
    empty_postgres_database.query(
        "CREATE TABLE session_info (session_handle VARCHAR(255), user_id VARCHAR(128))"
    )
    core = start(empty_postgres_database.uri)
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"'session_info' .* has no column 'app_id'"):
            core.create()
    assert list(shape(empty_postgres_database)) == ["session_info"]


@pytest.mark.postgres
def test_a_schema_and_a_prefix_keep_apps_apart(empty_postgres_database: TestDatabase, start: Opener):
    """13: several apps can share one database; the schema is made if absent."""
    settings = {"table_schema": "auth", "table_prefix": "st_"}
    one = start(empty_postgres_database.uri, **settings)
    other = start(empty_postgres_database.uri, table_schema="auth", table_prefix="b_")
    plain = start(empty_postgres_database.uri)
    session = one.create()
    assert start(empty_postgres_database.uri, **settings).refresh(session).handle == session.handle
    for stranger in (other, plain):
        assert stranger.refresh(session).message == "Invalid refresh token"
    one.tenants.put("t1", {"first_factors": ["totp"]})
    one.roles.add("admin", ["read"])
    one.roles.assign("u", "admin", tenant_id="t1")
    one.tenants.delete("t1")
    tables = empty_postgres_database.query(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('auth', 'public')"
    )
    assert {("auth", "st_" + name) for name in OFFICIAL_COLUMNS} <= set(tables)
    assert {("auth", "b_" + name) for name in OFFICIAL_COLUMNS} <= set(tables)
    assert {("public", name) for name in OFFICIAL_COLUMNS} <= set(tables)
    assert len(tables) == 3 * len(OFFICIAL_COLUMNS)


def test_sqlite_has_a_prefix_and_no_schema(sqlite_files: Sqlite, start: Opener):
    """13: SQLite has no schemas, so that setting does nothing."""
    database = sqlite_files.create(template=False)
    one: Driver = start(database.uri, table_schema="auth", table_prefix="st_")
    other: Driver = start(database.uri)
    session = one.create()
    assert one.refresh(session).handle == session.handle
    assert other.refresh(session).message == "Invalid refresh token"
    names = {name for (name,) in database.query("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert names == OFFICIAL_COLUMNS.keys() | {"st_" + name for name in OFFICIAL_COLUMNS}


@pytest.mark.parametrize("prefix", ["shop", "Shop", "SHOP_"])
def test_a_prefix_means_what_an_official_core_means(fresh_shared: TestDatabase, start: Opener, prefix: str):
    """13: "_" is put after it, and PostgreSQL reads names in lower case."""
    session = start(fresh_shared.uri, table_prefix="shop_").create()
    assert start(fresh_shared.uri, table_prefix=prefix).refresh(session).handle == session.handle


def test_the_prefix_that_was_meant_is_named(sqlite_files: Sqlite, start: Opener):
    """13: a second, empty set of tables would log everybody out. ("shop_" in a core makes "shop__".)"""
    database = sqlite_files.create(template=False)
    session = start(database.uri, table_prefix="shop__").create()
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"set EngineConfig\(table_prefix='shop__'\)"):
            start(database.uri, table_prefix="shop_").refresh(session)
    assert len(database.query("SELECT name FROM sqlite_master WHERE name GLOB '*session_info'")) == 1


@pytest.mark.postgres
def test_a_schema_made_by_somebody_else_needs_no_right_on_the_database(
    empty_postgres_database: TestDatabase, postgres_server: Postgres, start: Opener
):
    """13: its owner needs no right on the database."""
    postgres_server.execute("CREATE ROLE app LOGIN")
    try:
        empty_postgres_database.query("CREATE SCHEMA auth AUTHORIZATION app")
        uri = empty_postgres_database.uri.replace("postgres@", "app@")
        core = start(uri, table_schema="Auth")
        assert core.refresh(core.create()).user_id == "user"
        core.close()
        empty_postgres_database.query("DROP OWNED BY app CASCADE")
    finally:
        postgres_server.execute("DROP ROLE app")
