"""`verify_session` as a Flask decorator, for sync and async views."""

from __future__ import annotations

import functools
import inspect
import itertools
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from flask import after_this_request, current_app, request
from werkzeug.exceptions import HTTPException

from supertokens_py.framework.adapter import ANSWERED, SessionCheck, SuperTokensError
from supertokens_py.framework.view_order import remember_unguarded

from .flask_request import FlaskRequest
from .flask_response import error_response, mark_personal

#: What stands between a view and Flask without a look at what the view returned.
_TRANSPARENT = frozenset({"flask", "supertokens_py"})

P = ParamSpec("P")
T = TypeVar("T")


def _file_of(module: str) -> str | None:
    return getattr(sys.modules.get(module), "__file__", None)


def _package_of(module: str) -> str:
    """Return the outermost package of a module that has code: not `company` of a namespace `company.shop`."""
    spec = getattr(sys.modules.get(module), "__spec__", None)
    full: str = spec.name if spec is not None else module  # `python -m shop.app` runs as `__main__`
    for name in itertools.accumulate(full.split("."), "{}.{}".format):
        if _file_of(name):
            return name
    return full


@functools.lru_cache  # of files: a name may be imported again from elsewhere
def _directory_of(file: str | None) -> str | None:
    """Return where a module that is one loose file lies; None for packages, which libraries are."""
    return None if file is None or Path(file).name == "__init__.py" else str(Path(file).parent)


def _are_of_one_application(package: str, own: str | None) -> bool:
    """Whether it is the view's package, or both are loose files side by side (`app.py`, `decorators.py`)."""
    if own is None or package == own:
        return own is not None
    directory = _directory_of(_file_of(own))
    return directory is not None and _directory_of(_file_of(package)) == directory


def _is_for_application(view: Callable[..., Any], frame: types.FrameType | None) -> bool:
    """Whether a decorator of the view's own package takes what the view returned, and no library above it.

    Where a file lies tells nothing: libraries lie beside the code of an application that is bundled, and an
    application that is installed lies beside them. Any doubt makes a library of it.
    """
    own = getattr(inspect.unwrap(view), "__module__", None)
    own = own and _package_of(own)
    dispatch = current_app.dispatch_request.__code__  # of a subclass, in a module of its own
    found = False
    while frame is not None:
        module = frame.f_globals.get("__name__") or ""
        if module == "flask.app" or frame.f_code is dispatch:
            return found
        package = _package_of(module)
        if _are_of_one_application(package, own):
            found = True
        elif package not in _TRANSPARENT and package not in sys.stdlib_module_names:
            return False
        frame = frame.f_back
    return False


def _answered(base: FlaskRequest, error: SuperTokensError) -> Exception:
    """Return what to raise for an error: itself, or without the middleware its response.

    It is raised, and not returned as what the view answers: decorators above would keep a 401 in a cache,
    commit a transaction, or make a 200 of it.
    """
    return error if base.delivers else HTTPException(response=error_response(base, error))


def _for_caller(returned: Any, view: Callable[..., Any], caller: types.FrameType) -> Any:
    """Return what a view returned, as a response where decorators of the application are to look at it.

    Those that were written for 0.24 expect one. Flask and libraries take whatever a view may return, and some
    need it as it is: a schema that hides fields would let a finished response through. Both kinds stand above
    this one in the same way, and nothing but the module that a decorator is written in tells them apart.
    """
    if returned is None or caller.f_globals.get("__name__") == "flask.app":  # the second for its speed
        return returned  # None lets a request go on, where this guards `before_request`
    return current_app.make_response(returned) if _is_for_application(view, caller) else returned


class verify_session(SessionCheck):  # noqa: N801  # used as a function
    """A decorator that verifies the session first and puts it into `flask.g.supertokens`.

    It stands under `@app.route` and takes sync and async views. Session errors are raised; the middleware
    answers them. Without the middleware an `HTTPException` with the answer is raised.
    """

    def __call__(self, view: Callable[P, T]) -> Callable[P, T]:
        """Guard a view."""
        remember_unguarded(view)
        is_async = inspect.iscoroutinefunction(view)

        @functools.wraps(view)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            base = FlaskRequest.of(request)
            try:
                self.verify_blocking(base)
                if base.session_sought and not base.delivers:
                    after_this_request(mark_personal)  # the middleware does it, where there is one
                called: Callable[P, Any] = current_app.ensure_sync(view) if is_async else view
                caller = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
                return _for_caller(called(*args, **kwargs), view, caller)
            except ANSWERED as error:
                base.session_error = error  # for the middleware, whatever a decorator above makes of it
                raise _answered(base, error) from error.__cause__

        return call
