"""The engine as tests use it: blocking calls with defaults."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded import EmbeddedEngine
from supertokens_py.engine.embedded.background import Pace
from supertokens_py.engine.embedded.cleanup import Cleaner
from supertokens_py.engine.embedded.session_state.session_rows import SESSIONS
from supertokens_py.engine.records import (
    IssuedSession,
    IssuedToken,
    NewSession,
    RefreshRequest,
    ReuseSubtype,
    TryRefresh,
    Unauthorised,
    Verified,
)
from supertokens_py.engine.renewal import RenewalOrder
from supertokens_py.engine.session_records import NO_FEATURES, SessionFeatures
from supertokens_py.tokens.access_token import parse_access_token
from tests.support.keys import next_pair

#: No jitter and no thread of its own, unless a test asks for them.
QUIET: dict[str, Any] = {"access_token_validity_jitter": 0, "clean_up_interval": 0}
#: No test lasts so long. On a busy machine some last longer than the two seconds until the usual thread may
#: start, whose connection and statements others would count or wait for.
NO_THREAD = Pace(start_s=3600)


def new_session(user_id: str = "user", **changes: Any) -> NewSession:
    """Return what a usual session is created from."""
    usual: dict[str, Any] = {
        "tenant_id": "public",
        "payload": {},
        "data": {},
        "anti_csrf": False,
        "dynamic_key": True,
    }
    return NewSession(user_id=user_id, **(usual | changes))


def refresh_request(refresh_token: str, **changes: Any) -> RefreshRequest:
    """Return a usual request to refresh."""
    usual: dict[str, Any] = {"anti_csrf_token": None, "anti_csrf": False, "dynamic_key": True}
    return RefreshRequest(refresh_token=refresh_token, **(usual | changes))


class Driver:
    """An engine and its services; `create`, `refresh` and `verify` with the usual arguments.

    `ring` and `database` are of the engine that owns the database.
    """

    def __init__(
        self,
        uri: str,
        *,
        keeps_users: bool = False,
        monotonic_s: Callable[[], float] = time.monotonic,
        pace: Pace = NO_THREAD,
        features: SessionFeatures = NO_FEATURES,
        **settings: Any,
    ) -> None:
        self.uri = uri
        self.settings = EngineConfig(**(QUIET | settings)).resolve({})
        self.engine = EmbeddedEngine(
            uri,
            self.settings,
            pace=pace,
            keeps_users=keeps_users,
            features=features,
            new_key=next_pair,
        )
        self.ring = self.engine.keys
        self.ring.monotonic_s = monotonic_s
        for notes in self.engine.recent_notes:
            notes.monotonic_s = monotonic_s
        self.database = self.engine.database

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    def create(self, user_id: str = "user", **changes: Any) -> IssuedSession:
        return self.engine.sessions.create(new_session(user_id, **changes))

    def refresh(self, token: IssuedSession | str, **changes: Any) -> Any:
        text = token if isinstance(token, str) else token.refresh_token.text
        return self.engine.sessions.refresh(refresh_request(text, **changes))

    def verify(self, issued: IssuedSession | IssuedToken) -> Verified | Unauthorised | TryRefresh:
        token = parse_access_token((issued if isinstance(issued, IssuedToken) else issued.access_token).text)
        assert token is not None
        return self.engine.sessions.verify(token, check_database=True)

    def rotate_signing_key(self, *, drop_old: bool = False) -> str:
        """Renew the dynamic signing key; return its id."""
        kid = self.ring.renew(RenewalOrder(dynamic=True, drop_old=drop_old)).dynamic
        assert kid is not None
        return kid

    def told(self, reuse: ReuseSubtype) -> ReuseSubtype | None:
        """Return what this engine says of a retired token: nothing over CDI below 5.6."""
        return reuse

    def clean_up_if_first(self) -> None:
        """Do what the engine's own thread does now and then."""
        Cleaner(self.database, self.ring, self.settings).clean_up_if_first()

    def close(self) -> None:
        self.engine.close()

    def row(self, handle: str) -> dict[str, Any] | None:
        """Return the session's row, through the engine's own connection (a memory database has no other)."""
        database = self.database
        table = database.tables[SESSIONS]
        statement = table.select().where(table.c.session_handle == handle)
        row = database.read(lambda connection: connection.execute(statement).mappings().first())
        return None if row is None else dict(row)

    def change_row(self, handle: str, **values: Any) -> None:
        """Write columns of a session row, as another core would."""
        database = self.database
        table = database.tables[SESSIONS]
        statement = table.update().where(table.c.session_handle == handle).values(**values)
        database.write(lambda connection: connection.execute(statement))

    def seed(self, rows: dict[str, list[dict[str, Any]]]) -> None:
        """Insert rows of whole tables."""
        database = self.database
        tables = {table.name: table for table in database.tables.all()}
        for name, values in rows.items():
            database.write(lambda connection, t=tables[name], v=values: connection.execute(t.insert(), v))

    def count(self, table: str) -> int:
        from sqlalchemy import text

        statement = text(f"SELECT count(*) FROM {table}")
        return self.database.read(lambda connection: connection.execute(statement).scalar_one())


def claims(session: IssuedSession | str) -> dict[str, Any]:
    """Return the claims of an access token, without checking it."""
    text = session if isinstance(session, str) else session.access_token.text
    return _json(text.split(".")[1])


def header(text: str) -> dict[str, Any]:
    """Return the header of a JWT."""
    return _json(text.split(".")[0])


def _json(part: str) -> dict[str, Any]:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
