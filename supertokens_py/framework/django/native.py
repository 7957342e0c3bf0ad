"""Neutral answers and changes, as Django's responses carry them."""

from __future__ import annotations

from collections.abc import Iterable
from http.cookies import Morsel
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase

from supertokens_py.framework.adapter import PERSONAL, BaseResponse, Changes
from supertokens_py.framework.cookies import Cookie
from supertokens_py.framework.response import MERGED

from .django_request import DjangoRequest


class Redirect(HttpResponse):
    """Django's test client and `assertRedirects` ask redirects for their `url`.

    It is no `HttpResponseRedirect`: that refuses the schemes of mobile apps, to which an override may send.
    """

    @property
    def url(self) -> str:
        """Where it leads."""
        return self.headers["Location"]


def to_native(answer: BaseResponse) -> HttpResponse:
    """Return Django's response, without the changes of its request."""
    kind = Redirect if answer.get_header("Location") is not None else HttpResponse
    response = kind(answer.body, status=answer.status_code, content_type=answer.content_type)
    for name, value in answer.headers.values():
        response.headers[name] = value
    _set_cookies(response, answer.cookies.values())
    return response


def with_changes(
    response: HttpResponseBase, request: DjangoRequest, changes: Changes | None
) -> HttpResponseBase:
    """Add the changes of a request to its response."""
    request.forget(request.request)
    if changes is None:
        return response
    for name, value in changes.headers.items():
        response.headers[name] = value
    if changes.exposed:  # tokens
        for name, value in list(response.headers.items()):
            response.headers[name] = changes.checked(name, value)
    _merge(response, changes)
    _set_cookies(response, changes.cookies.values())
    return response


def marked_personal(response: Any) -> Any:
    """Add the headers of a response for which a session was looked for.

    The middleware does so, too, but a cache may stand between it and the view, as `cache_page` does.
    """
    if isinstance(response, HttpResponseBase):  # Django itself refuses anything else
        _merge(response, PERSONAL)
    return response


def _merge(response: HttpResponseBase, changes: Changes) -> None:
    found = ((name, response.headers.get(name)) for name in MERGED)
    present = {name: value for name, value in found if value is not None}
    for name, value in changes.merged(present):
        if present.get(name.lower()) != value:
            response.headers[name] = value


def _set_cookies(response: HttpResponseBase, cookies: Iterable[Cookie]) -> None:
    for cookie in cookies:
        morsel: Morsel[str] = Morsel()
        morsel.set(cookie.name, cookie.value, cookie.coded_value)
        morsel.update(
            {
                "path": cookie.path,
                "domain": cookie.domain or "",
                "expires": cookie.expires or "",  # which Morsel leaves out
                "samesite": cookie.same_site.capitalize(),
            }
        )
        if cookie.max_age is not None:
            morsel["max-age"] = cookie.max_age  # type: ignore[assignment]  # Morsel writes numbers
        if cookie.http_only:
            morsel["httponly"] = True
        if cookie.secure:
            morsel["secure"] = True
        # Django keys cookies by name and would lose one of two domains; the key is not on the wire.
        key = cookie.name if cookie.name not in response.cookies else repr(cookie.key)
        response.cookies[key] = morsel
