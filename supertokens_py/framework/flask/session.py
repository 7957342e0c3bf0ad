"""`verify_session` as a Flask decorator, for sync and async views."""

from __future__ import annotations

import functools
import inspect
import re
import sys
import types
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from flask import after_this_request, current_app, request
from werkzeug.exceptions import HTTPException

from supertokens_py.app import request_context
from supertokens_py.bridge import blocking
from supertokens_py.exceptions import SuperTokensError
from supertokens_py.recipe.session import SessionRecipe
from supertokens_py.recipe.session.claim_checks import OverrideValidators
from supertokens_py.recipe.session.exceptions import ANSWERED
from supertokens_py.recipe.session.flows import VerifyOptions

from .flask_request import FlaskRequest
from .middleware import error_response, mark_personal
from .order import remember_bare

#: Where installed packages are; Flask itself is one.
_LIBRARIES = re.compile(r"[/\\](?:site|dist)-packages[/\\]")

P = ParamSpec("P")
T = TypeVar("T")

_verify = blocking(SessionRecipe.verify)


def _answered(base: FlaskRequest, error: SuperTokensError) -> Exception:
    """Return what to raise for an error: itself, or without the middleware its response.

    It is raised, and not returned as what the view answers: decorators above would keep a 401 in a cache,
    commit a transaction, or make a 200 of it.
    """
    return error if base.delivers else HTTPException(response=error_response(base, error))


def _for_caller(returned: Any, caller: types.FrameType) -> Any:
    """Return what a view returned, as a response where a decorator of the application is to look at it.

    Those that were written for 0.24 expect one. Flask and libraries take whatever a view may return, and some
    need it as it is: a schema that hides fields would let a finished response through.
    """
    if returned is None or _LIBRARIES.search(caller.f_code.co_filename):
        return returned  # None lets a request go on, where this guards `before_request`
    return current_app.make_response(returned)


def verify_session(
    anti_csrf_check: bool | None = None,
    session_required: bool = True,
    check_database: bool = False,
    override_global_claim_validators: OverrideValidators | None = None,
    user_context: dict[str, Any] | None = None,
    vary: bool = True,
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Make a decorator that verifies the session first and puts it into `flask.g.supertokens`.

    It stands under `@app.route` and takes sync and async views. Session errors are raised; the middleware
    answers them. Without the middleware an `HTTPException` with the answer is raised.

    Args:
        anti_csrf_check: None checks all but GET and HEAD; never in header mode.
        session_required: False sets `g.supertokens` to None instead of answering 401 without a token.
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

    def decorate(view: Callable[P, T]) -> Callable[P, T]:
        remember_bare(view)
        is_async = inspect.iscoroutinefunction(view)

        @functools.wraps(view)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            base = FlaskRequest.of(request)
            try:
                _verify(SessionRecipe.get_instance(), base, options, request_context(base, user_context))
                if base.session_sought and not base.delivers:
                    after_this_request(mark_personal)  # the middleware does it, where there is one
                called: Callable[P, Any] = current_app.ensure_sync(view) if is_async else view
                return _for_caller(called(*args, **kwargs), sys._getframe(1))  # pyright: ignore[reportPrivateUsage]
            except ANSWERED as error:
                raise _answered(base, error) from error.__cause__

        return call

    return decorate
