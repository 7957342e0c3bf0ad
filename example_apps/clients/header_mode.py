"""A program as a client, with header mode: log in, call, refresh when it is due, sign out.

    python header_mode.py http://localhost:8000 ada

Mobile apps, command lines and services do the same: no cookies, the tokens travel in headers.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from typing import Any

import httpx2


class SessionTokens(httpx2.Auth):
    """Sends the access token; on 401 refreshes once and sends the request again."""

    requires_response_body = True

    def __init__(self, api: str) -> None:
        self._refresh_url = f"{api}/auth/session/refresh"
        self.access_token = ""
        self.refresh_token = ""

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Send one request with the session, and whatever the session needs beside it."""
        # At log-in the server asks which way the tokens shall travel.
        request.headers["st-auth-mode"] = "header"
        if self.access_token:
            request.headers["authorization"] = f"Bearer {self.access_token}"
        response = yield request
        self._keep(response)
        if response.status_code == 401 and self.refresh_token:
            refreshed = yield httpx2.Request(
                "POST", self._refresh_url, headers={"authorization": f"Bearer {self.refresh_token}"}
            )
            self._keep(refreshed)
            if refreshed.status_code == 200:
                request.headers["authorization"] = f"Bearer {self.access_token}"
                self._keep((yield request))

    def _keep(self, response: httpx2.Response) -> None:
        # Any response may bring new tokens (log-in, refresh, changed payload); "remove" ends the session.
        self.access_token = response.headers.get("st-access-token", self.access_token)
        self.refresh_token = response.headers.get("st-refresh-token", self.refresh_token)
        if response.headers.get("front-token") == "remove":
            self.access_token = self.refresh_token = ""


def main(api: str, user: str) -> None:
    tokens = SessionTokens(api)
    with httpx2.Client(base_url=api, auth=tokens) as client:

        def call(method: str, path: str, body: Any = None) -> Any:
            before = tokens.refresh_token
            response = client.request(method, path, json=body)
            refreshed = ", after a refresh" if before and tokens.refresh_token not in ("", before) else ""
            print(f"{response.status_code} {method} {path}{refreshed}: {response.text.strip()}")
            return response.raise_for_status().json()

        call("POST", "/login", {"user": user, "password": "demo"})
        call("GET", "/api/me")
        call("POST", "/api/visits")
        tokens.access_token = "expired"  # as after an hour; what is no valid token is treated alike
        call("GET", "/api/me")
        call("POST", "/auth/signout")
        print("signed out, tokens left:", [tokens.access_token, tokens.refresh_token])


if __name__ == "__main__":
    main(*(sys.argv[1:] + ["http://localhost:8000", "ada"][len(sys.argv) - 1 :]))
