"""The secrets that lead back from acting as another user, or end the actor's own session at a sign-out.

No request comes with one but the one back, and the sign-out. An access token says on whose behalf somebody
acts; it must not buy that actor's own session (RFC 8693, 1.1), nor end it.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

from supertokens_py.engine.call import call_engine
from supertokens_py.events import ImpersonationEnded, emit
from supertokens_py.framework.request import BaseRequest
from supertokens_py.recipe_module import App
from supertokens_py.secret import SecretText
from supertokens_py.tokens.encoding import constant_time_equal, encode_base64

from ..constants import RETURN_COOKIE_KEY, RETURN_SIGN_OUT_COOKIE_KEY
from ..container import SessionContainer
from ..session_tokens.delivery import Deliveries

#: What the keys of the MACs are derived for, by the names of their cookies: what signs out leads nowhere.
_PURPOSES: Final = {
    RETURN_COOKIE_KEY: "impersonation return",
    RETURN_SIGN_OUT_COOKIE_KEY: "impersonation sign-out",
}


class ReturnTokens:
    """Gives the clients of actors what leads back to their own sessions.

    It is a MAC of both sessions, so nothing is stored. In cookie mode it is a cookie for the path of the way
    back alone, which no script reads; in header mode the application hands it to its client. Browsers get
    another MAC of both for the sign-out, which ends both.

    Args:
        deliveries: write cookies.
        path: that of the way back; the cookie is for it with and without a last slash (RFC 6265, 5.1.4).
        sign_out_path: that of the sign-out.
    """

    def __init__(self, app: App, deliveries: Deliveries, path: str, sign_out_path: str) -> None:
        self._app = app
        self._deliveries = deliveries
        self.path: str = path.removesuffix("/")
        #: by the names of the cookies, which are of no use once their session has ended
        self.paths: Mapping[str, str] = {
            RETURN_COOKIE_KEY: self.path,
            RETURN_SIGN_OUT_COOKIE_KEY: sign_out_path,
        }

    async def give(
        self, request: BaseRequest, session: SessionContainer, actor_handle: str, user_context: dict[str, Any]
    ) -> None:
        """Give the client of a new impersonation the secret that ends it in the actor's session."""
        info, tokens = session.req_res_info, dict[str, str]()
        for name, purpose in _PURPOSES.items():
            tokens[name], *_ = await self._tokens(purpose, session, actor_handle, user_context)
        if info is None or info.transfer_method == "header":
            session.return_token = tokens[RETURN_COOKIE_KEY]
            return
        writer = self._deliveries.writer(request, user_context)
        for name, path in self.paths.items():
            writer.set_return_token(name, tokens[name], path)

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
        return await self._is_among(presented, RETURN_COOKIE_KEY, session, actor_handle, user_context)

    async def session_to_end(
        self, request: BaseRequest, session: SessionContainer, user_context: dict[str, Any]
    ) -> str | None:
        """Return the handle of the actor's own session that the sign-out of a session ends as well.

        It is what the store says of the session that is signed out, and nothing that came with the request.
        None if nobody acts in it, or the secret for the sign-out does not come with the request.
        """
        presented = request.cookie_values(RETURN_SIGN_OUT_COOKIE_KEY)
        if session.impersonator is None or not presented:
            return None
        details = await call_engine(user_context, self._app.engine.sessions.details, session.session_handle)
        if details is None or details.actor is None:
            return None
        handle = details.actor.handle
        name = RETURN_SIGN_OUT_COOKIE_KEY
        return handle if await self._is_among(presented, name, session, handle, user_context) else None

    def can_come_with(self, request: BaseRequest) -> bool:
        """Return whether browsers send the cookie to the path of a request, which a gateway may have cut."""
        asked, below = f"{request.get_path()}/", f"{unquote(self.path)}/"
        return asked.startswith(below) or f"{self._app.app_info.api_gateway_path}{asked}".startswith(below)

    def forget(self, request: BaseRequest, user_context: dict[str, Any]) -> None:
        """Have the client drop the cookies, if it sent one."""
        if request.cookie_values(RETURN_COOKIE_KEY):
            self._deliveries.writer(request, user_context).clear_return_tokens(self.paths)

    async def _is_among(
        self,
        presented: Sequence[str],
        name: str,
        session: SessionContainer,
        actor_handle: str,
        user_context: dict[str, Any],
    ) -> bool:
        if not presented:
            return False
        expected = await self._tokens(_PURPOSES[name], session, actor_handle, user_context)
        return any(constant_time_equal(one, token) for one in presented for token in expected)

    async def _tokens(
        self, purpose: str, session: SessionContainer, actor_handle: str, user_context: dict[str, Any]
    ) -> Sequence[str]:
        """Return the MACs with each key, the one to give first."""
        keys = await call_engine(user_context, self._app.engine.keys.shared_secrets, purpose)
        return [_token(key, session.session_handle, actor_handle) for key in keys]


def emit_end(session: SessionContainer, actor_id: str, *, restored: SessionContainer | None) -> None:
    """Say that somebody acts in a session no more; `restored` is the session that they have instead."""
    emit(
        ImpersonationEnded(
            handle=session.session_handle,
            user_id=session.user_id,
            tenant_id=session.tenant_id,
            actor_id=actor_id,
            restored_handle=None if restored is None else restored.session_handle,
        )
    )


def _token(key: bytes, handle: str, actor_handle: str) -> str:
    return SecretText(encode_base64(hmac.digest(key, f"{handle}.{actor_handle}".encode(), "sha256")))
