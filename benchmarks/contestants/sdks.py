"""Our SDK and supertokens-python: one token verified, in process."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

from apps import sdk
from support import tokens
from support.servers import request_headers

DISTINCT = 256


def token_alone() -> dict[str, Any]:
    """Our verification of a token, without a request around it, beside the floor on the same tokens."""
    from supertokens_py.engine.records import KeySet
    from supertokens_py.recipe.session.exceptions import TryRefreshTokenError
    from supertokens_py.tokens.signatures import RsaVerificationKey

    try:
        from supertokens_py.recipe.session.verification.verifier import UnknownKeyError, VerifiedTokens
    except ImportError:  # an earlier commit, to compare with
        from supertokens_py.recipe.session.verifier import UnknownKeyError, VerifiedTokens

    key, kid = tokens.new_key(), "d-1"
    public = key.public_key()
    now_ms = int(time.time() * 1000)
    keys = KeySet({kid: RsaVerificationKey(kid, public)}, now_ms)
    texts = [tokens.mint(key, tokens.payload(), kid=kid) for _ in range(DISTINCT)]

    def verifier(size: int) -> Callable[[str], None]:
        memory = VerifiedTokens(size)

        def verify(text: str) -> None:
            token = memory.read(text)
            assert token is not None
            memory.check(token, keys, now_ms=now_ms, dynamic_key=True)

        return verify

    def refused(text: str) -> None:
        token = rejecting.read(text)
        if token is not None:
            with contextlib.suppress(TryRefreshTokenError, UnknownKeyError):
                rejecting.check(token, keys, now_ms=now_ms, dynamic_key=True)
                raise AssertionError("accepted")

    rejecting, stranger = VerifiedTokens(4096), tokens.new_key()
    foreign = [tokens.mint(stranger, tokens.payload(), kid=f"d-{i}") for i in range(2, 34)]
    no_session = [tokens.mint(stranger, tokens.payload(), kid="other", version=None) for _ in range(32)]
    expired = [tokens.mint(key, tokens.payload(exp=now_ms // 1000 - 60), kid=kid) for _ in range(64)]
    return {
        "floor (same tokens)": tokens.repeated(lambda text: tokens.floor(text, public), texts),
        # A memory of 64 for 256 tokens in turn: each one is new, is verified, remembered and forgotten again.
        "ours: token alone, first": tokens.repeated(verifier(64), texts),
        "ours: token alone, cache off": tokens.repeated(verifier(0), texts),
        "ours: token alone, repeated": tokens.repeated(verifier(4096), texts),
        "ours: rejects forged signature": tokens.repeated(refused, [tokens.damaged(text) for text in texts]),
        "ours: rejects altered payload": tokens.repeated(
            refused, [tokens.altered(text, sub="root") for text in texts]
        ),
        "ours: rejects expired": tokens.repeated(refused, expired),
        "ours: rejects unknown key": tokens.repeated(refused, foreign),
        "ours: rejects foreign JWT": tokens.repeated(refused, no_session),
        "ours: rejects garbage": tokens.repeated(refused, ["garbage", "a.b.c", "x" * 900]),
    }


async def get_session(package: str, core: str, cache: str = "") -> dict[str, Any]:
    """`get_session` as an application calls it: of a request, and of a bare token; async and sync."""
    from starlette.requests import Request

    label = sdk.LABELS[package] + (": first" if cache == "small" else "")
    settings = {"verified_token_cache_size": 64} if cache == "small" else {}
    sdk.start(package, "fastapi", uri=core if package == sdk.THEIRS else "sqlite://", **settings)
    api, twin = (sdk.module(package, f"recipe.session.{half}") for half in ("asyncio", "syncio"))
    texts = []
    for _ in range(DISTINCT if package == sdk.OURS else 8):
        session = await api.create_new_session_without_request_response(
            "public", sdk.user(package), dict(sdk.CLAIMS)
        )
        texts.append(session.get_all_session_tokens_dangerously()["accessToken"])

    def request(text: str, transfer: str = "cookie") -> Any:
        headers = request_headers([f"sAccessToken={text}; Path=/"], text, transfer)
        return {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "path": "/me",
            "raw_path": b"/me",
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 40000),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }

    def of_request(scopes: dict[str, Any], **arguments: Any) -> Callable[[str], Any]:
        async def call(text: str) -> None:
            session = await api.get_session(Request(dict(scopes[text])), **arguments)
            assert session is not None

        return call

    cookies = {text: request(text) for text in texts}
    headers = {text: request(text, "header") for text in texts}
    validators = sdk.two_validators(package)
    cases = {
        "get_session(request), cookie": tokens.repeated_async(of_request(cookies), texts),
        "get_session(request), header": tokens.repeated_async(of_request(headers), texts),
        "get_session(request), 2 validators": tokens.repeated_async(
            of_request(cookies, override_global_claim_validators=validators), texts
        ),
        "get_session of a token, async": tokens.repeated_async(
            api.get_session_without_request_response, texts
        ),
        "get_session of a token, sync": tokens.repeated(twin.get_session_without_request_response, texts),
    }
    dependency = sdk.module(package, "recipe.session.framework.fastapi").verify_session()

    async def depend(text: str) -> None:
        assert await dependency(Request(dict(cookies[text]))) is not None

    cases["FastAPI dependency"] = tokens.repeated_async(depend, texts)
    if package == sdk.OURS and not cache:
        cases |= _rejections(package, api, texts, request)
    return {f"{label}: {name}": case for name, case in cases.items()}


def _rejections(package: str, api: Any, texts: list[str], request: Any) -> dict[str, Any]:
    from starlette.requests import Request

    error = sdk.module(package, "recipe.session.exceptions").SuperTokensSessionError
    stranger = tokens.new_key()
    kid = tokens.header_of(texts[0])["kid"]
    sets = {
        "forged signature": [tokens.damaged(text) for text in texts],
        "foreign key, our kid": [tokens.mint(stranger, tokens.payload(), kid=kid) for _ in range(32)],
        "foreign key, unknown kid": [tokens.mint(stranger, tokens.payload(), kid="d-77") for _ in range(32)],
        "foreign JWT": [
            tokens.mint(stranger, tokens.payload(), kid="other", version=None) for _ in range(32)
        ],
    }

    def refused(scopes: dict[str, Any]) -> Callable[[str], Any]:
        async def call(text: str) -> None:
            with contextlib.suppress(error):
                await api.get_session(Request(dict(scopes[text])))
                raise AssertionError("accepted")

        return call

    return {
        f"get_session rejects {name}": tokens.repeated_async(
            refused({text: request(text) for text in damaged}), damaged
        )
        for name, damaged in sets.items()
    }
