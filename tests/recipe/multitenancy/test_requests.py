"""Tenants in requests: GET /loginmethods, the tenant form of routes, the claim of allowed domains."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from supertokens_py import Supertokens
from supertokens_py.recipe import multitenancy, session
from supertokens_py.recipe.multitenancy import AllowedDomainsClaim
from supertokens_py.recipe.multitenancy.asyncio import create_or_update_tenant
from supertokens_py.recipe.multitenancy.interfaces import (
    APIInterface,
    LoginMethodEmailPassword,
    LoginMethodPasswordless,
    LoginMethodsGetOkResult,
    LoginMethodThirdParty,
    RecipeInterface,
    TenantConfig,
    TenantConfigCreateOrUpdate,
    ThirdPartyProvider,
)
from supertokens_py.recipe.session.asyncio import create_new_session_without_request_response
from supertokens_py.types import GeneralErrorResponse
from tests.recipe.conftest import Start

pytestmark = pytest.mark.quick

NOTHING = {
    "status": "OK",
    "emailPassword": {"enabled": False},
    "passwordless": {"enabled": False},
    "thirdParty": {"enabled": False, "providers": []},
    "webauthn": {"enabled": False},
    "firstFactors": [],
}


async def test_login_methods_are_those_of_the_app_that_a_tenant_allows(
    start: Start, client: httpx2.AsyncClient
) -> None:
    """A frontend has no screen for others, but for those that the application has itself."""
    start(session.init(), multitenancy.init())
    answer = await client.get("/auth/loginmethods")
    assert answer.status_code == 200
    assert answer.json() == NOTHING
    assert (await client.get("/auth/public/loginmethods?clientType=web")).json() == answer.json()

    await create_or_update_tenant("customer1", TenantConfig(third_party_enabled=True))
    answer = await client.get("/auth/customer1/loginmethods")
    assert answer.json() == NOTHING
    factors = TenantConfigCreateOrUpdate(first_factors=["otp-phone", "badge"])
    await create_or_update_tenant("customer2", factors)
    answer = await client.get("/auth/customer2/loginmethods")
    assert answer.json() == NOTHING | {"firstFactors": ["badge"]}


async def test_providers_of_an_app_without_any(start: Start, client: httpx2.AsyncClient) -> None:
    """An override has tenants sign in with providers, which no recipe of this app keeps."""

    def apis(original: APIInterface) -> APIInterface:
        get = original.login_methods_get

        async def with_providers(
            tenant_id: str, client_type: str | None, api_options: Any, user_context: dict[str, Any]
        ) -> Any:
            api_options.first_factors_of = lambda _: ["thirdparty"]
            return await get(tenant_id, client_type, api_options, user_context)

        original.login_methods_get = with_providers  # type: ignore[method-assign]
        return original

    start(session.init(), multitenancy.init(override=multitenancy.InputOverrideConfig(apis=apis)))
    expected = {"thirdParty": {"enabled": True, "providers": []}, "firstFactors": ["thirdparty"]}
    assert (await client.get("/auth/loginmethods")).json() == NOTHING | expected


async def test_login_methods_of_an_unknown_tenant_are_a_bad_request(
    start: Start, client: httpx2.AsyncClient
) -> None:
    start(session.init(), multitenancy.init())
    answer = await client.get("/auth/nowhere/loginmethods")
    assert (answer.status_code, answer.json()) == (400, {"message": "Tenant not found"})


async def test_login_methods_are_published_only_where_the_recipe_is_listed(
    start: Start, client: httpx2.AsyncClient
) -> None:
    """The functions work without listing it; the route does not appear with their first use."""
    start(session.init())
    assert (await client.get("/auth/loginmethods")).status_code == 404
    await create_or_update_tenant("customer1", None)
    assert (await client.get("/auth/loginmethods")).status_code == 404
    Supertokens.reset()
    start(session.init())
    await create_or_update_tenant("customer1", None)
    assert (await client.get("/auth/loginmethods")).status_code == 404
    assert (await client.get("/auth/customer1/loginmethods")).status_code == 404


async def test_the_api_can_be_replaced_or_switched_off(start: Start, client: httpx2.AsyncClient) -> None:
    seen: list[Any] = []

    def apis(original: APIInterface) -> APIInterface:
        original_get = original.login_methods_get

        async def get(tenant_id: str, client_type: Any, api_options: Any, user_context: Any) -> Any:
            seen.append((tenant_id, client_type, user_context["_default"]["request"] is api_options.request))
            if client_type == "error":
                return GeneralErrorResponse("not today")
            if client_type == "original":
                return await original_get(tenant_id, client_type, api_options, user_context)
            return LoginMethodsGetOkResult(
                LoginMethodEmailPassword(False),
                LoginMethodPasswordless(False),
                LoginMethodThirdParty(True, [ThirdPartyProvider("google", "Google")]),
            )

        original.login_methods_get = get
        return original

    start(session.init(), multitenancy.init(override=multitenancy.InputOverrideConfig(apis=apis)))
    answer = await client.get("/auth/t1/loginmethods?clientType=mobile")
    assert answer.json()["thirdParty"] == {"enabled": True, "providers": [{"id": "google", "name": "Google"}]}
    assert answer.json()["firstFactors"] == ["thirdparty"]
    answer = await client.get("/auth/loginmethods?clientType=error")
    assert (answer.status_code, answer.json()) == (200, {"status": "GENERAL_ERROR", "message": "not today"})
    answer = await client.get("/auth/loginmethods?clientType=original")
    assert answer.json() == NOTHING
    assert seen == [("t1", "mobile", True), ("public", "error", True), ("public", "original", True)]


async def test_the_api_can_be_switched_off(start: Start, client: httpx2.AsyncClient) -> None:
    def apis(original: APIInterface) -> APIInterface:
        original.disable_login_methods_get = True
        return original

    start(session.init(), multitenancy.init(override=multitenancy.InputOverrideConfig(apis=apis)))
    assert (await client.get("/auth/loginmethods")).status_code == 404


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_get_tenant_id_decides_for_every_route(
    start: Start, client: httpx2.AsyncClient, kind: str
) -> None:
    """It gets the tenant of the URL, "public" where there is none; the routes use its answer."""
    asked: list[Any] = []

    def functions(original: RecipeInterface) -> RecipeInterface:
        async def tenant(tenant_id_from_frontend: str, user_context: dict[str, Any]) -> str:
            request = user_context["_default"]["request"]
            asked.append(tenant_id_from_frontend)
            return request.get_header("x-tenant") or tenant_id_from_frontend

        def blocking_tenant(tenant_id_from_frontend: str, user_context: dict[str, Any]) -> str:
            asked.append(tenant_id_from_frontend)
            return user_context["_default"]["request"].get_header("x-tenant") or tenant_id_from_frontend

        original.get_tenant_id = tenant if kind == "async" else blocking_tenant  # type: ignore[method-assign]
        return original

    start(session.init(), multitenancy.init(override=multitenancy.InputOverrideConfig(functions=functions)))
    await create_or_update_tenant("customer1", TenantConfigCreateOrUpdate(first_factors=["badge"]))
    answer = await client.get("/auth/loginmethods", headers={"x-tenant": "customer1"})
    assert answer.json()["firstFactors"] == ["badge"]
    answer = await client.get("/auth/t2/loginmethods", headers={"x-tenant": "customer1"})
    assert answer.json()["firstFactors"] == ["badge"]
    assert asked == ["public", "t2"]
    await client.get("/auth/jwt/jwks.json")
    await client.post("/auth/t3/session/refresh")
    assert asked == ["public", "t2", "public", "t3"]
    assert (await client.get("/other")).status_code == 404
    assert len(asked) == 4


async def test_get_tenant_id_may_ask_the_original(start: Start, client: httpx2.AsyncClient) -> None:
    """Which takes the frontend at its word."""

    def functions(original: RecipeInterface) -> RecipeInterface:
        ours = original.get_tenant_id

        async def tenant(tenant_id_from_frontend: str, user_context: dict[str, Any]) -> str:
            return await ours(tenant_id_from_frontend.removeprefix("old-"), user_context)

        original.get_tenant_id = tenant  # type: ignore[method-assign]
        return original

    start(session.init(), multitenancy.init(override=multitenancy.InputOverrideConfig(functions=functions)))
    await create_or_update_tenant("customer1", TenantConfigCreateOrUpdate(first_factors=["badge"]))
    for tenant in ("customer1", "old-customer1"):
        answer = await client.get(f"/auth/{tenant}/loginmethods")
        assert answer.json()["firstFactors"] == ["badge"]


@pytest.mark.parametrize(
    "path", ["/auth/customer1/jwt/jwks.json", "/auth/customer1/.well-known/openid-configuration"]
)
async def test_the_sdks_routes_have_a_tenant_form(
    start: Start, client: httpx2.AsyncClient, path: str
) -> None:
    start(session.init())
    plain = await client.get(path.replace("/customer1", ""))
    assert (await client.get(path)).json() == plain.json()
    assert (await client.get(path.replace("customer1", "cust_1"))).status_code == 404


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_allowed_domains_are_a_claim_of_new_sessions(start: Start, kind: str) -> None:
    asked: list[Any] = []

    async def domains(tenant_id: str, user_context: dict[str, Any]) -> list[str] | None:
        asked.append((tenant_id, user_context))
        return None if tenant_id == "public" else [f"{tenant_id}.example.com"]

    def blocking_domains(tenant_id: str, user_context: dict[str, Any]) -> list[str] | None:
        asked.append((tenant_id, user_context))
        return None if tenant_id == "public" else [f"{tenant_id}.example.com"]

    start(
        session.init(),
        multitenancy.init(get_allowed_domains_for_tenant_id=domains if kind == "async" else blocking_domains),
    )
    await create_or_update_tenant("customer1", None)
    created = await create_new_session_without_request_response("customer1", "ada", user_context={"n": 1})
    assert await created.get_claim_value(AllowedDomainsClaim) == ["customer1.example.com"]
    assert created.get_access_token_payload()["st-t-dmns"]["v"] == ["customer1.example.com"]
    await created.assert_claims([AllowedDomainsClaim.validators.includes("customer1.example.com")])
    other = await create_new_session_without_request_response("public", "ada")
    assert "st-t-dmns" not in other.get_access_token_payload()
    assert asked == [("customer1", {"n": 1}), ("public", {})]
    assert AllowedDomainsClaim.validators.default_max_age_in_sec is None


async def test_without_the_function_there_is_no_claim(start: Start) -> None:
    start(session.init(), multitenancy.init())
    created = await create_new_session_without_request_response("public", "ada")
    assert "st-t-dmns" not in created.get_access_token_payload()


def test_without_sessions_the_claim_is_left_out(start: Start) -> None:
    app = start(multitenancy.init(get_allowed_domains_for_tenant_id=lambda tenant_id, user_context: []))
    assert not app.has_recipe("session")
