"""Which providers a tenant offers, and that nobody is asked for it."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from supertokens_py.recipe import emailpassword, multitenancy, passwordless
from supertokens_py.recipe.multitenancy.asyncio import (
    create_or_update_tenant,
    create_or_update_third_party_config,
    delete_third_party_config,
)
from supertokens_py.recipe.multitenancy.interfaces import TenantConfigCreateOrUpdate
from supertokens_py.recipe.thirdparty import ProviderClientConfig, ProviderConfig, ProviderInput
from supertokens_py.recipe.thirdparty.asyncio import get_provider
from supertokens_py.recipe.thirdparty.exceptions import ProviderError
from tests.support.databases import TestDatabase

from .conftest import Account, Browser, Start, query_of, shop


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody may be looked up or connected to."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("somebody was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def discovered(
    third_party_id: str, *client_types: str | None, everywhere: bool = False, **more: Any
) -> ProviderInput:
    clients = [ProviderClientConfig(f"client-{kind}", "secret", client_type=kind) for kind in client_types]
    config = ProviderConfig(third_party_id, clients=clients, **more)
    return ProviderInput(config, include_in_non_public_tenants_by_default=everywhere)


async def offered(
    browser: Browser, tenant: str = "", client_type: str | None = None
) -> list[tuple[str, str]]:
    params = {} if client_type is None else {"clientType": client_type}
    answer = (await browser.client.get(f"/auth{tenant}/loginmethods", params=params)).json()
    assert answer["thirdParty"]["enabled"] is True
    assert "thirdparty" in answer["firstFactors"]
    return [(one["id"], one["name"]) for one in answer["thirdParty"]["providers"]]


async def test_providers_are_listed_without_asking_them(
    start: Start, browser: Browser, no_network: None
) -> None:
    """SI-63: those whose configuration would have to be discovered among them."""
    start(
        providers=[
            discovered("google", None),
            discovered("github", "web", "ios"),
            discovered("keycloak", None, oidc_discovery_endpoint="https://id.example.com"),
            discovered("acme", None, name="ACME", oidc_discovery_endpoint="https://acme.example.com"),
        ]
    )
    assert await offered(browser) == [
        ("google", "Google"),
        ("keycloak", "keycloak"),
        ("acme", "ACME"),
    ]
    assert await offered(browser, client_type="ios") == [("github", "Github")]
    assert await offered(browser, client_type="android") == []


@pytest.mark.parametrize("tenant_id", ["Public", " public ", ""])
async def test_a_tenant_is_the_same_however_its_id_is_written(start: Start, tenant_id: str) -> None:
    start(providers=[discovered("shop", None)])
    provider = await get_provider(tenant_id, "shop")
    assert provider is not None
    assert provider.id == "shop"


async def test_an_app_without_providers_offers_none(start: Start, browser: Browser) -> None:
    start(multitenancy.init(), providers=[])
    assert await offered(browser) == []
    await create_or_update_tenant("t1", TenantConfigCreateOrUpdate(first_factors=["emailpassword"]))
    answer = (await browser.client.get("/auth/t1/loginmethods")).json()
    assert answer["thirdParty"] == {"enabled": False, "providers": []}


async def test_other_tenants_have_what_is_for_all(
    start: Start, browser: Browser, each_database: TestDatabase
) -> None:
    """SI-62: until a tenant has providers of its own; then it has those."""
    start(
        multitenancy.init(),
        uri=each_database.uri,
        providers=[discovered("google", None), discovered("github", None, everywhere=True)],
    )
    await create_or_update_tenant("t1", TenantConfigCreateOrUpdate(first_factors=None))
    assert await offered(browser) == [("google", "Google"), ("github", "Github")]
    assert await offered(browser, "/t1") == [("github", "Github")]
    own = ProviderConfig("okta-acme", "ACME", [ProviderClientConfig("of-acme", "secret")])
    own.oidc_discovery_endpoint = "https://acme.okta.com"
    await create_or_update_third_party_config("t1", own)
    assert await offered(browser, "/t1") == [("okta-acme", "ACME")]
    assert await offered(browser) == [("google", "Google"), ("github", "Github")]
    await delete_third_party_config("t1", "okta-acme")
    assert await offered(browser, "/t1") == [("github", "Github")]


async def test_a_tenants_provider_goes_before_the_applications(
    start: Start, browser: Browser, account: Account, each_database: TestDatabase
) -> None:
    """SI-62: what it leaves out is the application's; clients are matched by their type."""
    clients = [
        ProviderClientConfig("ours", "our secret", client_type="web", scope=["email"]),
        ProviderClientConfig("ours-ios", client_type="ios"),
    ]
    start(multitenancy.init(), uri=each_database.uri, providers=[shop(account, clients=clients)])
    await create_or_update_tenant("t1", TenantConfigCreateOrUpdate(first_factors=None))
    theirs = ProviderClientConfig("theirs", "their secret", client_type="web", scope=["profile"])
    await create_or_update_third_party_config("t1", ProviderConfig("shop", "Their shop", [theirs]))

    provider = await get_provider("t1", "shop", "web")
    assert provider is not None
    config = provider.config
    assert (config.name, config.client_id, config.client_secret) == ("Their shop", "theirs", "their secret")
    assert (config.scope, config.token_endpoint) == (["profile"], "https://shop.example.org/token")
    url = (await browser.authorise("/t1", clientType="web")).json()["urlWithQueryParams"]
    assert (query_of(url)["client_id"], query_of(url)["scope"]) == ("theirs", "profile")
    url = (await browser.authorise(clientType="web")).json()["urlWithQueryParams"]
    assert query_of(url)["client_id"] == "ours"
    answer = await browser.sign_in_up(tenant="/t1", more={"clientType": "web"})
    assert answer.json()["user"]["tenantIds"] == ["t1"]
    assert (await browser.authorise("/t1")).status_code == 400


async def test_methods_of_recipes_that_are_there(start: Start, browser: Browser) -> None:
    """SI-72."""
    start(providers=[discovered("google", None)])
    answer = (await browser.client.get("/auth/loginmethods")).json()
    assert answer["firstFactors"] == ["thirdparty"]
    assert (answer["emailPassword"], answer["passwordless"]) == ({"enabled": False}, {"enabled": False})


async def test_all_recipes_of_one_app(start: Start, browser: Browser, account: Account) -> None:
    """SI-72: passwords, codes and providers beside each other, each for the tenants that have it."""
    start(
        multitenancy.init(),
        emailpassword.init(),
        passwordless.init(passwordless.ContactEmailOnlyConfig(), "USER_INPUT_CODE"),
        providers=[shop(account)],
        info={"api_domain": "http://localhost", "website_domain": "http://localhost:3000"},
    )
    answer = (await browser.client.get("/auth/loginmethods")).json()
    assert answer["firstFactors"] == ["thirdparty", "emailpassword", "otp-email"]
    methods = ("emailPassword", "passwordless", "thirdParty")
    assert [answer[method]["enabled"] for method in methods] == [True, True, True]
    assert answer["thirdParty"]["providers"] == [{"id": "shop", "name": "Shop"}]
    config = TenantConfigCreateOrUpdate(first_factors=["otp-email", "thirdparty"])
    await create_or_update_tenant("t1", config)
    answer = (await browser.client.get("/auth/t1/loginmethods")).json()
    assert [answer[method]["enabled"] for method in methods] == [False, True, True]
    assert answer["thirdParty"]["providers"] == []


async def test_nothing_leaves_this_machine(
    start: Start, browser: Browser, no_network: None, account: Account
) -> None:
    """SI-74: but for the requests to the provider itself, which are the provider's here."""
    start()
    assert await offered(browser) == [("shop", "Shop")]
    assert (await browser.authorise()).json()["status"] == "OK"
    first, again = await browser.sign_in_up(), await browser.sign_in_up()
    assert first.json()["createdNewRecipeUser"] is True
    assert again.json()["user"]["id"] == first.json()["user"]["id"]
    account.error = ProviderError("no", provider_name="Shop")
    assert (await browser.sign_in_up()).json()["status"] == "GENERAL_ERROR"
