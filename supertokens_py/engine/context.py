"""On whose behalf an engine is asked: the user context that a network interceptor gets to see.

It travels in a context variable, which worker threads inherit: engines need no parameter that all but
one of them would only pass on.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

from supertokens_py.types.base import JSONObject

P = ParamSpec("P")
T = TypeVar("T")

_user_context: ContextVar[JSONObject | None] = ContextVar("supertokens_user_context", default=None)


def current_user_context() -> JSONObject | None:
    """Return the user context of the call under way; None where an engine is asked without one."""
    return _user_context.get()


async def in_context(user_context: JSONObject | None, answer: Awaitable[T]) -> T:
    """Await an engine's answer; its requests to a core are made with this user context."""
    token = _user_context.set(user_context)
    try:
        return await answer
    finally:
        _user_context.reset(token)


def in_its_context(method: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Make a method whose last argument is `user_context` ask the engine `in_context` of it."""
    position = list(inspect.signature(method).parameters).index("user_context")

    @functools.wraps(method)
    async def call(*args: P.args, **kwargs: P.kwargs) -> T:
        given: Any = args[position] if len(args) > position else kwargs.get("user_context")
        answer = method(*args, **kwargs)
        del args, kwargs  # they may hold secrets, and error trackers read every frame's variables
        return await in_context(given, answer)

    return call
