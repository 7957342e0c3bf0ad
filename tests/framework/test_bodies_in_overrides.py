"""Overrides of APIs read the body in their framework's own way, although the SDK has read it before them."""

from __future__ import annotations

import asyncio
import inspect
import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from typing import Any

import flask
import pytest
import quart

from supertokens_py.framework import asgi, wsgi
from supertokens_py.ingredients.emaildelivery import LoggingEmailService
from supertokens_py.recipe import emailpassword, thirdparty
from supertokens_py.testing.conformance import AsgiClient, WsgiClient
from supertokens_py.types.response import GeneralErrorResponse
from tests.support.clock import Clock
from tests.support.databases import Sqlite

from .site import EVERY_ADAPTER, Site

JSON = "application/json"
FIELDS = [{"id": "email", "value": "ada@example.com"}, {"id": "password", "value": "correct horse 1"}]
SIGN_UP = json.dumps({"formFields": FIELDS}).encode()
FORM = {"code": "c", "state": "Jürgen & Söhne"}
PARTS = "".join(
    f'--x\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in FORM.items()
)
ENCODED = {
    "application/x-www-form-urlencoded": b"code=c&state=J%C3%BCrgen+%26+S%C3%B6hne",
    "multipart/form-data; boundary=x": f"{PARTS}--x--\r\n".encode(),
}

Reader = Callable[[Any], Any]


def event_body(event: Any) -> bytes:
    return b64decode(event["body"])


def wsgi_body(request: Any) -> bytes:
    return request.environ["wsgi.input"].read()


#: The body as bytes, as JSON, and as a form, in the words of each framework; None: it has none for it.
DJANGO: tuple[Reader, ...] = (lambda r: r.body, lambda r: json.loads(r.body), lambda r: r.POST.dict())
STARLETTE: tuple[Reader, ...] = (lambda r: r.body(), lambda r: r.json(), lambda r: r.form())
READERS: dict[str, tuple[Reader, ...]] = {
    "aiohttp": (lambda r: r.read(), lambda r: r.json(), lambda r: r.post()),
    "aws_lambda": (event_body, lambda r: json.loads(event_body(r))),
    "django_async": DJANGO,
    "django_sync": DJANGO,
    "drf": DJANGO,
    "fastapi": STARLETTE,
    "flask": (
        lambda r: flask.request.get_data(),
        lambda r: (r.get_json(), flask.request.get_json())[0],
        lambda r: (r.form.to_dict(), flask.request.form.to_dict())[0],
    ),
    "litestar": STARLETTE,
    "ninja_async": DJANGO,
    "ninja_sync": DJANGO,
    "quart": (
        lambda r: quart.request.get_data(),
        lambda r: quart.request.get_json(),
        lambda r: quart.request.form,
    ),
    "sanic": (lambda r: r.body, lambda r: r.json, lambda r: {name: r.form.get(name) for name in r.form}),
    "starlette": STARLETTE,
    "tornado": (
        lambda r: r.body,
        lambda r: json.loads(r.body),
        lambda r: {name: values[-1].decode() for name, values in r.body_arguments.items()},
    ),
    "asgi": (lambda r: r.body(),),
    "wsgi": (wsgi_body,),
}


class Overrides:
    """Overrides that note the body as their framework shows it."""

    def __init__(self, site: Site, driver: str) -> None:
        self.site, self.readers = site, READERS[driver]
        self.seen: list[Any] = []
        raw, *parsed = self.readers
        sign_up = self.of("sign_up_post", (raw, *parsed[:1]), GeneralErrorResponse("taken"))
        callback = self.of("apple_redirect_handler_post", (raw, *parsed[1:]), None)
        site.init(
            recipes=[
                emailpassword.init(
                    override=emailpassword.InputOverrideConfig(apis=sign_up),
                    email_delivery=emailpassword.EmailDeliveryConfig(LoggingEmailService()),
                ),
                thirdparty.init(override=thirdparty.InputOverrideConfig(apis=callback)),
            ],
        )

    def of(self, name: str, readers: tuple[Reader, ...], answer: Any) -> Any:
        async def own(*given: Any, **named: Any) -> Any:
            options = next(one for one in (*given, *named.values()) if hasattr(one, "request"))
            for read in readers:
                found = read(options.request.request)
                self.seen.append(await asyncio.wait_for(found, 5) if inspect.isawaitable(found) else found)
            options.response.set_html_content("taken")
            return answer

        def apis(original: Any) -> Any:
            setattr(original, name, own)
            return original

        return apis

    def post(self, path: str, body: bytes, content_type: str) -> list[Any]:
        """Send a body, which has to be answered with 200, and return what the override saw."""
        headers = [("content-type", content_type)]
        if isinstance(self.site.client, AsgiClient):
            headers.append(("content-length", str(len(body))))  # as every server has it
        reply = self.site.post(path, headers, body=body)
        assert reply.status == 200, reply.body
        return self.seen


@EVERY_ADAPTER
def test_a_json_body(bare_site: Site) -> None:
    overrides = Overrides(bare_site, bare_site.driver)
    raw, *parsed = overrides.post("/auth/signup", SIGN_UP, JSON)
    assert (raw, parsed) == (SIGN_UP, [{"formFields": FIELDS}])


@EVERY_ADAPTER
@pytest.mark.parametrize("content_type", ENCODED)
def test_a_form(bare_site: Site, content_type: str) -> None:
    overrides = Overrides(bare_site, bare_site.driver)
    raw, *parsed = overrides.post("/auth/callback/apple", ENCODED[content_type], content_type)
    assert raw == ENCODED[content_type]
    assert [dict(form) for form in parsed] == ([FORM] if len(overrides.readers) > 2 else [])


@pytest.fixture(params=[(asgi.SuperTokensMiddleware, AsgiClient), (wsgi.SuperTokensMiddleware, WsgiClient)])
def plain_site(request: pytest.FixtureRequest, sqlite_files: Sqlite, clock: Clock) -> Iterator[Site]:
    """An application of no framework at all."""
    middleware, client = request.param
    site = Site("flask", sqlite_files.create().uri, clock)
    site.client.close()
    site.client = client(middleware(None))
    yield site
    site.close()


def test_a_body_without_a_framework(plain_site: Site) -> None:
    overrides = Overrides(plain_site, "asgi" if isinstance(plain_site.client, AsgiClient) else "wsgi")
    assert overrides.post("/auth/signup", SIGN_UP, JSON) == [SIGN_UP]
