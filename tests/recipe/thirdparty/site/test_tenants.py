"""Which providers a tenant offers, and that nobody is asked for it."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from supertokens_py.recipe import multitenancy
from supertokens_py.recipe.multitenancy.asyncio import create_or_update_tenant
from supertokens_py.recipe.multitenancy.interfaces import TenantConfigCreateOrUpdate
from supertokens_py.recipe.thirdparty import ProviderClientConfig, ProviderConfig, ProviderInput

from .conftest import Browser, Start


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


async def test_an_app_without_providers_offers_none(start: Start, browser: Browser) -> None:
    start(multitenancy.init(), providers=[])
    assert await offered(browser) == []
    await create_or_update_tenant("t1", TenantConfigCreateOrUpdate(first_factors=["emailpassword"]))
    answer = (await browser.client.get("/auth/t1/loginmethods")).json()
    assert answer["thirdParty"] == {"enabled": False, "providers": []}


async def test_other_tenants_have_what_is_for_all(start: Start, browser: Browser) -> None:
    """SI-62."""
    start(
        multitenancy.init(),
        providers=[discovered("google", None), discovered("github", None, everywhere=True)],
    )
    await create_or_update_tenant("t1", TenantConfigCreateOrUpdate(first_factors=None))
    assert await offered(browser) == [("google", "Google"), ("github", "Github")]
    assert await offered(browser, "/t1") == [("github", "Github")]


async def test_methods_of_recipes_that_are_there(start: Start, browser: Browser) -> None:
    """SI-72."""
    start(providers=[discovered("google", None)])
    answer = (await browser.client.get("/auth/loginmethods")).json()
    assert answer["firstFactors"] == ["thirdparty"]
    assert (answer["emailPassword"], answer["passwordless"]) == ({"enabled": False}, {"enabled": False})
