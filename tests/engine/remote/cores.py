"""Recorded answers of cores, and keys to sign tokens with, for the tests of the remote engine."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable
from typing import Any

import httpx2
from cryptography.hazmat.primitives.asymmetric import rsa

from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.remote import RemoteEngine, RemoteSettings
from supertokens_py.tokens.access_token import AccessToken, parse_access_token
from supertokens_py.tokens.signatures import sign_jwt

ALL_VERSIONS = ["2.21", "3.0", "4.0", "5.0", "5.1", "5.2", "5.3", "5.4", "5.5", "5.6"]


class Core:
    """Answers from a table of `"METHOD /path"` to JSON, text or a function; keeps what it was asked."""

    def __init__(self, answers: dict[str, Any] | None = None, *, versions: list[str] | None = None) -> None:
        self.answers: dict[str, Any] = {"GET /apiversion": {"versions": versions or ALL_VERSIONS}}
        self.answers.update(answers or {})
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.get(f"{request.method} {request.url.path}")
        if callable(answer):
            answer = answer(request)
        match answer:
            case None:
                return httpx2.Response(404, text="Not found\n")
            case httpx2.Response():
                return answer
            case (int() as status, str() as text):
                return httpx2.Response(status, text=text + "\n", headers={"content-type": "text/html"})
            case _:
                return httpx2.Response(200, json=answer)

    @property
    def asked(self) -> list[str]:
        return [f"{request.method} {request.url.path}" for request in self.requests]

    def body(self, index: int = -1) -> dict[str, Any]:
        return json.loads(self.requests[index].content)


def engine_over(
    handler: Callable[[httpx2.Request], httpx2.Response],
    *,
    uri: str = "http://core.test:3567",
    now_ms: Callable[[], int] | None = None,
    settings: dict[str, Any] | None = None,
    **options: Any,
) -> RemoteEngine:
    config = EngineConfig(**{**({"now_ms": now_ms} if now_ms else {}), **(settings or {})})
    if now_ms:
        options.setdefault("monotonic_s", lambda: now_ms() / 1000)
    options.setdefault("sleep", lambda seconds: None)
    options.setdefault("remote_settings", RemoteSettings.from_environment({}))
    return RemoteEngine(uri, config.resolve({}), http_transport=httpx2.MockTransport(handler), **options)


@functools.cache
def private_key(name: str = "d-1") -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwk(kid: str = "d-1") -> dict[str, str]:
    numbers = private_key(kid).public_key().public_numbers()
    return {
        "kty": "RSA",
        "kid": kid,
        "n": _base64url(numbers.n),
        "e": _base64url(numbers.e),
        "alg": "RS256",
        "use": "sig",
    }


def access_token(kid: str = "d-1", **claims: Any) -> AccessToken:
    now = int(time.time())
    payload = {
        "sub": "u1",
        "rsub": "u1",
        "tId": "public",
        "iat": now,
        "exp": now + 3600,
        "sessionHandle": "handle-1",
        "refreshTokenHash1": "0" * 64,
        "parentRefreshTokenHash1": None,
        "antiCsrfToken": None,
        **claims,
    }
    token = parse_access_token(sign_jwt(payload, key=private_key(kid), kid=kid, version=5))
    assert token is not None
    return token


def wire_token(text: str = "token") -> dict[str, Any]:
    return {"token": text, "createdTime": 1_000, "expiry": 4_000}


def wire_session(**members: Any) -> dict[str, Any]:
    session = {
        "handle": "handle-1",
        "userId": "u1",
        "recipeUserId": "u1",
        "userDataInJWT": {"a": 1},
        "tenantId": "public",
    }
    return {
        "status": "OK",
        "session": session,
        "accessToken": wire_token("access"),
        "refreshToken": wire_token("refresh"),
        **members,
    }


def stored_session(**members: Any) -> dict[str, Any]:
    return {
        "status": "OK",
        "sessionHandle": "handle-1",
        "userId": "u1",
        "recipeUserId": "u1",
        "userDataInDatabase": {"d": 1},
        "userDataInJWT": {"a": 1, "b": 2},
        "expiry": 9_000,
        "timeCreated": 1_000,
        "tenantId": "public",
        **members,
    }


def _base64url(number: int) -> str:
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()
