"""The Flask extension: answers SDK routes and session errors, adds owed tokens to the app's responses."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from flask import Flask, Response, g, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException

from supertokens_py.app import Supertokens, request_context
from supertokens_py.bridge import blocking
from supertokens_py.delivery import settle_blocking
from supertokens_py.exceptions import ConfigError, SuperTokensError
from supertokens_py.framework.response import PERSONAL, BaseResponse
from supertokens_py.recipe.session.exceptions import ANSWERED

from .flask_request import ENVIRON_KEY, EXTENSION, FlaskRequest
from .order import refuse_bare_views

PERSONAL_NAMES = tuple(name for name, _ in PERSONAL.merged({}))


class Middleware:
    """Put into an app once: `Middleware(app)`."""

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
        _answer_near_the_view(app)


def _checked_once(app: Flask) -> Callable[[], Response | None]:
    """Make a hook that looks at the views at the first request, when all are there, and then gives way."""

    def answer_first() -> Response | None:
        refuse_bare_views(app)
        _answer_near_the_view(app)  # extensions that came later may have put themselves before it
        hooks = app.before_request_funcs[None]
        with suppress(ValueError):  # another thread was first
            hooks[hooks.index(answer_first)] = _answer_own_routes
        return _answer_own_routes()

    return answer_first


def _answer_own_routes() -> Response | None:
    environ = request.environ
    path = environ.get("SCRIPT_NAME", "") + request.path
    supertokens = Supertokens.get_instance()
    if supertokens.below_base(path) is None:
        return None
    if request.method == "OPTIONS" and (methods := supertokens.methods_of(path)):
        # Flask answers preflights of its own routes; CORS extensions only add headers to what comes.
        return Response(headers={"Allow": ", ".join([*methods, "OPTIONS"])})
    base = FlaskRequest.of(request)
    answer = blocking(supertokens.handle)(base)
    return None if answer is None else to_native(answer, base)


def _add_changes(response: Response) -> Response:
    base: FlaskRequest | None = request.environ.get(ENVIRON_KEY)
    if base is not None:
        if response.status_code >= 400:
            _settle(base, response.status_code)
        changes = base.finish()
        del base.request.environ[ENVIRON_KEY]
        if changes is PERSONAL:
            mark_personal(response)
        elif changes is not None:
            response.headers = Headers(changes.apply_to(response.headers))
    return response


def mark_personal(response: Response) -> Response:
    """Add the headers of a response for which a session was looked for."""
    headers = response.headers
    present = {name.lower(): ", ".join(found) for name in PERSONAL_NAMES if (found := headers.getlist(name))}
    for name, value in PERSONAL.merged(present):
        if name.lower() not in present:
            headers.add(name, value)
        elif present[name.lower()] != value:
            headers[name] = value
    return response


def _forget_session(error: BaseException | None) -> None:
    base: FlaskRequest | None = request.environ.pop(ENVIRON_KEY, None)
    if error is not None and base is not None:  # let out to the server or to a debugger
        _settle(base, 500)
    # An app context may be pushed for the whole process; the next request must not find this session.
    g.pop("supertokens", None)


def _settle(base: FlaskRequest, status: int) -> None:
    settle_blocking(Supertokens.get_instance(), base, status, request_context(base))


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


def error_response(base: FlaskRequest, error: Exception) -> Response:
    """Return the response of an error that the SDK answers; others are raised again."""
    answer = blocking(Supertokens.get_instance().handle_supertokens_error)(
        base, error, BaseResponse({}), request_context(base)
    )
    return to_native(answer, base)


def to_native(answer: BaseResponse, base: FlaskRequest) -> Response:
    """Return the framework's response, with the changes that the request owes."""
    changes = base.take_changes()
    headers = changes.apply_to(answer.header_list()) if changes else answer.header_list()
    return Response(answer.body, status=answer.status_code, headers=Headers(headers))
