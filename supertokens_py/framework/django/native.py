"""Neutral answers and changes, as Django's responses carry them."""

from __future__ import annotations

from collections.abc import Iterable
from http.cookies import Morsel

from django.http import HttpResponse
from django.http.response import HttpResponseBase

from supertokens_py.framework.cookies import Cookie
from supertokens_py.framework.response import CACHE_HEADER, EXPOSE_HEADER, NO_STORE, BaseResponse, Changes

from .django_request import ATTRIBUTE, DjangoRequest


def to_native(answer: BaseResponse, request: DjangoRequest) -> HttpResponseBase:
    """Return Django's response, with the changes that the request owes."""
    response = HttpResponse(answer.body, status=answer.status_code, content_type=answer.content_type)
    for name, value in answer.headers.values():
        response.headers[name] = value
    _set_cookies(response, answer.cookies.values())
    return with_changes(response, request)


def with_changes(response: HttpResponseBase, request: DjangoRequest) -> HttpResponseBase:
    """Add what the request owes to a response."""
    changes: Changes | None = request.finish()
    request.request.__dict__.pop(ATTRIBUTE, None)  # they refer to each other
    if changes is None:
        return response
    for name, value in changes.headers.items():
        response.headers[name] = value
    if changes.must_not_be_stored([response.headers.get(CACHE_HEADER, "")]):
        response.headers[CACHE_HEADER] = NO_STORE
    already = response.headers.get(EXPOSE_HEADER)
    if line := changes.expose_header([already] if already else []):
        response.headers[EXPOSE_HEADER] = line
    _set_cookies(response, changes.cookies.values())
    return response


def _set_cookies(response: HttpResponseBase, cookies: Iterable[Cookie]) -> None:
    for cookie in cookies:
        morsel: Morsel[str] = Morsel()
        morsel.set(cookie.name, cookie.value, cookie.coded_value)
        morsel.update(
            {
                "path": cookie.path,
                "domain": cookie.domain or "",
                "expires": cookie.expires,
                "samesite": cookie.same_site.capitalize(),
            }
        )
        if cookie.http_only:
            morsel["httponly"] = True
        if cookie.secure:
            morsel["secure"] = True
        # Django keys cookies by name and would lose one of two domains; the key is not on the wire.
        key = cookie.name if cookie.name not in response.cookies else repr(cookie.key)
        response.cookies[key] = morsel
