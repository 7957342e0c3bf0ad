"""The one way to ask an engine: knows worker threads, the user context and spans.

Services of an engine block, and have no parameter for what most of them would only pass on: the user
context, which a network interceptor gets to see, travels in a context variable that worker threads inherit.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from types import MethodType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar

from supertokens_py.runtime.bridge import offload
from supertokens_py.runtime.dedicated_pools import DedicatedPool
from supertokens_py.types.base import JSONObject

if TYPE_CHECKING:
    from .interface import Keys
    from .records import KeySet

P = ParamSpec("P")
T = TypeVar("T")

#: Opens a span for a call with the name of its service and method, such as "sessions.create".
OpenSpan: TypeAlias = Callable[[str], AbstractContextManager[Any]]

_user_context: ContextVar[JSONObject | None] = ContextVar("supertokens_user_context", default=None)
_open_span: OpenSpan | None = None


def current_user_context() -> JSONObject | None:
    """Return the user context of the current call; None where an engine is called without one."""
    return _user_context.get()


def trace_calls(open_span: OpenSpan | None) -> None:
    """Run every engine call of this process within a span; None ends that."""
    global _open_span
    _open_span = open_span


@contextmanager
def _within(user_context: JSONObject | None, work: Callable[..., Any]) -> Generator[None]:
    token = _user_context.set(user_context)
    try:
        with nullcontext() if _open_span is None else _open_span(_name(work)):
            yield
    finally:
        _user_context.reset(token)


async def call_engine(
    user_context: JSONObject | None, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """Call a method of an engine's service: inline for blocking callers, in a worker thread under a loop.

    Args:
        user_context: what a network interceptor gets to see; None outside of requests.
        work: the method, such as `engine.sessions.create`.
    """
    with _within(user_context, work):
        return await offload(work, *args, **kwargs)


#: Where password hashes are computed, so that a storm of sign-ins leaves the other threads to their work.
_HASHING = DedicatedPool("passwords", 8, low_priority=True)


async def call_engine_hashing(
    user_context: JSONObject | None, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """Do as `call_engine` in the pool for password hashes, which has its own threads."""
    with _within(user_context, work):
        return await _HASHING.offload(work, *args, **kwargs)


async def call_engine_hashing_bounded(
    user_context: JSONObject | None, most: int, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """Do as `call_engine_hashing`, but refuse the call if `most` of them are running or waiting already.

    For calls that anybody can trigger. A call that has used up something, such as a token, must not be
    refused: it takes `call_engine_hashing`.

    Raises:
        TooBusyError: the queue is full.
    """
    with _within(user_context, work):
        return await _HASHING.offload_within(most, work, *args, **kwargs)


async def reload_keys(keys: Keys) -> KeySet:
    """Return `keys.reload()`, asked for without a thread while it would load nothing anyway.

    Tokens with unknown keys are free to make: a flood of them must not keep the worker threads.
    """
    cooled = keys.cooled()
    return await call_engine(None, keys.reload) if cooled is None else cooled


def _name(work: Callable[..., Any]) -> str:
    if not isinstance(work, MethodType):  # a question to several services
        return f"{work.__module__.rpartition('.')[2]}.{work.__name__}"
    # The class of each service is in a module of its name, in every engine.
    service = type(work.__self__)
    return f"{service.__module__.rpartition('.')[2]}.{work.__name__}"
