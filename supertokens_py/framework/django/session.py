"""`verify_session` as Django decorators, for async and for sync views."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from asgiref.sync import iscoroutinefunction
from django.db import connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from supertokens_py.framework.adapter import (
    ANSWERED,
    ConfigError,
    SessionCheck,
    SessionContainer,
    SuperTokensError,
    running_loop,
)
from supertokens_py.framework.session_look import IF_THERE, is_looked_for

from .django_middleware import error_response, error_response_blocking
from .django_request import DjangoRequest
from .native import marked_personal

View = TypeVar("View", bound=Callable[..., Any])

#: Names the guard of a view; decorators around it, `method_decorator` and `as_view()` pass it on.
_GUARD: Final = "_supertokens_guard"


if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault

    P = TypeVarWithDefault("P", default=dict[str, Any])
else:
    P = TypeVar("P")


class SessionRequest(HttpRequest, Generic[P]):
    """The request of a view under `verify_session`, for annotations: Django itself makes plain ones.

    `SessionRequest[Shop]` is that of a view under `verify_session(payload=Shop)`.
    """

    supertokens: SessionContainer[P]


def _other_kind(view: Any, kind: str, module: str) -> ConfigError:
    name = getattr(view, "__name__", view)
    where = f"supertokens_py.recipe.session.framework.django.{module}"
    return ConfigError(f"the view {name} is {kind}: import verify_session from {where}")


def _is_plain(view: Any) -> bool:
    """Return whether a view is a `def`, which has run by the time that anybody could await it.

    Other callables, and functions around an `async def`, may well give awaitables.
    """
    if not isinstance(view, types.FunctionType) or view.__module__ == "django.utils.decorators":
        return False  # `method_decorator` tries decorators out on a `def` of its own
    # Deprecated on 3.14, but on 3.11 only asgiref sees its own mark, which `as_view()` sets.
    known = (view, inspect.unwrap(view))
    return not any(iscoroutinefunction(each) for each in known)  # pyright: ignore[reportDeprecated]


def _request_of(request: Any, view: Any) -> DjangoRequest:
    """Return the neutral request of what a guarded view was called with.

    Raises:
        ConfigError: it was called with the object of a class-based view, whose method was decorated.
    """
    if not hasattr(request, "META") and hasattr(request, "request"):
        name = getattr(view, "__qualname__", view)
        raise ConfigError(
            f"{name} is a method, and verify_session() guards functions: "
            "write @method_decorator(verify_session()), of django.utils.decorators"
        )
    return DjangoRequest.of(request)


def _finished(base: DjangoRequest, response: Any) -> Any:
    return marked_personal(response) if base.session_sought else response


def _roll_back() -> None:
    """Undo what the view wrote in the transaction around it, as an exception that leaves it does."""
    for connection in connections.all():
        blocks: list[Any] = getattr(connection, "atomic_blocks", [])
        # What `TestCase` holds around the whole test is no transaction of the view.
        if any(not getattr(block, "_from_testcase", False) for block in blocks):
            connection.set_rollback(True)


class verify_session_async(SessionCheck):  # noqa: N801  # used as a function
    """A decorator for `async def` views that puts the session into `request.supertokens`.

    It answers session errors itself.
    """

    def __call__(self, view: View) -> View:
        """Guard a view."""
        if _is_plain(view):
            raise _other_kind(view, "not async", "syncio")

        @functools.wraps(view)
        async def call(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
            base = _request_of(request, view)
            try:
                await self.verify(base)
            except SuperTokensError as error:
                return await error_response(base, error)
            try:
                answer: HttpResponseBase | Awaitable[HttpResponseBase] = view(request, *args, **kwargs)
                if not isinstance(answer, Awaitable):  # `dispatch` is a def that gives awaitables
                    raise _other_kind(view, "not async", "syncio")
                return _finished(base, await answer)
            except ANSWERED as error:
                _leave_to_the_middleware(base, error)
                return await error_response(DjangoRequest.of(request), error)

        setattr(call, _GUARD, self)
        return cast("View", call)


class verify_session_sync(SessionCheck):  # noqa: N801  # used as a function
    """The same for `def` views."""

    def __call__(self, view: View) -> View:
        """Guard a view."""
        if inspect.iscoroutinefunction(view):
            raise _other_kind(view, "async", "asyncio")

        @functools.wraps(view)
        def call(request: Any, *args: Any, **kwargs: Any) -> Any:
            base = _request_of(request, view)
            try:
                self.verify_blocking(base)
            except SuperTokensError as error:
                return error_response_blocking(base, error)
            try:
                return _finished(base, view(request, *args, **kwargs))
            except ANSWERED as error:
                _leave_to_the_middleware(base, error)
                _roll_back()
                return error_response_blocking(DjangoRequest.of(request), error)

        setattr(call, _GUARD, self)
        return cast("View", call)


class noted:  # noqa: N801  # used as a function
    """Note errors of the SDK that are raised in here: the middleware answers them, also where somebody in
    between makes a server error of every exception that he does not know.

    A class, because guarded requests pass through here: a generator costs them twice as much.
    """

    __slots__ = ("_base",)

    def __init__(self, base: DjangoRequest) -> None:
        self._base = base

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        """Note the error that ends it, which goes on."""
        if isinstance(error, ANSWERED):
            self._base.session_error = error


def looking_for_session(base: DjangoRequest) -> noted:
    """Return a context to look for a session in, for whoever does not see the response, as the decorators do.

    No cache of Django keeps the response: below the middleware its headers do not say whose it is. Errors are
    noted.
    """
    base.forbid_caching()
    return noted(base)


def guard_of(view: Any) -> SessionCheck | None:
    """Return what guards a view; None where none of our decorators is on it."""
    return getattr(view, _GUARD, None)


def optional_session(request: HttpRequest) -> SessionContainer | None:
    """Return the session of a request, which is verified unless somebody has done so; None for visitors."""
    base = DjangoRequest.of(request)
    with looking_for_session(base):
        return base.get_session() if is_looked_for(base) else IF_THERE.verify_blocking(base)


def would_block(request: HttpRequest) -> bool:
    """Return whether `optional_session` would block the event loop that runs in this thread."""
    return not is_looked_for(DjangoRequest.of(request)) and running_loop() is not None


def _leave_to_the_middleware(base: DjangoRequest, error: SuperTokensError) -> None:
    """Raise an error of the view again where the middleware will answer it, so that transactions see it."""
    if base.delivers:
        base.session_error = error
        raise error
