"""Tenants: created, changed, listed and deleted, on every database."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py import Supertokens
from supertokens_py.engine.records import UnknownTenantError
from supertokens_py.exceptions import BadInputError, ConfigError, GeneralError
from supertokens_py.recipe import multitenancy, session, userroles
from supertokens_py.recipe.multitenancy import asyncio as tenants
from supertokens_py.recipe.multitenancy import syncio
from supertokens_py.recipe.multitenancy.interfaces import (
    CreateOrUpdateTenantOkResult,
    DeleteTenantOkResult,
    EmailPasswordConfig,
    GetTenantOkResult,
    PasswordlessConfig,
    RecipeInterface,
    TenantConfig,
    TenantConfigCreateOrUpdate,
    ThirdPartyConfig,
)
from supertokens_py.recipe.session.asyncio import (
    create_new_session_without_request_response,
    get_all_session_handles_for_user,
    get_session_information,
    refresh_session_without_request_response,
    revoke_all_sessions_for_user,
)
from supertokens_py.recipe.userroles.asyncio import add_role_to_user, create_new_role_or_add_permissions
from tests.recipe.conftest import Start
from tests.support.databases import TestDatabase


def enabled(tenant: Any) -> tuple[bool, bool, bool]:
    return tenant.emailpassword.enabled, tenant.passwordless.enabled, tenant.third_party.enabled


async def test_the_public_tenant_is_always_there(start: Start, database: TestDatabase) -> None:
    start(session.init(), uri=database.uri)
    found = await tenants.get_tenant("public")
    assert found is not None
    assert (found.status, found.tenant_id, enabled(found)) == ("OK", "public", (True, True, True))
    assert (found.core_config, found.first_factors, found.required_secondary_factors) == ({}, None, None)
    assert (found.third_party.providers, found.third_party_providers) == ([], [])
    listed = await tenants.list_all_tenants()
    assert (listed.status, [item.tenant_id for item in listed.tenants]) == ("OK", ["public"])
    assert listed.tenants[0].to_json() == {
        "tenantId": "public",
        "emailPassword": {"enabled": True},
        "passwordless": {"enabled": True},
        "thirdParty": {"enabled": True, "providers": []},
        "coreConfig": {},
    }


async def test_a_tenant_is_created_changed_and_deleted(start: Start, database: TestDatabase) -> None:
    """What a `TenantConfig` does not name is off in a new tenant, and stays as it is in an old one."""
    start(session.init(), multitenancy.init(), uri=database.uri)
    assert await tenants.get_tenant("customer1") is None
    made = await tenants.create_or_update_tenant("customer1", TenantConfig(email_password_enabled=True))
    assert made == CreateOrUpdateTenantOkResult(created_new=True)
    assert made.status == "OK"
    found = await tenants.get_tenant("customer1")
    assert isinstance(found, GetTenantOkResult)
    assert found.emailpassword == EmailPasswordConfig(True)
    assert found.passwordless == PasswordlessConfig(False)
    assert found.third_party == ThirdPartyConfig(False, [])

    made = await tenants.create_or_update_tenant("customer1", TenantConfig(third_party_enabled=True))
    assert made == CreateOrUpdateTenantOkResult(created_new=False)
    assert enabled(await tenants.get_tenant("customer1")) == (True, False, True)
    await tenants.create_or_update_tenant("customer1", TenantConfig(email_password_enabled=False))
    assert enabled(await tenants.get_tenant("customer1")) == (False, False, True)

    config = {"password_reset_token_lifetime": 7_200_000}
    await tenants.create_or_update_tenant("customer1", TenantConfig(core_config=config))
    found = await tenants.get_tenant("customer1")
    assert found is not None
    assert (found.core_config, enabled(found)) == (config, (False, False, True))

    listed = await tenants.list_all_tenants()
    assert [item.tenant_id for item in listed.tenants] == ["public", "customer1"]
    gone = await tenants.delete_tenant("customer1")
    assert (gone, gone.status) == (DeleteTenantOkResult(did_exist=True), "OK")
    assert await tenants.delete_tenant("customer1") == DeleteTenantOkResult(did_exist=False)
    assert await tenants.get_tenant("customer1") is None


async def test_a_tenant_without_configuration_allows_no_login(start: Start, database: TestDatabase) -> None:
    start(session.init(), uri=database.uri)
    assert (await tenants.create_or_update_tenant("customer1", None)).created_new
    assert enabled(await tenants.get_tenant("customer1")) == (False, False, False)
    await tenants.create_or_update_tenant("customer2", TenantConfig(core_config={}))
    assert enabled(await tenants.get_tenant("customer2")) == (False, False, False)


async def test_the_form_of_later_releases_speaks_of_factors(start: Start, database: TestDatabase) -> None:
    """`TenantConfigCreateOrUpdate`: what is left out stays, None allows everything."""
    start(session.init(), uri=database.uri)
    config = TenantConfigCreateOrUpdate(first_factors=["emailpassword", "otp-email"])
    assert (await tenants.create_or_update_tenant("customer1", config)).created_new
    found = await tenants.get_tenant("customer1")
    assert found is not None
    assert sorted(found.first_factors or ()) == ["emailpassword", "otp-email"]
    assert enabled(found) == (True, True, False)

    config = TenantConfigCreateOrUpdate(required_secondary_factors=["totp"])
    assert not (await tenants.create_or_update_tenant("customer1", config)).created_new
    found = await tenants.get_tenant("customer1")
    assert found is not None
    assert (found.required_secondary_factors, enabled(found)) == (["totp"], (True, True, False))

    config = TenantConfigCreateOrUpdate(first_factors=None, required_secondary_factors=None)
    await tenants.create_or_update_tenant("customer1", config)
    found = await tenants.get_tenant("customer1")
    assert found is not None
    assert (found.first_factors, found.required_secondary_factors) == (None, None)
    assert enabled(found) == (True, True, True)


async def test_sessions_and_roles_belong_to_their_tenant(start: Start, database: TestDatabase) -> None:
    """`tId` in the token and through a refresh; lists and revocation per tenant; all gone with the tenant."""
    start(session.init(), userroles.init(), uri=database.uri)
    await tenants.create_or_update_tenant("customer1", None)
    await create_new_role_or_add_permissions("admin", [])
    await add_role_to_user("customer1", "ada", "admin")
    here = await create_new_session_without_request_response("public", "ada")
    there = await create_new_session_without_request_response("customer1", "ada")
    assert (here.get_tenant_id(), there.get_tenant_id()) == ("public", "customer1")
    assert there.get_access_token_payload()["tId"] == "customer1"
    information = await get_session_information(there.get_handle())
    assert information is not None
    assert information.tenant_id == "customer1"

    token = there.get_all_session_tokens_dangerously()["refreshToken"]
    assert token is not None
    there = await refresh_session_without_request_response(token)
    assert there.get_tenant_id() == "customer1"
    assert await get_all_session_handles_for_user("ada", "customer1") == [there.get_handle()]
    assert sorted(await get_all_session_handles_for_user("ada")) == sorted(
        [here.get_handle(), there.get_handle()]
    )
    assert await revoke_all_sessions_for_user("ada", "customer1") == [there.get_handle()]
    assert await get_all_session_handles_for_user("ada") == [here.get_handle()]

    again = await create_new_session_without_request_response("customer1", "ada")
    await tenants.delete_tenant("customer1")
    assert await get_session_information(again.get_handle()) is None
    with pytest.raises(UnknownTenantError):
        await create_new_session_without_request_response("customer1", "ada")
    await tenants.create_or_update_tenant("customer1", None)
    anew = await create_new_session_without_request_response("customer1", "ada")
    assert anew.get_access_token_payload()["st-role"]["v"] == []


def test_the_blocking_twins_answer_the_same(start: Start, database: TestDatabase) -> None:
    start(session.init(), uri=database.uri)
    assert syncio.create_or_update_tenant("c1", TenantConfig(passwordless_enabled=True)).created_new
    assert enabled(syncio.get_tenant("c1")) == (False, True, False)
    assert [item.tenant_id for item in syncio.list_all_tenants().tenants] == ["public", "c1"]
    assert syncio.delete_tenant("c1").did_exist


@pytest.mark.parametrize(
    ("tenant_id", "message"),
    [
        ("a b", "letters, digits and '-'"),
        ("appid-x", "must not start with 'appid-'"),
        ("recipe", "must not be 'recipe'"),
    ],
)
async def test_a_bad_tenant_id_is_refused(start: Start, tenant_id: str, message: str) -> None:
    start(session.init())
    with pytest.raises(BadInputError, match=message):
        await tenants.create_or_update_tenant(tenant_id, None)
    assert len((await tenants.list_all_tenants()).tenants) == 1


async def test_a_bad_configuration_writes_nothing(start: Start) -> None:
    start(session.init())
    config = TenantConfig(email_password_enabled=True, core_config={"access_token_validity": 5})
    with pytest.raises(BadInputError, match=r"Invalid core config"):
        await tenants.create_or_update_tenant("customer1", config)
    assert await tenants.get_tenant("customer1") is None
    with pytest.raises(BadInputError, match=r"Cannot delete public tenant"):
        await tenants.delete_tenant("public")


async def test_functions_can_be_replaced(start: Start) -> None:
    seen: list[Any] = []

    def functions(original: RecipeInterface) -> RecipeInterface:
        original_put = original.create_or_update_tenant

        async def put(tenant_id: str, config: Any, user_context: dict[str, Any]) -> Any:
            seen.append((tenant_id, config, user_context))
            return await original_put(f"x-{tenant_id}", config, user_context)

        original.create_or_update_tenant = put
        return original

    # Either class of override is accepted.
    for kind in (multitenancy.InputOverrideConfig, multitenancy.utils.OverrideConfig):
        Supertokens.reset()
        start(session.init(), multitenancy.init(override=kind(functions=functions)))
    config = TenantConfig()
    await tenants.create_or_update_tenant("customer1", config, {"n": 1})
    assert seen == [("customer1", config, {"n": 1})]
    assert await tenants.get_tenant("x-customer1") is not None


def test_wrong_settings_are_told_at_once(start: Start) -> None:
    with pytest.raises(ConfigError, match=r"override must be an instance of"):
        multitenancy.init(override=1)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"get_allowed_domains_for_tenant_id must be a function"):
        multitenancy.init(get_allowed_domains_for_tenant_id=["a"])  # type: ignore[arg-type]
    with pytest.raises(GeneralError, match=r"Multitenancy recipe has already been initialised"):
        start(multitenancy.init(), multitenancy.init())


async def test_before_init_the_functions_say_what_is_missing() -> None:
    Supertokens.reset()
    assert multitenancy.recipe.MultitenancyRecipe.get_instance_optional() is None
    with pytest.raises(GeneralError, match=r"Initialisation not done"):
        await tenants.list_all_tenants()


async def test_switches_and_factors_are_two_views_of_one_thing(start: Start, database: TestDatabase) -> None:
    """A `TenantConfig` changes the factors of its methods and leaves the others alone."""
    start(session.init(), uri=database.uri)

    async def after(config: TenantConfig | TenantConfigCreateOrUpdate) -> tuple[list[str], Any]:
        await tenants.create_or_update_tenant("customer1", config)
        found = await tenants.get_tenant("customer1")
        assert found is not None
        return sorted(found.first_factors or ()), enabled(found)

    factors = TenantConfigCreateOrUpdate(first_factors=["webauthn", "otp-email"])
    assert await after(factors) == (["otp-email", "webauthn"], (False, True, False))
    config = TenantConfig(third_party_enabled=True)
    assert await after(config) == (["otp-email", "thirdparty", "webauthn"], (False, True, True))
    config = TenantConfig(passwordless_enabled=False, third_party_enabled=False)
    assert await after(config) == (["webauthn"], (False, False, False))
    factors = TenantConfigCreateOrUpdate(first_factors=[])
    assert await after(factors) == ([], (False, False, False))
    config = TenantConfig(passwordless_enabled=True)
    every = ["link-email", "link-phone", "otp-email", "otp-phone"]
    assert await after(config) == (every, (False, True, False))
    assert await after(TenantConfig(passwordless_enabled=False)) == ([], (False, False, False))
