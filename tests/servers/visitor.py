"""A browser reduced to what matters here: its tokens lie open, so that a test can replay old ones."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any, Literal
from urllib.parse import quote, unquote

import httpx2

Mode = Literal["cookie", "header"]
REFRESH = "/auth/session/refresh"
SIGN_OUT = "/auth/signout"


@dataclass
class Visitor:
    """One user's browser; `mode` is how its tokens travel."""

    http: httpx2.Client
    mode: Mode = "header"
    prefix: str = ""
    access: str = ""
    refresh_token: str = ""
    front: str = ""

    def login(self, user: str = "ada") -> httpx2.Response:
        return self.send("POST", f"{self.prefix}/login", json={"user": user, "password": "demo"})

    def get(self, path: str) -> httpx2.Response:
        return self.send("GET", self.prefix + path)

    def post(self, path: str) -> httpx2.Response:
        return self.send("POST", self.prefix + path)

    def refresh(self, token: str | None = None) -> httpx2.Response:
        """Refresh with the current refresh token, or with an older one."""
        return self.send("POST", REFRESH, bearer=token or self.refresh_token)

    def sign_out(self) -> httpx2.Response:
        return self.send("POST", SIGN_OUT)

    def send(self, method: str, path: str, *, bearer: str | None = None, json: Any = None) -> httpx2.Response:
        """Send one request with the tokens a browser would send, and keep those that come back."""
        headers = self.headers(path, bearer=bearer)
        response = self.http.request(method, path, headers=headers, json=json)
        self.absorb(response)
        return response

    def headers(self, path: str, *, bearer: str | None = None) -> dict[str, str]:
        """Return the headers of a request with the access token or, where it refreshes, with `bearer`."""
        headers = {"rid": "session", "st-auth-mode": self.mode}
        token = bearer if path == REFRESH else self.access
        if token and self.mode == "header":
            headers["authorization"] = f"Bearer {token}"
        elif token:
            name = "sRefreshToken" if path == REFRESH else "sAccessToken"
            headers["cookie"] = f"{name}={quote(token, safe='')}"
        return headers

    def absorb(self, response: httpx2.Response) -> None:
        """Store the tokens of a response; an empty value deletes one."""
        new = tokens_of(response)
        self.access = new.get("access", self.access)
        self.refresh_token = new.get("refresh", self.refresh_token)
        if "front-token" in response.headers:
            self.front = response.headers["front-token"]

    @property
    def payload(self) -> dict[str, Any]:
        """Return the access token payload as the front token tells it."""
        return json.loads(base64.b64decode(self.front))["up"]


def tokens_of(response: httpx2.Response) -> dict[str, str]:
    """Return the access and refresh token that a response sets or, with an empty text, deletes."""
    found: dict[str, str] = {}
    for name, header in (("access", "st-access-token"), ("refresh", "st-refresh-token")):
        if header in response.headers:
            found[name] = response.headers[header]
    for line in response.headers.get_list("set-cookie"):
        for name, cookie in (("access", "sAccessToken"), ("refresh", "sRefreshToken")):
            if morsel := SimpleCookie(line).get(cookie):
                # The other way's clearing must not hide a new token of this one.
                found[name] = unquote(morsel.value) or found.get(name, "")
    return found
