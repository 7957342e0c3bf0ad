"""The keys of devices that sessions are bound to: their table and its SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import String, Text, and_, bindparam, delete, insert, or_, select, update

from supertokens_py.constants import DEFAULT_APP_ID

from ..storage.tables import OPTIONAL_TIME, PUBLIC_ID, TIME, ColumnKind, TableDefinition
from .session_rows import SESSION_DETAILS, SESSIONS, before_end, one_session, same_session

if TYPE_CHECKING:
    from sqlalchemy import Delete, Insert, Select, Update

    from ..storage.tables import Tables

#: Made where `device_binding` is on. As with the details of sessions, every look begins at the session's row.
DEVICE_KEYS = TableDefinition(
    name="supertokens_py_device_keys",
    columns={
        "app_id": PUBLIC_ID,
        "tenant_id": PUBLIC_ID,
        "session_handle": ColumnKind(String(255)),
        "bound_id": ColumnKind(String(64)),
        "algorithm": ColumnKind(String(16)),
        "jwk": ColumnKind(Text()),
        "jkt": ColumnKind(String(64)),
        "challenge": ColumnKind(String(64)),
        "challenge_at": TIME,
        "registered_at": TIME,
        "proved_at": TIME,
        "missing_at": OPTIONAL_TIME,
    },
    key=("app_id", "tenant_id", "session_handle"),
    parent=SESSIONS,
    unique={"bound_id": ("app_id", "bound_id")},
    beside_a_core=True,
)

#: The tables with a row for each of some sessions.
BESIDE_SESSIONS = (SESSION_DETAILS, DEVICE_KEYS)

_SESSION = ("session_handle", "tenant_id", "user_id")
_KEY = ("bound_id", "algorithm", "jwk", "jkt", "challenge", "challenge_at")
_NEW = ("bound_id", "algorithm", "jwk", "jkt", "challenge")


class DeviceStatements:
    """The statements; parameters are `tenant`, `handle`, `bound`, `now` and new values."""

    def __init__(self, tables: Tables) -> None:
        sessions, keys = tables[SESSIONS], tables[DEVICE_KEYS]
        row, own = sessions.c, keys.c
        joined = and_(*same_session(tables, DEVICE_KEYS))
        session = tuple(row[name] for name in _SESSION)
        #: The key of a live session by what the browser calls it.
        self.by_id: Select[Any] = (
            select(*session, *(own[name] for name in _KEY))
            .select_from(sessions.join(keys, joined))
            .where(
                own.app_id == DEFAULT_APP_ID,
                own.bound_id == bindparam("bound"),
                row.expires_at > bindparam("now"),
                *before_end(tables),
            )
        )
        #: What says that a session is bound: its key, or its claim where the key is lost.
        self.of_session: Select[Any] = (
            select(*session, row.jwt_user_payload, own.bound_id, own.jkt)
            .select_from(sessions.outerjoin(keys, joined))
            .where(*one_session(sessions))
        )
        self.key: Select[Any] = select(own.bound_id).where(*one_session(keys))
        self.insert: Insert = insert(keys).values(
            app_id=DEFAULT_APP_ID,
            tenant_id=bindparam("tenant"),
            session_handle=bindparam("handle"),
            **{name: bindparam(f"new_{name}") for name in _NEW},
            challenge_at=bindparam("now"),
            registered_at=bindparam("now"),
            proved_at=bindparam("now"),
        )
        #: The whole of a key, which goes from one session to another.
        self.row: Select[Any] = select(keys).where(*one_session(keys))
        self.remove: Delete = delete(keys).where(*one_session(keys))
        self.insert_row: Insert = insert(keys).values(
            {column.name: bindparam(f"new_{column.name}") for column in own}
        )
        changed = update(keys).where(*one_session(keys))
        current = own.challenge == bindparam("signed")
        #: Another challenge in the place of one that is too old; what was replaced is never accepted again.
        self.renew: Update = changed.where(current).values(
            challenge=bindparam("next"), challenge_at=bindparam("now")
        )
        self.prove: Update = self.renew.values(proved_at=bindparam("now"))
        self.missing: Update = changed.where(
            or_(own.missing_at.is_(None), own.missing_at < bindparam("before"))
        ).values(missing_at=bindparam("now"))
