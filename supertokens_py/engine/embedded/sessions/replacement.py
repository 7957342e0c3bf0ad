"""The session in whose place a new one is created: what is taken over from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, select

from supertokens_py.engine.device_keys import CONFIRMATION_KEY, thumbprint_in
from supertokens_py.engine.session_records import Lifetime, SessionKey
from supertokens_py.types.base import JSONObject

from ..session_state.device_rows import DEVICE_KEYS
from ..session_state.session_rows import SESSION_DETAILS, SESSIONS, json_object, key_of, one_session
from ..session_state.session_terms import Terms, new_terms, terms_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..storage.tables import Tables

_TERMS = ("idle_ms", "absolute_at", "persistent", "counts")


@dataclass(frozen=True, slots=True)
class Former:
    """A live session that is replaced."""

    key: SessionKey
    payload: JSONObject  #: without the claim of a device
    data: JSONObject
    created_ms: int
    terms: Terms
    details: Mapping[Any, Any]  #: its row of details; empty where none is kept
    is_refreshed: bool  #: whether its tokens are not the first ones
    thumbprint: str | None  #: of the key of a device in the claim

    @property
    def counted(self) -> bool:
        """Whether it was one of those that a limit counts."""
        return self.terms.counts and self.details.get("actor_id") is None

    def renewed(self, *, now_ms: int, counts: bool) -> Terms:
        """Return its terms for a session that begins now: both limits start again."""
        end_ms = self.terms.absolute_at_ms
        lifetime = Lifetime(
            idle_ms=self.terms.idle_ms,
            absolute_ms=None if end_ms is None else end_ms - self.created_ms,
            persistent=self.terms.persistent,
        )
        return new_terms(lifetime, now_ms=now_ms, counts=counts)


class FormerRows:
    """Reads sessions that are to be replaced."""

    def __init__(self, tables: Tables) -> None:
        sessions = tables[SESSIONS]
        self._lock = select(sessions).where(*one_session(sessions)).with_for_update()
        self._user = select(sessions.c.user_id).where(*one_session(sessions))
        self._bound = (CONFIRMATION_KEY,) if DEVICE_KEYS in tables else ()
        self._own: Select[Any] | None = None
        if SESSION_DETAILS in tables:
            own = tables[SESSION_DETAILS]
            self._own = select(own).where(*one_session(own))

    def user_id(self, connection: Connection, handle: str) -> str | None:
        """Return whose session it is, which no session changes; without a lock."""
        return connection.execute(self._user, key_of(handle)).scalar()

    def locked(self, connection: Connection, handle: str, *, now_ms: int) -> Former | None:
        """Lock and return a session; None if it is not alive."""
        row = connection.execute(self._lock, key_of(handle)).mappings().first()
        if row is None:
            return None
        details: Mapping[Any, Any] = {}
        if self._own is not None:
            details = connection.execute(self._own, key_of(handle)).mappings().first() or {}
        terms = terms_of([details[name] for name in _TERMS] if details else None)
        if row["expires_at"] <= now_ms or terms.is_past(now_ms):
            return None
        payload = json_object(row["jwt_user_payload"])
        return Former(
            key=SessionKey(handle=handle, tenant_id=row["tenant_id"], user_id=row["user_id"]),
            payload={name: value for name, value in payload.items() if name not in self._bound},
            data=json_object(row["session_data"]),
            created_ms=row["created_at_time"],
            terms=terms,
            details=details,
            is_refreshed=row["refresh_token_rotated_at"] is not None,
            thumbprint=thumbprint_in(payload) if self._bound else None,
        )
