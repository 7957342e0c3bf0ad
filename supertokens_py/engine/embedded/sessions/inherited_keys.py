"""Keys of devices go on with sessions that are made in the place of, or out of, bound ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from supertokens_py import payloads
from supertokens_py.engine.device_keys import CONFIRMATION_KEY, THUMBPRINT_KEY
from supertokens_py.types.base import JSONObject

from ..session_state.device_rows import DEVICE_KEYS, DeviceStatements
from ..session_state.session_rows import json_object, key_of
from .replacement import Former

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..storage.tables import Tables


@dataclass(frozen=True, slots=True)
class Inherited:
    """What a new session has of another one's device; nothing where that is not bound."""

    claim: JSONObject = field(default_factory=dict[str, object])
    #: The key itself, where the new session takes the place of the other one: its browser goes on with it.
    row: Mapping[Any, Any] | None = None

    def laid_over(self, payload: str) -> str:
        """Return a payload, as JSON, that says what its session is bound to."""
        if not self.claim:
            return payload
        return payloads.validate_json("access_token_payload", json_object(payload) | self.claim)


NOTHING = Inherited()


class InheritedKeys:
    """Binds new sessions to the keys of others."""

    def __init__(self, tables: Tables, locked: Callable[[Connection, str], Former | None]) -> None:
        self._sql = DeviceStatements(tables) if DEVICE_KEYS in tables else None
        self._locked = locked

    def of(self, connection: Connection, handle: str | None, former: Former | None) -> Inherited | None:
        """Return what there is to inherit of a session, which is locked; None if that has ended.

        From `former`, which is about to be replaced, the key is taken away.
        """
        if self._sql is None or handle is None:
            return NOTHING
        is_replaced = former is not None and former.key.handle == handle
        source = former if is_replaced else self._locked(connection, handle)
        if source is None:
            return None
        key = key_of(handle)
        row = connection.execute(self._sql.row, key).mappings().first()
        thumbprint = source.thumbprint if row is None else row["jkt"]
        if thumbprint is None:
            return NOTHING
        if is_replaced:
            # Where a core has dropped the foreign key, nothing else frees what the browser calls the session.
            connection.execute(self._sql.remove, key)
        return Inherited({CONFIRMATION_KEY: {THUMBPRINT_KEY: thumbprint}}, row if is_replaced else None)

    def give(self, connection: Connection, handle: str, inherited: Inherited) -> None:
        """Give the key to the new session, whose row is written."""
        if self._sql is None or inherited.row is None:
            return
        key = key_of(handle)
        values = {**inherited.row, "tenant_id": key["tenant"], "session_handle": handle}
        connection.execute(self._sql.insert_row, {f"new_{name}": value for name, value in values.items()})
