"""JWTs for other services and the route with their keys."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx2
import jwt as pyjwt
import pytest

from supertokens_py import Supertokens
from supertokens_py.exceptions import BadInputError, ConfigError, GeneralError, ProtectedClaimError
from supertokens_py.recipe import jwt, openid, session
from supertokens_py.recipe.jwt import asyncio as tokens
from supertokens_py.recipe.jwt import syncio
from supertokens_py.recipe.jwt.interfaces import (
    APIInterface,
    CreateJwtOkResult,
    GetJWKSResult,
    JsonWebKey,
    RecipeInterface,
)
from supertokens_py.recipe.session.asyncio import get_session_without_request_response
from supertokens_py.recipe.session.exceptions import UnauthorisedError
from supertokens_py.tokens.access_token import parse_access_token
from supertokens_py.types import GeneralErrorResponse
from tests.recipe.conftest import API, Start
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

HUNDRED_YEARS = 3_153_600_000


def part(token: str, index: int) -> dict[str, Any]:
    text = token.split(".")[index]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


async def made(*arguments: Any, **named: Any) -> str:
    result = await tokens.create_jwt(*arguments, **named)
    assert isinstance(result, CreateJwtOkResult)
    return result.jwt


def check_signature(token: str, keys: GetJWKSResult) -> dict[str, Any]:
    kid = pyjwt.get_unverified_header(token)["kid"]
    (key,) = [key for key in keys.keys if key.kid == kid]
    options: Any = {"verify_exp": False, "verify_iat": False}
    return pyjwt.decode(token, pyjwt.PyJWK(key.to_json()), algorithms=["RS256"], options=options)


async def test_a_jwt_holds_the_payload_and_its_life(
    start: Start, database: TestDatabase, clock: Clock
) -> None:
    """Header without `version`; `iat` now, `exp` after the validity, `iss` the API's origin."""
    start(jwt.init(), uri=database.uri)
    token = await made({"sub": "service", "nested": {"a": [1, None]}}, 60)
    header, claims = part(token, 0), part(token, 1)
    assert header == {"alg": "RS256", "typ": "JWT", "kid": header["kid"]}
    now = clock() // 1000
    assert claims == {
        "iss": API,
        "iat": now,
        "exp": now + 60,
        "sub": "service",
        "nested": {"a": [1, None]},
    }
    assert check_signature(token, await tokens.get_jwks()) == claims


async def test_the_static_key_signs_unless_the_rotating_one_is_asked_for(
    start: Start, database: TestDatabase
) -> None:
    start(jwt.init(), uri=database.uri)
    kids = [
        part(await made({}, 60, use_static_signing_key=static), 0)["kid"] for static in (None, True, False)
    ]
    assert [kid[:2] for kid in kids] == ["s-", "s-", "d-"]
    keys = await tokens.get_jwks()
    assert isinstance(keys, GetJWKSResult)
    assert {key.kid for key in keys.keys} == set(kids)
    assert [key.kid[:2] for key in keys.keys] == ["d-", "s-"]
    for key in keys.keys:
        assert (key.kty, key.alg, key.use, key.e) == ("RSA", "RS256", "sig", "AQAB")
        assert set(key.to_json()) == {"kty", "kid", "n", "e", "alg", "use"}


async def test_the_default_life_is_a_hundred_years_or_the_configured_one(start: Start) -> None:
    start(jwt.init())
    claims = part(await made(), 1)
    assert claims["exp"] - claims["iat"] == HUNDRED_YEARS
    Supertokens.reset()
    start(jwt.init(jwt_validity_seconds=7))
    claims = part(await made(None), 1)
    assert claims["exp"] - claims["iat"] == 7


async def test_the_callers_iss_iat_and_exp_win(start: Start) -> None:
    start(jwt.init())
    given = {"iss": "https://me.example.com", "iat": 5, "exp": 6}
    assert part(await made(given, 60), 1) == given


@pytest.mark.parametrize("validity", [0, -1])
async def test_a_life_of_nothing_is_refused(start: Start, database: TestDatabase, validity: int) -> None:
    """An explicit 0 is not "left out"."""
    start(jwt.init(), uri=database.uri)
    with pytest.raises(
        BadInputError, match=rf"^validity must be a whole number of seconds above 0, not {validity}$"
    ):
        await tokens.create_jwt({}, validity)


async def test_a_jwt_is_never_a_session(start: Start) -> None:
    """Not even one that names the claims of a session token; two of them are refused."""
    start(session.init(), jwt.init())
    forged = {"sub": "ada", "rsub": "ada", "tId": "public"}
    with pytest.raises(ProtectedClaimError, match="'sessionHandle', 'refreshTokenHash1'"):
        await made({**forged, "sessionHandle": "handle", "refreshTokenHash1": "hash"}, 60)
    token = await made(forged, 60, use_static_signing_key=False)
    assert parse_access_token(token) is None
    with pytest.raises(UnauthorisedError, match=r"Token parsing failed"):
        await get_session_without_request_response(token)
    assert await get_session_without_request_response(token, session_required=False) is None


def test_the_blocking_twins_answer_the_same(start: Start, database: TestDatabase) -> None:
    start(jwt.init(), uri=database.uri)
    result = syncio.create_jwt({"sub": "service"}, 60)
    assert isinstance(result, CreateJwtOkResult)
    assert check_signature(result.jwt, syncio.get_jwks())["sub"] == "service"


async def test_the_recipe_need_not_be_listed(start: Start) -> None:
    start(session.init())
    assert part(await made({}, 60), 1)["iss"] == API


async def test_functions_can_be_replaced(start: Start) -> None:
    def functions(original: RecipeInterface) -> RecipeInterface:
        original_create = original.create_jwt

        async def create(
            payload: dict[str, Any],
            validity_seconds: int | None,
            use_static_signing_key: bool | None,
            user_context: dict[str, Any],
        ) -> Any:
            user_context["asked"] = (validity_seconds, use_static_signing_key)
            return await original_create({**payload, "by": "me"}, 5, use_static_signing_key, user_context)

        def keys(user_context: dict[str, Any]) -> Any:
            return GetJWKSResult([JsonWebKey("RSA", "kid", "n", "e", "RS256", "sig")], None)

        original.create_jwt = create
        original.get_jwks = keys  # type: ignore[assignment, method-assign]
        return original

    start(jwt.init(override=jwt.OverrideConfig(functions=functions)))
    context: dict[str, Any] = {}
    claims = part(await made({"a": 1}, user_context=context), 1)
    assert (claims["a"], claims["by"], claims["exp"] - claims["iat"]) == (1, "me", 5)
    assert context == {"asked": (None, None)}
    assert [key.kid for key in (await tokens.get_jwks()).keys] == ["kid"]


# -- GET /jwt/jwks.json ------------------------------------------------------------------------------


async def test_the_route_publishes_the_public_keys(
    start: Start, database: TestDatabase, client: httpx2.AsyncClient
) -> None:
    """With the engine's cache time, readable for every origin, no cookie, no private member."""
    start(jwt.init(), uri=database.uri)
    answer = await client.get("/auth/jwt/jwks.json")
    keys = await tokens.get_jwks()
    assert answer.status_code == 200
    assert answer.json() == {"keys": [key.to_json() for key in keys.keys]}
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == f"max-age={keys.validity_in_secs}, must-revalidate"
    assert isinstance(keys.validity_in_secs, int)
    assert keys.validity_in_secs > 0
    assert "set-cookie" not in answer.headers
    assert (await client.get("/auth/tenant1/jwt/jwks.json")).json() == answer.json()
    assert (await client.get("/auth/jwt/jwks.json/")).json() == answer.json()
    assert (await client.post("/auth/jwt/jwks.json")).status_code == 404


async def test_without_a_cache_time_there_is_no_cache_header(
    start: Start, client: httpx2.AsyncClient
) -> None:
    def functions(original: RecipeInterface) -> RecipeInterface:
        async def keys(user_context: dict[str, Any]) -> GetJWKSResult:
            return GetJWKSResult([], None)

        original.get_jwks = keys
        return original

    start(jwt.init(override=jwt.JWTOverrideConfig(functions=functions)))
    answer = await client.get("/auth/jwt/jwks.json")
    assert answer.json() == {"keys": []}
    assert "cache-control" not in answer.headers


async def test_the_api_can_be_replaced(start: Start, client: httpx2.AsyncClient) -> None:
    """A general error is a 200 without the headers of the keys."""

    def apis(original: APIInterface) -> APIInterface:
        async def get(api_options: Any, user_context: dict[str, Any]) -> GeneralErrorResponse:
            assert user_context["_default"]["request"] is api_options.request
            return GeneralErrorResponse("not today")

        original.jwks_get = get  # type: ignore[method-assign]
        return original

    start(jwt.init(override=jwt.OverrideConfig(apis=apis)))
    answer = await client.get("/auth/jwt/jwks.json")
    assert (answer.status_code, answer.json()) == (200, {"status": "GENERAL_ERROR", "message": "not today"})
    assert "access-control-allow-origin" not in answer.headers


async def test_the_api_can_be_switched_off(start: Start, client: httpx2.AsyncClient) -> None:
    def apis(original: APIInterface) -> APIInterface:
        original.disable_jwks_get = True
        return original

    start(jwt.init(override=jwt.OverrideConfig(apis=apis)))
    assert (await client.get("/auth/jwt/jwks.json")).status_code == 404


# -- misuse ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"jwt_validity_seconds": "5"}, "jwt_validity_seconds must be an integer or None"),
        ({"jwt_validity_seconds": 1.5}, "jwt_validity_seconds must be an integer or None"),
        ({"override": "x"}, "override must be an instance of OverrideConfig or None"),
    ],
)
def test_wrong_settings_are_value_errors(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        jwt.init(**arguments)
    assert isinstance(refused.value, ConfigError)


async def test_before_init_the_functions_say_what_is_missing(start: Start) -> None:
    with pytest.raises(GeneralError, match=r"^Initialisation not done"):
        await tokens.get_jwks()
    with pytest.raises(GeneralError, match=r"JWT recipe has already been initialised"):
        start(jwt.init(), jwt.init())


@pytest.mark.parametrize(
    ("recipes", "seconds"),
    [
        ([session.init()], HUNDRED_YEARS),
        ([jwt.init()], HUNDRED_YEARS),
        ([jwt.init(jwt_validity_seconds=60)], 60),
        ([jwt.init(jwt_validity_seconds=60), openid.init(jwt_validity_seconds=90)], 90),
        ([openid.init()], HUNDRED_YEARS),
    ],
)
async def test_the_configured_life_is_the_one_in_use(start: Start, recipes: list[Any], seconds: int) -> None:
    """Code that reads the recipe's `config` gets a number, as in 0.24, and tokens live as long."""
    start(*recipes)
    claims = part(await made({}), 1)
    assert claims["exp"] - claims["iat"] == seconds
    assert jwt.JWTRecipe.get_instance().config.jwt_validity_seconds == seconds
