"""A visitor who keeps tokens as the official frontend does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol
from urllib.parse import quote

from .replies import Headers, Reply, cookie_pairs

REFRESH = "/auth/session/refresh"
SIGN_OUT = "/auth/signout"


class Requests(Protocol):
    """Where a visitor's requests go."""

    def request(self, method: str, path: str, headers: Headers, **options: Any) -> Reply:
        """Send one."""
        ...


class Visitor:
    """A client that sends and stores tokens as the official one does."""

    def __init__(self, site: Requests, mode: str = "cookie") -> None:
        self.site = site
        self.mode = mode
        self.access: str | None = None
        self.refresh_token: str | None = None
        self.anti_csrf: str | None = None
        self.way_back: dict[str, str] = {}  #: from impersonations, by the path that its cookie is for
        self.way_out: dict[str, str] = {}  #: the same of what ends the actor's session at a sign-out
        self.handle = ""
        self.first: Reply

    def credentials(self, path: str) -> list[tuple[str, str]]:
        """The headers that go with a request."""
        lines = [("rid", "anti-csrf"), ("st-auth-mode", self.mode)]
        refreshing = path.partition("?")[0].rstrip("/").endswith("/session/refresh")
        if self.mode == "header":
            token = self.refresh_token if refreshing else self.access
            return [*lines, ("authorization", f"Bearer {token}")] if token else lines
        pairs = [("sAccessToken", self.access)] if self.access else []
        if refreshing and self.refresh_token:
            pairs.append(("sRefreshToken", quoted(self.refresh_token)))
        for name, by_path in (("sImpersonation", self.way_back), ("sImpersonationSignOut", self.way_out)):
            if token := by_path.get(path.partition("?")[0]):
                pairs.append((name, token))
        if pairs:
            lines.append(("cookie", cookie_pairs([(name, value or "") for name, value in pairs])))
        return lines + ([("anti-csrf", self.anti_csrf)] if self.anti_csrf else [])

    def request(
        self, method: str, path: str, *, without: Sequence[str] = (), headers: Headers = (), **options: Any
    ) -> Reply:
        """Send a request with the visitor's tokens, and keep those that come back."""
        lines = [line for line in self.credentials(path) if line[0] not in without]
        reply = self.site.request(method, path, [*lines, *headers], **options)
        self.remember(reply)
        return reply

    def get(self, path: str, **options: Any) -> Reply:
        """GET a page."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Reply:
        """POST without a body, unless `options` has one."""
        return self.request("POST", path, **options)

    def refresh(self, **options: Any) -> Reply:
        """Ask for new tokens."""
        return self.post(REFRESH, **options)

    def remember(self, reply: Reply) -> None:
        """Keep the tokens of a response; an empty one is forgotten."""
        self.way_back = self.way_back | _by_path(reply, "sImpersonation")
        self.way_out = self.way_out | _by_path(reply, "sImpersonationSignOut")
        for cookie in reply.set_cookies:
            if cookie.name == "sAccessToken":
                self.access = cookie.value or None
            elif cookie.name == "sRefreshToken":
                self.refresh_token = cookie.value or None
        if self.mode == "header":
            for name, attribute in (("st-access-token", "access"), ("st-refresh-token", "refresh_token")):
                value = reply.header(name)
                if value is not None:
                    setattr(self, attribute, value or None)
        if (anti_csrf := reply.header("anti-csrf")) is not None:
            self.anti_csrf = anti_csrf
        if reply.header("front-token") == "remove":
            self.access = self.refresh_token = self.anti_csrf = None


def _by_path(reply: Reply, name: str) -> dict[str, str]:
    return {one.attributes["path"]: one.value for one in reply.set_cookies if one.name == name}


def quoted(token: str) -> str:
    """A cookie value as browsers send it back: still encoded."""
    return quote(token, safe="")
