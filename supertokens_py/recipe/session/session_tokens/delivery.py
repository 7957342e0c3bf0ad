"""Where the tokens of a session go: into the response of the request that it is attached to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from supertokens_py.framework.request import BaseRequest
from supertokens_py.framework.response import Changes
from supertokens_py.tokens.access_token import AccessToken

from ..constants import TokenTransferMethod
from ..policy.session_policy import SessionPolicy
from ..results import TokenInfo
from .reserved_claims import GUEST_KEY, actor_of
from .writer import PROXY_LIMIT, TokenWriter

log: logging.Logger = logging.getLogger(__name__)

#: An access token of this length makes no large headers, though the front token, a refresh token and perhaps
#: the exposed access token come with it; most are shorter, and their headers need not be measured.
_SMALL_TOKEN = PROXY_LIMIT // 4

_TOO_LATE = (
    "the tokens of session %s changed after its response was sent: the client gets them only "
    "with its next refresh. Change the payload before you return the response."
)


class Deliveries:
    """Writes the tokens of one app's sessions into responses."""

    def __init__(self, policy: SessionPolicy, now_ms: Callable[[], int]) -> None:
        self._policy = policy
        self._now_ms = now_ms
        self._has_warned_of_size = False
        #: by the names of the cookies that come with an impersonation, where those are on
        self.return_paths: Mapping[str, str] = {}

    def writer(self, request: BaseRequest, user_context: dict[str, Any]) -> TokenWriter:
        """Return the writer of a request's tokens."""
        request.note_delivery()
        return TokenWriter(request, self._policy, user_context, now_ms=self._now_ms())

    def warn_of_large_headers(self, changes: Changes) -> None:
        """Warn once of token headers that servers between the application and its clients may not carry."""
        if self._has_warned_of_size or (size := changes.size()) <= PROXY_LIMIT:
            return
        self._has_warned_of_size = True
        log.warning(
            "the token headers of one response take %d bytes. By default nginx answers 502 in its place "
            "(proxy_buffer_size, 4096 or 8192 for all headers), and uWSGI drops requests with cookies of "
            "that size (buffer-size, 4096). Raise these settings, or keep less in the access token payload.",
            size,
        )


@dataclass(slots=True)
class Delivery:
    """The delivery of one session's tokens with the response of one request.

    `request` is None once the response has started: nothing can be added to it any more, and a session that
    the application keeps must not keep the request.
    """

    deliveries: Deliveries
    request: BaseRequest | None
    transfer_method: TokenTransferMethod
    persistent: bool = True  #: whether cookies outlive the browser

    def deliver(
        self,
        request: BaseRequest,
        token: AccessToken,
        refresh_token: TokenInfo | None,
        anti_csrf_token: str | None,
        user_context: dict[str, Any],
        writer: TokenWriter | None = None,
    ) -> None:
        """Add the tokens that are new to the response, with its `writer` if there is one already."""
        self._warn_if_lost(request, token)
        writer = writer or self.deliveries.writer(request, user_context)
        try:
            writer.set_access_token(token, self.transfer_method, persistent=self.persistent)
        finally:  # also where it is larger than a cookie: the earlier refresh token was used up
            if refresh_token is not None:
                writer.set_refresh_token(refresh_token, self.transfer_method, persistent=self.persistent)
            if anti_csrf_token is not None and self.transfer_method == "cookie":
                writer.set_anti_csrf(anti_csrf_token)
        if len(token.text) > _SMALL_TOKEN:
            self.deliveries.warn_of_large_headers(request.changes)

    def note(self, error: Exception) -> None:
        """Let the middleware know of an error of the session, whatever becomes of it on the way there."""
        if self.request is not None:
            self.request.note_error(error)

    def replace(self, session: object, token: AccessToken, user_context: dict[str, Any]) -> None:
        """Add a changed access token to the response, if `session` is still the session of the request."""
        if (request := self._request_of(session, token)) is not None:
            self.deliver(request, token, None, None, user_context)

    def clear(self, session: object, token: AccessToken, user_context: dict[str, Any]) -> None:
        """Have the client drop its tokens, if `session` is still the session of the request."""
        if (request := self._request_of(session, token)) is not None:
            self._warn_if_lost(request, token)
            acts = actor_of(token.payload) is not None
            if GUEST_KEY not in token.payload and not acts:
                request.signed_out = token.handle, token.user_id
            writer = self.deliveries.writer(request, user_context)
            if acts and self.transfer_method == "cookie":
                writer.clear_return_tokens(self.deliveries.return_paths)
            writer.clear(self.transfer_method)

    def _request_of(self, session: object, token: AccessToken) -> BaseRequest | None:
        if self.request is None:
            log.warning(_TOO_LATE, token.handle)
            return None
        # A newer session of the same request owns the response: the client gets the tokens of that one.
        return self.request if self.request.get_session() is session else None

    @staticmethod
    def _warn_if_lost(request: BaseRequest, token: AccessToken) -> None:
        if not request.delivers:
            log.warning(
                "the tokens of session %s changed, and the client gets them only with its next refresh: "
                "the SuperTokens middleware is missing. Add it: %s",
                token.handle,
                request.how_to_deliver,
            )
        elif request.finished:
            log.warning(_TOO_LATE, token.handle)
