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

from supertokens_py.framework.adapter import ANSWERED, SessionCheck, SuperTokensError
from supertokens_py.framework.view_order import remember_bare

from .flask_request import FlaskRequest
from .flask_response import error_response, mark_personal

#: Where installed packages are; Flask itself is one.
_LIBRARIES = re.compile(r"[/\\](?:site|dist)-packages[/\\]")

P = ParamSpec("P")
T = TypeVar("T")


@functools.lru_cache
def _is_of_a_library(file: str) -> bool:
    return _LIBRARIES.search(file) is not None


def _answered(base: FlaskRequest, error: SuperTokensError) -> Exception:
    """Return what to raise for an error: itself, or without the middleware its response.

    It is raised, and not returned as what the view answers: decorators above would keep a 401 in a cache,
    commit a transaction, or make a 200 of it.
    """
    return error if base.delivers else HTTPException(response=error_response(base, error))


def _for_caller(returned: Any, caller: types.FrameType) -> Any:
    """Return what a view returned, as a response where a decorator of the application is to look at it.

    Those that were written for 0.24 expect one. Flask and libraries take whatever a view may return, and some
    need it as it is: a schema that hides fields would let a finished response through. Both kinds stand above
    this one in the same way, and nothing but the file that a decorator is written in tells them apart.
    """
    if returned is None or _is_of_a_library(caller.f_code.co_filename):
        return returned  # None lets a request go on, where this guards `before_request`
    return current_app.make_response(returned)


class verify_session(SessionCheck):  # noqa: N801  # used as a function
    """A decorator that verifies the session first and puts it into `flask.g.supertokens`.

    It stands under `@app.route` and takes sync and async views. Session errors are raised; the middleware
    answers them. Without the middleware an `HTTPException` with the answer is raised.
    """

    def __call__(self, view: Callable[P, T]) -> Callable[P, T]:
        """Guard a view."""
        remember_bare(view)
        is_async = inspect.iscoroutinefunction(view)

        @functools.wraps(view)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            base = FlaskRequest.of(request)
            try:
                self.verify_blocking(base)
                if base.session_sought and not base.delivers:
                    after_this_request(mark_personal)  # the middleware does it, where there is one
                called: Callable[P, Any] = current_app.ensure_sync(view) if is_async else view
                return _for_caller(called(*args, **kwargs), sys._getframe(1))  # pyright: ignore[reportPrivateUsage]
            except ANSWERED as error:
                raise _answered(base, error) from error.__cause__

        return call
