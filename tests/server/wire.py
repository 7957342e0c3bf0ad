"""Requests to the server in one process, the way an SDK makes them."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any

import httpx2
from starlette.testclient import TestClient

LATEST = "5.6"
LEGACY = "5.4"


class Wire:
    """A client that speaks one version of the interface."""

    def __init__(self, client: TestClient, version: str | None = LATEST) -> None:
        self.client = client
        self.version = version

    def at(self, version: str | None) -> Wire:
        return Wire(self.client, version)

    def raw(self, method: str, path: str, **options: Any) -> httpx2.Response:
        headers = {**({"cdi-version": self.version} if self.version else {}), **options.pop("headers", {})}
        if "json" in options:
            options["content"] = json.dumps(options.pop("json"))
        return self.client.request(method, path, headers=headers, **options)

    def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        return _ok(self.raw("GET", path, params=query))

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return _ok(self.raw("POST", path, json=body or {}))

    def put(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return _ok(self.raw("PUT", path, json=body or {}))

    def refusal(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, str]:
        """Return status and text of an answer that is none of JSON."""
        if body is not None:
            options["json"] = body
        response = self.raw(method, path, **options)
        assert response.headers["content-type"] == "text/html; charset=UTF-8"
        assert response.text.endswith("\n")
        return response.status_code, response.text.removesuffix("\n")

    # The calls that most tests begin with

    def create(self, user: str = "u1", *, tenant: str = "", **changes: Any) -> dict[str, Any]:
        path = f"/{tenant}/recipe/session" if tenant else "/recipe/session"
        return self.post(path, create_body(user, **changes))

    def verify(self, token: str, **changes: Any) -> dict[str, Any]:
        body = {
            "accessToken": token,
            "doAntiCsrfCheck": False,
            "enableAntiCsrf": False,
            "checkDatabase": False,
            **changes,
        }
        return self.post("/recipe/session/verify", body)

    def refresh(self, token: str, **changes: Any) -> dict[str, Any]:
        body = {"refreshToken": token, "enableAntiCsrf": False, "useDynamicSigningKey": True, **changes}
        return self.post("/recipe/session/refresh", body)


def create_body(user: str = "u1", **changes: Any) -> dict[str, Any]:
    return {
        "userId": user,
        "userDataInJWT": {},
        "userDataInDatabase": {},
        "enableAntiCsrf": False,
        "useDynamicSigningKey": True,
        **changes,
    }


def access(answer: Mapping[str, Any]) -> str:
    return answer["accessToken"]["token"]


def refresh_token(answer: Mapping[str, Any]) -> str:
    return answer["refreshToken"]["token"]


def header(token: str) -> dict[str, Any]:
    return _part(token, 0)


def claims(token: str) -> dict[str, Any]:
    return _part(token, 1)


def _part(token: str, index: int) -> dict[str, Any]:
    text = token.split(".")[index]
    return json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def _ok(response: httpx2.Response) -> dict[str, Any]:
    assert (response.status_code, response.headers["content-type"]) == (
        200,
        "application/json; charset=UTF-8",
    ), response.text
    return response.json()
