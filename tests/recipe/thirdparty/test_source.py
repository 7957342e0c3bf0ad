"""Which provider and client a request means, and what applications change of it."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.recipe.thirdparty.exceptions import ClientTypeNotFoundError, ProviderError
from supertokens_py.recipe.thirdparty.provider import (
    AuthorisationRedirect,
    Provider,
    ProviderClientConfig,
    ProviderConfig,
    ProviderConfigForClient,
    ProviderInput,
    RedirectUriInfo,
    UserInfo,
    UserInfoEmail,
)
from supertokens_py.recipe.thirdparty.providers import source as source_module
from supertokens_py.recipe.thirdparty.providers.source import ProviderSource
from tests.recipe.thirdparty.conftest import Frontend, MakeSource, custom, found, id_token
from tests.support.clock import Clock
from tests.support.fake_provider import FakeProvider


def google(*clients: ProviderClientConfig, **settings: Any) -> ProviderConfig:
    return ProviderConfig("google", clients=list(clients) or [ProviderClientConfig("app", "s")], **settings)


async def names(source: ProviderSource, **options: Any) -> list[tuple[str, str]]:
    given: dict[str, Any] = {"client_type": None, "tenant_id": "public", "stored": [], "user_context": {}}
    return await source.names(**{**given, **options})


def test_two_providers_of_one_id(source: MakeSource) -> None:
    with pytest.raises(BadInputError, match=r"^The providers array has multiple entries for the same third"):
        source(ProviderInput(google()), ProviderInput(google()))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("google", "providers must be a list of ProviderInput"),
        (ProviderInput("google"), "config of a ProviderInput must be a ProviderConfig"),  # type: ignore[arg-type]
        (ProviderInput(ProviderConfig("")), "third_party_id must be a string of 1 to 28 characters"),
        (ProviderInput(ProviderConfig("x" * 29)), "third_party_id must be a string of 1 to 28 characters"),
        (ProviderInput(ProviderConfig("okta", clients=[ProviderClientConfig("a")])), "needs 'oktaDomain'"),
        (ProviderInput(ProviderConfig("apple", clients=[ProviderClientConfig("a")])), "needs 'keyId'"),
        (
            ProviderInput(ProviderConfig("boxy-saml", oidc_discovery_endpoint="https://saml.example.com")),
            "needs 'boxyURL'",
        ),
        (
            ProviderInput(
                ProviderConfig(
                    "gitlab", clients=[ProviderClientConfig("a", additional_config={"gitlabBaseUrl": 5})]
                )
            ),
            "needs 'gitlabBaseUrl'",
        ),
        (
            ProviderInput(google(ProviderClientConfig("a", additional_config={"skipChecks": ["all"]}))),
            "skipChecks of additional_config must be a list of verifier, pkce, nonce, issuer",
        ),
        (
            ProviderInput(google(ProviderClientConfig("a", additional_config={"allowFrontendTokens": "no"}))),
            "allowFrontendTokens of additional_config must be True or False",
        ),
        (
            ProviderInput(google(ProviderClientConfig("a", additional_config={"skipChecks": "pkce"}))),
            "skipChecks",
        ),
        (
            ProviderInput(google(ProviderClientConfig("a", additional_config={"issuer": 1}))),
            "issuer of additional_config must be a string",
        ),
    ],
)
def test_providers_that_cannot_work(given: Any, message: str, source: MakeSource) -> None:
    with pytest.raises(ConfigError, match=message):
        source(given)


def test_the_extra_is_not_installed(source: MakeSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="the extra 'thirdparty'"):
        source(ProviderInput(google()))


async def test_nobody_is_asked_before_somebody_signs_in(
    source: MakeSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither at the start nor for the list of providers (63)."""

    def refuse(*args: Any) -> Any:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    providers = source(ProviderInput(google()), ProviderInput(ProviderConfig("mine", name="Mine", clients=[
        ProviderClientConfig("a")], oidc_discovery_endpoint="https://idp.example/x")))  # fmt: skip
    assert await names(providers) == [("google", "Google"), ("mine", "Mine")]


async def test_clients_by_type(source: MakeSource) -> None:
    """SI-62 Without a type there must be one client; what has none of the type is not offered."""
    web, ios = ProviderClientConfig("w", client_type="web"), ProviderClientConfig("i", client_type="ios")
    mine = ProviderConfig("mine", clients=[ProviderClientConfig("m", client_type="web")])
    providers = source(ProviderInput(google(web, ios)), ProviderInput(mine))
    assert (await found(providers, "google", client_type="ios")).config.client_id == "i"
    assert (await found(providers, "mine")).config.client_id == "m"
    with pytest.raises(ClientTypeNotFoundError, match="please provide exactly one client config"):
        await found(providers, "google")
    with pytest.raises(ClientTypeNotFoundError, match="Could not find client config for clientType: tv"):
        await found(providers, "google", client_type="tv")
    assert await names(providers) == [("mine", "mine")]
    assert await names(providers, client_type="web") == [("google", "Google"), ("mine", "mine")]
    assert await names(providers, client_type="ios") == [("google", "Google")]
    assert await names(providers, client_type="tv") == []


async def test_providers_of_tenants(source: MakeSource) -> None:
    """A tenant has what it has stored, else what is for every tenant; "public" has everything."""
    everywhere = ProviderInput(
        ProviderConfig("mine", clients=[ProviderClientConfig("m")]),
        include_in_non_public_tenants_by_default=True,
    )
    providers = source(ProviderInput(google()), everywhere)
    assert [one for one, _ in await names(providers)] == ["google", "mine"]
    assert [one for one, _ in await names(providers, tenant_id="t1")] == ["mine"]
    stored = [ProviderConfig("okta", name="Acme", clients=[ProviderClientConfig(
        "o", additional_config={"oktaDomain": "acme.okta.com"})])]  # fmt: skip
    for tenant_id in ("t1", "public"):
        assert await names(providers, tenant_id=tenant_id, stored=stored) == [("okta", "Acme")]
    gone = await providers.find("google", client_type=None, tenant_id="t1", stored=stored, user_context={})
    assert gone is None


async def test_what_a_tenant_has_stored_wins(source: MakeSource) -> None:
    """SI-62 Field by field; clients by their type. Functions stay the application's."""

    async def look(payload: Any, config: Any, user_context: Any) -> None: ...

    listed = google(
        ProviderClientConfig("web-app", "s1", client_type="web"),
        ProviderClientConfig("ios-app", "s2", client_type="ios"),
        name="Ours",
        require_email=False,
        validate_id_token_payload=look,
    )
    stored = google(ProviderClientConfig("web-tenant", "s3", client_type="web"), name="Theirs")
    providers = source(ProviderInput(listed))
    web = await found(providers, "google", client_type="web", tenant_id="t1", stored=[stored])
    ios = await found(providers, "google", client_type="ios", tenant_id="t1", stored=[stored])
    assert (web.config.client_id, web.config.client_secret, web.config.name) == ("web-tenant", "s3", "Theirs")
    assert (ios.config.client_id, ios.config.name) == ("ios-app", "Theirs")
    assert web.config.require_email is False
    assert web.config.validate_id_token_payload is look
    ours = await found(providers, "google", client_type="web")
    assert (ours.config.client_id, ours.config.name) == ("web-app", "Ours")


async def test_servers_of_a_tenant_do_not_get_our_secrets(source: MakeSource) -> None:
    """Clients that the code lists are for the servers that the code means."""
    stored = ProviderConfig("google", clients=[], token_endpoint="https://evil.example/token")
    with pytest.raises(ClientTypeNotFoundError):
        await found(source(ProviderInput(google())), "google", tenant_id="t1", stored=[stored])


async def test_one_provider_of_a_tenant_cannot_work(source: MakeSource) -> None:
    """The others are offered; whoever asks for it is told so."""
    broken = ProviderConfig("okta", clients=[ProviderClientConfig("o")])
    stored = [broken, google()]
    providers = source()
    assert await names(providers, tenant_id="t1", stored=stored) == [("google", "Google")]
    with pytest.raises(ProviderError, match="needs 'oktaDomain'"):
        await found(providers, "okta", tenant_id="t1", stored=stored)


async def test_overrides(source: MakeSource, fake: FakeProvider, clock: Clock) -> None:
    """Each method, sync or async, with the original at hand; what they change is of one request only."""

    def change(original: Provider) -> Provider:
        config_of, redirect = original.get_config_for_client_type, original.get_authorisation_redirect_url
        exchange, info = original.exchange_auth_code_for_oauth_tokens, original.get_user_info

        async def get_config(
            client_type: str | None, user_context: dict[str, Any]
        ) -> ProviderConfigForClient:
            config = await config_of(client_type, user_context)
            assert config.scope is not None
            config.scope.append("calendar")
            return config

        async def get_redirect(uri: str, user_context: dict[str, Any]) -> AuthorisationRedirect:
            found = await redirect(uri, user_context)
            found.url_with_query_params += "&mine=1"
            return found

        async def get_tokens(given: RedirectUriInfo, user_context: dict[str, Any]) -> dict[str, Any]:
            return {**await exchange(given, user_context), "mine": original.config.client_id}

        async def get_info(tokens: dict[str, Any], user_context: dict[str, Any]) -> UserInfo:
            assert tokens["mine"] == original.config.client_id
            user = await info(tokens, user_context)
            user.email = UserInfoEmail("mine@example.com", False)
            return user

        original.get_config_for_client_type = get_config
        original.get_authorisation_redirect_url = get_redirect
        original.exchange_auth_code_for_oauth_tokens = get_tokens
        original.get_user_info = get_info
        return original

    providers = source(custom(fake, override=change))
    for _ in range(2):
        frontend = await Frontend(await found(providers)).begin()
        assert frontend.query["scope"] == "openid email calendar"
        assert frontend.query["mine"] == "1"
        fake.id_token = id_token(fake, clock, frontend.query["nonce"])
        email = (await frontend.come_back()).email
        assert email == UserInfoEmail("mine@example.com", False)


async def test_an_override_without_a_loop_or_result(source: MakeSource, fake: FakeProvider) -> None:
    def plain(original: Provider) -> Provider:
        def get_user_info(tokens: Any, user_context: Any) -> Any:
            return user_context["answer"]

        original.get_user_info = get_user_info  # type: ignore[method-assign]
        return original

    provider = await found(source(custom(fake, override=plain)))
    answer = UserInfo("eve")
    assert await provider.get_user_info({}, {"answer": answer}) is answer
    with pytest.raises(ConfigError, match="must return a UserInfo"):
        await provider.get_user_info({}, {"answer": None})


async def test_an_override_with_an_object_of_its_own(source: MakeSource, fake: FakeProvider) -> None:
    """Both objects have the configuration of the request."""

    class Mine(Provider):
        def __init__(self, original: Provider) -> None:
            super().__init__(original.id, original.config)
            self.original = original

        async def get_config_for_client_type(self, client_type: Any, user_context: Any) -> Any:
            return await self.original.get_config_for_client_type(client_type, user_context)

        async def get_authorisation_redirect_url(self, *arguments: Any) -> Any:
            return await self.original.get_authorisation_redirect_url(*arguments)

        async def exchange_auth_code_for_oauth_tokens(self, *arguments: Any) -> Any: ...

        async def get_user_info(self, *arguments: Any) -> Any:
            return UserInfo(self.config.client_id)

    provider = await found(source(custom(fake, override=Mine)))
    await Frontend(provider).begin()
    assert (await provider.get_user_info({}, {})).third_party_user_id == "client"


def test_without_an_event_loop(source: MakeSource, fake: FakeProvider, clock: Clock) -> None:
    """Blocking frameworks step the same coroutines."""
    from supertokens_py.runtime.bridge import step

    frontend = Frontend(step(found(source(custom(fake)))))
    step(frontend.begin())
    fake.id_token = id_token(fake, clock, frontend.query["nonce"])
    assert step(frontend.come_back()).third_party_user_id == "ada"
