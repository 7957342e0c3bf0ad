"""Peers without a server side: the floor, PyJWT, joserfc, fastapi-users, flask-jwt-extended."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives import serialization

from support import tokens

DISTINCT = 256


def hand(which: str) -> dict[str, Any]:
    key = tokens.new_key()
    public = key.public_key()
    texts = [tokens.mint(key, tokens.payload(), kid="d-1") for _ in range(DISTINCT)]
    if which == "floor":
        return {"floor": tokens.repeated(lambda token: tokens.floor(token, public), texts)}
    if which == "pyjwt":
        import jwt

        return {
            "PyJWT decode": tokens.repeated(
                lambda token: jwt.decode(token, public, algorithms=["RS256"]), texts
            )
        }
    if which == "joserfc":
        from joserfc import jws
        from joserfc import jwt as jose
        from joserfc.jwk import RSAKey
        from joserfc.registry import HeaderParameter

        # It refuses unknown header members; `version` has to be announced.
        registry = jws.JWSRegistry({"version": HeaderParameter("version", "str")}, algorithms=["RS256"])
        jwk = RSAKey.import_key(
            public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        )
        checks = jose.JWTClaimsRegistry()

        def decode(token: str) -> None:
            checks.validate(jose.decode(token, jwk, algorithms=["RS256"], registry=registry).claims)

        return {"joserfc decode + claims": tokens.repeated(decode, texts)}
    raise ValueError(which)


def _pems(key: Any) -> tuple[bytes, bytes]:
    return (
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
    )


async def fastapi_users() -> dict[str, Any]:
    from apps.users import Manager, Users, jwt_strategy

    manager = Manager(Users())
    key = tokens.new_key()
    strategy = jwt_strategy(*_pems(key))
    texts = tokens.alike(await strategy.write_token(manager.user_db.user), key, DISTINCT)
    assert await strategy.read_token(texts[-1], manager) is manager.user_db.user
    return {
        "fastapi-users read_token": tokens.repeated_async(
            lambda token: strategy.read_token(token, manager), texts
        )
    }


def flask_jwt_extended() -> dict[str, Any]:
    import flask
    import flask_jwt_extended

    app = flask.Flask(__name__)
    key = tokens.new_key()
    private, public = _pems(key)
    app.config.update(JWT_ALGORITHM="RS256", JWT_PRIVATE_KEY=private, JWT_PUBLIC_KEY=public)
    flask_jwt_extended.JWTManager(app)
    app.app_context().push()
    texts = tokens.alike(flask_jwt_extended.create_access_token("user-1"), key, DISTINCT)
    assert flask_jwt_extended.decode_token(texts[-1])["sub"] == "user-1"
    return {"flask-jwt-extended decode_token": tokens.repeated(flask_jwt_extended.decode_token, texts)}
