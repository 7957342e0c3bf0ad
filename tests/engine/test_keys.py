"""Signing keys in a database: made once, rotated on time, published, encrypted, shared."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest

from supertokens_py.engine import key_cache
from supertokens_py.engine.records import Verified
from supertokens_py.exceptions import (
    BadInputError,
    ConfigError,
    EngineUnavailableError,
    ProtectedClaimError,
)
from supertokens_py.tokens.access_token import parse_access_token
from supertokens_py.tokens.signatures import signature_matches
from tests.engine.conftest import Opener
from tests.engine.driver import Driver, claims, header
from tests.support.clock import Clock, Stopwatch
from tests.support.databases import Sqlite, TestDatabase
from tests.support.units import before_each_unit

HOUR = 3_600_000
ROTATING: dict[str, Any] = {
    "access_token_dynamic_signing_key_update_interval": 2,
    "access_token_validity": 600,
}


def kid_of(session: Any) -> str:
    return header(session.access_token.text)["kid"]


def kids(driver: Driver) -> list[str]:
    return [key["kid"] for key in driver.keys.jwks().keys]


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def looking() -> set[threading.Thread]:
    """Return the threads that read the keys again behind a request."""
    return {thread for thread in threading.enumerate() if thread.name == "supertokens-keys"}


@pytest.fixture
def later() -> Stopwatch:
    """Monotonic time, which lets cool-downs pass: they do not follow the wall clock."""
    return Stopwatch()


@pytest.fixture
def rotating(empty_database: TestDatabase, start: Opener, clock: Clock) -> Driver:
    """An engine that rotates its keys every two hours, on an empty database."""
    return start(empty_database.uri, now_ms=clock, **ROTATING)


def test_nothing_is_known_before_the_first_use(rotating: Driver):
    """Interface: `key_set` is pure memory, and the database is not even opened."""
    assert dict(rotating.engine.keys.key_set().keys) == {}
    assert rotating.database.pool.pool.checkedin() == 0


def test_the_first_keys_are_one_dynamic_and_one_static(rotating: Driver, clock: Clock):
    """CS-66: one dynamic key, which signs at once, then one static key."""
    session = rotating.create()
    assert kid_of(session) == f"d-{clock()}"
    published = rotating.keys.jwks()
    assert [re.sub(r"-.*", "", key["kid"]) for key in published.keys] == ["d", "s"]
    assert {tuple(key) for key in published.keys} == {("kty", "kid", "n", "e", "alg", "use")}
    assert published.max_age_s == 300
    key_set = rotating.engine.keys.key_set()
    assert list(key_set.keys) == kids(rotating)
    lives = [key.usable_until_ms for key in key_set.keys.values()]
    assert lives == [clock() + 2 * HOUR + 1_200_000, None]


def test_published_keys_verify_with_another_library(rotating: Driver):
    """CS-3: any JWT library accepts what we sign and publish."""
    key_set = jwt.PyJWKSet.from_dict({"keys": [dict(key) for key in rotating.keys.jwks().keys]})
    for dynamic in (True, False):
        text = rotating.create(dynamic_key=dynamic).access_token.text
        decoded = jwt.decode(text, key_set[header(text)["kid"]].key, algorithms=["RS256"])
        assert decoded["sub"] == "user"


def test_a_key_is_published_early_and_verifies_to_its_end(rotating: Driver, clock: Clock):
    """CS-33, CS-68, CS-69: published a minute early, signing on time, verifying to the end, then gone."""
    first = kid_of(rotating.create())
    began = clock()
    clock.now_ms = began + 2 * HOUR - 60_000
    last_quiet = rotating.create()
    assert (kid_of(last_quiet), kids(rotating)[:-1]) == (first, [first])
    clock.advance(ms=1)
    early = rotating.create()
    second = f"d-{clock()}"
    assert kid_of(early) == first
    assert kids(rotating)[:-1] == [second, first]
    clock.now_ms = began + 2 * HOUR - 1
    assert kid_of(rotating.create()) == first
    clock.advance(ms=1)
    assert kid_of(rotating.create()) == second
    key = rotating.engine.keys.key_set().keys[first]
    assert signature_matches(last_quiet.access_token.text, key.public_key)
    assert key.usable_until_ms == began + 2 * HOUR + 1_200_000
    clock.now_ms = key.usable_until_ms
    assert first in kids(rotating)
    clock.advance(ms=1)
    assert first not in kids(rotating)
    assert rotating.count("session_access_token_signing_keys") == 2
    assert rotating.clean_up().keys == 1
    assert rotating.count("session_access_token_signing_keys") == 1


def test_a_key_that_stopped_signing_still_verifies(rotating: Driver, clock: Clock):
    """CS-33: regenerate accepts a token of the previous key, and reissues it with the present one."""
    session = rotating.create()
    clock.advance(hours=2)
    rotating.create()
    answer = rotating.sessions.regenerate(session.access_token.text, merge={"a": 1})
    assert answer.payload == {"a": 1}
    assert answer.access_token is None
    clock.advance(s=1201)
    assert "not a valid one" in rotating.sessions.regenerate(session.access_token.text).message


def test_a_new_key_signs_at_once_after_a_long_pause(rotating: Driver, clock: Clock):
    """Then a new key signs at once, for the old one may not."""
    rotating.create()
    clock.advance(hours=9)
    assert kid_of(rotating.create()) == f"d-{clock()}"


def test_the_key_set_is_one_object_until_it_changes(rotating: Driver, clock: Clock, later: Stopwatch):
    """Verified tokens are forgotten when the object changes; reading again must not change it."""
    rotating.ring.monotonic_s = later
    rotating.create()
    key_set = rotating.engine.keys.key_set()
    later.advance(61)
    rotating.create()
    rotating.keys.jwks()
    assert rotating.keys.reload() is key_set is rotating.engine.keys.key_set()
    clock.advance(hours=2)
    rotating.create()
    assert rotating.engine.keys.key_set() is not key_set


def test_keys_outlive_a_restart(shared_database: TestDatabase, start: Opener):
    """CS-71: the static key and the master key are the database's, not the process's."""
    one = start(shared_database.uri)
    session = one.create(dynamic_key=False)
    one.close()
    two = start(shared_database.uri)
    assert kid_of(two.create(dynamic_key=False)) == kid_of(session)
    assert two.refresh(session, dynamic_key=False).handle == session.handle
    assert one.refresh(session, dynamic_key=False).handle == session.handle  # it reopened by itself


def test_two_engines_accept_each_other_s_tokens(shared_database: TestDatabase, start: Opener):
    """CS-70: an unknown `kid` leads to one look into the database."""
    one, two = start(shared_database.uri), start(shared_database.uri)
    session = two.create()
    assert dict(one.engine.keys.key_set().keys) == {}
    assert kid_of(session) in one.keys.reload().keys
    assert one.verify(session) == Verified()
    assert one.sessions.regenerate(session.access_token.text, merge={"a": 1}).payload == {"a": 1}


def test_reloads_cool_down(fresh_shared: TestDatabase, start: Opener, later: Stopwatch):
    """Unknown `kid`s cost one read per five seconds, however many there are (engine: Loading keys)."""
    one, two = start(fresh_shared.uri, monotonic_s=later), start(fresh_shared.uri, monotonic_s=later)
    one.create()
    one.keys.reload()
    new = two.rotate_signing_key()
    for _ in range(3):
        assert new not in one.keys.reload().keys
        assert "not a valid one" in one.sessions.regenerate(two.create().access_token.text).message
    later.advance(4.9)
    assert new not in one.keys.reload().keys
    later.advance(0.2)
    assert new in one.keys.reload().keys


def test_signing_learns_of_other_processes(fresh_shared: TestDatabase, start: Opener, later: Stopwatch):
    """An emergency rotation elsewhere moves signing here within a minute, without an unknown `kid`."""
    one, two = start(fresh_shared.uri, monotonic_s=later), start(fresh_shared.uri, monotonic_s=later)
    before = kid_of(one.create())
    new = two.rotate_signing_key()
    assert kid_of(one.create()) == before
    later.advance(61)
    assert kid_of(one.create()) == new
    assert new in kids(one)


def test_an_emergency_rotation_signs_at_once(fresh_shared: TestDatabase, start: Opener, clock: Clock):
    """Even if the present key is seconds old; earlier tokens still verify (engine: Rotation of keys)."""
    core = start(fresh_shared.uri, now_ms=clock)
    session = core.create()
    news = [core.rotate_signing_key(), core.rotate_signing_key()]
    assert len({kid_of(session), *news}) == 3
    assert kid_of(core.create()) == news[1]
    assert kids(core)[:3] == [news[1], news[0], kid_of(session)]
    assert core.sessions.regenerate(session.access_token.text, merge={"a": 1}).payload == {"a": 1}


def test_a_leaked_key_can_be_dropped(fresh_shared: TestDatabase, start: Opener):
    """Its tokens are refused, their sessions go on with the next refresh (engine: Rotation of keys)."""
    core = start(fresh_shared.uri)
    session = core.create()
    new = core.rotate_signing_key(drop_old=True)
    assert kids(core)[0] == new
    assert len(kids(core)) == 2
    assert "not a valid one" in core.sessions.regenerate(session.access_token.text).message
    assert kid_of(core.refresh(session)) == new


@pytest.mark.parametrize("what", ["publishing", "an unknown key"])
def test_newer_keys_sign_as_soon_as_they_are_known(
    fresh_shared: TestDatabase, start: Opener, later: Stopwatch, what: str
):
    """A process signs nothing with a dropped key once it has published, or met, the one that replaced it."""
    one, two = start(fresh_shared.uri, monotonic_s=later), start(fresh_shared.uri, monotonic_s=later)
    session = one.create()
    new = two.rotate_signing_key(drop_old=True)
    later.advance(1.1)  # as long as published keys are kept
    if what == "publishing":
        assert new in kids(one)
    else:
        assert one.keys.verification_key(new) is not None
    assert [kid_of(one.create()), kid_of(one.refresh(session))] == [new, new]
    assert kid_of(session) not in kids(one)


def test_a_process_that_only_verifies_learns_of_dropped_keys(
    fresh_shared: TestDatabase, start: Opener, later: Stopwatch
):
    """Within a minute it looks by itself, behind the request that notices; until then it knows nothing."""
    one, two = start(fresh_shared.uri, monotonic_s=later), start(fresh_shared.uri, monotonic_s=later)
    leaked = kid_of(two.create())
    assert leaked in one.keys.reload().keys
    new = two.rotate_signing_key(drop_old=True)
    later.advance(59.9)
    assert leaked in one.engine.keys.key_set().keys
    later.advance(0.2)
    wait_until(lambda: leaked not in one.engine.keys.key_set().keys)
    assert new in one.engine.keys.key_set().keys


def test_where_a_thread_would_be_frozen_the_request_looks_itself(
    fresh_shared: TestDatabase, start: Opener, later: Stopwatch, monkeypatch: pytest.MonkeyPatch
):
    """On AWS Lambda the request that notices has the new keys already."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "shop")
    monkeypatch.setattr(threading.Thread, "start", lambda thread: pytest.fail("a thread"))
    one, two = start(fresh_shared.uri, monotonic_s=later), start(fresh_shared.uri, monotonic_s=later)
    leaked = kid_of(two.create())
    assert leaked in one.keys.reload().keys
    two.rotate_signing_key(drop_old=True)
    later.advance(60.1)
    assert leaked not in one.engine.keys.key_set().keys


def test_keys_are_looked_at_once_a_minute(sqlite_database: TestDatabase, start: Opener, later: Stopwatch):
    """Many requests share one look, and one that fails is not repeated by the next request."""
    core = start(sqlite_database.uri, monotonic_s=later)
    known = core.keys.reload()
    looks: list[bool] = []

    def fail_at_first() -> None:
        looks.append(bool(looks))
        if len(looks) == 1:
            raise EngineUnavailableError("away")

    with before_each_unit(core.database, fail_at_first):
        for expected in (1, 2):
            later.advance(60.1)
            for _ in range(50):
                assert core.engine.keys.key_set() is known
            wait_until(lambda count=expected: len(looks) == count and not looking())
        wait_until(lambda: not looking())
    assert looks == [False, True]


def test_a_failed_reload_keeps_the_keys(sqlite_database: TestDatabase, start: Opener, later: Stopwatch):
    """Interface: verification goes on while the database is away; so does the published set."""
    core = start(sqlite_database.uri, monotonic_s=later)
    core.create()
    key_set = core.engine.keys.key_set()
    core.database.close()
    sqlite_database.path.rename(sqlite_database.path.with_suffix(".away"))
    sqlite_database.path.mkdir()
    later.advance(61)
    assert core.keys.reload() is key_set
    assert len(core.keys.jwks().keys) == 2
    with pytest.raises(EngineUnavailableError):
        core.create()


def test_published_keys_outlive_an_outage_in_which_a_new_one_is_due(
    sqlite_files: Sqlite, start: Opener, clock: Clock
):
    """Others still verify the tokens that are out there; signing needs the new key, and fails."""
    # Not a copy of the template, whose key is as old as this test run.
    sqlite_database = sqlite_files.create(template=False)
    core = start(sqlite_database.uri, now_ms=clock, **ROTATING)
    published = kids(core)
    core.database.close()
    sqlite_database.path.rename(sqlite_database.path.with_suffix(".away"))
    sqlite_database.path.mkdir()
    clock.advance(hours=2)
    assert kids(core) == published
    with pytest.raises(EngineUnavailableError):
        core.create()


def test_an_outage_is_tried_once_per_cool_down_for_the_published_keys(
    sqlite_database: TestDatabase, start: Opener, later: Stopwatch
):
    """Anybody may ask for them: a flood neither waits for the database nor tries it again and again."""
    core = start(sqlite_database.uri, monotonic_s=later)
    published, tries = kids(core), list[bool]()

    def away() -> None:
        tries.append(True)
        raise EngineUnavailableError("away")

    later.advance(1.1)
    with before_each_unit(core.database, away):
        for expected in (1, 2):
            with ThreadPoolExecutor(20) as pool:
                assert list(pool.map(lambda _: kids(core), range(40))) == [published] * 40
            assert core.ring.signer(static=False).kid == published[0]
            assert len(tries) == expected
            later.advance(60.1)


def test_without_any_keys_an_outage_is_tried_once_per_cool_down(
    sqlite_database: TestDatabase, start: Opener, later: Stopwatch
):
    """There is nothing to publish yet, so everybody gets the error of the last try."""
    core, tries = start(sqlite_database.uri, monotonic_s=later), list[bool]()
    core.roles.all()  # the database is open

    def away() -> None:
        tries.append(True)
        raise EngineUnavailableError("away")

    with before_each_unit(core.database, away):
        for expected in (1, 1, 2):
            with pytest.raises(EngineUnavailableError, match="away"):
                core.keys.jwks()
            assert len(tries) == expected
            later.advance(2.6)


@pytest.mark.parametrize("claim", ["sessionHandle", "refreshTokenHash1"])
def test_a_jwt_has_no_claim_of_a_session(core: Driver, claim: str):
    """Other services know a session token by these claims (docs: JWTs for other services)."""
    for static in (True, False):
        with pytest.raises(ProtectedClaimError, match=claim):
            core.keys.create_jwt({"sub": "ada", claim: "x"}, issuer="x", validity_s=1, static_key=static)


def test_a_machine_out_of_threads_verifies_with_the_keys_it_has(
    sqlite_database: TestDatabase,
    start: Opener,
    later: Stopwatch,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    """Nobody can look for newer keys, which is logged and tried again after the cooldown."""
    core = start(sqlite_database.uri, monotonic_s=later)
    known = core.keys.reload()

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with caplog.at_level("DEBUG"):
        for seconds, count in ((60.1, 1), (4.9, 1), (0.2, 2)):
            later.advance(seconds)
            assert core.engine.keys.key_set() is known
            assert caplog.messages.count("no thread can be started to load verification keys") == count


def test_a_closed_engine_is_not_opened_by_a_look_at_its_keys(
    sqlite_database: TestDatabase, start: Opener, later: Stopwatch, monkeypatch: pytest.MonkeyPatch
):
    """The engine was closed between the start of the thread and its first step."""
    core = start(sqlite_database.uri, monotonic_s=later)
    core.keys.reload()
    later.advance(60.1)
    started: list[threading.Thread] = []
    with monkeypatch.context() as holding:
        holding.setattr(threading.Thread, "start", lambda thread: started.append(thread))
        core.engine.keys.key_set()
    core.close()
    started[0].run()
    assert core.database.pool.pool.checkedin() == 0
    assert dict(core.engine.keys.key_set().keys) == {}


def test_a_master_key_that_is_empty(fresh_shared: TestDatabase, start: Opener):
    """The row is there and says nothing: no second key is made up, for tokens of the first would be lost."""
    core = start(fresh_shared.uri)
    fresh_shared.query("UPDATE key_value SET value = NULL WHERE name = 'refresh_token_key'")
    with pytest.raises(ConfigError, match=r"^the row 'refresh_token_key' of table key_value holds no value$"):
        core.create()
    assert fresh_shared.query("SELECT value FROM key_value WHERE name = 'refresh_token_key'") == [(None,)]


def test_a_failed_first_load_is_an_error(tmp_path: Any, start: Opener):
    """Interface: with nothing to fall back to; also within the cool-down."""
    core = start(f"sqlite:///{tmp_path}/none/x.db")
    for _ in range(2):
        with pytest.raises(EngineUnavailableError, match="none/x"):
            core.keys.reload()
    with pytest.raises(EngineUnavailableError):
        core.keys.jwks()


# JWTs


def test_a_jwt_is_never_a_session(core: Driver, clock: Clock):
    """CS-72, CS-73, CS-75: times and issuer are set, `version` is not."""
    text = core.keys.create_jwt({"a": 1}, issuer="https://a", validity_s=10, static_key=True)
    now_s = clock() // 1000
    assert claims(text) == {"iat": now_s, "exp": now_s + 10, "iss": "https://a", "a": 1}
    assert header(text).keys() == {"alg", "typ", "kid"}
    assert header(text)["kid"].startswith("s-")
    assert parse_access_token(text) is None
    dynamic = core.keys.create_jwt({}, issuer="https://a", validity_s=10, static_key=False)
    assert header(dynamic)["kid"].startswith("d-")


def test_the_payload_of_a_jwt_wins(core: Driver):
    """15.1: over issuer and times."""
    payload = {"iss": "me", "iat": 1, "exp": 2, "sub": "u", "tId": "x"}
    assert (
        claims(core.keys.create_jwt(payload, issuer="https://a", validity_s=10, static_key=True)) == payload
    )


@pytest.mark.parametrize("validity", [0, -1, 1.5, True])
def test_a_jwt_needs_a_life(core: Driver, validity: Any):
    """CS-74."""
    with pytest.raises(BadInputError, match="validity"):
        core.keys.create_jwt({}, issuer="x", validity_s=validity, static_key=True)


def test_a_jwt_needs_json(core: Driver):
    """A value without a JSON form is the caller's error, not the engine's."""
    with pytest.raises(BadInputError, match="payload"):
        core.keys.create_jwt({"a": {1, 2}}, issuer="x", validity_s=1, static_key=True)


def test_published_keys_do_not_wait_for_a_load_that_hangs(
    sqlite_database: TestDatabase, start: Opener, later: Stopwatch, monkeypatch: pytest.MonkeyPatch
):
    """Anybody may ask for them: those in memory are shown instead."""
    core, go_on, begun = start(sqlite_database.uri, monotonic_s=later), threading.Event(), threading.Event()
    published = kids(core)
    later.advance(60.1)

    def hang() -> None:
        begun.set()
        assert go_on.wait(20)

    monkeypatch.setattr(key_cache, "LOADING_TIMEOUT_S", 0.2)
    with before_each_unit(core.database, hang), ThreadPoolExecutor(1) as pool:
        loading = pool.submit(core.ring.signer, static=False)
        assert begun.wait(20)
        assert kids(core) == published
        go_on.set()
        loading.result(20)


def test_who_waits_for_a_load_that_fails_does_not_try_again(
    sqlite_files: Sqlite, start: Opener, clock: Clock
):
    """Even where the key that signs is due, which is as old as this test."""
    core = start(sqlite_files.create(template=False).uri, now_ms=clock, **ROTATING)
    published, tries, waits = kids(core), list[bool](), threading.Event()
    main, later = threading.current_thread(), Stopwatch()

    def monotonic_s() -> float:
        if threading.current_thread() is not main and tries:
            waits.set()
        return later()

    core.ring.monotonic_s = monotonic_s
    clock.advance(hours=2)
    later.advance(3600)

    with ThreadPoolExecutor(1) as pool:

        def away() -> None:
            tries.append(True)
            waiting.append(pool.submit(kids, core))
            assert waits.wait(20)
            raise EngineUnavailableError("away")

        waiting: list[Any] = []
        with before_each_unit(core.database, away):
            assert kids(core) == published
            assert waiting[0].result(20) == published
    assert len(tries) == 1


@pytest.mark.parametrize("load", ["reload", "key_set", "signer"])
def test_whatever_loads_slowly_holds_up_nobody_with_an_unknown_key(
    sqlite_database: TestDatabase, start: Opener, later: Stopwatch, load: str
):
    """A forged token makes do with the keys in memory, be it a request, the clock or a log-in that loads."""
    core = start(sqlite_database.uri, monotonic_s=later)
    core.create()
    ring, go_on = core.ring, threading.Event()
    known = ring.key_set()
    later.advance(60.1)
    arguments = {"static": False} if load == "signer" else {}
    thread = threading.Thread(target=getattr(ring, load), kwargs=arguments)
    with before_each_unit(core.database, lambda: go_on.wait(20)):
        thread.start()
        try:
            wait_until(lambda: ring.cooled() is not None)
            assert ring.cooled() is known
            assert ring.reload() is known
        finally:
            go_on.set()
            thread.join()
            wait_until(lambda: not looking())
