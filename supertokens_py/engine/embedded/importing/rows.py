"""The rows that an import copies: which tables, how rows compare, and one digest over all of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from sqlalchemy import ARRAY, Select, and_, func, or_, select, true, tuple_
from sqlalchemy import cast as sql_cast

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine.embedded.events.webhook_rows import STATE_OF_WEBHOOK
from supertokens_py.engine.embedded.keys.key_cipher import AtRest
from supertokens_py.engine.embedded.keys.key_material import dynamic_kid
from supertokens_py.engine.embedded.keys.key_rows import RESTORED
from supertokens_py.engine.embedded.storage.tables import KEY_VALUE, Tables, definition_of

if TYPE_CHECKING:
    from sqlalchemy import Column, ColumnElement, Connection, Dialect, Table

#: The tables to copy, parents first, and what one row of each is called.
COPIED_TABLES = {
    "tenants": "tenant",
    "tenant_configs": "tenant configuration",
    "tenant_first_factors": "first factor",
    "tenant_required_secondary_factors": "secondary factor",
    "tenant_thirdparty_providers": "provider",
    "tenant_thirdparty_provider_clients": "provider's client",
    "session_access_token_signing_keys": "dynamic signing key",
    "jwt_signing_keys": "static signing key",
    "roles": "role",
    "role_permissions": "role permission",
    "app_id_to_user_id": "user",
    "all_auth_recipe_users": "tenant membership",
    "emailpassword_users": "password user",
    "emailpassword_user_to_tenant": "password sign-in",
    "passwordless_users": "passwordless user",
    "passwordless_user_to_tenant": "passwordless sign-in",
    "thirdparty_users": "third-party user",
    "thirdparty_user_to_tenant": "third-party sign-in",
    "userid_mapping": "user id mapping",
    "emailverification_verified_emails": "verified e-mail",
    "user_roles": "role assignment",
    "user_metadata": "metadata record",
    "user_last_active": "activity record",
    "supertokens_py_events": "event",
    "supertokens_py_deliveries": "webhook event",
    "key_value": "named value",
    "supertokens_py_revocations": "record of ended sessions",
    "session_info": "session",
    "supertokens_py_sessions": "record of a device",
    "supertokens_py_device_keys": "key of a device",
}

#: The tables that are not copied, and why.
LEFT_OUT = {
    "apps": "one database serves one app, which every database has",
    "emailpassword_pswd_reset_tokens": "short-lived: people ask for another link",
    "emailverification_tokens": "short-lived: people ask for another link",
    "passwordless_devices": "short-lived: people ask for another code",
    "passwordless_codes": "short-lived: people ask for another code",
    "recipe_user_account_infos": "made and filled by SuperTokens core 12 alone",
    "recipe_user_tenants": "made and filled by SuperTokens core 12 alone",
    "primary_user_tenants": "made and filled by SuperTokens core 12 alone",
}

Row: TypeAlias = Mapping[str, Any]
Key: TypeAlias = tuple[Any, ...]
Query: TypeAlias = Select[*tuple[Any, ...]]

_MODULUS = 2**128


def copied_tables(tables: Tables) -> list[str]:
    """Return the names of the tables to copy that are among `tables`, parents first."""
    known = {definition_of(table).name for table in tables.all()}
    return [name for name in COPIED_TABLES if name in known]


def table_named(tables: Tables, name: str) -> Table:
    """Return a table by its official name."""
    return next(table for table in tables.all() if definition_of(table).name == name)


def copied_columns(table: Table) -> list[Column[Any]]:
    """Return the columns of a table, without those that only SuperTokens core 12 fills."""
    kinds = definition_of(table).columns
    return [column for column in table.c if not kinds[column.name].may_lack]


def own_rows(table: Table) -> ColumnElement[bool]:
    """Return the condition for rows of the one app that we serve."""
    if "app_id" not in table.c:
        return true()  # of deliveries: only one app has any
    condition: ColumnElement[bool] = table.c.app_id == DEFAULT_APP_ID
    if "connection_uri_domain" in table.c:
        condition = and_(condition, table.c.connection_uri_domain == "")
    return condition


def copied_rows(table: Table) -> ColumnElement[bool]:
    """Return the condition for the rows that are copied: of named values, webhooks and the last restore."""
    if definition_of(table) is not KEY_VALUE:
        return own_rows(table)
    name = table.c.name
    return and_(own_rows(table), or_(name == RESTORED, name.startswith(STATE_OF_WEBHOOK, autoescape=True)))


def rows_of(connection: Connection, query: Query) -> Sequence[Row]:
    """Run a query and return its rows by column name."""
    return cast("Sequence[Row]", connection.execute(query).mappings().all())


def key_of(table: Table, row: Row) -> Key:
    """Return the primary key of a row."""
    return tuple(row[column.name] for column in table.primary_key)


def by_key(table: Table, rows: Iterable[Row]) -> dict[Key, Row]:
    """Return rows by their primary key."""
    return {key_of(table, row): row for row in rows}


def has_key(dialect: Dialect, table: Table, keys: Iterable[Key]) -> ColumnElement[bool]:
    """Return the condition for rows with one of the primary keys."""
    return among(dialect, list(table.primary_key), keys)


def among(
    dialect: Dialect, columns: Sequence[Column[Any]], values: Iterable[Sequence[Any]]
) -> ColumnElement[bool]:
    """Return the condition for rows whose columns have one of several, at least one, lists of values."""
    if dialect.name != "postgresql":
        return tuple_(*columns).in_(list(values))
    # A list of tuples is an OR of them to PostgreSQL, which compares each row that it finds with all.
    by_column = zip(columns, zip(*values, strict=True), strict=True)
    arrays = (sql_cast(list(each), ARRAY(column.type)) for column, each in by_column)
    names = [f"wanted_{number}" for number, _ in enumerate(columns)]
    wanted = func.unnest(*arrays).table_valued(*names).render_derived()
    return tuple_(*columns).in_(select(*wanted.c))


def batches(
    fetch: Callable[[Query], Sequence[Row]], query: Query, table: Table, *, size: int
) -> Iterator[Sequence[Row]]:
    """Read the rows of a query on `table` in the order of its primary key, `size` at a time."""
    key = list(table.primary_key)
    page = query.order_by(*key).limit(size)
    rows = fetch(page)
    while rows:
        yield rows
        # As the column's own type: PostgreSQL compares char and varchar without the index.
        values = zip(key_of(table, rows[-1]), key, strict=True)
        last = tuple_(*(sql_cast(value, column.type) for value, column in values))
        rows = fetch(page.where(tuple_(*key) > last))


def digest_of(name: str, rows: Iterable[Row]) -> int:
    """Return a number for a set of rows, in any order.

    Numbers of disjoint sets add up (modulo 2**128), so that a digest over everything can follow each change
    without another look at the rest.
    """
    total = 0
    for row in rows:
        text = json.dumps([name, sorted(row.items())], default=str)
        total += int.from_bytes(sha256(text.encode()).digest()[:16])
    return total % _MODULUS


def changed_digest(before: int, *, removed: int = 0, added: int = 0) -> int:
    """Return the digest after rows were removed and added."""
    return (before - removed + added) % _MODULUS


class StoredForm:
    """How rows are stored in one of the databases, which may keep keys encrypted."""

    def __init__(self, at_rest: AtRest) -> None:
        self._at_rest = at_rest

    def stored(self, name: str, row: Row) -> dict[str, Any]:
        """Return what to store for a row with its key in clear."""
        return self._with_key(name, row, self._at_rest.protect)

    def plain(self, name: str, row: Row) -> dict[str, Any]:
        """Return a stored row with its key in clear."""
        return self._with_key(name, row, self._at_rest.reveal)

    def stored_value(self, text: str, *, label: str) -> str:
        return self._at_rest.protect(text, label=label)

    def plain_value(self, text: str, *, label: str) -> str:
        return self._at_rest.reveal(text, label=label)

    def _with_key(self, name: str, row: Row, change: Callable[..., str]) -> dict[str, Any]:
        if name == "session_access_token_signing_keys":
            return {**row, "value": change(row["value"], label=dynamic_kid(row["created_at_time"]))}
        if name == "jwt_signing_keys":
            return {**row, "key_string": change(row["key_string"], label=row["key_id"])}
        return dict(row)
