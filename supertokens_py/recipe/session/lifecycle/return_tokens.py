"""The secret that leads back from acting as another user. No request comes with it but the one back.

An access token says on whose behalf somebody acts; it must not buy that actor's own session (RFC 8693, 1.1).
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import unquote

from supertokens_py.engine.call import call_engine
from supertokens_py.framework.request import BaseRequest
from supertokens_py.recipe_module import App
from supertokens_py.secret import SecretText
from supertokens_py.tokens.encoding import constant_time_equal, encode_base64

from ..constants import RETURN_COOKIE_KEY
from ..container import SessionContainer
from ..session_tokens.delivery import Deliveries

#: What the key of the MAC is derived for.
PURPOSE: Final = "impersonation return"


class ReturnTokens:
    """Gives the clients of actors what leads back to their own sessions.

    It is a MAC of both sessions, so nothing is stored. In cookie mode it is a cookie for the path of the way
    back alone, which no script reads; in header mode the application hands it to its client.

    Args:
        deliveries: write cookies.
        path: that of the way back; the cookie is for it with and without a last slash (RFC 6265, 5.1.4).
    """

    def __init__(self, app: App, deliveries: Deliveries, path: str) -> None:
        self._app = app
        self._deliveries = deliveries
        self.path: str = path.removesuffix("/")

    async def give(
        self, request: BaseRequest, session: SessionContainer, actor_handle: str, user_context: dict[str, Any]
    ) -> None:
        """Give the client of a new impersonation the secret that ends it in the actor's session."""
        key, *_ = await self._keys(user_context)
        token = _token(key, session.session_handle, actor_handle)
        info = session.req_res_info
        if info is not None and info.transfer_method == "cookie":
            self._deliveries.writer(request, user_context).set_return_token(token, self.path)
        else:
            session.return_token = token

    async def is_given(
        self,
        request: BaseRequest,
        session: SessionContainer,
        actor_handle: str,
        given: str | None,
        user_context: dict[str, Any],
    ) -> bool:
        """Return whether the secret comes with a request, in its cookie or as what the application passes."""
        presented = request.cookie_values(RETURN_COOKIE_KEY) if given is None else [given]
        if not presented:
            return False
        expected = [
            _token(key, session.session_handle, actor_handle) for key in await self._keys(user_context)
        ]
        return any(constant_time_equal(one, token) for one in presented for token in expected)

    def can_come_with(self, request: BaseRequest) -> bool:
        """Return whether browsers send the cookie to the path of a request, which a gateway may have cut."""
        asked, below = f"{request.get_path()}/", f"{unquote(self.path)}/"
        return asked.startswith(below) or f"{self._app.app_info.api_gateway_path}{asked}".startswith(below)

    def forget(self, request: BaseRequest, user_context: dict[str, Any]) -> None:
        """Have the client drop the cookie, if it sent one."""
        if request.cookie_values(RETURN_COOKIE_KEY):
            self._deliveries.writer(request, user_context).clear_return_token(self.path)

    async def _keys(self, user_context: dict[str, Any]) -> Sequence[bytes]:
        return await call_engine(user_context, self._app.engine.keys.shared_secrets, PURPOSE)


def _token(key: bytes, handle: str, actor_handle: str) -> str:
    return SecretText(encode_base64(hmac.digest(key, f"{handle}.{actor_handle}".encode(), "sha256")))
