"""Flask's idioms: `current_session`, `@session_required`, templates, signals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, g, render_template_string

from supertokens_py import Supertokens, signals
from supertokens_py.events import SessionCreated, SessionRefused, SessionRevoked
from supertokens_py.exceptions import GeneralError
from supertokens_py.framework.flask import Middleware, current_session, session_required
from supertokens_py.recipe.session import syncio as session_syncio
from supertokens_py.testing.conformance import Reply, WsgiClient
from tests.support.clock import Clock
from tests.support.databases import Sqlite

from .site import Site


@pytest.fixture
def site(sqlite_files: Sqlite, clock: Clock) -> Iterator[Site]:
    made = Site("flask", sqlite_files.create().uri, clock).init()
    made.client.close()
    made.client = WsgiClient(_app())
    yield made
    made.close()


def _app() -> Flask:
    app = Flask(__name__)
    app.logger.disabled = True
    Middleware(app)

    @app.get("/greeting")
    def greeting() -> Any:
        return {"user": current_session.get_user_id() if current_session else None}

    @app.get("/page")
    def page() -> str:
        return render_template_string(
            "{% if current_session %}{{ current_session.get_user_id() }}{% else %}log in{% endif %}"
        )

    @app.get("/bare")
    @session_required
    def bare() -> Any:
        return {"user": current_session.get_user_id(), "same": current_session == g.supertokens}

    @app.get("/checked")
    @session_required(check_database=True)
    async def checked() -> Any:
        return {"user": current_session.get_user_id()}

    @app.get("/async")
    async def lazily() -> Any:
        try:
            return {"user": "ada" if current_session else "visitor"}
        except GeneralError as error:
            return {"error": str(error)}

    return app


def _get(site: Site, path: str, token: str | None = None) -> Reply:
    return site.get(path, [("Authorization", f"Bearer {token}")] if token else [])


def test_the_current_session(site: Site, clock: Clock) -> None:
    """Verified at the first use, falsy for visitors, the same as a decorator's, 401 once it has expired."""
    session = session_syncio.create_new_session_without_request_response("public", "ada")
    token = session.get_access_token()
    assert _get(site, "/greeting").json == {"user": None}
    assert _get(site, "/greeting", token).json == {"user": "ada"}
    assert [_get(site, "/page").body, _get(site, "/page", token).body] == [b"log in", b"ada"]
    assert _get(site, "/page", token).header("vary") == "Cookie, Authorization"
    assert [_get(site, path).status for path in ("/bare", "/checked")] == [401, 401]
    assert _get(site, "/bare", token).json == {"user": "ada", "same": True}
    assert _get(site, "/checked", token).json == {"user": "ada"}
    session_syncio.revoke_session(session.get_handle())
    assert [_get(site, path, token).status for path in ("/bare", "/checked")] == [200, 401]
    clock.advance(hours=2)
    expired = _get(site, "/greeting", token)
    assert (expired.status, expired.json) == (401, {"message": "try refresh token"})


def test_an_async_view_must_be_decorated(site: Site) -> None:
    """Verifying lazily would block the event loop, so the error says what to do instead."""
    session = session_syncio.create_new_session_without_request_response("public", "ada")
    error = _get(site, "/async", session.get_access_token()).json["error"]
    assert error == "in an async view current_session needs @verify_session(), or @session_required"


def test_signals(site: Site) -> None:
    """Receivers get the app and the record; one that fails reaches no request."""
    seen: list[Any] = []

    def keep(app: Any, event: Any, **_: Any) -> None:
        seen.append((app is Supertokens.get_instance(), event))
        raise RuntimeError("a receiver's own mistake")

    connected = [signals.session_created, signals.session_revoked, signals.session_refused]
    for signal in connected:
        signal.connect(keep)
    session = session_syncio.create_new_session_without_request_response("public", "ada")
    handle = session.get_handle()
    session_syncio.revoke_session(handle)
    assert _get(site, "/bare").status == 401
    for signal in connected:
        signal.disconnect(keep)
    session_syncio.create_new_session_without_request_response("public", "bob")
    assert seen == [
        (True, SessionCreated(handle=handle, user_id="ada", tenant_id="public")),
        (True, SessionRevoked(handle=handle)),
        (True, SessionRefused(code="no_token", may_refresh=False)),
    ]
