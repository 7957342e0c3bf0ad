"""What replaced functions, APIs and hooks return: a wrong result is told with the place where it was made."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from supertokens_py.exceptions import ConfigError
from supertokens_py.recipe.session import InputOverrideConfig, SessionContainer
from supertokens_py.recipe.session import asyncio as sessions_async
from supertokens_py.recipe.session import syncio as sessions
from supertokens_py.recipe.session.interfaces import RecipeInterface

from .conftest import Start

FUNCTIONS = "session.init(override=…functions)"


def place(hook: Callable[..., Any]) -> str:
    return f"{__file__}:{inspect.unwrap(hook).__code__.co_firstlineno}"


def replacing(**hooks: Callable[..., Any]) -> InputOverrideConfig:
    def functions(original: RecipeInterface) -> RecipeInterface:
        for name, hook in hooks.items():
            setattr(original, name, functools.partial(hook, getattr(original, name)))
        return original

    return InputOverrideConfig(functions=functions)


def forgets(original: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    original(*args, **kwargs).close()


async def forgets_later(original: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    await original(*args, **kwargs)


async def a_dict(original: Callable[..., Any], *args: Any, **kwargs: Any) -> dict[str, Any]:
    return {}


@pytest.mark.parametrize(("hook", "came"), [(forgets, "None"), (forgets_later, "None"), (a_dict, "dict")])
def test_a_function_that_returns_no_session(start: Start, hook: Callable[..., Any], came: str) -> None:
    """Creating, refreshing: the error names function, override and line, and what to return."""
    start(override=replacing(create_new_session=hook))
    with pytest.raises(ConfigError) as told:
        sessions.create_new_session_without_request_response("public", "u1")
    where = f"of {FUNCTIONS} ({place(hook)})"
    assert str(told.value) == f"create_new_session {where} returned {came}; it must return a SessionContainer"
    start(override=replacing(refresh_session=hook))
    tokens = sessions.create_new_session_without_request_response("public", "u1")
    refresh_token = tokens.get_all_session_tokens_dangerously()["refreshToken"]
    assert refresh_token
    with pytest.raises(ConfigError) as told:
        sessions.refresh_session_without_request_response(refresh_token)
    assert str(told.value) == f"refresh_session {where} returned {came}; it must return a SessionContainer"


def test_a_verification_may_find_no_session_but_nothing_else(start: Start) -> None:
    """None is an answer of `get_session`."""
    start(override=replacing(get_session=forgets))
    token = sessions.create_new_session_without_request_response("public", "u1").get_access_token()
    assert sessions.get_session_without_request_response(token) is None
    start(override=replacing(get_session=a_dict))
    with pytest.raises(ConfigError) as told:
        sessions.get_session_without_request_response(token)
    assert str(told.value) == (
        f"get_session of {FUNCTIONS} ({place(a_dict)}) returned dict; "
        "it must return a SessionContainer or None"
    )


async def unawaited(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return original(*args, **kwargs)


async def test_an_original_that_was_not_awaited_is_awaited(start: Start) -> None:
    """What the author meant is plain."""
    start(override=replacing(create_new_session=unawaited))
    made = await sessions_async.create_new_session_without_request_response("public", "u1", {"a": 1})
    assert isinstance(made, SessionContainer)
    assert made.get_access_token_payload()["a"] == 1


def test_an_original_that_was_not_awaited_is_awaited_without_a_loop(start: Start) -> None:
    """Blocking callers lend it this thread's loop."""
    start(override=replacing(create_new_session=unawaited))
    assert sessions.create_new_session_without_request_response("public", "u1").get_user_id() == "u1"


def test_a_replacement_that_declares_seven_arguments_is_named_itself(start: Start) -> None:
    """Not the adapter that gives it the arguments."""

    async def create_new_session(
        user_id: Any, recipe_user_id: Any, access_token_payload: Any, tenant_id: Any, user_context: Any
    ) -> None:
        return None

    def functions(original: Any) -> Any:
        original.create_new_session = create_new_session
        return original

    start(override=InputOverrideConfig(functions=functions))
    with pytest.raises(ConfigError) as told:
        sessions.create_new_session_without_request_response("public", "u1")
    assert f"({place(create_new_session)})" in str(told.value)


def test_a_callable_object_has_no_line(start: Start) -> None:
    """It is named by what it replaces."""

    class Nothing:
        def __call__(self, *args: Any, **kwargs: Any) -> None:
            return None

    def functions(original: Any) -> Any:
        original.create_new_session = Nothing()
        return original

    start(override=InputOverrideConfig(functions=functions))
    with pytest.raises(ConfigError) as told:
        sessions.create_new_session_without_request_response("public", "u1")
    assert str(told.value) == (
        f"create_new_session of {FUNCTIONS} returned None; it must return a SessionContainer"
    )


@pytest.mark.parametrize("name", ["functions", "apis"])
def test_an_override_is_a_function(name: str) -> None:
    """Replacements in a dict are refused where they are written."""
    replacements: Any = {"create_new_session": forgets}
    with pytest.raises(ConfigError) as told:
        InputOverrideConfig(**{name: replacements})
    assert str(told.value) == (
        f"{name} must be a function that gets the original implementation and returns it with your changes, "
        "not dict"
    )


def test_an_override_returns_an_implementation(start: Start) -> None:
    """Something else lacks the functions."""
    replacements: Any = {"create_new_session": forgets}
    with pytest.raises(ConfigError) as told:
        start(override=InputOverrideConfig(functions=lambda original: replacements))
    assert str(told.value) == (
        f"the override in {FUNCTIONS} returned dict, which has no create_new_session; "
        "it must return the implementation"
    )
