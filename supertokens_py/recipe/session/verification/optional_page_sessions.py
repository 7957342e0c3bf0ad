"""The optional sessions of pages: whose session ended is a visitor, and not sent away."""

from __future__ import annotations

from typing import Any

from supertokens_py.framework.request import BaseRequest

from ..container import SessionContainer
from ..exceptions import InvalidClaimsError, TryRefreshTokenError, UnauthorisedError
from ..responses.pages import Pages
from .verification import Verify, VerifyOptions


def for_pages(verify: Verify, pages: Pages) -> Verify:
    """Return a verification for an application that renders pages."""

    async def verify_for_page(
        request: BaseRequest, options: VerifyOptions, user_context: dict[str, Any], *, guards: bool = True
    ) -> SessionContainer | None:
        before = request.session_error, request.refused
        try:
            session = await verify(request, options, user_context, guards=guards)
        except (TryRefreshTokenError, UnauthorisedError) as error:
            if options.session_required or not pages.is_visitor(error, request):
                raise
            request.session_error, request.refused = before
            if guards:
                request.set_session_as_none()
            return None
        except InvalidClaimsError:  # the session is valid: refreshing has helped
            pages.note_served(request)
            raise
        if session is not None and options.vary:
            pages.note_served(request)
        return session

    return verify_for_page
