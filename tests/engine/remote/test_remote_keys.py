"""The key set of the remote engine: cached, fetched by one thread at a time, kept while the core is away."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import httpx2
import pytest

from supertokens_py.engine.call import reload_keys
from supertokens_py.exceptions import EngineUnavailableError, GeneralError
from tests.engine.remote.cores import Core, engine_over, jwk

JWKS = "GET /.well-known/jwks.json"


class Clock:
    def __init__(self) -> None:
        self.ms = 1_700_000_000_000

    def __call__(self) -> int:
        return self.ms


def jwks_answer(*kids: str, cache_control: str | None = None) -> httpx2.Response:
    headers = {"CACHE-CONTROL": cache_control} if cache_control else {}
    return httpx2.Response(200, json={"keys": [jwk(kid) for kid in kids]}, headers=headers)


def wait_for_background_load() -> None:
    for thread in threading.enumerate():
        if thread.name == "supertokens-keys":
            thread.join(40)
            assert not thread.is_alive()


def test_keys_are_read_from_memory_and_fetched_once() -> None:
    """`key_set()` does no I/O; the first load needs neither key nor version."""
    core = Core(
        {JWKS: lambda request: jwks_answer("d-1", "s-1", cache_control="max-age=100, must-revalidate")}
    )
    engine = engine_over(core, api_key="secret-key-of-twenty-signs")
    assert dict(engine.keys.key_set().keys) == {}
    assert {"d-1", "s-1"} == set(engine.keys.reload().keys)
    assert engine.keys.key_set() is engine.keys.key_set()
    assert core.asked == [JWKS]
    assert "api-key" not in core.requests[0].headers


def test_concurrent_reloads_share_one_fetch() -> None:
    """Single flight: twenty tasks that meet an unknown key cost one request."""
    started = threading.Event()

    def slow(request: httpx2.Request) -> httpx2.Response:
        started.wait(0.05)
        return jwks_answer("d-1")

    core = Core({JWKS: slow})
    engine = engine_over(core)

    async def all_at_once() -> list[Any]:
        return await asyncio.gather(*(reload_keys(engine.keys) for _ in range(20)))

    sets = asyncio.run(all_at_once())
    assert len(core.requests) == 1
    assert all("d-1" in key_set.keys for key_set in sets)


def test_a_slow_core_is_waited_for_by_one_request_alone() -> None:
    """Keys are there: a hundred tokens with unknown ones keep no worker thread while the core thinks."""
    clock, gate = Clock(), threading.Event()
    gate.set()

    def slow(request: httpx2.Request) -> httpx2.Response:
        assert gate.wait(40)
        return jwks_answer("d-1")

    engine = engine_over(Core({JWKS: slow}), now_ms=clock)
    known = engine.keys.reload()
    clock.ms += 6_000
    gate.clear()

    async def flood() -> list[Any]:
        tasks = [asyncio.ensure_future(reload_keys(engine.keys)) for _ in range(100)]
        done: set[asyncio.Future[Any]] = set()
        while len(done) < 99:  # the gate is closed: who waits for the core is not among them
            finished, _ = await asyncio.wait(set(tasks) - done, return_when=asyncio.FIRST_COMPLETED)
            done |= finished
        gate.set()
        return await asyncio.gather(*tasks)

    sets = asyncio.run(flood())
    assert all(key_set is known for key_set in sets)


def test_unknown_kids_reload_at_most_once_per_cool_down() -> None:
    """A flood of tokens with invented key ids costs one request in five seconds."""
    clock, core = Clock(), Core({JWKS: lambda request: jwks_answer("d-1")})
    engine = engine_over(core, now_ms=clock)
    for _ in range(10):
        engine.keys.reload()
    assert len(core.requests) == 1
    clock.ms += 5_000
    engine.keys.reload()
    assert len(core.requests) == 2


def test_an_unchanged_key_set_stays_the_same_object() -> None:
    """A reload without news must not empty the memory of verified tokens."""
    clock, core = Clock(), Core({JWKS: lambda request: jwks_answer("d-1")})
    engine = engine_over(core, now_ms=clock)
    before = engine.keys.reload()
    clock.ms += 6_000
    assert before is engine.keys.reload()
    core.answers[JWKS] = lambda request: jwks_answer("d-2", "d-1")
    clock.ms += 6_000
    after = engine.keys.reload()
    assert before is not after
    assert list(after.keys) == ["d-2", "d-1"]


def test_old_keys_serve_while_the_core_is_away() -> None:
    """Stale-if-error: a failed reload keeps the keys, and nobody is logged out."""
    clock, core = Clock(), Core({JWKS: lambda request: jwks_answer("d-1")})
    engine = engine_over(core, now_ms=clock)
    engine.keys.reload()
    for answer in ((503, "away"), {"keys": "none"}, (200, "<html>")):
        core.answers[JWKS] = answer
        clock.ms += 3_600_000
        assert {"d-1"} == set(engine.keys.reload().keys)


def test_no_keys_at_all_is_unavailable_and_cools_down_too() -> None:
    """Without any key there is nothing to fall back to; the core is not hammered meanwhile."""
    clock, core = Clock(), Core({JWKS: (503, "away")})
    engine = engine_over(core, now_ms=clock)
    for _ in range(3):
        with pytest.raises(EngineUnavailableError):
            engine.keys.reload()
    assert len(core.requests) == 1
    core.answers[JWKS] = lambda request: jwks_answer("d-1")
    clock.ms += 1_000
    assert {"d-1"} == set(engine.keys.reload().keys)


@pytest.mark.parametrize(
    ("cache_control", "fresh_s"),
    [("Max-Age=100, must-revalidate", 100), ("public,MAX-AGE=7", 7), (None, 60), ("max-age=999999", 14_400)],
)
def test_cache_control_is_honoured_whatever_its_case(cache_control: str | None, fresh_s: int) -> None:
    """Keys age by `max-age`, by 60 s without it, by four hours at the latest; then a thread renews them."""
    clock, core = Clock(), Core({JWKS: lambda request: jwks_answer("d-1", cache_control=cache_control)})
    engine = engine_over(core, now_ms=clock)
    engine.keys.reload()
    clock.ms += fresh_s * 1000 - 1
    engine.keys.key_set()
    assert len(core.requests) == 1
    clock.ms += 1
    assert {"d-1"} == set(engine.keys.key_set().keys)
    wait_for_background_load()
    assert len(core.requests) == 2


def test_where_a_thread_would_be_frozen_the_request_fetches(monkeypatch: pytest.MonkeyPatch) -> None:
    """On AWS Lambda nothing is left to the time between invocations."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "shop")
    monkeypatch.setattr(threading.Thread, "start", lambda thread: pytest.fail("a thread"))
    clock, names = Clock(), iter(["d-1", "d-2"])
    core = Core({JWKS: lambda request: jwks_answer(next(names))})
    engine = engine_over(core, now_ms=clock)
    engine.keys.reload()
    clock.ms += 60_000
    assert {"d-2"} == set(engine.keys.key_set().keys)
    engine.flush()
    assert len(core.requests) == 2


def test_aged_keys_are_fetched_once_however_many_look() -> None:
    """Who looks while a thread fetches them gets the old ones."""
    clock, asked, gate = Clock(), threading.Event(), threading.Event()
    gate.set()

    def slow(request: httpx2.Request) -> httpx2.Response:
        asked.set()
        assert gate.wait(40)
        return jwks_answer("d-1")

    core = Core({JWKS: slow})
    engine = engine_over(core, now_ms=clock)
    engine.keys.reload()
    clock.ms += 60_000
    gate.clear()
    asked.clear()
    for _ in range(3):
        assert {"d-1"} == set(engine.keys.key_set().keys)
        assert asked.wait(40)
    gate.set()
    wait_for_background_load()
    assert len(core.requests) == 2


def test_keys_that_are_fetched_for_longer_than_the_cooldown() -> None:
    """A core that hangs is asked once: whoever looks meanwhile gets the old keys."""
    clock, asked, gate = Clock(), threading.Event(), threading.Event()
    core = Core({JWKS: lambda request: jwks_answer("d-1")})
    engine = engine_over(core, now_ms=clock)
    engine.keys.reload()

    def hanging(request: httpx2.Request) -> httpx2.Response:
        asked.set()
        assert gate.wait(40)
        return jwks_answer("d-2")

    core.answers[JWKS] = hanging
    clock.ms += 3_600_000
    for _ in range(2):
        assert {"d-1"} == set(engine.keys.key_set().keys)
        assert asked.wait(40)
        clock.ms += 3_600_000
    gate.set()
    wait_for_background_load()
    assert len(core.requests) == 2
    assert engine.keys.key_set().keys.keys() == {"d-2"}


def test_aged_keys_serve_where_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the end of a process, for one; a look after the cooldown renews them."""
    clock, core = Clock(), Core({JWKS: lambda request: jwks_answer("d-1")})
    engine = engine_over(core, now_ms=clock)
    engine.keys.reload()
    clock.ms += 60_000

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", refuse)
        assert {"d-1"} == set(engine.keys.key_set().keys)
    assert len(core.requests) == 1
    clock.ms += 5_000
    assert {"d-1"} == set(engine.keys.key_set().keys)
    wait_for_background_load()
    assert len(core.requests) == 2


def test_jwks_are_passed_on_with_their_remaining_age() -> None:
    """The SDK's own JWKS route serves the core's keys without private or foreign members."""
    clock = Clock()
    core = Core(
        {JWKS: httpx2.Response(200, json={"keys": [{**jwk("d-1"), "x5c": ["…"]}, {"kty": "EC", "kid": "e"}]})}
    )
    engine = engine_over(core, now_ms=clock)
    jwks = engine.keys.jwks()
    assert [jwk("d-1")] == [dict(key) for key in jwks.keys]
    assert jwks.max_age_s == 60
    clock.ms += 20_000
    assert engine.keys.jwks().max_age_s == 40
    assert len(core.requests) == 1


def test_published_keys_are_at_most_five_minutes_old() -> None:
    """A core lets its keys be cached for days; a key that it dropped shall not be published that long."""
    clock = Clock()
    core = Core({JWKS: lambda request: jwks_answer("d-1", cache_control="max-age=604740, must-revalidate")})
    engine = engine_over(core, now_ms=clock)
    assert engine.keys.jwks().max_age_s == 300
    clock.ms += 299_000
    assert engine.keys.jwks().max_age_s == 1
    assert len(core.requests) == 1
    core.answers = {JWKS: lambda request: jwks_answer("d-2")}
    clock.ms += 1_000
    assert [key["kid"] for key in engine.keys.jwks().keys] == ["d-2"]


def test_a_jwt_is_signed_by_the_core() -> None:
    """`create_jwt` asks the core, which holds the private keys."""
    core = Core({"POST /recipe/jwt": {"status": "OK", "jwt": "a.b.c"}})
    engine = engine_over(core)
    assert engine.keys.create_jwt({"x": 1}, issuer="https://a", validity_s=10, static_key=False) == "a.b.c"
    expected = {
        "algorithm": "RS256",
        "jwksDomain": "https://a",
        "payload": {"x": 1},
        "validity": 10,
        "useStaticSigningKey": False,
    }
    assert expected == core.body()
    core.answers["POST /recipe/jwt"] = {"status": "UNSUPPORTED_ALGORITHM_ERROR"}
    with pytest.raises(GeneralError):
        engine.keys.create_jwt({}, issuer="https://a", validity_s=10, static_key=True)
    core.answers["POST /recipe/jwt"] = {"status": "NEW_STATUS"}
    with pytest.raises(EngineUnavailableError, match="answered with an unknown status: 'NEW_STATUS'"):
        engine.keys.create_jwt({}, issuer="https://a", validity_s=10, static_key=True)
