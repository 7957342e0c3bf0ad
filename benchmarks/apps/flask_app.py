"""One Flask view, guarded in as many ways as there are contestants."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from flask import Flask, abort, g, make_response, request

from apps import sdk
from support import tokens


def from_environment() -> Flask:
    return build(os.environ["BENCH_VARIANT"])


def build(variant: str) -> Flask:
    app = Flask(__name__)

    @app.get("/cpu")
    def cpu() -> dict[str, int]:
        return {"ns": time.process_time_ns()}

    if variant.startswith(("ours", "supertokens-python")):
        package = sdk.OURS if variant.startswith("ours") else sdk.THEIRS
        _supertokens(app, package, variant.partition(": ")[2])
    else:
        {"bare": _bare, "PyJWT by hand": _pyjwt, "flask-jwt-extended": _flask_jwt_extended}[variant](app)
    return app


def _token(key: Any = None) -> Any:
    """Hand out a token, so that every variant gets requests of one size."""
    token = tokens.mint(key or tokens.new_key(), tokens.payload(), kid="d-1")
    response = make_response({"token": token})
    response.set_cookie("sAccessToken", token)
    return response


def _bare(app: Flask) -> None:
    @app.get("/me")
    def me() -> dict[str, str]:
        return {"user": "user-1"}

    @app.post("/login")
    def login() -> Any:
        return _token()


def _pyjwt(app: Flask) -> None:
    key = tokens.new_key()
    public = key.public_key()

    def guarded(view: Callable[[], Any]) -> Callable[[], Any]:
        @functools.wraps(view)
        def call() -> Any:
            bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
            try:
                g.claims = jwt.decode(bearer or request.cookies["sAccessToken"], public, algorithms=["RS256"])
            except (jwt.InvalidTokenError, KeyError):
                abort(401)
            return view()

        return call

    @app.get("/me")
    @guarded
    def me() -> dict[str, str]:
        return {"user": g.claims["sub"]}

    @app.post("/login")
    def login() -> Any:
        return _token(key)


def _flask_jwt_extended(app: Flask) -> None:
    import flask_jwt_extended as extended

    key = tokens.new_key()
    app.config.update(
        JWT_ALGORITHM="RS256",
        JWT_TOKEN_LOCATION=[
            os.environ.get("BENCH_TRANSFER", "cookie")
            .replace("cookie", "cookies")
            .replace("header", "headers")
        ],
        JWT_COOKIE_CSRF_PROTECT=False,
        JWT_PRIVATE_KEY=key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
        JWT_PUBLIC_KEY=key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode(),
    )
    extended.JWTManager(app)

    @app.get("/me")
    @extended.jwt_required()
    def me() -> dict[str, str]:
        return {"user": extended.get_jwt_identity()}

    @app.post("/login")
    def login() -> Any:
        token = extended.create_access_token("user-1")
        response = make_response({"token": token})
        extended.set_access_cookies(response, token)
        return response


def _supertokens(app: Flask, package: str, kind: str) -> None:
    session = sdk.module(package, "recipe.session.syncio")
    verify_session = sdk.module(package, "recipe.session.framework.flask").verify_session
    sdk.start(package, "flask")
    sdk.module(package, "framework.flask").Middleware(app)
    validators = sdk.two_validators(package) if kind == "2 validators" else None

    if kind == "middleware":

        @app.get("/me")
        def me() -> dict[str, str]:
            return {"user": "user-1"}

    else:

        @app.get("/me")
        @(verify_session(override_global_claim_validators=validators) if validators else verify_session())
        def me() -> dict[str, str]:
            return {"user": g.supertokens.get_user_id()}

    @app.post("/login")
    def login() -> dict[str, str]:
        session.create_new_session(request, "public", sdk.user(package), dict(sdk.CLAIMS))
        return {}
