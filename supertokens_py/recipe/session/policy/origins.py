"""Which page made a browser send a request, as the browser says. Pure.

No page can forge `Origin` (https://www.rfc-editor.org/rfc/rfc6454) or `Sec-Fetch-Site`
(https://www.w3.org/TR/fetch-metadata/). Programs can, but they have no other person's cookies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from supertokens_py.framework.request import BaseRequest
from supertokens_py.urls import schemeful_site, web_origin

from ..constants import ANTI_CSRF_HEADER_KEY, AUTH_MODE_HEADER_KEY, RID_HEADER_KEY

#: Headers of frontends, without those that proxies add (`Authorization`).
_GUARDED: Final = (RID_HEADER_KEY, AUTH_MODE_HEADER_KEY, ANTI_CSRF_HEADER_KEY)
_PURPOSES: Final = ("sec-purpose", "purpose", "x-purpose", "x-moz")


@dataclass(frozen=True, slots=True)
class OwnPages:
    """The pages of the API's own origin and of the website, where `init` fixed that.

    What an `origin` function answers is not among them: it may follow the very request that is checked.
    """

    origins: frozenset[str]
    sites: frozenset[str]  #: with their scheme

    @classmethod
    def of(cls, api: str, website: str | None) -> OwnPages:
        """Return the pages of two origins; `website` is None where no setting fixes it."""
        origins = [str(api), *([website] if website else [])]
        return cls(frozenset(origins), frozenset(schemeful_site(origin) for origin in origins))

    def has_sent(self, request: BaseRequest) -> bool:
        """Return whether the `Origin` of a request is one of ours."""
        origin = request.get_header("origin")
        return origin is not None and origin.lower() in self.origins


def is_foreign(request: BaseRequest, own: OwnPages) -> bool:
    """Return whether a page of an origin that is not ours made a browser send a request.

    Requests that say nothing of where they come from are of no browser, or follow no page.
    """
    if own.has_sent(request):
        return False
    place = request.get_header("sec-fetch-site")
    if place in ("same-origin", "none"):  # also where the API is reached by another name than `api_domain`
        return False
    return place is not None or request.get_header("origin") is not None


def is_cross_site(request: BaseRequest, own: OwnPages) -> bool:
    """Return whether the page is not even on a site of ours, so that `SameSite=Lax` keeps cookies back."""
    origin = request.get_header("origin")
    if origin is not None and (origin in own.origins or origin.lower() in own.origins):
        return False
    place = request.get_header("sec-fetch-site")
    if place is not None or origin is None:
        return place == "cross-site"
    page = web_origin(origin)
    return page is None or schemeful_site(page) not in own.sites


def was_preflighted(request: BaseRequest) -> bool:
    """Return whether a request has a header for which browsers ask the application's CORS layer first."""
    return any(request.get_header(name) is not None for name in _GUARDED)


def follows_link(request: BaseRequest) -> bool:
    """Return whether a visitor arrives: by a link, or sent back by an identity provider."""
    return (
        request.method() == "GET"
        and request.get_header("sec-fetch-mode") == "navigate"
        and request.get_header("sec-fetch-dest") == "document"
    )


def comes_from_elsewhere(request: BaseRequest) -> bool:
    """Return whether a visitor arrives from a page of another origin: browsers prove no device for that."""
    return follows_link(request) and request.get_header("sec-fetch-site") not in ("same-origin", "none")


def is_in_advance(request: BaseRequest) -> bool:
    """Return whether nobody has asked for a page yet: a browser, or HTMX, fetches it in case somebody will.

    `Sec-Purpose` says so (https://fetch.spec.whatwg.org/#sec-purpose-header); of older ones, `Purpose` and
    what they sent before it; of a link under the pointer, the preload extension of HTMX.
    """
    if request.get_header("hx-preloaded") == "true":
        return True
    said = (request.get_header(name) or "" for name in _PURPOSES)
    return any(purpose in value.lower() for value in said for purpose in ("prefetch", "preview"))


def is_navigation(request: BaseRequest) -> bool:
    """Return whether a browser asks for a page to show, and no script for data.

    Fetch Metadata says so (https://www.w3.org/TR/fetch-metadata/); of an older browser, what it accepts.
    """
    if is_in_advance(request):
        return False
    mode = request.get_header("sec-fetch-mode")
    if mode is not None:
        return mode == "navigate" and request.get_header("sec-fetch-dest") == "document"
    return "text/html" in (request.get_header("accept") or "")


def is_htmx(request: BaseRequest) -> bool:
    """Return whether HTMX asks for a part of a page (https://htmx.org/reference/#request_headers)."""
    return request.get_header("hx-request") == "true" and not is_in_advance(request)
