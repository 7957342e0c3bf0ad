"""Sessions whose tokens get lost without a word: a hint in the log, once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from flask import Flask
from quart import Quart

from supertokens_py import InputAppInfo, Supertokens, init
from supertokens_py.framework.fastapi import get_middleware
from supertokens_py.recipe import session
from supertokens_py.recipe.session.asyncio import create_new_session

from .site import Site


def create(view: Any) -> Any:
    yield view.create()
    return {}


def hints(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.endswith(".sign_in_warnings")]


@pytest.mark.parametrize(
    "sent", [("origin", "https://example.com"), ("sec-fetch-mode", "cors"), ("sec-fetch-mode", "navigate")]
)
def test_a_browser_without_an_auth_mode(
    site: Site, sent: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Its tokens are in headers that nobody keeps; programs want them there."""
    assert site.post("/open", do=create).status == 200
    for mode in ("cookie", "header"):
        assert site.post("/open", [sent, ("st-auth-mode", mode)], do=create).status == 200
    assert hints(caplog) == []
    for _ in range(2):
        assert site.post("/open", [sent], do=create).header("st-access-token")
    assert hints(caplog) == [
        "a browser signed in without the request header st-auth-mode, so its tokens are in headers, which no "
        "browser keeps. The official frontends send the header; in a page of your own send st-auth-mode: "
        "cookie, or decide with session.init(get_token_transfer_method=...)"
    ]


def test_an_application_that_decided_needs_no_hint(bare_site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Headers for browsers may be what it wants."""
    site = bare_site.init(get_token_transfer_method=lambda *_: "header")
    assert site.post("/open", [("origin", "https://example.com")], do=create).status == 200
    assert hints(caplog) == []


ON_STARLETTES_CLIENT = ("fastapi", "litestar")


def sign_in_twice(site: Site, https: bool) -> list[bool]:
    """Sign in by the framework's own test client; return whether the API saw the first session's cookie."""
    seen: list[bool] = []

    def script(view: Any) -> Any:
        django = site.driver.startswith("django")
        seen.append("sAccessToken" in (view.request.COOKIES if django else view.request.cookies))
        yield view.create()

    target, client = site.target("/open", script), own_client(site, https)
    for _ in range(2):
        assert client(target, {"st-auth-mode": "cookie"}).status_code == 200
    assert seen[0] is False
    return seen[1:]


def own_client(site: Site, https: bool) -> Callable[[str, dict[str, str]], Any]:
    """A function that posts by the framework's own test client."""
    base = "https://api.example.com" if https else None
    if site.driver in ON_STARLETTES_CLIENT:
        starlette = TestClient(cast("FastAPI", site.client.app), base_url=base or "http://testserver")
        return lambda target, headers: starlette.post(target, headers=headers)
    if site.driver == "flask":
        flask = cast("Flask", site.client.app).test_client()
        return lambda target, headers: flask.post(target, headers=headers, base_url=base)
    if site.driver == "quart":
        quart = cast("Quart", site.client.app).test_client()
        scheme = "https" if https else "http"
        return lambda target, headers: site.client.run(quart.post(target, headers=headers, scheme=scheme))
    from django.test import Client

    django = Client()
    return lambda target, headers: django.post(target, headers=headers, secure=https)


@pytest.mark.parametrize("https", [False, True])
def test_a_test_client_on_http(site: Site, https: bool, caplog: pytest.LogCaptureFixture) -> None:
    """Starlette's keeps Secure cookies back, as a browser does: every request after that is a stranger's."""
    seen = sign_in_twice(site, https)
    drops = site.driver in ON_STARLETTES_CLIENT and not https  # Flask and Django send them
    assert seen == [not drops]
    assert hints(caplog) == ([HINT] if drops else [])


HINT = (
    "a test client on http signed in, and api_domain is https: it drops the Secure cookies. Give it an https "
    "address, such as base_url='https://api.example.com', or set cookie_secure=False for the tests"
)


@pytest.mark.parametrize(
    ("base", "told"),
    [
        ("http://test", True),
        ("http://testserver", True),
        ("https://test", False),
        ("http://api.example.com", False),  # may be a program behind a proxy that ends TLS
    ],
)
def test_httpx_calls_the_application_itself(base: str, told: bool, caplog: pytest.LogCaptureFixture) -> None:
    """The client of asynchronous tests, on an address that no application has."""
    Supertokens.reset()
    init(
        InputAppInfo("a", "https://api.example.com", website_domain="https://example.com"),
        recipe_list=[session.init()],
    )
    app = FastAPI()
    app.add_middleware(get_middleware())

    @app.post("/login")
    async def login(request: Request) -> None:  # pyright: ignore[reportUnusedFunction]
        await create_new_session(request, "public", "ada")

    async def sign_in() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=base) as client:
            assert (await client.post("/login", headers={"st-auth-mode": "cookie"})).status_code == 200

    asyncio.run(sign_in())
    Supertokens.reset()
    assert hints(caplog) == ([HINT] if told else [])
