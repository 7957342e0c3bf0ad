"""Renewing keys: for each family and setting, no token of before is accepted (engine: Renewing keys)."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from supertokens_py.engine.embedded.importing.destination import Destination
from supertokens_py.engine.records import IssuedSession, Unauthorised
from supertokens_py.engine.renewal import RenewalOrder
from supertokens_py.exceptions import ConfigError
from supertokens_py.secret import new_secret
from supertokens_py.tokens.access_token import parse_access_token
from tests.engine.conftest import Opener
from tests.engine.driver import Driver, header
from tests.support.clock import Clock, Stopwatch
from tests.support.databases import TestDatabase
from tests.support.interleaving import meanwhile
from tests.support.units import before_each_unit

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


def test_a_master_key_that_is_deleted_while_it_is_renewed_is_accepted_no_more(
    fresh_shared: TestDatabase, start: Opener
):
    """There is none to keep; the new one is made all the same."""
    core = start(fresh_shared.uri)
    session, units = core.create(), list[bool]()

    def delete() -> None:
        units.append(True)
        if len(units) == 2:  # the keys were read
            fresh_shared.query("DELETE FROM key_value WHERE name = 'refresh_token_key'")

    with before_each_unit(core.database, delete):
        core.keys.renew(RenewalOrder(master=True, keep_sessions_ms=DAY_MS))
    assert core.refresh(session) == Unauthorised("Invalid refresh token", "refresh_token_invalid")
    assert core.refresh(core.create()).user_id == "user"


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


def test_renewals_in_one_millisecond_keep_every_earlier_key(
    fresh_shared: TestDatabase, start: Opener, clock: Clock
):
    """Each family: no row takes the place of another one, and none is refused."""
    one, two = (start(fresh_shared.uri, now_ms=clock) for _ in range(2))
    sessions: list[IssuedSession] = []
    kids: list[str | None] = []
    for core in (one, two, one):
        core.keys.forget()
        sessions.append(core.create())
        order = RenewalOrder(dynamic=True, static=True, master=True, keep_sessions_ms=DAY_MS)
        renewed = core.keys.renew(order)
        kids += [renewed.dynamic, renewed.static]
    third = start(fresh_shared.uri, now_ms=clock)
    published = {key["kid"] for key in third.keys.jwks().keys}
    assert {*kids} | {kid_of(session) for session in sessions} <= published
    assert [third.refresh(session).handle for session in sessions] == [one.handle for one in sessions]


@pytest.mark.postgres
@pytest.mark.parametrize("renews", [True, False], ids=["order", "schedule"])
def test_a_key_that_a_core_makes_in_that_millisecond_stays(
    fresh_postgres_database: TestDatabase, start: Opener, clock: Clock, renews: bool
):
    """A core takes no lock of ours; both keys are published, and what signs is."""
    core = start(fresh_postgres_database.uri, now_ms=clock)
    session = core.create()
    clock.advance(days=8)
    insert = "INSERT INTO session_access_token_signing_keys"
    copied = f"{insert} SELECT 'public', %s, value FROM session_access_token_signing_keys LIMIT 1"
    make = lambda: fresh_postgres_database.query(copied, clock())  # noqa: E731
    with meanwhile(core.database, insert, make, stored=fresh_postgres_database, when="before"):
        made = core.rotate_signing_key() if renews else kid_of(core.create())
    published = [key["kid"] for key in core.keys.jwks().keys]
    assert {made, f"d-{clock()}", kid_of(core.create())} <= {*published}
    assert kid_of(session) not in published


@pytest.mark.postgres
def test_a_key_that_is_new_while_an_import_encrypts_keys_stays(
    fresh_postgres_database: TestDatabase, start: Opener
):
    """The import waits for the renewal, instead of writing the former key in the place of the new one."""
    uri, other_secret = fresh_postgres_database.uri, new_secret()
    one = start(uri, encryption_key=SECRET, previous_encryption_key=other_secret)
    one.create()
    former = one.keys.shared_secrets("test")
    settings: dict[str, Any] = {"encryption_key": other_secret, "previous_encryption_key": SECRET}
    two = start(uri, **settings)
    words, target = "INSERT INTO key_value", Destination(two.database, batch=1)

    def encrypt() -> None:
        with suppress(ConfigError):  # there are sessions: no import into a database in use
            target.begin("elsewhere", {})

    with meanwhile(one.database, words, encrypt, stored=fresh_postgres_database):
        one.keys.renew(RenewalOrder(master=True, keep_sessions_ms=DAY_MS))
    assert start(uri, **settings).keys.shared_secrets("test")[0] not in former
