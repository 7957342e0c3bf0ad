"""Create, refresh and list sessions with and without what the control of sessions keeps of each."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from contestants.stores import POOL, populate
from support.rounds import require_measured_package

LISTED = 50
LISTED_USERS = 20
HOUR_MS = 3_600_000
_FILL = (
    "INSERT INTO supertokens_py_sessions (app_id, tenant_id, session_handle, created_ip, last_ip, "
    "last_agent, label, last_seen_at, persistent, counts) "
    "SELECT s.app_id, s.tenant_id, s.session_handle, '192.0.2.0', '192.0.2.0', "
    "'Mozilla/5.0', 'Chrome on Windows', s.created_at_time, true, true FROM session_info s "
    "WHERE NOT EXISTS (SELECT 1 FROM supertokens_py_sessions x WHERE x.app_id = s.app_id "
    "AND x.tenant_id = s.tenant_id AND x.session_handle = s.session_handle)"
)


def _engine(uri: str, *, details: bool) -> Any:
    require_measured_package()
    from supertokens_py.engine.config import EngineConfig
    from supertokens_py.engine.embedded import EmbeddedEngine
    from supertokens_py.engine.session_records import SessionFeatures

    # Sessions are refreshed faster than a grace period here; without one, each refresh is a rotation.
    settings = EngineConfig(refresh_token_rotation_grace_period=0, clean_up_interval=0).resolve({})
    return EmbeddedEngine(uri, settings, features=SessionFeatures(details=details))


def _new(user: str, *, details: bool) -> Any:
    from supertokens_py.engine.records import NewSession
    from supertokens_py.engine.session_records import Lifetime, Visit

    visit = Visit(ip="192.0.2.0", agent="Mozilla/5.0 (Windows NT 10.0) Chrome/150", label="Chrome on Windows")
    return NewSession(
        user_id=user,
        tenant_id="public",
        payload={"a": 1},
        data={},
        anti_csrf=False,
        dynamic_key=True,
        visit=visit if details else None,
        lifetime=Lifetime(idle_ms=8 * HOUR_MS, absolute_ms=720 * HOUR_MS) if details else None,
    )


async def write_cases(uri: str, label: str, kind: str) -> dict[str, Any]:
    """Create and refresh; `kind` is "on" (devices and lifetimes) or "off"."""
    from supertokens_py.engine.records import RefreshRequest

    details = kind == "on"
    sessions, new = _engine(uri, details=details).sessions, _new("user", details=details)
    pool = [sessions.create(new) for _ in range(POOL)]

    def create(n: int) -> Callable[[], None]:
        def run() -> None:
            for _ in range(n):
                sessions.create(new)

        return run

    def refresh(n: int) -> Callable[[], None]:
        def run() -> None:
            for i in range(n):
                token = pool[i % POOL].refresh_token.text
                pool[i % POOL] = sessions.refresh(
                    RefreshRequest(
                        refresh_token=token,
                        anti_csrf_token=None,
                        anti_csrf=False,
                        dynamic_key=True,
                        visit=new.visit,
                    )
                )

        return run

    return {f"{label}, {kind}: create": create, f"{label}, {kind}: refresh": refresh}


async def list_cases(uri: str, label: str, rows: str) -> dict[str, Any]:
    """List the 50 sessions of a user among `rows` of others."""
    sessions = _engine(uri, details=True).sessions
    for number in range(LISTED * LISTED_USERS):
        sessions.create(_new(f"listed-{number % LISTED_USERS}", details=True))
    populate(uri, int(rows))
    _fill(uri)

    def listing(n: int) -> Callable[[], None]:
        def run() -> None:
            for i in range(n):
                assert len(sessions.listed(f"listed-{i % LISTED_USERS}", tenant_id=None)) == LISTED

        return run

    return {f"{label}: list 50": listing}


def _fill(uri: str) -> None:
    """Give every session a row of details, and the planner its statistics."""
    if uri.startswith("sqlite"):
        connection = sqlite3.connect(uri.removeprefix("sqlite:///"))
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute(_FILL)
        connection.commit()
        connection.execute("ANALYZE")
        connection.close()
        return
    import psycopg

    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(_FILL)
        connection.execute("VACUUM ANALYZE supertokens_py_sessions")
        connection.execute("CHECKPOINT")
