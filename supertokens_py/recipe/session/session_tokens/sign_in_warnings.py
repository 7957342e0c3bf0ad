"""Warnings about tokens that will not reach their client, each logged once per app."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from supertokens_py.urls import host_of, scheme_of

from ..constants import AUTH_MODE_HEADER_KEY, TokenTransferMethod

if TYPE_CHECKING:
    from supertokens_py.framework.request import BaseRequest

log: logging.Logger = logging.getLogger(__name__)

_NO_MODE = (
    "a browser signed in without the request header st-auth-mode, so its tokens are in headers, which no "
    "browser keeps. The official frontends send the header; in a page of your own send st-auth-mode: cookie, "
    "or decide with session.init(get_token_transfer_method=...)"
)
_TEST_CLIENT = (
    "a test client on http signed in, and api_domain is https: it drops the Secure cookies. Give it an https "
    "address, such as base_url={api!r}, or set cookie_secure=False for the tests"
)
_REFUSED = (
    "a sign-in was refused: %s. If that page is yours, name it in website_domain or origin, or let it send "
    "one of these headers"
)
#: what documentation of frameworks calls an application that is under test
_HOSTS_OF_TESTS = ("test", "testserver")


class SignInWarnings:
    """The warnings of one app, and which of them were logged.

    Args:
        decides_transfer: whether the application has a `get_token_transfer_method` of its own.
        cookie_secure: whether cookies are Secure.
        api_domain: origin of the API.
    """

    def __init__(self, decides_transfer: bool, *, cookie_secure: bool, api_domain: str) -> None:
        self._decides_transfer = decides_transfer
        self._cookie_secure = cookie_secure
        self._api_domain = api_domain
        self._given: set[str] = set()

    def refused_login(self, why: str) -> None:
        """Warn that a page of another origin was not signed in (`csrf.refuse_login_of_another_page`)."""
        if self._is_due("refused login"):
            log.warning(_REFUSED, why)

    def sign_in(self, request: BaseRequest, method: TokenTransferMethod) -> None:
        """Warn where the tokens of a sign-in will be lost silently."""
        if method == "header":
            asked = request.get_header(AUTH_MODE_HEADER_KEY) is not None
            if not asked and not self._decides_transfer and _is_of_browser(request):
                self._log("no mode", _NO_MODE)
        elif self._cookie_secure and _is_of_test_client(request):
            self._log("test client", _TEST_CLIENT.format(api=str(self._api_domain)))

    def _log(self, name: str, text: str) -> None:
        if self._is_due(name):
            log.warning("%s", text)

    def _is_due(self, name: str) -> bool:
        if name in self._given:
            return False
        self._given.add(name)
        return True


def _is_of_browser(request: BaseRequest) -> bool:
    return request.get_header("sec-fetch-mode") is not None or request.get_header("origin") is not None


def _is_of_test_client(request: BaseRequest) -> bool:
    # Starlette's, and httpx on an address that only tests have: elsewhere it may be a program behind a proxy
    # that ends TLS. The clients of Flask and Django send Secure cookies over http.
    agent = request.get_header("user-agent") or ""
    if agent != "testclient" and not agent.startswith("python-httpx"):
        return False
    url = request.get_original_url()
    return scheme_of(url) == "http" and (agent == "testclient" or host_of(url) in _HOSTS_OF_TESTS)
