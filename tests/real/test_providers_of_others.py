"""Our client of providers with OpenID providers that others wrote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import parse_qs, urlsplit

import pytest

from supertokens_py.recipe.thirdparty.exceptions import ProviderError
from supertokens_py.recipe.thirdparty.provider import (
    Provider,
    ProviderClientConfig,
    ProviderConfig,
    ProviderInput,
    UserInfo,
)
from supertokens_py.recipe.thirdparty.providers.frontend_tokens import accepted_tokens
from tests.recipe.thirdparty.conftest import Frontend, MakeSource, found, source
from tests.support.openid import PROVIDERS, OpenIDProvider

__all__ = ["source"]
pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]  # the first test installs npm's packages

ADDRESS = "ada@example.com"


@pytest.fixture(scope="module", params=PROVIDERS)
def running(request: pytest.FixtureRequest) -> Iterator[OpenIDProvider]:
    """Each provider."""
    with PROVIDERS[request.param]() as provider:
        yield provider


def given(
    running: OpenIDProvider, client_id: str = "shop", *, name: str = "shop", skip: Sequence[str] = ()
) -> ProviderInput:
    """Return a provider that is configured by its document."""
    client = ProviderClientConfig(
        client_id,
        running.client_secret,
        scope=["openid", "email"],
        additional_config={"skipChecks": list(skip)},
    )
    return ProviderInput(ProviderConfig(name, clients=[client], oidc_discovery_endpoint=running.document))


def come_from(running: OpenIDProvider, url: str, *, refuse: bool = False) -> dict[str, str]:
    """Sign in on the provider's pages; return the query that the website gets."""
    target = running.refuse(url) if refuse else running.sign_in(url, ADDRESS)
    return {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}


async def signed_in(running: OpenIDProvider, provider: Provider) -> UserInfo:
    frontend = await Frontend(provider).begin()
    return await frontend.come_back(**come_from(running, frontend.redirect.url_with_query_params))


async def test_a_sign_in(running: OpenIDProvider, source: MakeSource) -> None:
    """Code, proof key, nonce, ID token and user-info endpoint."""
    if running.name == "python":
        running.know(ADDRESS, email=ADDRESS, email_verified=True)
    user = await signed_in(running, await found(source(given(running)), "shop"))
    assert user.email is not None
    assert (user.email.id, user.email.is_verified) == (ADDRESS, True)
    payload = user.raw_user_info_from_provider.from_id_token_payload
    assert payload is not None
    assert user.third_party_user_id == payload["sub"]
    assert "nonce" in payload


@pytest.mark.parametrize("running", ["npm"], indirect=True)
@pytest.mark.parametrize("client_id", ["shop-ps256", "shop-es256", "shop-eddsa"])
async def test_other_signatures(running: OpenIDProvider, source: MakeSource, client_id: str) -> None:
    user = await signed_in(running, await found(source(given(running, client_id)), "shop"))
    assert user.third_party_user_id


async def test_a_refusal(running: OpenIDProvider, source: MakeSource) -> None:
    frontend = await Frontend(await found(source(given(running)), "shop")).begin()
    query = come_from(running, frontend.redirect.url_with_query_params, refuse=True)
    with pytest.raises(ProviderError, match="error=access_denied"):
        await frontend.come_back(**query)


async def test_a_code_is_used_once(running: OpenIDProvider, source: MakeSource) -> None:
    frontend = await Frontend(await found(source(given(running)), "shop")).begin()
    query = come_from(running, frontend.redirect.url_with_query_params)
    await frontend.come_back(**query)
    with pytest.raises(ProviderError, match="error=invalid_grant"):
        await frontend.come_back(**query)


async def test_a_code_of_somebody_else(running: OpenIDProvider, source: MakeSource) -> None:
    """An attacker's code in the victim's browser, with the verifier of the victim's own sign-in.

    One provider compares the proof key; where it does not, the nonce tells.
    """
    providers = source(given(running))
    attacker = await Frontend(await found(providers, "shop")).begin()
    stolen = come_from(running, attacker.redirect.url_with_query_params)
    victim = await Frontend(await found(providers, "shop")).begin()
    with pytest.raises(ProviderError, match=r"error=invalid_grant|nonce is not that"):
        await victim.come_back(**stolen)


async def test_a_code_of_another_provider(running: OpenIDProvider, source: MakeSource) -> None:
    """Mix-up: the verifier was made for another provider of the application, though at one server."""
    providers = source(given(running), given(running, name="other"))
    one = await Frontend(await found(providers, "shop")).begin()
    query = come_from(running, one.redirect.url_with_query_params)
    other = Frontend(await found(providers, "other"))
    other.redirect = one.redirect
    with pytest.raises(ProviderError, match="made for another provider"):
        await other.come_back(**query)
    if "iss" in query:
        query["iss"] = "https://evil.example"
        with pytest.raises(ProviderError, match="callback is of another provider"):
            await one.come_back(**query)


async def test_an_id_token_of_another_client(running: OpenIDProvider, source: MakeSource) -> None:
    """A native application's token signs nobody in elsewhere."""
    providers = source(given(running, "shop-es256" if running.name == "npm" else "theirs"))
    frontend = await Frontend(await found(providers, "shop")).begin()
    tokens = await frontend.exchange(**come_from(running, frontend.redirect.url_with_query_params))
    ours = await found(source(given(running)), "shop")
    with pytest.raises(ProviderError, match="for another client"):
        await ours.get_user_info(accepted_tokens(ours, tokens), {})
