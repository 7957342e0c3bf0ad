"""`verify_session` as a Flask decorator, for sync and async views."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from flask import current_app, request

from supertokens_py.app import request_context
from supertokens_py.bridge import blocking
from supertokens_py.exceptions import SuperTokensError
from supertokens_py.recipe.session import SessionRecipe
from supertokens_py.recipe.session.requests import VerifyOptions
from supertokens_py.recipe.session.validators import OverrideValidators

from .flask_request import FlaskRequest
from .middleware import error_response, mark_personal
from .order import remember_bare

P = ParamSpec("P")
T = TypeVar("T")

_verify = blocking(SessionRecipe.verify)


def _as_response(returned: Any, base: FlaskRequest) -> Any:
    """Return the response that Flask makes of what a view returned, for decorators that look at it.

    None stays None, by which a guard before the request lets it go on.
    """
    if returned is None:
        return None
    response = current_app.make_response(returned)
    if base.session_sought and not base.delivers:  # the middleware does it, where there is one
        mark_personal(response)
    return response


def verify_session(
    anti_csrf_check: bool | None = None,
    session_required: bool = True,
    check_database: bool = False,
    override_global_claim_validators: OverrideValidators | None = None,
    user_context: dict[str, Any] | None = None,
    vary: bool = True,
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Make a decorator that verifies the session first and puts it into `flask.g.supertokens`.

    It stands under `@app.route`, answers session errors itself, and takes sync and async views.

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
                called: Callable[P, Any] = current_app.ensure_sync(view) if is_async else view
                return _as_response(called(*args, **kwargs), base)
            except SuperTokensError as error:
                return cast("T", error_response(base, error))

        return call

    return decorate
