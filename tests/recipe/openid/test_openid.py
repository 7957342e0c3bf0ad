"""OpenID discovery, the issuer, and how overrides reach the nested recipes."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from supertokens_py import Supertokens
from supertokens_py.exceptions import ConfigError, GeneralError
from supertokens_py.framework.fastapi import get_middleware
from supertokens_py.recipe import jwt, openid, session
from supertokens_py.recipe.jwt.asyncio import create_jwt as create_plain_jwt
from supertokens_py.recipe.jwt.interfaces import CreateJwtOkResult, GetJWKSResult
from supertokens_py.recipe.openid import asyncio as functions_of_openid
from supertokens_py.recipe.openid import syncio
from supertokens_py.recipe.openid.interfaces import (
    GetOpenIdDiscoveryConfigurationResult,
    OpenIdDiscoveryConfigurationGetResponse,
)
from supertokens_py.recipe.session import asyncio as sessions
from supertokens_py.types import GeneralErrorResponse
from tests.recipe.conftest import API, Start
from tests.recipe.jwt.test_jwt import part

pytestmark = pytest.mark.quick

DISCOVERY = "/auth/.well-known/openid-configuration"


async def made(*arguments: Any, **named: Any) -> dict[str, Any]:
    result = await functions_of_openid.create_jwt(*arguments, **named)
    assert isinstance(result, CreateJwtOkResult)
    return part(result.jwt, 1)


async def new_session() -> dict[str, Any]:
    created = await sessions.create_new_session_without_request_response("public", "ada")
    return created.get_access_token_payload()


async def test_the_issuer_is_the_api_unless_configured(start: Start, client: httpx2.AsyncClient) -> None:
    """Discovery, JWTs and access tokens name the same one."""
    start(session.init(), openid.init())
    found = await functions_of_openid.get_open_id_discovery_configuration()
    expected = GetOpenIdDiscoveryConfigurationResult(f"{API}/auth", f"{API}/auth/jwt/jwks.json")
    assert found == expected
    answer = await client.get(DISCOVERY)
    assert answer.status_code == 200
    assert answer.json()["issuer"] == found.issuer
    assert answer.json()["jwks_uri"] == found.jwks_uri
    assert "status" not in answer.json()
    assert answer.headers["access-control-allow-origin"] == "*"
    assert (await client.get("/auth/t1/.well-known/openid-configuration")).json() == answer.json()
    assert (await made({}, 60))["iss"] == found.issuer
    assert (await new_session())["iss"] == found.issuer


@pytest.mark.parametrize("listed_first", [True, False])
async def test_a_configured_issuer_is_everybodys(
    start: Start, client: httpx2.AsyncClient, listed_first: bool
) -> None:
    """Wherever `openid.init` stands in the list."""
    recipes = [openid.init(issuer="https://id.example.com/auth/"), session.init()]
    start(*(recipes if listed_first else reversed(recipes)))
    issuer = "https://id.example.com/auth"
    assert (await client.get(DISCOVERY)).json()["issuer"] == issuer
    assert (await client.get(DISCOVERY)).json()["jwks_uri"] == f"{issuer}/jwt/jwks.json"
    assert (await made({}, 60))["iss"] == issuer
    assert (await new_session())["iss"] == issuer
    result = await sessions.create_jwt({}, 60)
    assert isinstance(result, CreateJwtOkResult)
    assert part(result.jwt, 1)["iss"] == issuer


@pytest.mark.parametrize(
    ("issuer", "base_path"), [("https://id.example.com", "/auth"), ("https://id.example.com/auth", "/x")]
)
def test_the_issuers_path_must_be_the_base_path(start: Start, issuer: str, base_path: str) -> None:
    with pytest.raises(ConfigError, match=r"^The path of the issuer URL must be equal to the apiBasePath\."):
        start(session.init(), openid.init(issuer=issuer), api_base_path=base_path)
    assert Supertokens.current() is None


async def test_an_issuer_at_the_root(start: Start, client: httpx2.AsyncClient) -> None:
    start(session.init(), openid.init(issuer="https://id.example.com"), api_base_path="/")
    answer = await client.get("/.well-known/openid-configuration")
    assert answer.json()["issuer"] == "https://id.example.com"
    assert answer.json()["jwks_uri"] == "https://id.example.com/jwt/jwks.json"


async def test_the_issuer_holds_gateway_and_base_path(start: Start) -> None:
    start(session.init(), api_gateway_path="/gw", api_base_path="/api")
    found = await functions_of_openid.get_open_id_discovery_configuration()
    assert found.issuer == f"{API}/gw/api"


async def test_the_callers_iss_wins(start: Start) -> None:
    start(session.init())
    assert (await made({"iss": "mine"}, 60))["iss"] == "mine"
    result = await create_plain_jwt({}, 60)
    assert isinstance(result, CreateJwtOkResult)
    assert part(result.jwt, 1)["iss"] == API  # the JWT recipe alone knows no issuer but the API's origin


async def test_lives_of_jwts(start: Start) -> None:
    """`openid.init(jwt_validity_seconds=...)` reaches the JWT recipe; an argument beats it."""
    start(session.init(), openid.init(jwt_validity_seconds=9))
    for claims, life in ((await made(), 9), (await made({}, 60), 60)):
        assert claims["exp"] - claims["iat"] == life
    keys = await functions_of_openid.get_jwks()
    assert [key.kid[:2] for key in keys.keys] == ["d-", "s-"]


def test_the_blocking_twins_answer_the_same(start: Start) -> None:
    start(session.init())
    assert syncio.get_open_id_discovery_configuration().issuer == f"{API}/auth"
    result = syncio.create_jwt({"sub": "service"}, 60)
    assert isinstance(result, CreateJwtOkResult)
    assert part(result.jwt, 1)["iss"] == f"{API}/auth"
    assert len(syncio.get_jwks().keys) == 2


# -- overrides ---------------------------------------------------------------------------------------


def marked(name: str) -> Any:
    """Return an override of `create_jwt` that leaves its mark in the payload."""

    def functions(original: Any) -> Any:
        original_create = original.create_jwt

        async def create(payload: dict[str, Any], validity: Any, static: Any, user_context: Any) -> Any:
            marks = [*payload.get("marks", []), name]
            return await original_create({**payload, "marks": marks}, validity, static, user_context)

        original.create_jwt = create
        return original

    return functions


async def test_overrides_reach_both_recipes(start: Start) -> None:
    """The OpenID layer is outside, the JWT layer inside."""
    override = openid.InputOverrideConfig(
        functions=marked("openid"), jwt_feature=jwt.OverrideConfig(functions=marked("jwt"))
    )
    start(session.init(), openid.init(override=override))
    assert (await made({}, 60))["marks"] == ["openid", "jwt"]
    result = await create_plain_jwt({}, 60)
    assert isinstance(result, CreateJwtOkResult)
    assert part(result.jwt, 1)["marks"] == ["jwt"]


async def test_overrides_of_session_init_reach_both_recipes(start: Start, client: httpx2.AsyncClient) -> None:
    """`openid_feature`, and `jwt_feature` within it: functions and APIs."""

    def jwks_api(original: Any) -> Any:
        async def get(api_options: Any, user_context: dict[str, Any]) -> GeneralErrorResponse:
            return GeneralErrorResponse("no keys today")

        original.jwks_get = get
        return original

    def discovery_api(original: Any) -> Any:
        original_get = original.open_id_discovery_configuration_get

        async def get(api_options: Any, user_context: dict[str, Any]) -> Any:
            found = await original_get(api_options, user_context)
            return OpenIdDiscoveryConfigurationGetResponse(found.issuer, "https://cdn.example.com/keys")

        original.open_id_discovery_configuration_get = get
        return original

    override = session.InputOverrideConfig(
        openid_feature=openid.InputOverrideConfig(
            functions=marked("openid"),
            apis=discovery_api,
            jwt_feature=jwt.OverrideConfig(functions=marked("jwt"), apis=jwks_api),
        )
    )
    start(session.init(override=override))
    result = await sessions.create_jwt({}, 60)
    assert isinstance(result, CreateJwtOkResult)
    assert part(result.jwt, 1)["marks"] == ["openid", "jwt"]
    assert (await client.get("/auth/jwt/jwks.json")).json()["message"] == "no keys today"
    assert (await client.get(DISCOVERY)).json()["jwks_uri"] == "https://cdn.example.com/keys"


async def test_an_override_of_the_keys_is_what_the_route_publishes(
    start: Start, client: httpx2.AsyncClient
) -> None:
    def functions(original: Any) -> Any:
        async def keys(user_context: dict[str, Any]) -> GetJWKSResult:
            return GetJWKSResult([], 5)

        original.get_jwks = keys
        return original

    feature = openid.InputOverrideConfig(jwt_feature=jwt.OverrideConfig(functions=functions))
    start(session.init(override=session.InputOverrideConfig(openid_feature=feature)))
    answer = await client.get("/auth/jwt/jwks.json")
    assert answer.json() == {"keys": []}
    assert answer.headers["cache-control"] == "max-age=5, must-revalidate"
    assert (await functions_of_openid.get_jwks()).keys == []


async def test_discovery_can_be_replaced_by_a_plain_function(
    start: Start, client: httpx2.AsyncClient
) -> None:
    def functions(original: Any) -> Any:
        def discovery(user_context: dict[str, Any]) -> GetOpenIdDiscoveryConfigurationResult:
            return GetOpenIdDiscoveryConfigurationResult("https://x.example.com", "https://x.example.com/k")

        original.get_open_id_discovery_configuration = discovery
        return original

    start(session.init(), openid.init(override=openid.OpenIdOverrideConfig(functions=functions)))
    assert (await client.get(DISCOVERY)).json()["issuer"] == "https://x.example.com"


async def test_the_apis_can_be_switched_off(start: Start, client: httpx2.AsyncClient) -> None:
    def no_discovery(original: Any) -> Any:
        original.disable_open_id_discovery_configuration_get = True
        return original

    def no_keys(original: Any) -> Any:
        original.disable_jwks_get = True
        return original

    feature = openid.InputOverrideConfig(apis=no_discovery, jwt_feature=jwt.OverrideConfig(apis=no_keys))
    start(session.init(override=session.InputOverrideConfig(openid_feature=feature)))
    assert (await client.get(DISCOVERY)).status_code == 404
    assert (await client.get("/auth/jwt/jwks.json")).status_code == 404


# -- CORS --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [DISCOVERY, "/auth/jwt/jwks.json"])
@pytest.mark.parametrize("credentials", [True, False])
async def test_a_cors_layer_does_not_double_the_header(start: Start, path: str, credentials: bool) -> None:
    """Browsers refuse an answer with two Access-Control-Allow-Origin headers."""
    start(session.init())
    app = FastAPI()
    app.add_middleware(get_middleware())
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["http://example.com"],
        allow_credentials=credentials,
        allow_methods=["*"],
    )
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url=API) as client:
        for origin in ("http://example.com", "http://other.example.net", None):
            answer = await client.get(path, headers={"origin": origin} if origin else {})
            assert answer.status_code == 200
            assert len(answer.headers.get_list("access-control-allow-origin")) == 1, origin


# -- misuse ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"jwt_validity_seconds": "5"}, "jwt_validity_seconds must be an integer or None"),
        ({"override": "x"}, "override must be an instance of InputOverrideConfig or None"),
    ],
)
def test_wrong_settings_are_told_at_once(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        openid.init(**arguments)


async def test_before_init_the_functions_say_what_is_missing(start: Start) -> None:
    with pytest.raises(GeneralError, match=r"^Initialisation not done"):
        await functions_of_openid.get_jwks()
    with pytest.raises(GeneralError, match=r"OpenId recipe has already been initialised"):
        start(openid.init(), openid.init())
