"""The Flask extension: answers SDK routes and session errors, adds tokens to the app's responses."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from flask import Flask, Response, current_app, g, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException

from supertokens_py.framework.adapter import (
    ANSWERED,
    PERSONAL,
    ConfigError,
    SuperTokensError,
    answer_route_blocking,
    finish_blocking,
    is_sdk_path,
    sdk_methods,
    settle_blocking,
)
from supertokens_py.framework.request import KEY
from supertokens_py.framework.swallowed import headers_to_keep, is_swallowed
from supertokens_py.framework.view_order import refuse_unguarded_views

from .current import current_session
from .flask_request import EXTENSION, FlaskRequest
from .flask_response import error_response, mark_personal, to_native


class Middleware:
    """Put into an app once: `Middleware(app)`. Templates find `current_session`, falsy for visitors."""

    def __init__(self, app: Flask | None = None) -> None:
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Register the hooks; a request that is not the SDK's costs a path comparison."""
        if not isinstance(app, Flask):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigError(f"Middleware takes the Flask application: Middleware(app), not {_spelt(app)}")
        app.extensions[EXTENSION] = self
        app.before_request(_checked_once(app))
        app.after_request(_add_changes)
        app.teardown_request(_forget_session)
        app.context_processor(lambda: {"current_session": current_session})
        _answer_near_the_view(app)


def _checked_once(app: Flask) -> Callable[[], Response | None]:
    """Make a hook that looks at the views at the first request, when all are there, and then gives way."""

    def answer_first() -> Response | None:
        refuse_unguarded_views(app.view_functions)
        _answer_near_the_view(app)  # extensions that came later may have put themselves before it
        _add_changes_last(app)
        hooks = app.before_request_funcs[None]
        with suppress(ValueError):  # another thread was first
            hooks[hooks.index(answer_first)] = _answer_own_routes
        return _answer_own_routes()

    return answer_first


def _add_changes_last(app: Flask) -> None:
    """Let the other `after_request` functions run first, whose status decides whether tokens may travel.

    Flask calls them in the reverse of their order.
    """
    others = (hook for hook in app.after_request_funcs[None] if hook is not _add_changes)
    app.after_request_funcs[None] = [_add_changes, *others]  # a new list: threads may be reading the old one


def _answer_own_routes() -> Response | None:
    path = request.environ.get("SCRIPT_NAME", "") + request.path
    if not is_sdk_path(path):
        return None
    if request.method == "OPTIONS" and (methods := sdk_methods(path)):
        # Flask answers preflights of its own routes; CORS extensions only add headers to what comes.
        return Response(headers={"Allow": ", ".join([*methods, "OPTIONS"])})
    base = FlaskRequest.of(request)
    answer = answer_route_blocking(base)
    return None if answer is None else to_native(answer, base)


def _add_changes(response: Response) -> Response:
    if response.status_code >= 500:
        response = _unless_swallowed(response)
    base = FlaskRequest.forget(request)
    changes = None if base is None else finish_blocking(base, response.status_code)
    if changes is PERSONAL:
        mark_personal(response)
    elif changes is not None:
        response.headers = Headers(changes.apply_to(response.headers))
    return response


def _unless_swallowed(response: Response) -> Response:
    """Return the answer to a session error of which somebody has made this server error, if it is one."""
    known: FlaskRequest | None = FlaskRequest.place(request).get(KEY)
    error = None if known is None else known.session_error
    view = current_app.view_functions.get(request.endpoint or "")
    if error is None or not is_swallowed(error, ("flask.",), view):
        return response
    answer = current_app.make_response(current_app.handle_user_exception(error))
    for name, value in headers_to_keep(response.headers):
        answer.headers.add(name, value)
    response.close()  # as the server would have
    return answer


def _forget_session(error: BaseException | None) -> None:
    base = FlaskRequest.forget(request)
    if error is not None and base is not None:  # let out to the server or to a debugger
        settle_blocking(base, 500)
    # An app context may be pushed for the whole process; the next request must not find this session.
    g.pop("supertokens", None)


class _Answers:
    """Answers the SDK's errors before any handler of the application that was made for other exceptions."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._inner: Callable[[Exception], ResponseReturnValue | HTTPException] = app.handle_user_exception

    def __call__(self, e: Exception) -> ResponseReturnValue | HTTPException:
        if isinstance(e, ANSWERED) and not self._is_answered_by_the_application(e):
            return error_response(FlaskRequest.of(request), e)
        return self._inner(e)

    def _is_answered_by_the_application(self, error: Exception) -> bool:
        specified = self._app.error_handler_spec
        kinds = (kind for name in (*request.blueprints, None) for kind in specified[name][None])
        return any(issubclass(kind, SuperTokensError) and isinstance(error, kind) for kind in kinds)


def _answer_near_the_view(app: Flask) -> None:
    known: object = app.handle_user_exception
    if not isinstance(known, _Answers):
        app.handle_user_exception = _Answers(app)


def _spelt(app: object) -> str:
    inner = getattr(app, "__self__", None)
    return "app.wsgi_app" if isinstance(inner, Flask) else type(app).__name__
