"""The Django middleware: answers SDK routes and session errors, adds tokens to the app's responses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from traceback import walk_tb
from typing import Any, Final, TypeAlias

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

from supertokens_py.framework.adapter import (
    SuperTokensError,
    answer_error,
    answer_route,
    answer_route_blocking,
    blocking,
    finish,
    is_sdk_path,
    lend,
)
from supertokens_py.framework.request import KEY, RAISED, listen_for_session_errors

from .asgiref_bridge import ASGIREF
from .django_request import DELIVERS, DjangoRequest
from .native import to_native, with_changes

Answer: TypeAlias = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]

#: Where it is in MIDDLEWARE, `request.user` is the user of the session, and Django's signals are sent.
USER_MIDDLEWARE: Final = frozenset(
    f"supertokens_py.framework.django.users.{name}" for name in ("user_middleware", "UserMiddleware")
)


class SuperTokensMiddleware:
    """Sync under WSGI, async under ASGI, without a thread hop in either."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        # Deprecated on 3.14, but on 3.11 only asgiref sees its own mark on other middlewares.
        self._is_async = iscoroutinefunction(get_response)  # pyright: ignore[reportDeprecated]
        if self._is_async:
            markcoroutinefunction(self)
        self._answer: Answer = self._call_async if self._is_async else self._call
        if not USER_MIDDLEWARE.isdisjoint(settings.MIDDLEWARE):
            # By its name, for it needs `django.contrib.auth`, which projects without users do not have.
            telling = import_string("supertokens_py.framework.django.login_signals.telling")
            self._answer = telling(self._answer, is_async=self._is_async)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        return self._answer(request)

    def _call(self, request: HttpRequest) -> HttpResponseBase:
        base = _of_sdk_path(request)
        answer = None if base is None else answer_route_blocking(base)
        response = self._get_response(request) if answer is None else to_native(answer)
        if KEY in vars(request) or response.status_code >= 500:
            return _complete_blocking(request, response)
        return response

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        base = _of_sdk_path(request)
        answer = None if base is None else await answer_route(base)
        response = await self._get_response(request) if answer is None else to_native(answer)
        return await _complete(request, response)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Answer session errors that a view raised; Django calls this in a thread without a loop."""
        if not isinstance(exception, SuperTokensError):
            return None
        return error_response_blocking(DjangoRequest.of(request), exception)


middleware = SuperTokensMiddleware


def _of_sdk_path(request: HttpRequest) -> DjangoRequest | None:
    lend(ASGIREF)
    setattr(request, DELIVERS, True)
    known: DjangoRequest | None = vars(request).get(KEY)
    if known is not None:  # a middleware above this one has looked for a session
        known.delivers = True
    listen_for_session_errors(request)
    return DjangoRequest.of(request) if is_sdk_path(request.path) else None


async def _complete(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    base: DjangoRequest | None = getattr(request, KEY, None)
    raised: Exception | None = vars(request).pop(RAISED, None)  # its traceback leads back here
    if response.status_code >= 500:
        error = raised if base is None else base.session_error or raised
        if error is not None and _left_the_view(error):
            return await error_response(base or DjangoRequest.of(request), error)
    if base is None:
        return response
    return with_changes(response, base, await finish(base, response.status_code))


_complete_blocking = blocking(_complete)


def _left_the_view(error: Exception) -> bool:
    """Return whether nobody in the application's views caught an error.

    Then somebody below this middleware made a server error of it (`process_exception` of another middleware,
    REST framework's EXCEPTION_HANDLER, Ninja with DEBUG), and a client that should refresh would not. A
    traceback begins with the frame that caught the error.
    """
    modules = (frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__))
    packages = (module.partition(".")[0] for module in modules)
    # asgiref raises errors again that it carries between threads.
    caught_by = next((package for package in packages if package != "asgiref"), "")
    return caught_by in ("django", "rest_framework", "adrf", "ninja")


async def error_response(base: DjangoRequest, error: Exception) -> HttpResponseBase:
    """Return the response of an error that the SDK answers; others are raised again."""
    answer = await answer_error(base, error)
    return with_changes(to_native(answer), base, await finish(base, answer.status_code))


error_response_blocking: Final = blocking(error_response)
