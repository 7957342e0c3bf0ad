"""Users of providers, and tenants' providers, of the unmodified official Python SDK; run by its interpreter.

Usage: python providers.py <core address> <api key>. Fails by an exception; ends with one line "done: …".
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from supertokens_python import InputAppInfo, SupertokensConfig, init
from supertokens_python import asyncio as app
from supertokens_python.recipe import session, thirdparty
from supertokens_python.recipe.multitenancy import asyncio as tenants
from supertokens_python.recipe.thirdparty import asyncio as providers
from supertokens_python.recipe.thirdparty.provider import ProviderClientConfig, ProviderConfig

try:
    from supertokens_python.types import RecipeUserId  # noqa: F401
    from supertokens_python.types.base import AccountInfoInput

    IS_NEW = True
except ImportError:  # before 0.25 a user was one login method
    AccountInfoInput = None
    IS_NEW = False

DONE: list[str] = []


def step(name: str) -> None:
    DONE.append(name)


async def sign_in(there: str, email: str) -> Any:
    verified = (True,) if IS_NEW else ()
    return await providers.manually_create_or_update_user("public", "acme", there, email, *verified)


def id_of(result: Any) -> str:
    return result.user.id if IS_NEW else result.user.user_id


async def users() -> None:
    first = await sign_in("a-1", "Ada@acme.example")
    assert first.created_new_recipe_user if IS_NEW else first.created_new_user
    again = await sign_in("a-1", "moved@acme.example")
    assert not (again.created_new_recipe_user if IS_NEW else again.created_new_user)
    other = await sign_in("a-2", "moved@acme.example")
    assert id_of(first) == id_of(again) != id_of(other)
    assert (again.user.emails[0] if IS_NEW else again.user.email) == "moved@acme.example"
    step("sign-in")
    if IS_NEW:
        (method,) = again.user.login_methods
        assert method.verified
        assert (method.third_party.id, method.third_party.user_id) == ("acme", "a-1")
        found = await app.list_users_by_account_info("public", AccountInfoInput(email="moved@acme.example"))
        ids = {user.id for user in found}
    else:
        there = await providers.get_user_by_third_party_info("public", "acme", "a-1")
        assert there.user_id == id_of(first)
        assert (await providers.get_user_by_id(id_of(first))).email == "moved@acme.example"
        assert await providers.get_user_by_third_party_info("public", "acme", "nobody") is None
        ids = {user.user_id for user in await providers.get_users_by_email("public", "moved@acme.example")}
    assert ids == {id_of(first), id_of(other)}
    step("find")


async def configured() -> None:
    clients = [ProviderClientConfig("id", client_secret="secret", scope=["a", "b"])]
    config = ProviderConfig(
        "acme", name="Acme", clients=clients, authorization_endpoint="https://acme.example/authorize"
    )
    put = tenants.create_or_update_third_party_config
    assert (await put("public", config)).created_new
    assert not (await put("public", config)).created_new
    tenant = await tenants.get_tenant("public")
    (kept,) = tenant.third_party_providers if IS_NEW else tenant.third_party.providers
    assert (kept.third_party_id, kept.name, kept.authorization_endpoint) == (
        *("acme", "Acme"),
        "https://acme.example/authorize",
    )
    (client,) = kept.clients
    assert (client.client_id, client.client_secret, client.scope) == ("id", "secret", ["a", "b"])
    assert (await tenants.delete_third_party_config("public", "acme")).did_config_exist
    assert not (await tenants.delete_third_party_config("public", "acme")).did_config_exist
    step("providers of a tenant")


async def main() -> None:
    address, api_key = sys.argv[1:]
    init(
        app_info=InputAppInfo(
            app_name="app", api_domain="http://localhost:8000", website_domain="http://localhost:3000"
        ),
        framework="fastapi",
        supertokens_config=SupertokensConfig(address, api_key),
        recipe_list=[session.init(), thirdparty.init()],
        telemetry=False,
    )
    await users()
    await configured()
    print("done: " + ", ".join(DONE))


asyncio.run(main())
