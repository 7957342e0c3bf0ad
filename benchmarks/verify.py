"""Print what a verification costs beside its floor, in microseconds of CPU. Needs no peers.

    python benchmarks/verify.py

The floor is what no verification can do without: an RSA-2048 check, base64 and `json.loads` of the token.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1])]

from supertokens_py import InputAppInfo, SupertokensConfig, init
from supertokens_py.engine.config import EngineConfig
from supertokens_py.recipe import session
from supertokens_py.recipe.jwt.asyncio import get_jwks
from supertokens_py.recipe.session.asyncio import (
    create_new_session_without_request_response,
    get_session_without_request_response,
)
from support import tokens

SESSIONS, ROUNDS, CALLS = 200, 15, 400


async def main() -> None:
    # A memory of 64 tokens: 200 sessions in turn are always new to it, one session in turn never is.
    init(
        app_info=InputAppInfo(
            app_name="benchmark", api_domain="http://localhost:8000", website_domain="http://localhost:3000"
        ),
        supertokens_config=SupertokensConfig("sqlite://", engine=EngineConfig(verified_token_cache_size=64)),
        recipe_list=[session.init()],
    )
    made = [await create_new_session_without_request_response("public", f"user-{i}") for i in range(SESSIONS)]
    texts = [one.get_access_token() for one in made]
    kid = tokens.header_of(texts[0])["kid"]
    answer: Any = await get_jwks()
    jwk = next(vars(key) for key in answer.keys if key.kid == kid)
    key = tokens.public_key(jwk)

    async def floor(text: str) -> None:
        tokens.floor(text, key)

    async def verify(text: str) -> None:
        await get_session_without_request_response(text)

    cases: dict[str, tuple[Callable[[str], Awaitable[None]], list[str]]] = {
        "floor: RSA + base64 + JSON": (floor, texts),
        "get_session of a token, first time": (verify, texts),
        "get_session of a token, again": (verify, texts[:1]),
    }
    figures: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(ROUNDS):
        for name, (work, of) in cases.items():
            begin = time.process_time()
            for i in range(CALLS):
                await work(of[i % len(of)])
            figures[name].append((time.process_time() - begin) / CALLS * 1e6)
    base = median(figures["floor: RSA + base64 + JSON"])
    for name, values in figures.items():
        print(f"{name:38}{median(values):8.1f} us {median(values) / base:6.2f} x")


asyncio.run(main())
