"""Access to the admin page by the application's own sessions."""

from __future__ import annotations

from typing import Final, cast

from starlette.requests import Request
from starlette.responses import Response

from supertokens_py.framework.adapter import SessionCheck
from supertokens_py.framework.starlette import StarletteRequest, error_response
from supertokens_py.recipe.session import AuthenticationClaim, SessionContainer
from supertokens_py.recipe.session.exceptions import InvalidClaimsError, SuperTokensSessionError
from supertokens_py.runtime.bridge import call_app

from .permissions import FRESH_S, READS, WRITES, AdminAction, Authorize, Refused, Viewer

_FRESH: Final = AuthenticationClaim.validators.fresh(max_age_in_seconds=FRESH_S)
_OF_THE_BODY = (b"content-length", b"content-type")

_SIGNED_OUT: Final = (
    "You are not signed in, or your session has expired. Sign in, or go to a page of the application, which "
    "renews the session, and come back."
)
_CLAIMS: Final = "Your session does not meet what the application requires of every session."
_ACTING: Final = "You act as another user. End that first: the admin page is for administrators in person."


class SessionAccess:
    """Lets in who has a session of the application that `authorize` accepts.

    Args:
        authorize: asked for each action.
        writes: whether it is asked for those that change something.
    """

    def __init__(self, authorize: Authorize, *, writes: bool) -> None:
        self._authorize = authorize
        self._actions: tuple[AdminAction, ...] = (*READS, *WRITES) if writes else READS
        # Forms cannot send the header that `VIA_CUSTOM_HEADER` asks for: the page has a check of its own.
        self._check = SessionCheck(anti_csrf_check=False, check_database=True, allow_guests=False)

    async def viewer(self, request: Request) -> Viewer | Response:
        """Return who asks; a response where the application answers differently, as by a redirect.

        Raises:
            Refused: nobody who may come in.
        """
        native = StarletteRequest.of(request)
        try:
            session = cast("SessionContainer", await self._check.verify(native))  # as one is required
        except SuperTokensSessionError as error:
            return _unless_it_is_an_error(await error_response(native, error), error)
        if session.impersonator is not None:
            raise Refused(403, "Not while you act as somebody", _ACTING)
        return Viewer(
            actor_id=session.get_user_id(),
            form_key=session.get_handle(),
            allowed=await self._allowed(session),
            is_fresh=(await _FRESH.validate(session.get_access_token_payload(), {})).is_valid,
            handle=session.get_handle(),
        )

    async def _allowed(self, session: SessionContainer) -> frozenset[AdminAction]:
        allowed: set[AdminAction] = set()
        for action in self._actions:
            if await self._allows(session, action):
                allowed.add(action)
        return frozenset(allowed if "read" in allowed else ())

    async def _allows(self, session: SessionContainer, action: AdminAction) -> bool:
        return await call_app(self._authorize, session, action) is True


def _unless_it_is_an_error(answer: Response, error: SuperTokensSessionError) -> Response:
    """Return what a browser is to follow, to the log-in or to a refresh; make a page of what is for scripts.

    Raises:
        Refused: with the headers of the answer, which may clear cookies.
    """
    if answer.status_code < 400:  # also a page that goes on by itself
        return answer
    text = _CLAIMS if isinstance(error, InvalidClaimsError) else _SIGNED_OUT
    title = "Not with this session" if isinstance(error, InvalidClaimsError) else "Sign in"
    refused = Refused(answer.status_code, title, text, offers_sign_in=answer.status_code == 401)
    refused.headers = [line for line in answer.raw_headers if line[0].lower() not in _OF_THE_BODY]
    raise refused from error
