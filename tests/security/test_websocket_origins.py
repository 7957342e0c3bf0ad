"""WebSocket handshakes of foreign pages, in every way that a session can be asked for (cross-site hijack)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import Depends, FastAPI, WebSocket, WebSocketException
from flask import Flask, g, request

from supertokens_py.framework.fastapi import get_middleware
from supertokens_py.framework.flask import Middleware
from supertokens_py.recipe.session import asyncio as session_asyncio
from supertokens_py.recipe.session import syncio as session_syncio
from supertokens_py.recipe.session.exceptions import SuperTokensSessionError
from supertokens_py.recipe.session.framework.fastapi import verify_session as verify_fastapi
from supertokens_py.recipe.session.framework.flask import verify_session as verify_flask
from supertokens_py.testing.conformance import WsgiClient
from tests.framework.site import Site

WEBSITE = "https://example.com"
FOREIGN = ("https://evil.test", "https://sub.example.com", "null", "")
TRUSTED = (WEBSITE, "https://api.example.com", None)  # None: not a browser

Connect = Callable[[list[tuple[str, str]]], str | None]


def fastapi_app(required: bool) -> FastAPI:
    app = FastAPI()
    app.add_middleware(get_middleware())

    guard = Depends(verify_fastapi(session_required=required))

    async def reply(socket: WebSocket, session: Any) -> None:
        await socket.accept()
        await socket.send_text(session.get_user_id())

    @app.websocket("/dependency")
    async def dependency(socket: WebSocket, session: Any = guard) -> None:
        await reply(socket, session)

    @app.websocket("/call")
    async def call(socket: WebSocket) -> None:
        try:
            session = await session_asyncio.get_session(socket, session_required=required)
        except SuperTokensSessionError as error:
            raise WebSocketException(1008) from error
        await reply(socket, session)

    return app


def over_asgi(app: Any, path: str, headers: list[tuple[str, str]]) -> str | None:
    """Open a WebSocket and return what it says first, or None: it was not accepted."""
    sent: list[Any] = []
    incoming = [{"type": "websocket.connect"}]

    async def receive() -> Any:
        return incoming.pop(0) if incoming else {"type": "websocket.disconnect", "code": 1000}

    async def send(message: Any) -> None:
        sent.append(message)

    lines = [(name.encode(), value.encode()) for name, value in headers]
    scope = {"type": "websocket", "path": path, "query_string": b"", "root_path": "", "headers": lines}
    asyncio.run(app({**scope, "scheme": "wss", "subprotocols": [], "extensions": {}}, receive, send))
    return next((message["text"] for message in sent if message["type"] == "websocket.send"), None)


def flask_app(required: bool) -> Flask:
    app = Flask(__name__)
    Middleware(app)

    @app.route("/decorator", websocket=True)
    @verify_flask(session_required=required)
    def decorator() -> str:
        return g.supertokens.get_user_id()

    @app.route("/call", websocket=True)
    def call() -> str:
        return session_syncio.get_session(request, session_required=required).get_user_id()

    return app


HANDSHAKE = [("connection", "Upgrade"), ("upgrade", "WebSocket"), ("sec-websocket-version", "13")]


def over_http(client: Any, path: str, headers: list[tuple[str, str]]) -> str | None:
    """Send a handshake as a GET and return the body of a 200, or None: it was refused."""
    reply = client.request("GET", path, [*headers, *HANDSHAKE])
    assert reply.status in (200, 401)
    return reply.body.decode() if reply.status == 200 else None


def ways(site: Site, required: bool) -> list[Connect]:
    """Every way of this framework to verify the session of a handshake."""
    if site.driver == "fastapi":
        app = fastapi_app(required)
        return [lambda headers, path=path: over_asgi(app, path, headers) for path in ("/dependency", "/call")]
    if site.driver == "flask":
        client = WsgiClient(flask_app(required))
        return [
            lambda headers, path=path: over_http(client, path, headers) for path in ("/decorator", "/call")
        ]

    def say(view: Any) -> Any:
        session = view.session or (yield view.get_session(session_required=required))
        return {"user": session.get_user_id()}

    guarded = "/protected" if required else "/optional"
    targets = [site.target(path, say) for path in (guarded, "/open", "/csrf-off")]
    return [lambda headers, path=path: over_http(site.client, path, headers) for path in targets]


#: Where a handshake reaches views as a request; the other adapters have WebSockets and tests of their own.
BY_REQUEST = pytest.mark.parametrize(
    "bare_site", ["fastapi", "flask", "django_sync", "django_async"], indirect=True
)


@BY_REQUEST
@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("same_site", ["lax", "none"])
def test_a_handshake_of_a_foreign_page_has_no_session(
    bare_site: Site, required: bool, same_site: Any
) -> None:
    """The rule is the core's: decorators, dependencies and `get_session` agree, for required and optional."""
    site = bare_site.init(cookie_same_site=same_site)
    cookie = ("cookie", f"sAccessToken={site.sign_in().access}")
    bearer = ("authorization", f"Bearer {site.sign_in('header').access}")
    for connect in ways(site, required):
        for origin in FOREIGN:
            assert connect([cookie, ("origin", origin)]) is None
            assert "user-1" in (connect([bearer, ("origin", origin)]) or "")  # no page can send that
        for own in TRUSTED:
            assert "user-1" in (connect([cookie, *([("origin", own)] if own else [])]) or "")


@BY_REQUEST
def test_an_origin_function_names_the_pages_of_a_handshake(bare_site: Site) -> None:
    """It is asked for this request; an answer that is no origin trusts nobody."""
    partner = "https://partner-shop.com"

    def origin(req: Any, user_context: dict[str, Any]) -> str:
        sent = req.get_header("origin") if req else None
        return sent if sent in (WEBSITE, partner, "null") else WEBSITE

    site = bare_site.init(info={"website_domain": None, "origin": origin})
    cookie = ("cookie", f"sAccessToken={site.sign_in().access}")
    for connect in ways(site, True):
        assert "user-1" in (connect([cookie, ("origin", partner)]) or "")
        for foreign in FOREIGN:
            assert connect([cookie, ("origin", foreign)]) is None
