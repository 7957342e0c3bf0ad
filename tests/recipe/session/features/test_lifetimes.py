"""`SessionLifetime` and `SessionLimit`: what they accept, and how `session.init` and calls choose them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from supertokens_py.engine.session_records import Lifetime, Limit
from supertokens_py.exceptions import ConfigError
from supertokens_py.recipe.session import SessionLifetime, SessionLimit, syncio
from supertokens_py.recipe.session.asyncio import create_new_session_without_request_response
from supertokens_py.recipe.session.features.creation_options import changing_options, current_options
from supertokens_py.recipe.session.features.creation_settings import CreationSettings

from ..conftest import Start

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


@pytest.mark.parametrize(
    ("preset", "persistent", "idle_ms", "absolute_ms"),
    [
        (SessionLifetime.aal1, True, None, 30 * 24 * HOUR_MS),
        (SessionLifetime.aal2, True, HOUR_MS, 24 * HOUR_MS),
        (SessionLifetime.aal3, True, 15 * MINUTE_MS, 12 * HOUR_MS),
        (SessionLifetime.aal1, False, 12 * HOUR_MS, 30 * 24 * HOUR_MS),
        (SessionLifetime.aal2, False, HOUR_MS, 24 * HOUR_MS),
        (SessionLifetime.aal3, False, 15 * MINUTE_MS, 12 * HOUR_MS),
    ],
)
def test_the_presets_are_those_of_nist(
    preset: Callable[..., SessionLifetime], persistent: bool, idle_ms: int | None, absolute_ms: int
) -> None:
    """CP-10: AAL1 is 30 days, AAL2 24 hours and 1 hour idle, AAL3 12 hours and 15 minutes idle."""
    made = preset(persistent=persistent).record
    assert made == Lifetime(idle_ms=idle_ms, absolute_ms=absolute_ms, persistent=persistent)
    assert preset() == preset(persistent=True)


@pytest.mark.parametrize(
    ("lifetime", "record"),
    [
        (SessionLifetime(), Lifetime()),
        (SessionLifetime(90), Lifetime(idle_ms=90_000)),
        (SessionLifetime(4, 1), Lifetime(idle_ms=4000, absolute_ms=1000)),
        (SessionLifetime(4.5, 1.001), Lifetime(idle_ms=4500, absolute_ms=1001)),
        (SessionLifetime(timedelta(milliseconds=8001)), Lifetime(idle_ms=8001)),
        (SessionLifetime(persistent=False), Lifetime(idle_ms=12 * HOUR_MS, persistent=False)),
        (SessionLifetime(60, persistent=False), Lifetime(idle_ms=MINUTE_MS, persistent=False)),
    ],
)
def test_times_are_seconds_or_timedeltas(lifetime: SessionLifetime, record: Lifetime) -> None:
    """Without a limit of its own, a session that ends with the browser has 12 hours without a refresh."""
    assert lifetime.record == record


@pytest.mark.parametrize("name", ["idle", "absolute"])
@pytest.mark.parametrize(
    "value",
    [
        0,
        -1,
        0.0001,
        float("nan"),
        float("inf"),
        True,
        "60",
        timedelta(0),
        timedelta(days=-1),
        10**10,
        10**400,
    ],
)
def test_times_that_mean_nothing_are_refused(name: str, value: Any) -> None:
    """The message names the argument and what it got."""
    with pytest.raises(ConfigError, match=f"^SessionLifetime: {name} must be seconds or a timedelta"):
        SessionLifetime(**{name: value})


def test_an_idle_time_leaves_access_tokens_a_second() -> None:
    """Their end is a whole second: a client would refresh for ever."""
    with pytest.raises(ConfigError, match=r"idle must be seconds or a timedelta, 4 s at least and 100 years"):
        SessionLifetime(idle=3.999)


@pytest.mark.parametrize("value", [None, 1, "yes"])
def test_persistent_is_a_flag(value: Any) -> None:
    with pytest.raises(ConfigError, match=r"^SessionLifetime: persistent must be True or False"):
        SessionLifetime(persistent=value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_sessions": 0}, "max_sessions must be at least 1, not 0"),
        ({"max_sessions": True}, "max_sessions must be at least 1, not True"),
        ({"max_sessions": 2.0}, "max_sessions must be at least 1, not 2.0"),
        ({"max_sessions": 1, "when_reached": "deny"}, 'when_reached must be "end_oldest" or "refuse"'),
        ({"max_sessions": 1, "per": "app"}, 'per must be "user" or "tenant"'),
        (
            {"max_sessions": 1, "on_sessions_evicted": "mail"},
            "on_sessions_evicted must be a function or None",
        ),
    ],
)
def test_limits_that_mean_nothing_are_refused(arguments: dict[str, Any], message: str) -> None:
    """The message names the argument."""
    with pytest.raises(ConfigError, match=f"^SessionLimit: {message}"):
        SessionLimit(**arguments)
    assert SessionLimit(max_sessions=3).record == Limit(max_sessions=3, when_reached="end_oldest")


@pytest.mark.parametrize("is_async", [False, True])
def test_a_function_chooses_for_each_session(is_async: bool) -> None:
    """It gets user, tenant and user context, and may be sync or async; None is the engine's lifetime."""
    asked: list[tuple[Any, ...]] = []

    def choose(*arguments: Any) -> Any:
        asked.append(arguments)
        return {"short": SessionLifetime(60), "one": SessionLimit(max_sessions=1)}.get(arguments[0])

    async def choose_later(*arguments: Any) -> Any:
        return choose(*arguments)

    given: Any = choose_later if is_async else choose
    choices = CreationSettings(given, given)
    assert asyncio.run(choices.lifetime("short", "t1", {"a": 1})) == Lifetime(idle_ms=MINUTE_MS)
    assert asyncio.run(choices.lifetime("other", "t1", {})) is None
    assert asyncio.run(choices.limit("one", "t2", {})) == SessionLimit(max_sessions=1)
    assert asyncio.run(choices.limit("other", "t2", {})) is None
    assert asked == [("short", "t1", {"a": 1}), ("other", "t1", {}), ("one", "t2", {}), ("other", "t2", {})]


@pytest.mark.parametrize("setting", ["lifetime", "limit"])
def test_a_function_that_answers_something_else_is_named(start: Start, setting: str) -> None:
    """The error says where it is written and what it must return."""

    def by_plan(*_: Any) -> Any:
        return 3600

    start(**{setting: by_plan})
    kind = {"lifetime": "SessionLifetime", "limit": "SessionLimit"}[setting]
    place = rf"^session\.init: {setting} \(.*test_lifetimes\.py:\d+\)"
    with pytest.raises(ConfigError, match=rf"{place} returned int; it must return a {kind} or None$"):
        syncio.create_new_session_without_request_response("public", "ada")


@pytest.mark.parametrize(("setting", "value"), [("lifetime", 3600), ("limit", 5)])
def test_a_setting_of_another_kind_is_refused(start: Start, setting: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"^{setting} must be a Session.*, a function or None"):
        start(**{setting: value})


def test_a_lifetime_of_one_session_needs_the_setting(start: Start) -> None:
    """Without it there is no table that would keep it."""
    start()
    with pytest.raises(ConfigError, match=r"needs session\.init\(lifetime=\.\.\.\)"):
        syncio.create_new_session_without_request_response("public", "ada", lifetime=SessionLifetime(60))
    with pytest.raises(ConfigError, match=r"needs session\.init\(lifetime=\.\.\.\)"):
        syncio.set_session_lifetime("handle", SessionLifetime(60))


def test_a_lifetime_of_another_kind_is_refused(start: Start) -> None:
    start(lifetime=SessionLifetime())
    seconds: Any = 60
    with pytest.raises(ConfigError, match=r"^lifetime must be a SessionLifetime, not int$"):
        syncio.create_new_session_without_request_response("public", "ada", lifetime=seconds)
    with pytest.raises(ConfigError, match=r"^lifetime must be a SessionLifetime, not int$"):
        asyncio.run(create_new_session_without_request_response("public", "ada", lifetime=seconds))


@pytest.mark.parametrize(
    ("setting", "value", "name"),
    [
        ("lifetime", SessionLifetime(), "devices, lifetime or impersonation"),
        ("limit", SessionLimit(max_sessions=2), "limit"),
    ],
)
def test_a_core_has_neither(start: Start, setting: str, value: Any, name: str) -> None:
    """It has one lifetime for all sessions, and no transaction that counts them."""
    refusal = rf"a SuperTokens core cannot do what {name} asks for\. Leave it out"
    with pytest.raises(ConfigError, match=refusal):
        start(**{setting: value}, uri="https://core.example.com")


def test_options_are_added_to_each_other() -> None:
    """Who asks for one thing does not take back what was asked before."""
    with changing_options(lifetime=Lifetime(idle_ms=1)), changing_options(counts=False):
        assert current_options().lifetime == Lifetime(idle_ms=1)
        assert current_options().counts is False
    assert current_options().counts is True
