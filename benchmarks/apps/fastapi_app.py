"""One FastAPI route, guarded in as many ways as there are contestants.

Dependencies stand as defaults: they are local to a function, where postponed annotations cannot name them.
"""

from __future__ import annotations

import os
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from fastapi import Depends, FastAPI, HTTPException, Request, Response

from apps import sdk
from support import tokens


def from_environment() -> FastAPI:
    return build(os.environ["BENCH_VARIANT"])


def build(variant: str) -> FastAPI:
    app = FastAPI()

    @app.get("/cpu")
    async def cpu() -> dict[str, int]:
        return {"ns": time.process_time_ns()}

    if variant.startswith(("ours", "supertokens-python")):
        package = sdk.OURS if variant.startswith("ours") else sdk.THEIRS
        _supertokens(app, package, variant.partition(": ")[2])
    else:
        {
            "bare": _bare,
            "trivial dependency": _trivial,
            "PyJWT by hand": _pyjwt,
            "fastapi-users": _fastapi_users,
        }[variant](app)
    return app


def _token(response: Response, key: Any = None) -> dict[str, str]:
    """Hand out a token, so that every variant gets requests of one size."""
    token = tokens.mint(key or tokens.new_key(), tokens.payload(), kid="d-1")
    response.set_cookie("sAccessToken", token)
    return {"token": token}


def _bare(app: FastAPI) -> None:
    @app.get("/me")
    async def me() -> dict[str, str]:
        return {"user": "user-1"}

    @app.post("/login")
    async def login(response: Response) -> dict[str, str]:
        return _token(response)


def _trivial(app: FastAPI) -> None:
    async def cookie(request: Request) -> str:
        return request.cookies.get("sAccessToken", "")

    @app.get("/me")
    async def me(cookie: str = Depends(cookie)) -> dict[str, str]:
        return {"user": "user-1"}

    @app.post("/login")
    async def login(response: Response) -> dict[str, str]:
        return _token(response)


def _pyjwt(app: FastAPI) -> None:
    key = tokens.new_key()
    public = key.public_key()

    async def claims(request: Request) -> dict[str, Any]:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        try:
            return jwt.decode(bearer or request.cookies["sAccessToken"], public, algorithms=["RS256"])
        except (jwt.InvalidTokenError, KeyError) as error:
            raise HTTPException(401) from error

    @app.get("/me")
    async def me(claims: dict[str, Any] = Depends(claims)) -> dict[str, str]:
        return {"user": claims["sub"]}

    @app.post("/login")
    async def login(response: Response) -> dict[str, str]:
        return _token(response, key)


def _fastapi_users(app: FastAPI) -> None:
    from fastapi_users import FastAPIUsers
    from fastapi_users.authentication import AuthenticationBackend, BearerTransport, CookieTransport

    from apps.users import Manager, Users, jwt_strategy

    key = tokens.new_key()
    strategy = jwt_strategy(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
    )
    users = Users()

    async def get_strategy() -> Any:  # async: a plain function would cost a thread hop
        return strategy

    async def get_manager() -> Any:
        return Manager(users)

    header = os.environ.get("BENCH_TRANSFER") == "header"
    transport = BearerTransport("/login") if header else CookieTransport("sAccessToken", cookie_secure=False)
    backend = AuthenticationBackend(name="jwt", transport=transport, get_strategy=get_strategy)
    current_user = FastAPIUsers[Any, Any](get_manager, [backend]).current_user(active=True)

    @app.get("/me")
    async def me(user: Any = Depends(current_user)) -> dict[str, str]:
        return {"user": "user-1"}

    @app.post("/login")
    async def login(response: Response) -> dict[str, str]:
        token = await strategy.write_token(users.user)
        response.set_cookie("sAccessToken", token)
        return {"token": token}


def _supertokens(app: FastAPI, package: str, kind: str) -> None:
    session = sdk.module(package, "recipe.session.asyncio")
    verify_session = sdk.module(package, "recipe.session.framework.fastapi").verify_session
    sdk.start(package, "fastapi")
    app.add_middleware(sdk.module(package, "framework.fastapi").get_middleware())
    validators = sdk.two_validators(package) if kind == "2 validators" else None

    if kind == "middleware":

        @app.get("/me")
        async def me() -> dict[str, str]:
            return {"user": "user-1"}

    else:
        guard = Depends(
            verify_session(override_global_claim_validators=validators) if validators else verify_session()
        )

        @app.get("/me")
        async def me(session: Any = guard) -> dict[str, str]:
            return {"user": session.get_user_id()}

    @app.post("/login")
    async def login(request: Request) -> dict[str, str]:
        await session.create_new_session(request, "public", sdk.user(package), dict(sdk.CLAIMS))
        return {}
