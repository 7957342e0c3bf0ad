"""Providers that are stored for a tenant, through the recipe's functions."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.ingredients.emaildelivery import LoggingEmailService
from supertokens_py.recipe import emailpassword, multitenancy, session
from supertokens_py.recipe.multitenancy import asyncio as tenants
from supertokens_py.recipe.multitenancy import syncio
from supertokens_py.recipe.multitenancy.interfaces import (
    CreateOrUpdateThirdPartyConfigOkResult,
    DeleteThirdPartyConfigOkResult,
    RecipeInterface,
)
from supertokens_py.recipe.thirdparty.provider import ProviderClientConfig, ProviderConfig
from tests.recipe.conftest import Start

CONFIG = ProviderConfig(
    third_party_id="acme",
    name="Acme",
    clients=[ProviderClientConfig("id", client_secret="secret", scope=["openid"])],
    oidc_discovery_endpoint="https://acme.example/.well-known/openid-configuration",
)


def users() -> Any:
    """A recipe that keeps users; nobody signs in by it here."""
    service = emailpassword.EmailDeliveryConfig[Any](LoggingEmailService())
    return emailpassword.init(email_delivery=service)


async def test_a_provider_of_a_tenant_is_stored_read_and_removed(start: Start) -> None:
    start(session.init(), users())
    await tenants.create_or_update_tenant("t1", None)
    first = await tenants.create_or_update_third_party_config("t1", CONFIG)
    again = await tenants.create_or_update_third_party_config("t1", CONFIG, None, {})
    assert (first, first.status) == (CreateOrUpdateThirdPartyConfigOkResult(created_new=True), "OK")
    assert again == CreateOrUpdateThirdPartyConfigOkResult(created_new=False)
    found = await tenants.get_tenant("t1")
    assert found is not None
    assert found.third_party.providers == found.third_party_providers == [CONFIG]
    listed = {tenant.tenant_id: tenant for tenant in (await tenants.list_all_tenants()).tenants}
    assert listed["public"].third_party.providers == []
    assert listed["t1"].to_json()["thirdParty"] == {"enabled": False, "providers": [CONFIG.to_json()]}
    gone = await tenants.delete_third_party_config("t1", "acme")
    assert (gone, gone.status) == (DeleteThirdPartyConfigOkResult(did_config_exist=True), "OK")
    gone = await tenants.delete_third_party_config("t1", "acme", {})
    assert gone == DeleteThirdPartyConfigOkResult(did_config_exist=False)


async def test_what_is_wrong_with_a_provider_is_said(start: Start) -> None:
    start(session.init(), users())
    odd = ProviderConfig("acme", token_endpoint="to be filled in")
    with pytest.raises(BadInputError, match="tokenEndpoint must be the URL"):
        await tenants.create_or_update_third_party_config("public", odd)
    assert (await tenants.create_or_update_third_party_config("public", odd, True)).created_new
    for call in (
        tenants.create_or_update_third_party_config("nowhere", CONFIG),
        tenants.delete_third_party_config("nowhere", "acme"),
    ):
        with pytest.raises(BadInputError, match="does not exist"):
            await call


async def test_an_app_of_sessions_alone_keeps_no_providers(start: Start) -> None:
    start(session.init())
    for call in (
        tenants.create_or_update_third_party_config("public", CONFIG),
        tenants.delete_third_party_config("public", "acme"),
    ):
        with pytest.raises(ConfigError, match="list a sign-in recipe"):
            await call


def test_overrides_are_called_by_blocking_code_too(start: Start) -> None:
    seen: list[Any] = []

    def functions(original: RecipeInterface) -> RecipeInterface:
        put, remove = original.create_or_update_third_party_config, original.delete_third_party_config

        async def noted_put(
            tenant_id: str, config: ProviderConfig, skip_validation: bool | None, user_context: dict[str, Any]
        ) -> CreateOrUpdateThirdPartyConfigOkResult:
            seen.append((tenant_id, config.third_party_id, skip_validation, user_context["a"]))
            return await put(tenant_id, config, skip_validation, user_context)

        async def noted_remove(
            tenant_id: str, third_party_id: str, user_context: dict[str, Any]
        ) -> DeleteThirdPartyConfigOkResult:
            seen.append((tenant_id, third_party_id, user_context["a"]))
            return await remove(tenant_id, third_party_id, user_context)

        original.create_or_update_third_party_config = noted_put
        original.delete_third_party_config = noted_remove
        return original

    override = multitenancy.InputOverrideConfig(functions=functions)
    start(session.init(), users(), multitenancy.init(override=override))
    assert syncio.create_or_update_third_party_config("public", CONFIG, user_context={"a": 1}).created_new
    assert syncio.delete_third_party_config("public", "acme", user_context={"a": 2}).did_config_exist
    assert seen == [("public", "acme", None, 1), ("public", "acme", 2)]
