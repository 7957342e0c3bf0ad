"""The routes of pages that a server renders: refresh on the way to a page, and sign out by a form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from supertokens_py.framework.request import BaseRequest
from supertokens_py.framework.response import BaseResponse
from supertokens_py.recipe_module import Route, RouteHandler

from ..constants import SESSION_REFRESH, SIGNOUT
from ..exceptions import TryRefreshTokenError, UnauthorisedError
from ..lifecycle.flows import SessionFlows
from ..policy import csrf
from ..policy.origins import is_htmx, is_navigation
from ..responses.pages import Pages, lacks_strict_cookies
from ..responses.redirects import redirect, reload_from_this_site, to_page

_NO_PAGE: Final = "a refresh on the way to a page, asked for by no browser that goes there"


def with_pages(routes: Sequence[Route], pages: Pages, flows: SessionFlows) -> Sequence[Route]:
    """Return the routes of the session recipe for an application that renders pages."""
    others = [
        replace(route, handler=_with_forms(pages, route.handler)) if route.path == SIGNOUT else route
        for route in routes
    ]
    return (*others, _refresh_route(pages, flows))


def _refresh_route(pages: Pages, flows: SessionFlows) -> Route:
    """Return `GET /session/refresh?next=`: rotate as the POST does, and go on to the page.

    A page of another site can make a browser do that, too. It gains nothing: the tokens stay in the browser,
    a second use of the token within the grace period repeats the first, and where it goes on to is a page of
    this server. What fetches pages in advance, and pictures, frames and scripts, are refused: tokens that
    nobody waits for would be rotated again and again.
    """

    async def answer(
        request: BaseRequest, response: BaseResponse, tenant_id: str, user_context: dict[str, Any]
    ) -> BaseResponse:
        if not is_navigation(request) and not is_htmx(request):
            raise UnauthorisedError(_NO_PAGE, clear_tokens=False, code="not_a_navigation")
        following = pages.safe_next(request.get_query_param("next"))
        if lacks_strict_cookies(request):
            return reload_from_this_site(response, pages.refresh(following))
        session = await flows.refresh(request, user_context, proof=False)
        if pages.is_sign_out(request, response):
            await flows.sign_out(session, request, user_context)
        else:
            pages.note_try(request, response)
        return redirect(response, following)

    return Route("GET", SESSION_REFRESH, answer, lambda: True)


def _with_forms(pages: Pages, json_answer: RouteHandler) -> RouteHandler:
    """Return the sign-out for forms as well: it goes on to the page that the field `next` names."""

    async def answer(
        request: BaseRequest, response: BaseResponse, tenant_id: str, user_context: dict[str, Any]
    ) -> BaseResponse | None:
        following = await _page_after(request)
        if following is None:
            return await json_answer(request, response, tenant_id, user_context)
        following, go_on = pages.safe_next(following), to_page if is_htmx(request) else redirect
        try:
            await json_answer(request, BaseResponse({}), tenant_id, user_context)
        except (TryRefreshTokenError, UnauthorisedError) as error:
            if csrf.shows_forgery(error):
                raise
            if isinstance(error, TryRefreshTokenError):
                # Of two access tokens, and of an old SDK's cookies, no proof has been asked for.
                csrf.refuse_change_by_another_page(request, pages.policy)
                pages.ask_for_sign_out(response)  # the browser sends the refresh token to that path only
                return go_on(response, pages.refresh(following))
        # Also without a session: there is none left to end.
        return go_on(response, following)

    return answer


async def _page_after(request: BaseRequest) -> str | None:
    """Return the page to go on to, as the form says that a browser or HTMX sends; None: a script asks."""
    if is_navigation(request):
        return (await request.form_data()).get("next", "/")
    return (await request.form_data()).get("next") if is_htmx(request) else None
