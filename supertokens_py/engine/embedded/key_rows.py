"""The rows that hold keys: read, parsed, written, and encrypted at rest."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import bindparam, delete, insert, select

from supertokens_py.constants import DEFAULT_APP_ID, DEFAULT_TENANT_ID
from supertokens_py.exceptions import ConfigError

from .key_material import AtRest, SigningKey, dynamic_kid, new_key_text, parse_key
from .refresh_tokens import new_master_key
from .statements import insert_new

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from .tables import Tables

#: The name under which table `key_value` keeps the secret of the refresh tokens.
MASTER_KEY = "refresh_token_key"


class KeyRows:
    """The keys of one database; it is a class because it holds statements and what it has parsed.

    Times are Unix milliseconds.
    """

    def __init__(self, tables: Tables, secret: str | None, *, is_sqlite: bool) -> None:
        self._at_rest = AtRest(secret)
        self._parsed: dict[tuple[str, str], SigningKey] = {}
        dynamic, static, values = tables.dynamic_keys, tables.static_keys, tables.key_value
        self._select_dynamic = (
            select(dynamic.c.created_at_time, dynamic.c.value)
            .where(dynamic.c.app_id == DEFAULT_APP_ID, dynamic.c.created_at_time >= bindparam("oldest"))
            .order_by(dynamic.c.created_at_time.desc())
        )
        self._select_static = (
            select(static.c.key_id, static.c.created_at, static.c.key_string)
            .where(static.c.app_id == DEFAULT_APP_ID, static.c.algorithm == "RS256")
            .order_by(static.c.created_at.desc())
        )
        self._insert_dynamic = insert(dynamic).values(app_id=DEFAULT_APP_ID)
        self._insert_static = insert(static).values(app_id=DEFAULT_APP_ID, algorithm="RS256")
        self._delete_older = delete(dynamic).where(
            dynamic.c.app_id == DEFAULT_APP_ID, dynamic.c.created_at_time < bindparam("oldest")
        )
        row = {"app_id": DEFAULT_APP_ID, "tenant_id": DEFAULT_TENANT_ID, "name": MASTER_KEY}
        self._select_master = select(values.c.value).where(
            *(values.c[name] == value for name, value in row.items())
        )
        self._insert_master = insert_new(values, is_sqlite=is_sqlite).values(**row)

    def signing_keys(
        self, connection: Connection, *, oldest_ms: int
    ) -> tuple[list[SigningKey], list[SigningKey]]:
        """Return dynamic keys made at that time or later, and static keys, newest first.

        Raises:
            EngineUnavailableError: one is damaged.
            ConfigError: one is encrypted with another secret.
        """
        dynamic = [
            self._parse(dynamic_kid(created_ms), created_ms, stored)
            for created_ms, stored in connection.execute(self._select_dynamic, {"oldest": oldest_ms})
        ]
        static = [
            self._parse(kid, created_ms or 0, stored)
            for kid, created_ms, stored in connection.execute(self._select_static)
        ]
        return dynamic, static

    def add_dynamic(self, connection: Connection, created_ms: int) -> str:
        """Make a dynamic key; return its id."""
        kid = dynamic_kid(created_ms)
        stored = self._at_rest.protect(new_key_text(), label=kid)
        connection.execute(self._insert_dynamic, {"created_at_time": created_ms, "value": stored})
        return kid

    def add_static(self, connection: Connection, created_ms: int) -> str:
        """Make a static key; return its id."""
        kid = f"s-{uuid4()}"
        stored = self._at_rest.protect(new_key_text(), label=kid)
        row = {"key_id": kid, "key_string": stored, "created_at": created_ms}
        connection.execute(self._insert_static, row)
        return kid

    def delete_older(self, connection: Connection, *, oldest_ms: int) -> int:
        """Delete dynamic keys made before that time; return how many there were."""
        return connection.execute(self._delete_older, {"oldest": oldest_ms}).rowcount

    def master(self, connection: Connection) -> str | None:
        """Return the secret of the refresh tokens as it is stored, if there is one."""
        return connection.execute(self._select_master).scalar()

    def add_master(self, connection: Connection, created_ms: int) -> str:
        """Make the secret of the refresh tokens unless another process was first; return what is stored.

        Raises:
            ConfigError: its row holds no value.
        """
        row = {
            "value": self._at_rest.protect(new_master_key(), label=MASTER_KEY),
            "created_at_time": created_ms,
        }
        connection.execute(self._insert_master, row)
        stored = self.master(connection)
        if stored is None:
            raise ConfigError(f"the row {MASTER_KEY!r} of table key_value holds no value")
        return stored

    def reveal_master(self, stored: str) -> str:
        """Return the secret of the refresh tokens in clear.

        Raises:
            ConfigError: it is encrypted with another secret.
        """
        return self._at_rest.reveal(stored, label=MASTER_KEY)

    def _parse(self, kid: str, created_ms: int, stored: str) -> SigningKey:
        key = self._parsed.get((kid, stored))
        if key is None:
            key = parse_key(kid, created_ms, self._at_rest.reveal(stored, label=kid))
            self._parsed[kid, stored] = key
        return key
