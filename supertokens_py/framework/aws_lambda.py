"""AWS Lambda behind API Gateway (payload 1.0 and 2.0), function URLs and load balancers.

`@middleware` around the handler of a whole API, or `@verify_session()` around the handler of one route. It
needs no package, since events and responses are dictionaries, no event loop, and no thread: what is pending
is written at the end of each invocation.
"""

from __future__ import annotations

import functools
import json
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias, cast
from urllib.parse import parse_qsl, quote, unquote, urlencode

from .adapter import (
    BaseRequest,
    BaseResponse,
    SessionCheck,
    answer_error_blocking,
    answer_route_blocking,
    deliver_blocking,
    flush,
    is_sdk_path,
    register,
)

__all__ = ["LambdaRequest", "SessionEvent", "middleware", "verify_session"]

Handler: TypeAlias = Callable[[Any, Any], Any]
#: What else a response may have: API Gateway answers 502 to any other member.
_PARTS = ("statusCode", "body", "isBase64Encoded")


class SessionEvent(dict[str, Any]):
    """The event, with its session: a dictionary like any other, which can be logged as JSON."""

    session: Any = None


class LambdaRequest(BaseRequest):
    """One event of any of the shapes; the session is `event.session`."""

    request: SessionEvent
    how_to_deliver = "@middleware around the handler, of supertokens_py.framework.aws_lambda"

    def __init__(self, request: SessionEvent) -> None:
        super().__init__(request)
        self._headers: dict[str, list[str]] = {}
        for name, value in _pairs(request, "multiValueHeaders", "headers"):
            self._headers.setdefault(name.lower(), []).append(value)
        if request.get("cookies"):  # payload 2.0
            self._headers["cookie"] = request["cookies"]
        if self.is_websocket():
            self.finished = True  # the gateway passes on no headers of the answer

    @property
    def _context(self) -> dict[str, Any]:
        return self.request["requestContext"]

    def is_websocket(self) -> bool:
        return self._context.get("eventType") == "CONNECT"

    def method(self) -> str:
        """Return the method; a WebSocket starts as a GET."""
        return self.request.get("httpMethod") or self._context.get("http", {}).get("method", "GET")

    def get_path(self) -> str:
        """Return the path without the stage, which HTTP APIs leave in place and REST APIs do not."""
        path: str = self.request.get("rawPath") or self.request.get("path") or "/"
        stage = f"/{self._context.get('stage')}"
        if "version" in self.request and (path == stage or path.startswith(f"{stage}/")):
            path = path[len(stage) :] or "/"
        return unquote(path)

    def get_header(self, key: str) -> str | None:
        found = self._headers.get(key.lower())
        return found[0] if found else None

    def cookie_header(self) -> str:
        return "; ".join(self._headers.get("cookie", ()))

    def peer_address(self) -> str | None:
        """Return the address that the gateway saw; load balancers write it into a header only."""
        known: dict[str, Any] = self._context.get("http") or self._context.get("identity") or {}
        return known.get("sourceIp")

    def get_original_url(self) -> str:
        event = self.request
        scheme = self.get_header("x-forwarded-proto") or "https"
        path = event.get("rawPath") or self._context.get("path") or event.get("path", "/")
        query = self._query()
        return f"{scheme}://{self.get_header('host')}{quote(unquote(path))}{'?' if query else ''}{query}"

    def _query(self) -> str:
        event = self.request
        if "rawQueryString" in event:
            return event["rawQueryString"]
        pairs = _pairs(event, "multiValueQueryStringParameters", "queryStringParameters")
        if "elb" in self._context:  # load balancers leave them encoded
            return "&".join(f"{name}={value}" for name, value in pairs)
        return urlencode([*pairs])

    def get_query_params(self) -> dict[str, Any]:
        return dict(parse_qsl(self._query(), keep_blank_values=True))

    async def body(self) -> bytes:
        text = self.request.get("body") or ""
        return b64decode(text) if self.request.get("isBase64Encoded") else text.encode()

    def keep_session(self, session: Any) -> None:
        self.request.session = session


register(SessionEvent, LambdaRequest)


def middleware(handler: Handler) -> Handler:
    """Answer SDK routes and errors around a handler, and deliver tokens.

    The handler gets a `SessionEvent`. Events that are no HTTP requests (queues, schedules, messages of
    a WebSocket) are passed on as they are.
    """

    @functools.wraps(handler)
    def call(event: Any, context: Any) -> Any:
        if isinstance(event, SessionEvent) or not _is_request(event):
            return handler(event, context)  # the outer one delivers
        try:
            return _answer(handler, LambdaRequest(SessionEvent(event)), context)
        finally:
            flush()

    return call


class verify_session(SessionCheck):  # noqa: N801  # used as a function
    """Verify before the handler, whose event has the `session`. Does by itself what `middleware` does."""

    def __call__(self, handler: Handler) -> Handler:
        """Guard a handler."""

        @functools.wraps(handler)
        def verified(event: SessionEvent, context: Any) -> Any:
            self.verify_blocking(LambdaRequest.of(event))
            return handler(event, context)

        return middleware(verified)


def _is_request(event: Any) -> bool:
    fields = cast("dict[str, Any]", event) if isinstance(event, dict) else {}
    context: dict[str, Any] = fields.get("requestContext") or {}
    # Those with a type ask an authorizer, whose answer is no response.
    is_http = "httpMethod" in fields or "http" in context or context.get("eventType") == "CONNECT"
    return is_http and bool(context) and "type" not in fields


def _answer(handler: Handler, request: LambdaRequest, context: Any) -> dict[str, Any]:
    try:
        answer = answer_route_blocking(request) if is_sdk_path(request.get_path()) else None
        response = handler(request.request, context) if answer is None else _native(answer)
    except Exception as error:
        response = _native(answer_error_blocking(request, error))
    return _delivered(request, response)


def _native(answer: BaseResponse) -> dict[str, Any]:
    # Not in base64, which an API of payload 1.0 decodes only if it has been told to.
    return {
        "statusCode": answer.status_code,
        "multiValueHeaders": _grouped(answer.header_list()),
        "body": answer.body.decode(),
    }


def _delivered(request: LambdaRequest, answered: Any) -> dict[str, Any]:
    """Return a response in the shape that the sender of the event reads, tokens included."""
    response = _response(answered)
    made: dict[str, Any] = {name: response[name] for name in _PARTS if name in response}
    lines = [
        *_pairs(response, "multiValueHeaders", "headers"),
        *(("Set-Cookie", str(line)) for line in response.get("cookies") or ()),
    ]
    lines = deliver_blocking(request, int(made["statusCode"]), lines) or lines
    event = request.request
    if event.get("version") == "2.0":
        cookies = [value for name, value in lines if name.lower() == "set-cookie"]
        rest = _grouped(line for line in lines if line[0].lower() != "set-cookie")
        joined = {name: ", ".join(values) for name, values in rest.items()}
        return {**made, "headers": joined, "cookies": cookies}
    if "elb" in event["requestContext"] and "multiValueHeaders" not in event:
        return {**made, "headers": _unique_cased(lines)}
    return {**made, "multiValueHeaders": _grouped(lines)}


def _response(answered: Any) -> dict[str, Any]:
    """Return what a handler answered as status, headers and body; payload 2.0 takes anything for a 200."""
    if isinstance(answered, dict) and "statusCode" in answered:
        return cast("dict[str, Any]", answered)
    body = answered if isinstance(answered, str) else json.dumps(answered)
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": body}


def _pairs(source: dict[str, Any], several: str, single: str) -> Iterator[tuple[str, str]]:
    """Yield the pairs of an event or of a response: a name may be in both, and `several` has all values."""
    lists: dict[str, list[object]] = source.get(several) or {}
    for name, values in lists.items():
        for value in values:
            yield name, str(value)
    known = {name.lower() for name in lists}
    singles: dict[str, object] = source.get(single) or {}
    for name, value in singles.items():
        if name.lower() not in known:
            yield name, str(value)


def _grouped(lines: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    made: dict[str, list[str]] = {}
    for name, value in lines:
        made.setdefault(name, []).append(value)
    return made


def _unique_cased(lines: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Give each line a name of its own: without multi-value headers a load balancer takes one value per
    name, and tells names by their case.
    """
    made: dict[str, str] = {}
    for name, value in lines:
        number = 0
        while (variant := _case_variant(name, number)) in made:
            number += 1
        made[variant] = value
    return made


def _case_variant(name: str, number: int) -> str:
    """Return a name with the case of some letters changed: those of the bits that a number has."""
    letters = [index for index, letter in enumerate(name) if letter.isalpha()]
    changed = {index for bit, index in enumerate(letters) if number >> bit & 1}
    return "".join(letter.swapcase() if at in changed else letter for at, letter in enumerate(name))
