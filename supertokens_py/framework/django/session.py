"""`verify_session` as Django decorators, for async and for sync views."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar, cast

from asgiref.sync import iscoroutinefunction
from django.db import connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from supertokens_py.app import request_context
from supertokens_py.bridge import blocking
from supertokens_py.exceptions import ConfigError, SuperTokensError
from supertokens_py.recipe.session import SessionContainer, SessionRecipe
from supertokens_py.recipe.session.claim_checks import OverrideValidators
from supertokens_py.recipe.session.exceptions import ANSWERED
from supertokens_py.recipe.session.flows import VerifyOptions

from .django_middleware import error_response, error_response_blocking
from .django_request import DjangoRequest
from .native import marked_personal

P = ParamSpec("P")
View = TypeVar("View", bound=Callable[..., Any])


class SessionRequest(HttpRequest):
    """The request of a view under `verify_session`, for annotations: Django itself makes plain ones."""

    supertokens: SessionContainer


def _other_kind(view: Any, kind: str, module: str) -> ConfigError:
    name = getattr(view, "__name__", view)
    where = f"supertokens_py.recipe.session.framework.django.{module}"
    return ConfigError(f"the view {name} is {kind}: import verify_session from {where}")


def _is_plain(view: Any) -> bool:
    """Tell whether a view is a `def`, which has run by the time that anybody could await it.

    Other callables, and functions around an `async def`, may well give awaitables.
    """
    if not isinstance(view, types.FunctionType) or view.__module__ == "django.utils.decorators":
        return False  # `method_decorator` tries decorators out on a `def` of its own
    # Deprecated on 3.14, but on 3.11 only asgiref sees its own mark, which `as_view()` sets.
    known = (view, inspect.unwrap(view))
    return not any(iscoroutinefunction(each) for each in known)  # pyright: ignore[reportDeprecated]


def _finished(base: DjangoRequest, response: Any) -> Any:
    return marked_personal(response, base) if base.session_sought else response


def _roll_back() -> None:
    """Undo what the view wrote under ATOMIC_REQUESTS, as an exception that leaves it does."""
    for connection in connections.all():
        if connection.settings_dict["ATOMIC_REQUESTS"] and connection.in_atomic_block:
            connection.set_rollback(True)


_verify_blocking = blocking(SessionRecipe.verify)


def verify_session_async(
    anti_csrf_check: bool | None = None,
    session_required: bool = True,
    check_database: bool = False,
    override_global_claim_validators: OverrideValidators | None = None,
    user_context: dict[str, Any] | None = None,
    vary: bool = True,
) -> Callable[[View], View]:
    """Make a decorator for `async def` views that puts the session into `request.supertokens`.

    It answers session errors itself.

    Args:
        anti_csrf_check: None checks all but GET and HEAD; never in header mode.
        session_required: False sets `request.supertokens` to None instead of answering 401 without a token.
        check_database: also ask the store, so that a revoked session is seen at once.
        override_global_claim_validators: `(global_validators, session, user_context)` to the validators
            of this view; sync or async.
        user_context: copied into the user context of each request.
        vary: False where the response is the same for everybody, also for visitors without a session:
            it gets no `Vary`, and its `Cache-Control` stays as the view wrote it. Error responses do.
    """
    options = VerifyOptions(
        anti_csrf_check, session_required, check_database, override_global_claim_validators, vary
    )

    def decorate(view: View) -> View:
        if _is_plain(view):
            raise _other_kind(view, "not async", "syncio")

        @functools.wraps(view)
        async def call(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
            base = DjangoRequest.of(request)
            try:
                context = request_context(base, user_context)
                await SessionRecipe.get_instance().verify(base, options, context)
            except SuperTokensError as error:
                return await error_response(base, error)
            try:
                answer: HttpResponseBase | Awaitable[HttpResponseBase] = view(request, *args, **kwargs)
                if not isinstance(answer, Awaitable):  # `dispatch` is a def that gives awaitables
                    raise _other_kind(view, "not async", "syncio")
                return _finished(base, await answer)
            except ANSWERED as error:
                if base.delivers:
                    base.session_error = error
                    raise  # the middleware answers what a view raises, transactions see it
                return await error_response(DjangoRequest.of(request), error)

        return cast("View", call)

    return decorate


def verify_session_sync(
    anti_csrf_check: bool | None = None,
    session_required: bool = True,
    check_database: bool = False,
    override_global_claim_validators: OverrideValidators | None = None,
    user_context: dict[str, Any] | None = None,
    vary: bool = True,
) -> Callable[[View], View]:
    """Make a decorator for `def` views; arguments as those of the async one."""
    options = VerifyOptions(
        anti_csrf_check, session_required, check_database, override_global_claim_validators, vary
    )

    def decorate(view: View) -> View:
        if inspect.iscoroutinefunction(view):
            raise _other_kind(view, "async", "asyncio")

        @functools.wraps(view)
        def call(request: Any, *args: Any, **kwargs: Any) -> Any:
            base = DjangoRequest.of(request)
            try:
                context = request_context(base, user_context)
                _verify_blocking(SessionRecipe.get_instance(), base, options, context)
            except SuperTokensError as error:
                return error_response_blocking(base, error)
            try:
                return _finished(base, view(request, *args, **kwargs))
            except ANSWERED as error:
                if base.delivers:
                    base.session_error = error
                    raise  # the middleware answers what a view raises, transactions see it
                _roll_back()
                return error_response_blocking(DjangoRequest.of(request), error)

        return cast("View", call)

    return decorate
