"""Refreshes as fast as one process can: ours, and one RSA signature beside the same statement by hand.

A case is run for some milliseconds and returns how many refreshes were done, so that several processes can
work side by side. The sessions of a process are its own, as no two clients refresh the same one.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

from apps import sdk
from support import tokens

SESSIONS = 500
REVOCATIONS_PER_SECOND = 100
#: The statement of a refresh, as somebody would write it by hand; the names in braces are for values.
STATEMENT = (
    "UPDATE session_info SET prev_refresh_token_hash_2 = refresh_token_hash_2, "
    "refresh_token_hash_2 = {hash}, refresh_token_rotated_at = {now}, expires_at = {now} + 8640000000 "
    "WHERE app_id = 'public' AND tenant_id = 'public' AND session_handle = {handle} "
    "RETURNING user_id, jwt_user_payload"
)
_INSERT = (
    "INSERT INTO session_info (app_id, tenant_id, session_handle, user_id, refresh_token_hash_2, "
    "session_data, expires_at, created_at_time, jwt_user_payload, use_static_key) "
    "SELECT 'public', 'public', %s || i, 'user-' || i, %s, '{}', %s, %s, '{\"a\":1}', false "
    "FROM generate_series(0, %s) i"
)


def handle_prefix(process: str) -> str:
    """Return what the handles of a process begin with; a number of 0 to `SESSIONS - 1` follows."""
    return f"00000000-0000-4000-8000-{process}-"


def populate(uri: str, process: str, rows: int = SESSIONS) -> None:
    """Insert the sessions of a process that refreshes by hand, or of a client of pgbench."""
    import psycopg

    now = int(time.time() * 1000)
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(
            _INSERT, (handle_prefix(process), secrets.token_hex(32), now + 10**9, now, rows - 1)
        )


def repeated(one: Callable[[int], None]) -> dict[str, Callable[[int], Callable[[], int]]]:
    """Return the case that calls `one` with 0, 1, 2 ... until some milliseconds are over."""

    def case(milliseconds: int) -> Callable[[], int]:
        def run() -> int:
            end, done = time.perf_counter() + milliseconds / 1000, 0
            while time.perf_counter() < end:
                one(done % SESSIONS)
                done += 1
            return done

        return run

    return {"refresh": case}


def ours(uri: str, *features: str) -> dict[str, Any]:
    """The SDK's blocking call, with `features` of `session.init` on."""
    sdk.start(
        sdk.OURS,
        "flask",
        uri=uri,
        recipe={feature: True for feature in features if feature},
        # Sessions are refreshed faster than a grace period here; without one, each refresh is a rotation.
        refresh_token_rotation_grace_period=0,
    )
    api = sdk.module(sdk.OURS, "recipe.session.syncio")
    pool = []
    for _ in range(SESSIONS):
        made = api.create_new_session_without_request_response("public", "user-1", dict(sdk.CLAIMS))
        pool.append(made.get_all_session_tokens_dangerously()["refreshToken"])

    def one(number: int) -> None:
        session = api.refresh_session_without_request_response(pool[number])
        pool[number] = session.get_all_session_tokens_dangerously()["refreshToken"]

    return repeated(one)


def revoking(uri: str) -> dict[str, Any]:
    """`stock` makes sessions; `revoke` ends 100 of them per second for some milliseconds."""
    sdk.start(sdk.OURS, "flask", uri=uri, recipe={"instant_revocation": True})
    api = sdk.module(sdk.OURS, "recipe.session.syncio")
    handles: list[str] = []

    def stock(milliseconds: int) -> Callable[[], int]:
        def run() -> int:
            for _ in range(milliseconds * REVOCATIONS_PER_SECOND // 1000 - len(handles)):
                made = api.create_new_session_without_request_response("public", "user-2")
                handles.append(made.get_handle())
            return len(handles)

        return run

    def revoke(milliseconds: int) -> Callable[[], int]:
        def run() -> int:
            started, done = time.perf_counter(), 0
            while handles and time.perf_counter() < started + milliseconds / 1000:
                assert api.revoke_session(handles.pop())
                done += 1
                time.sleep(max(0.0, started + done / REVOCATIONS_PER_SECOND - time.perf_counter()))
            return done

        return run

    return {"stock": stock, "revoke": revoke}


def by_hand(uri: str, process: str) -> dict[str, Any]:
    """One RSA signature and the statement, which is a transaction by itself, with the driver alone."""
    import psycopg

    populate(uri, process)
    key, claims = tokens.new_key(), tokens.payload(**sdk.CLAIMS)
    connection = psycopg.connect(uri, autocommit=True)
    statement = STATEMENT.format(hash="%(hash)s", now="%(now)s", handle="%(handle)s")
    handles = [f"{handle_prefix(process)}{number}" for number in range(SESSIONS)]

    def one(number: int) -> None:
        values = {"hash": secrets.token_hex(32), "now": int(time.time() * 1000), "handle": handles[number]}
        assert connection.execute(statement, values).fetchone() is not None
        tokens.mint(key, claims, kid="d-1")

    return repeated(one)
