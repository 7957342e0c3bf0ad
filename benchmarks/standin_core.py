"""A stand-in for a SuperTokens core, so that supertokens-python can be measured without a JVM.

It signs real RS256 tokens and answers the few CDI calls that sessions need. Sessions live in memory
only, no request is checked, nothing is written to a disk: it flatters the SDK that talks to it.

    python standin_core.py 3567
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import secrets
import sys
import time
import uuid
from typing import Any

import uvicorn
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

ACCESS_TOKEN_MS = 3_600_000
REFRESH_TOKEN_MS = 100 * 24 * 3_600_000

_key = generate_private_key(65537, 2048)
_kid = f"d-{int(time.time() * 1000)}"
_sessions: dict[str, dict[str, Any]] = {}
_refresh_tokens: dict[str, str] = {}  # hash of a refresh token -> session handle


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _sign(payload: dict[str, Any]) -> str:
    header = {"alg": "RS256", "typ": "JWT", "version": "5", "kid": _kid}
    signed = f"{_base64(_compact(header))}.{_base64(_compact(payload))}"
    return f"{signed}.{_base64(_key.sign(signed.encode(), PKCS1v15(), SHA256()))}"


def _jwks() -> dict[str, Any]:
    numbers = _key.public_key().public_numbers()
    modulus = _base64(numbers.n.to_bytes(256, "big"))
    return {"keys": [{"kty": "RSA", "kid": _kid, "n": modulus, "e": "AQAB", "alg": "RS256", "use": "sig"}]}


def _issue(session: dict[str, Any], *, anti_csrf: bool) -> dict[str, Any]:
    """Answer a create or a refresh: a new pair of tokens for `session`."""
    now = int(time.time()) * 1000
    refresh_token = secrets.token_urlsafe(96)
    _refresh_tokens[_hash(_hash(refresh_token))] = session["handle"]
    anti_csrf_token = str(uuid.uuid4()) if anti_csrf else None
    access_token = _sign(
        {
            **session["userDataInJWT"],
            "iat": now // 1000,
            "exp": (now + ACCESS_TOKEN_MS) // 1000,
            "sub": session["userId"],
            "rsub": session["recipeUserId"],
            "tId": session["tenantId"],
            "sessionHandle": session["handle"],
            "refreshTokenHash1": _hash(refresh_token),
            "parentRefreshTokenHash1": None,
            "antiCsrfToken": anti_csrf_token,
        }
    )
    answer = {
        "status": "OK",
        "session": session,
        "accessToken": {"token": access_token, "expiry": now + ACCESS_TOKEN_MS, "createdTime": now},
        "refreshToken": {"token": refresh_token, "expiry": now + REFRESH_TOKEN_MS, "createdTime": now},
    }
    return answer | ({"antiCsrfToken": anti_csrf_token} if anti_csrf_token else {})


def _create(body: dict[str, Any]) -> dict[str, Any]:
    handle = str(uuid.uuid4())
    session = _sessions[handle] = {
        "handle": handle,
        "userId": body["userId"],
        "recipeUserId": body["userId"],
        "userDataInJWT": body["userDataInJWT"],
        "tenantId": "public",
    }
    return _issue(session, anti_csrf=body["enableAntiCsrf"])


def _refresh(body: dict[str, Any]) -> dict[str, Any]:
    handle = _refresh_tokens.pop(_hash(_hash(body["refreshToken"])), None)
    if handle is None:
        return {"status": "UNAUTHORISED", "message": "unknown refresh token"}
    return _issue(_sessions[handle], anti_csrf=body["enableAntiCsrf"])


def _verify(body: dict[str, Any]) -> dict[str, Any]:
    signed, _, signature = body["accessToken"].rpartition(".")
    _key.public_key().verify(
        base64.urlsafe_b64decode(signature + "=="), signed.encode(), PKCS1v15(), SHA256()
    )
    part = signed.partition(".")[2]
    payload = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    session = _sessions.get(payload["sessionHandle"]) if body["checkDatabase"] else payload
    if session is None:
        return {"status": "UNAUTHORISED", "message": "no such session"}
    return {"status": "OK", "session": _sessions[payload["sessionHandle"]]}


_POST = {"/recipe/session": _create, "/recipe/session/refresh": _refresh, "/recipe/session/verify": _verify}


def _answer(method: str, path: str, body: bytes) -> dict[str, Any] | None:
    path = path.removeprefix("/public")
    if method == "POST" and path in _POST:
        return _POST[path](json.loads(body))
    if path == "/.well-known/jwks.json":
        return _jwks()
    if path == "/user/id":  # newer SDKs look the user up before each creation
        return {"status": "UNKNOWN_USER_ID_ERROR"}
    if path == "/apiversion":
        return {"versions": ["5.2", "5.3", "5.4"]}
    return None


async def core(scope: Any, receive: Any, send: Any) -> None:
    """Serve the calls above as an ASGI application."""
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    answer = _answer(scope["method"], scope["path"], body)
    content = _compact(answer) if answer else b"Not found"
    headers = [
        (b"content-type", b"application/json; charset=utf-8" if answer else b"text/html"),
        (b"content-length", str(len(content)).encode()),
    ]
    await send({"type": "http.response.start", "status": 200 if answer else 404, "headers": headers})
    await send({"type": "http.response.body", "body": content})


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.run(
            core,
            host="127.0.0.1",
            port=int(sys.argv[1]),
            log_level="warning",
            access_log=False,
            lifespan="off",
        )
