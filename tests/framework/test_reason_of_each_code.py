"""Each code of a refusal, provoked by requests: developers see it, and clients of a live site do not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest

from supertokens_py import Supertokens
from supertokens_py.error_codes import SessionErrorCode
from supertokens_py.testing.conformance import Reply, WsgiClient
from tests.security.test_websocket_origins import fastapi_app, flask_app
from tests.support.clock import Clock
from tests.support.databases import Sqlite

from .site import ADAPTERS, ASGI_AND_WSGI, LITESTAR, Site
from .situations import HANDSHAKE, REMEMBERED, SITUATIONS
from .test_revoked_sockets import of_litestar, of_starlette

REASON = "supertokens-reason"
CODES = get_args(SessionErrorCode)
#: ASGI, WSGI, and the framework that catches errors in a place of its own.
USUAL = ("fastapi", "flask", "django_sync")
OTHERS = [
    one if one is LITESTAR else pytest.param(one, marks=pytest.mark.real)
    for one in ADAPTERS
    if one not in USUAL
]
#: Handshakes are no requests there, or have routes of their own, and Litestar answers OPTIONS by itself.
ELSEWHERE = {
    "foreign_websocket": {"aws_lambda", "fastapi", "flask", "litestar", "quart", "starlette", "tornado"},
    "options_request": {"litestar"},
}


@pytest.fixture(scope="module", params=[*USUAL, *OTHERS])
def sites(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An application of each framework; each test gives it a database of its own."""
    site = Site(request.param, "", Clock())
    yield site
    site.close()


@pytest.fixture
def site(sites: Site, sqlite_files: Sqlite, clock: Clock) -> Site:
    sites.uri, sites.clock = sqlite_files.create().uri, clock
    return sites


def _seen(reply: Reply) -> tuple[int, object, str | None, bool]:
    """Return status, body, reason, and whether scripts of other origins may read that."""
    body = reply.json if reply.body else None
    return reply.status, body, reply.header(REASON), REASON in reply.exposed


@pytest.mark.parametrize("code", CODES)
def test_each_code(site: Site, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """CP-36: only with `debug` a client sees it, beside the same status and the same body."""
    if site.driver in ELSEWHERE.get(code, ()):
        return
    monkeypatch.setattr("supertokens_py.engine.revoked_sessions.MAX_REMEMBERED", REMEMBERED)
    situation = SITUATIONS[code]
    for debug in (False, True):
        ask = situation.prepare(site)
        Supertokens.get_instance().debug = debug
        seen = (code, True) if debug else (None, False)
        assert _seen(ask()) == (situation.status, situation.body, *seen)


def _close(app: Any, headers: list[tuple[str, str]], path: str = "/dependency") -> tuple[int, str]:
    """Return code and reason of what an application answers to the handshake of a WebSocket."""
    sent: list[Any] = []
    lines = [(name.encode(), value.encode()) for name, value in headers]
    scope = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "wss",
    }

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app({**scope, "headers": lines, "subprotocols": [], "extensions": {}}, receive, send))
    (message,) = sent
    return message["code"], message["reason"]


@ASGI_AND_WSGI
def test_handshakes_of_other_pages(bare_site: Site) -> None:
    """CP-36: `foreign_websocket` is the reason of the close, as servers of ASGI send it, or a header."""
    headers = [("cookie", f"sAccessToken={bare_site.init().sign_in().access}"), *HANDSHAKE]
    for debug in (False, True):
        Supertokens.get_instance().debug = debug
        if bare_site.driver == "fastapi":
            said = "foreign_websocket" if debug else "unauthorised"
            assert _close(fastapi_app(True), headers) == (1008, said)
        else:
            reply = WsgiClient(flask_app(True)).request("GET", "/decorator", headers)
            seen = ("foreign_websocket", True) if debug else (None, False)
            assert _seen(reply) == (401, {"message": "unauthorised"}, *seen)


@pytest.mark.parametrize("make", [of_starlette, of_litestar], ids=["starlette", "litestar"])
@pytest.mark.parametrize("bare_site", ["fastapi"], indirect=True)
def test_handshakes_of_other_pages_elsewhere(bare_site: Site, make: Callable[[], Any]) -> None:
    """CP-36: whatever framework the WebSocket is of."""
    headers = [("cookie", f"sAccessToken={bare_site.init().sign_in().access}"), *HANDSHAKE]
    for debug in (False, True):
        Supertokens.get_instance().debug = debug
        said = "foreign_websocket" if debug else "unauthorised"
        assert _close(make(), headers, "/ws") == (1008, said)


def test_each_code_has_a_situation() -> None:
    """CP-36: whoever adds a code adds a request that provokes it."""
    assert sorted(SITUATIONS) == sorted(CODES)
