"""Renewing keys: for each family and setting, no token of before is accepted (engine: Renewing keys)."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.engine.records import IssuedSession, Unauthorised
from supertokens_py.engine.renewal import RenewalOrder
from supertokens_py.secret import new_secret
from supertokens_py.tokens.access_token import parse_access_token
from tests.engine.conftest import Opener
from tests.engine.driver import Driver, header
from tests.support.clock import Clock, Stopwatch
from tests.support.databases import TestDatabase

DAY_MS = 86_400_000
SECRET = new_secret()
SECRETS = pytest.mark.parametrize("secret", [None, SECRET], ids=["plain", "encrypted"])


def verifies(core: Driver, session: IssuedSession) -> bool:
    """Return whether the access token is signed with a key that this engine accepts."""
    token = parse_access_token(session.access_token.text)
    assert token is not None
    key = core.keys.reload().keys.get(token.kid)
    return key is not None and key.matches(token.text)


def kid_of(session: IssuedSession) -> str:
    return header(session.access_token.text)["kid"]


@pytest.mark.parametrize(
    ("order", "static", "secret"),
    [
        *((order, static, None) for order in ("rotate", "signing", "all") for static in (False, True)),
        ("rotate", True, SECRET),  # how keys are stored makes no difference to what renewing them does
        ("all", False, SECRET),
    ],
    ids=lambda value: {None: "plain", SECRET: "encrypted"}.get(value, str(value)),
)
def test_no_token_of_a_dropped_key_verifies(
    fresh_shared: TestDatabase,
    start: Opener,
    secret: str | None,
    static: bool,
    order: str,
):
    """Whichever family signs: in this process, in another, and after a restart."""
    later = Stopwatch()
    one, two = (start(fresh_shared.uri, encryption_key=secret, monotonic_s=later) for _ in range(2))
    session = one.create(dynamic_key=not static)
    jwt = one.keys.create_jwt({}, issuer="x", validity_s=60, static_key=True)
    assert verifies(one, session)
    assert verifies(two, session)
    if order == "rotate":
        one.rotate_signing_key(drop_old=True)
    else:
        families: dict[str, Any] = {"dynamic": True, "static": True, "master": order == "all"}
        one.keys.renew(RenewalOrder(**families, drop_old=True))
        assert header(jwt)["kid"] not in one.keys.reload().keys
    later.advance(61)
    third = start(fresh_shared.uri, encryption_key=secret)
    for core in (one, two, third):
        assert not verifies(core, session)
        assert core.sessions.regenerate(session.access_token.text) == Unauthorised(
            "the access token is not a valid one", "access_token_invalid"
        )
        assert kid_of(session) not in [key["kid"] for key in core.keys.jwks().keys]
        new = core.create(dynamic_key=not static)
        assert kid_of(new)[:2] == ("s-" if static else "d-")
        assert all(verifies(other, new) for other in (one, two, third))
    if order != "all":
        assert one.refresh(session, dynamic_key=not static).handle == session.handle


def test_a_static_key_that_is_to_stay_stays(fresh_shared: TestDatabase, start: Opener):
    """JWTs of services outlive an emergency rotation of the session keys where the order says so."""
    core = start(fresh_shared.uri)
    core.create()
    jwt = core.keys.create_jwt({}, issuer="x", validity_s=60, static_key=True)
    renewed = core.keys.renew(RenewalOrder(dynamic=True, keep_static=True, drop_old=True))
    assert renewed.static is None
    assert header(jwt)["kid"] in core.keys.reload().keys
    renewed = core.keys.renew(RenewalOrder(static=True))
    assert [key["kid"] for key in core.keys.jwks().keys][1:] == [renewed.static, header(jwt)["kid"]]
    assert (
        header(core.keys.create_jwt({}, issuer="x", validity_s=60, static_key=True))["kid"] == renewed.static
    )


@SECRETS
def test_a_new_master_key_ends_every_session(fresh_shared: TestDatabase, start: Opener, secret: str | None):
    """In this process, in another, and after a restart; also tokens that the earlier key sealed since."""
    later = Stopwatch()
    one, two = (start(fresh_shared.uri, encryption_key=secret, monotonic_s=later) for _ in range(2))
    sessions = [one.create(), two.create(), one.refresh(one.create())]
    assert one.keys.renew(RenewalOrder(master=True)).sessions_ended == 3
    late = two.create()
    later.advance(61)
    for core in (one, two, start(fresh_shared.uri, encryption_key=secret)):
        for session in (*sessions, late):
            assert core.refresh(session) == Unauthorised("Invalid refresh token", "refresh_token_invalid")
        assert core.refresh(core.create()).handle


@SECRETS
def test_sessions_are_kept_for_the_stated_time(
    fresh_shared: TestDatabase, start: Opener, clock: Clock, secret: str | None
):
    """Who refreshes within it stays logged in; other processes learn of it by the first token."""
    one, two = (start(fresh_shared.uri, encryption_key=secret, now_ms=clock) for _ in range(2))
    used, unused, other = one.create(), one.create(), two.create()
    for _ in range(2):
        renewed = one.keys.renew(RenewalOrder(master=True, keep_sessions_ms=10 * DAY_MS))
        assert renewed.sessions_ended == 0
        clock.advance(hours=1)
    used = one.refresh(used)
    assert two.refresh(used).handle == used.handle
    assert two.refresh(other).handle == other.handle
    third = start(fresh_shared.uri, encryption_key=secret, now_ms=clock)
    clock.advance(hours=10 * 24)
    for core in (third, one):
        core.clean_up()
        core.keys.reload()
        assert third.refresh(unused) == Unauthorised("Invalid refresh token", "refresh_token_invalid")
    rows = fresh_shared.query("SELECT name FROM key_value WHERE name > 'supertokens_py_refresh_token'")
    assert rows == []


def test_a_renewal_within_the_grace_period_logs_nobody_out(
    fresh_shared: TestDatabase, start: Opener, clock: Clock
):
    """The successor that the earlier master key made is recognised as the current token."""
    core = start(fresh_shared.uri, now_ms=clock)
    session = core.create()
    rotated = core.refresh(session)
    core.keys.renew(RenewalOrder(master=True, keep_sessions_ms=DAY_MS))
    assert core.refresh(session).refresh_token.text == rotated.refresh_token.text
    assert core.refresh(rotated).handle == session.handle
