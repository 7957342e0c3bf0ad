"""Create, refresh, verify with the database: our SDK, supertokens-python, and the same by hand."""

from __future__ import annotations

import secrets
import sqlite3
import time
import uuid
from collections.abc import Callable
from typing import Any

from apps import sdk
from support import tokens

POOL = 64
_COLUMNS = (
    "app_id, tenant_id, session_handle, user_id, refresh_token_hash_2, session_data, expires_at, "
    "created_at_time, jwt_user_payload, use_static_key"
)
_INSERT = f"INSERT INTO session_info ({_COLUMNS}) VALUES ({', '.join(['{0}'] * 10)})"
_KEY = "app_id = {0} AND tenant_id = {0} AND session_handle = {0}"
_SELECT = (
    "SELECT user_id, refresh_token_hash_2, prev_refresh_token_hash_2, refresh_token_rotated_at, "
    f"expires_at, jwt_user_payload, use_static_key FROM session_info WHERE {_KEY}"
)
_UPDATE = (
    "UPDATE session_info SET prev_refresh_token_hash_2 = refresh_token_hash_2, refresh_token_hash_2 = {0}, "
    f"refresh_token_rotated_at = {{0}}, expires_at = {{0}} WHERE {_KEY}"
)


async def sdk_cases(package: str, uri: str, store: str) -> dict[str, Any]:
    """The calls of an SDK, async and (ours only) sync."""
    # Sessions are refreshed faster than a grace period here; without one, each refresh is a rotation.
    sdk.start(package, "fastapi", uri=uri, refresh_token_rotation_grace_period=0)
    label = f"{sdk.LABELS[package]}, {store}" if package == sdk.OURS else sdk.LABELS[package]
    api = sdk.module(package, "recipe.session.asyncio")
    pool = []
    for _ in range(POOL if package == sdk.OURS else 4):
        session = await api.create_new_session_without_request_response(
            "public", sdk.user(package), dict(sdk.CLAIMS)
        )
        pool.append(session.get_all_session_tokens_dangerously())
    cases = _async_cases(package, api, pool)
    if package == sdk.OURS:
        cases |= sync_cases(package, sdk.module(package, "recipe.session.syncio"), pool)
    return {f"{label}: {name}": case for name, case in cases.items()}


def _async_cases(package: str, api: Any, pool: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: C901  its functions count
    def create(n: int) -> Any:
        async def run() -> None:
            for _ in range(n):
                await api.create_new_session_without_request_response(
                    "public", sdk.user(package), dict(sdk.CLAIMS)
                )

        return run

    def refresh(n: int) -> Any:
        async def run() -> None:
            for i in range(n):
                session = await api.refresh_session_without_request_response(
                    pool[i % len(pool)]["refreshToken"]
                )
                pool[i % len(pool)] = session.get_all_session_tokens_dangerously()

        return run

    def verify(n: int) -> Any:
        async def run() -> None:
            for i in range(n):
                token = pool[i % len(pool)]["accessToken"]
                await api.get_session_without_request_response(token, check_database=True)

        return run

    return {"create, async": create, "refresh, async": refresh, "verify with database, async": verify}


def sync_cases(package: str, twin: Any, pool: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: C901  its functions count
    def create(n: int) -> Any:
        def run() -> None:
            for _ in range(n):
                twin.create_new_session_without_request_response(
                    "public", sdk.user(package), dict(sdk.CLAIMS)
                )

        return run

    def refresh(n: int) -> Any:
        def run() -> None:
            for i in range(n):
                session = twin.refresh_session_without_request_response(pool[i % len(pool)]["refreshToken"])
                pool[i % len(pool)] = session.get_all_session_tokens_dangerously()

        return run

    def verify(n: int) -> Any:
        def run() -> None:
            for i in range(n):
                twin.get_session_without_request_response(
                    pool[i % len(pool)]["accessToken"], check_database=True
                )

        return run

    return {"create, sync": create, "refresh, sync": refresh, "verify with database, sync": verify}


async def scale_cases(uri: str, label: str, rows: str) -> dict[str, Any]:
    """Refresh, verify with the database, list and revoke by user, among `rows` other sessions."""
    sdk.start(sdk.OURS, "fastapi", uri=uri, refresh_token_rotation_grace_period=0)
    api = sdk.module(sdk.OURS, "recipe.session.asyncio")
    pool = []
    for number in range(4 * POOL):
        session = await api.create_new_session_without_request_response(
            "public", sdk.user(sdk.OURS), dict(sdk.CLAIMS)
        )
        pool.append(session.get_all_session_tokens_dangerously())
        if number == 0:
            populate(uri, int(rows))
    twin = sdk.module(sdk.OURS, "recipe.session.syncio")
    cases = {name.removesuffix(", sync"): case for name, case in sync_cases(sdk.OURS, twin, pool).items()}
    cases |= _user_cases(twin, uri)
    return {f"{label}: {name}": case for name, case in cases.items() if name != "create"}


def _user_cases(twin: Any, uri: str) -> dict[str, Any]:
    def listing(n: int) -> Callable[[], None]:
        def run() -> None:
            for i in range(
                n
            ):  # users of `populate`, one session each; the first is the one who signs in above
                assert len(twin.get_all_session_handles_for_user(f"user-{i % 999 + 2}")) == 1

        return run

    def revoking(n: int) -> Callable[[], None]:
        populate(uri, n, user="leaving-", tidy=False)

        def run() -> None:
            for i in range(n):
                assert len(twin.revoke_all_sessions_for_user(f"leaving-{i + 1}")) == 1

        return run

    return {"list by user": listing, "revoke by user": revoking}


def hand_cases(uri: str, store: str) -> dict[str, Any]:
    """One RSA signature and the same durable commit on the same table, by hand with the driver."""
    key, claims = tokens.new_key(), tokens.payload(**sdk.CLAIMS)
    execute, begin, commit, mark = _sqlite(uri) if uri.startswith("sqlite") else _postgres(uri)
    insert, select, update = (sql.format(mark) for sql in (_INSERT, _SELECT, _UPDATE))
    if not uri.startswith("sqlite"):
        select += " FOR UPDATE"
    handles: list[str] = []
    now = int(time.time() * 1000)

    def create_one() -> None:
        handle = str(uuid.uuid4())
        tokens.mint(key, claims, kid="d-1")
        begin()
        execute(
            insert,
            (
                "public",
                "public",
                handle,
                "user-1",
                secrets.token_hex(32),
                "{}",
                now + 10**9,
                now,
                '{"a":1}',
                False,
            ),
        )
        commit()
        handles.append(handle)

    for _ in range(POOL):
        create_one()

    def refresh_one(handle: str) -> None:
        begin()
        row = execute(select, ("public", "public", handle)).fetchone()
        assert row is not None
        tokens.mint(key, claims, kid="d-1")
        execute(update, (secrets.token_hex(32), now, now + 10**9, "public", "public", handle))
        commit()

    def create(n: int) -> Callable[[], None]:
        return lambda: [create_one() for _ in range(n)] and None

    def refresh(n: int) -> Callable[[], None]:
        return lambda: [refresh_one(handles[i % POOL]) for i in range(n)] and None

    return {
        f"by hand, {store}: sign + insert + commit": create,
        f"by hand, {store}: select + sign + update + commit": refresh,
        f"SQLAlchemy Core, {store}: one indexed read": _core_read(uri, handles),
    }


def _sqlite(uri: str) -> tuple[Any, Any, Any, str]:
    connection = sqlite3.connect(uri.removeprefix("sqlite:///"), isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection.execute, lambda: connection.execute("BEGIN IMMEDIATE"), connection.commit, "?"


def _postgres(uri: str) -> tuple[Any, Any, Any, str]:
    import psycopg

    connection = psycopg.connect(uri)  # a transaction begins with its first statement
    return connection.execute, lambda: None, connection.commit, "%s"


def _core_read(uri: str, handles: list[str]) -> Callable[[int], Callable[[], None]]:
    """Read a session as a careful application would: a pool in autocommit mode, one cached `select`."""
    import sqlalchemy

    url = uri.replace("postgresql://", "postgresql+psycopg://")
    engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
    names = (
        "user_id",
        "refresh_token_hash_2",
        "prev_refresh_token_hash_2",
        "refresh_token_rotated_at",
        "expires_at",
        "jwt_user_payload",
        "use_static_key",
        "app_id",
        "tenant_id",
        "session_handle",
    )
    table = sqlalchemy.table("session_info", *(sqlalchemy.column(name) for name in names))
    query = sqlalchemy.select(*(table.c[name] for name in names[:7])).where(
        table.c.app_id == sqlalchemy.bindparam("app"),
        table.c.tenant_id == sqlalchemy.bindparam("tenant"),
        table.c.session_handle == sqlalchemy.bindparam("handle"),
    )

    def prepare(n: int) -> Callable[[], None]:
        def run() -> None:
            for i in range(n):
                with engine.connect() as connection:
                    row = connection.execute(
                        query, {"app": "public", "tenant": "public", "handle": handles[i % POOL]}
                    ).first()
                    assert row is not None

        return run

    return prepare


def populate(uri: str, rows: int, *, user: str = "user-", tidy: bool = True) -> None:
    """Insert bulk rows, one session for each of the users 1 to `rows`; `tidy` renews the statistics."""
    now = int(time.time() * 1000)
    if uri.startswith("sqlite"):
        connection = sqlite3.connect(uri.removeprefix("sqlite:///"))
        connection.execute("PRAGMA synchronous=OFF")
        connection.executemany(
            f"INSERT INTO session_info ({_COLUMNS}) "
            "VALUES ('public', 'public', ?, ?, ?, '{}', ?, ?, '{\"a\":1}', 0)",
            (
                (str(uuid.uuid4()), f"{user}{i}", secrets.token_hex(32), now + 10**9 + i, now)
                for i in range(1, rows + 1)
            ),
        )
        connection.commit()
        if tidy:
            connection.execute("ANALYZE")
        connection.close()
        return
    import psycopg

    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(
            f"INSERT INTO session_info ({_COLUMNS}) "
            "SELECT 'public', 'public', gen_random_uuid()::text, %s || i, "
            "md5(i::text) || md5((i + 1)::text), '{}', %s + i, %s, '{\"a\":1}', false "
            "FROM generate_series(1, %s) i",
            (user, now + 10**9, now, rows),
        )
        if tidy:
            connection.execute("VACUUM ANALYZE session_info")
            connection.execute("CHECKPOINT")
