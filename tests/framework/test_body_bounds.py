"""Bodies of requests that the SDK answers itself, which anybody may send: read up to a bound."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import flask
import pytest

from supertokens_py.constants import MAX_BODY_BYTES
from supertokens_py.exceptions import RequestTooLargeError
from supertokens_py.framework.asgi import AsgiRequest, Connection
from supertokens_py.framework.bodies import limit_body, read_body
from supertokens_py.framework.flask.flask_request import FlaskRequest
from supertokens_py.framework.request_registry import as_base_request
from supertokens_py.ingredients.emaildelivery import LoggingEmailService
from supertokens_py.recipe import emailpassword

from .script import Asking
from .site import EVERY_ADAPTER, Site

JSON = [("content-type", "application/json")]
REFUSED = {"message": f"the request body is larger than {MAX_BODY_BYTES} bytes"}


def with_passwords(bare_site: Site) -> Site:
    delivery = emailpassword.EmailDeliveryConfig(LoggingEmailService())
    return bare_site.init(recipes=[emailpassword.init(email_delivery=delivery)])


@EVERY_ADAPTER
def test_a_body_is_read_up_to_the_bound(bare_site: Site) -> None:
    """A byte more is 413, whatever it holds; up to there its content decides, however deep."""
    site = with_passwords(bare_site)
    for path in ("/auth/signin", "/auth/signup", "/auth/user/password/reset/token"):
        reply = site.post(path, JSON, body=b"[" * (MAX_BODY_BYTES + 1))
        assert (reply.status, reply.json) == (413, REFUSED), path
    for body in (b"[" * MAX_BODY_BYTES, b"{}" + b" " * (MAX_BODY_BYTES - 2)):
        reply = site.post("/auth/signin", JSON, body=body)
        assert (reply.status, list(reply.json)) == (400, ["message"]), body[:2]


@EVERY_ADAPTER
def test_a_view_of_the_application_has_the_bound_of_its_framework(bare_site: Site) -> None:
    """What the SDK reads of it for an override or a hook as well."""

    def read(view: Any) -> Any:
        found = yield Asking("json", target=as_base_request(view.request))
        return {"length": len(found)}

    site = with_passwords(bare_site)
    body = b'"' + b"x" * 1_040_000 + b'"' if site.driver == "aiohttp" else b'"' + b"x" * 1_100_000 + b'"'
    assert site.post("/open", JSON, do=read, body=body).json == {"length": len(body) - 2}


def request_of(scope_headers: list[tuple[bytes, bytes]], chunk: bytes) -> tuple[AsgiRequest, list[int]]:
    """Return a request whose body never ends, and what counts how often a chunk of it was waited for."""
    waited: list[int] = []

    async def receive() -> dict[str, Any]:
        waited.append(len(chunk))
        return {"type": "http.request", "body": chunk, "more_body": True}

    scope = {"type": "http", "method": "POST", "path": "/auth/signin", "headers": scope_headers}
    return AsgiRequest(Connection(scope, receive)), waited


def test_nothing_beyond_the_bound_is_waited_for() -> None:
    """Whoever says no length is cut off at the first chunk that is too much."""
    request, waited = request_of([], b"x" * 400)
    limit_body(request, 1000)
    with pytest.raises(RequestTooLargeError, match=r"^the request body is larger than 1000 bytes$"):
        asyncio.run(read_body(request))
    assert waited == [400, 400, 400]


def test_what_says_that_it_is_too_long_is_not_read_at_all() -> None:
    request, waited = request_of([(b"content-length", b"1001")], b"x" * 400)
    with pytest.raises(RequestTooLargeError):
        limit_body(request, 1000)
    assert waited == []
    for length in (b"1000", b"-1", b"x", b""):
        limit_body(request_of([(b"content-length", length)], b"")[0], 1000)


def test_a_request_that_only_has_a_body_is_bounded_by_what_it_returns() -> None:
    """As objects of frameworks that are wrapped by classes elsewhere."""

    class Native:
        scope: ClassVar[dict[str, Any]] = {"type": "http", "method": "POST", "headers": []}

        async def body(self) -> bytes:
            return b"x" * 1000

    for limit, is_read in ((1000, True), (999, False)):
        request = AsgiRequest(Native())
        limit_body(request, limit)
        if is_read:
            assert asyncio.run(read_body(request)) == b"x" * 1000
        else:
            with pytest.raises(RequestTooLargeError):
                asyncio.run(read_body(request))
        request.forget(request.request)


def test_nothing_is_left_in_a_request_of_another_framework() -> None:
    """Where it keeps its body is known of those that have adapters only."""

    class Native:
        __slots__ = ("scope",)

        async def receive(self) -> dict[str, Any]:
            return {"type": "http.request", "body": b"x" * 1000}

    native = Native()
    native.scope = {"type": "http", "method": "POST", "headers": []}
    request = AsgiRequest(native)
    limit_body(request, 1000)
    assert asyncio.run(read_body(request)) == b"x" * 1000


def test_a_form_that_a_hook_of_flask_has_read_is_found() -> None:
    """Such as one that looks for a token against CSRF in it: the body cannot be read again."""
    app = flask.Flask(__name__)
    app.extensions["supertokens"] = True
    for is_read in (False, True):
        with app.test_request_context(
            "/", method="POST", data={"a": "1"}, content_type="multipart/form-data"
        ):
            if is_read:
                assert flask.request.form["a"] == "1"
            request = FlaskRequest.of(flask.request)
            limit_body(request, 1000)
            assert asyncio.run(request.form_data()) == {"a": "1"}
