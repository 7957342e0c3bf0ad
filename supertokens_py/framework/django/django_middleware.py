"""The Django middleware: answers SDK routes and session errors, adds owed tokens to the app's responses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from traceback import walk_tb
from typing import Any, Final

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from supertokens_py.app import Supertokens, request_context
from supertokens_py.bridge import blocking, lend
from supertokens_py.delivery import settle
from supertokens_py.exceptions import SuperTokensError
from supertokens_py.framework.response import BaseResponse

from .django_request import ATTRIBUTE, DELIVERS, DjangoRequest
from .hooks import ASGIREF
from .native import to_native, with_changes


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

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._call_async(request)
        lend(ASGIREF)
        setattr(request, DELIVERS, True)
        supertokens = Supertokens.get_instance()
        if supertokens.below_base(request.path) is not None:
            base = DjangoRequest.of(request)
            answer = blocking(supertokens.handle)(base)
            if answer is not None:
                return to_native(answer, base)
        return _finished_blocking(request, self._get_response(request))

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        lend(ASGIREF)
        setattr(request, DELIVERS, True)
        supertokens = Supertokens.get_instance()
        if supertokens.below_base(request.path) is not None:
            base = DjangoRequest.of(request)
            answer = await supertokens.handle(base)
            if answer is not None:
                return to_native(answer, base)
        return await _finished(request, await self._get_response(request))

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Answer session errors that a view raised; Django calls this in a thread without a loop."""
        if not isinstance(exception, SuperTokensError):
            return None
        return error_response_blocking(DjangoRequest.of(request), exception)


middleware = SuperTokensMiddleware


async def _finished(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    base: DjangoRequest | None = getattr(request, ATTRIBUTE, None)
    if base is None:
        return response
    if response.status_code >= 400:
        error = base.session_error
        if response.status_code >= 500 and error is not None and _left_the_view(error):
            return await error_response(base, error)
        await settle(Supertokens.get_instance(), base, response.status_code, request_context(base))
    return with_changes(response, base)


_finished_blocking = blocking(_finished)


def _left_the_view(error: Exception) -> bool:
    """Return whether nobody in the application's views caught an error.

    Then somebody below this middleware made a server error of it (`process_exception` of another middleware,
    REST framework's EXCEPTION_HANDLER), and a client that should refresh would not. A traceback begins with
    the frame that caught the error.
    """
    for frame, _ in walk_tb(error.__traceback__):
        package = frame.f_globals.get("__name__", "").partition(".")[0]
        if package != "asgiref":  # raises errors again that it carries between threads
            return package in ("django", "rest_framework", "adrf")
    return False


async def error_response(base: DjangoRequest, error: Exception) -> HttpResponseBase:
    """Return the response of an error that the SDK answers; others are raised again."""
    answer = await Supertokens.get_instance().handle_supertokens_error(
        base, error, BaseResponse({}), request_context(base)
    )
    return to_native(answer, base)


error_response_blocking: Final = blocking(error_response)
