"""Plain WSGI (PEP 3333): the middleware, and the neutral request of anything that has an `environ`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from functools import lru_cache
from http.client import responses
from io import BytesIO
from typing import Any, ClassVar, Self, TypeAlias
from urllib.parse import parse_qsl, quote

from supertokens_py.types.numbers import whole_number

from .adapter import (
    BaseRequest,
    BaseResponse,
    answer_error_blocking,
    answer_route_blocking,
    deliver_blocking,
    is_sdk_path,
    register,
    settle_blocking,
)
from .request import KEY
from .swallowed import handled_error

__all__ = ["Environ", "SuperTokensMiddleware", "WsgiRequest", "wsgi_header"]

WSGIApp: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

SLOT = "supertokens"  #: in an environ: what belongs to the request, also for those who work on copies of it
DELIVERS = "delivers"  #: in the slot: the middleware made it
BODY = "body"


def wsgi_header(environ: MutableMapping[str, Any], header: str) -> str | None:
    """Return a header of a WSGI environment, where servers write "" for two that are missing."""
    name = _wsgi_name(header)
    value = environ.get(name)
    return None if value == "" and not name.startswith("HTTP_") else value


@lru_cache(maxsize=64)
def _wsgi_name(header: str) -> str:
    name = header.upper().replace("-", "_")
    return name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + name


def path_of(environ: MutableMapping[str, Any]) -> str:
    """Return the decoded path, mount prefix included."""
    path: str = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return path.encode("latin-1").decode("utf-8", "replace")


class Environ:
    """A WSGI environment, for applications that have no request object of a framework."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self.environ = environ


class WsgiRequest(BaseRequest):
    """One request. `request` has the `environ`; the session is in `environ["supertokens"]["session"]`."""

    how_to_deliver = "SuperTokensMiddleware(app), of supertokens_py.framework.wsgi"

    @classmethod
    def of(cls, native: Any) -> Self:
        slot: dict[str, Any] | None = native.environ.get(SLOT)  # `super` would do, with two calls more
        known: Self | None = None if slot is None else slot.get(KEY)
        return cls(native) if known is None else known

    @classmethod
    def forget(cls, native: Any) -> Self | None:
        slot: dict[str, Any] | None = native.environ.get(SLOT)
        return None if slot is None else slot.pop(KEY, None)

    @classmethod
    def place(cls, native: Any) -> MutableMapping[str, Any]:
        return native.environ.setdefault(SLOT, {})

    def is_delivered(self) -> bool:
        return DELIVERS in self.request.environ[SLOT]

    def method(self) -> str:
        return self.request.environ["REQUEST_METHOD"]

    def get_path(self) -> str:
        return path_of(self.request.environ)

    def mount_path(self) -> str:
        return self.request.environ.get("SCRIPT_NAME", "").rstrip("/")

    def get_header(self, key: str) -> str | None:
        return wsgi_header(self.request.environ, key)

    def cookie_header(self) -> str:
        return self.request.environ.get("HTTP_COOKIE", "")

    def peer_address(self) -> str | None:
        return self.request.environ.get("REMOTE_ADDR")

    def get_original_url(self) -> str:
        environ = self.request.environ
        host = environ.get("HTTP_HOST") or environ["SERVER_NAME"]
        query = environ.get("QUERY_STRING", "")
        return f"{environ['wsgi.url_scheme']}://{host}{quote(self.get_path())}{'?' if query else ''}{query}"

    def get_query_params(self) -> dict[str, Any]:
        return dict(parse_qsl(self.request.environ.get("QUERY_STRING", ""), keep_blank_values=True))

    async def body(self) -> bytes:
        environ = self.request.environ
        slot = environ[SLOT]
        if BODY not in slot:
            length = whole_number(environ.get("CONTENT_LENGTH") or "0")
            # Not as bytes: there may be a password in them, and error trackers show the environment.
            slot[BODY] = BytesIO(b"" if length is None else environ["wsgi.input"].read(length))
            environ["wsgi.input"] = BytesIO(slot[BODY].getvalue())  # the application may want it as well
        return slot[BODY].getvalue()

    def keep_session(self, session: Any) -> None:
        self.request.environ[SLOT]["session"] = session


register(Environ, WsgiRequest)


class SuperTokensMiddleware:
    """Answers SDK routes and errors, and adds tokens to the responses of the application.

    Frameworks on WSGI say in a subclass how their requests are made.
    """

    request_class: ClassVar[type[WsgiRequest]] = WsgiRequest
    native: ClassVar[type[Any]] = Environ  #: the framework's request, made of an environment

    def __init__(self, app: WSGIApp) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        slot: dict[str, Any] = {DELIVERS: True}
        environ[SLOT] = slot
        if is_sdk_path(path_of(environ)):
            request = self.request_class.of(self.native(environ))
            answer = answer_route_blocking(request)
            if answer is not None:
                return _start(answer, request, start_response)
        started: WsgiRequest | bool = False
        is_called = True

        def start_with_changes(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            nonlocal started  # of this one request; an error may make it start anew
            if is_called and not started and status >= "500" and (error := handled_error()) is not None:
                raise error  # of which a layer in between makes a server error: it is answered below instead
            started = slot.pop(KEY, started or True)
            if isinstance(started, WsgiRequest):
                return start_response(  # the tokens are in no variable, which error trackers would send
                    status,
                    deliver_blocking(started, int(status[:3]), headers) or headers,
                    *(() if exc_info is None else (exc_info,)),
                )
            return start_response(status, headers, *(() if exc_info is None else (exc_info,)))

        try:
            chunks = self.app(environ, start_with_changes)
            is_called = False  # what starts only now, as generators do, has nobody who would catch an error
            return chunks
        except Exception as error:
            if started:
                if isinstance(started, WsgiRequest):
                    settle_blocking(started, 500)
                raise
            request = self.request_class.of(self.native(environ))
            return _start(answer_error_blocking(request, error), request, start_response)


def _start(answer: BaseResponse, request: WsgiRequest, start_response: Callable[..., Any]) -> Iterable[bytes]:
    status, headers = answer.status_code, [*answer.header_list(), ("Content-Length", str(len(answer.body)))]
    start_response(
        f"{status} {responses.get(status, 'Unknown')}", deliver_blocking(request, status, headers) or headers
    )
    request.forget(request.request)
    return [answer.body]
