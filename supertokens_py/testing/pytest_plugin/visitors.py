"""The sessions that `login_as` makes: of users, of guests, and of those who act as others."""

from __future__ import annotations

from typing import Any, Final

from supertokens_py.framework.asgi import AsgiRequest, Connection
from supertokens_py.recipe.session import SessionContainer, syncio
from supertokens_py.recipe.session.constants import (
    AUTH_MODE_HEADER_KEY,
    RETURN_COOKIE_KEY,
    RETURN_SIGN_OUT_COOKIE_KEY,
)

from .jars import Jar, Mode

_REASON: Final = "a test"


def user_session(
    tenant: str,
    user_id: str,
    payload: dict[str, Any] | None,
    data: dict[str, Any] | None,
    mode: Mode,
    *,
    fresh: bool,
) -> SessionContainer:
    """Create the session of a user, as a log-in route does."""
    return syncio.create_new_session_without_request_response(
        tenant, user_id, payload, data, mode == "header", authenticated=fresh
    )


def guest_session(
    tenant: str, payload: dict[str, Any] | None, data: dict[str, Any] | None, mode: Mode
) -> SessionContainer:
    """Create the session of a guest, as a page does that a visitor comes to."""
    return syncio.create_guest_session(_request(mode), tenant, payload, data)


def acting_session(tenant: str, user_id: str, actor: str, mode: Mode, jar: Jar) -> SessionContainer:
    """Create a session in which an actor, who has just signed in, acts as a user; the jar can lead back."""
    own = syncio.create_new_session_without_request_response(tenant, actor)
    request = _request(mode)
    session = syncio.create_impersonation_session(
        request, user_id, actor=own, reason=_REASON, tenant_id=tenant
    )
    for cookie in request.changes.cookies.values():
        if cookie.name in (RETURN_COOKIE_KEY, RETURN_SIGN_OUT_COOKIE_KEY):
            jar.set_cookies({cookie.name: (cookie.value, cookie.path)})
    return session


def _request(mode: Mode) -> AsgiRequest:
    """Return a request that is nobody's: what its response would carry is put into the client."""
    headers = [(AUTH_MODE_HEADER_KEY.encode(), mode.encode())]
    scope: dict[str, Any] = {
        "type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers,
        "scheme": "https", "root_path": "",
    }  # fmt: skip
    request = AsgiRequest(Connection(scope, _nothing))
    request.delivers = True
    return request


async def _nothing() -> dict[str, Any]:
    return {"type": "http.request", "body": b""}
