"""Applications change functions, APIs and providers, in the form of 0.24 or of later releases."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.recipe import thirdparty
from supertokens_py.recipe.thirdparty import InputOverrideConfig, ProviderClientConfig, SignInAndUpFeature

from .conftest import ADDRESS, PAGE, TOKENS, Account, Browser, Start, shop

seen: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    seen.clear()


def replacing(**hooks: Any) -> Any:
    """Return an override: each hook gets the original and its arguments as they are passed."""

    def override(original: Any) -> Any:
        for name, make in hooks.items():
            setattr(original, name, make(getattr(original, name)))
        return original

    return override


def function_of_0_24(original: Any) -> Any:
    async def sign_in_up(
        third_party_id: str,
        third_party_user_id: str,
        email: str,
        oauth_tokens: dict[str, Any],
        raw_user_info_from_provider: Any,
        tenant_id: str,
        user_context: dict[str, Any],
    ) -> Any:
        seen.append((third_party_id, third_party_user_id, email, oauth_tokens, tenant_id))
        return await original(
            third_party_id,
            third_party_user_id,
            email,
            oauth_tokens,
            raw_user_info_from_provider,
            tenant_id,
            user_context,
        )

    return sign_in_up


def function_of_0_31(original: Any) -> Any:
    async def sign_in_up(
        third_party_id: str,
        third_party_user_id: str,
        email: str,
        is_verified: bool,
        oauth_tokens: dict[str, Any],
        raw_user_info_from_provider: Any,
        session: Any,
        should_try_linking_with_session_user: bool | None,
        tenant_id: str,
        user_context: dict[str, Any],
    ) -> Any:
        seen.append((third_party_id, third_party_user_id, email, oauth_tokens, tenant_id))
        assert is_verified is True
        return await original(
            third_party_id,
            third_party_user_id,
            email,
            is_verified,
            oauth_tokens,
            raw_user_info_from_provider,
            session,
            should_try_linking_with_session_user,
            tenant_id,
            user_context,
        )

    return sign_in_up


def blocking_function(original: Any) -> Any:
    def sign_in_up(
        third_party_user_id: str,
        third_party_id: str,
        email: str,
        oauth_tokens: Any,
        tenant_id: str,
        **rest: Any,
    ) -> Any:
        seen.append((third_party_id, third_party_user_id, email, oauth_tokens, tenant_id))
        return original(
            third_party_id=third_party_id,
            third_party_user_id=third_party_user_id,
            email=email,
            oauth_tokens=oauth_tokens,
            tenant_id=tenant_id,
            **rest,
        )

    return sign_in_up


@pytest.mark.parametrize("make", [function_of_0_24, function_of_0_31, blocking_function])
async def test_a_function_in_any_form(start: Start, browser: Browser, make: Any) -> None:
    """SI-27."""
    start(override=InputOverrideConfig(functions=replacing(sign_in_up=make)))
    assert (await browser.sign_in_up()).json()["status"] == "OK"
    assert seen == [("shop", "ada-at-shop", ADDRESS, TOKENS, "public")]


async def test_the_form_of_0_24_does_not_lose_that_an_address_is_verified(
    start: Start, browser: Browser, account: Account
) -> None:
    """Its `original` is not told what the provider said."""
    start(override=InputOverrideConfig(functions=replacing(sign_in_up=function_of_0_24)))
    (method,) = (await browser.sign_in_up()).json()["user"]["loginMethods"]
    assert method["verified"] is True
    account.user_id, account.is_verified = "2", False
    (method,) = (await browser.sign_in_up()).json()["user"]["loginMethods"]
    assert method["verified"] is False


def api_of_0_24(original: Any) -> Any:
    async def sign_in_up_post(
        provider: Any,
        redirect_uri_info: Any,
        oauth_tokens: Any,
        tenant_id: str,
        api_options: Any,
        user_context: dict[str, Any],
    ) -> Any:
        seen.append((provider.id, redirect_uri_info.redirect_uri_on_provider_dashboard, tenant_id))
        return await original(provider, redirect_uri_info, oauth_tokens, tenant_id, api_options, user_context)

    return sign_in_up_post


def api_of_0_31(original: Any) -> Any:
    async def sign_in_up_post(
        provider: Any,
        redirect_uri_info: Any,
        oauth_tokens: Any,
        session: Any,
        should_try_linking_with_session_user: Any,
        tenant_id: str,
        api_options: Any,
        user_context: dict[str, Any],
    ) -> Any:
        seen.append((provider.id, redirect_uri_info.redirect_uri_on_provider_dashboard, tenant_id))
        assert api_options.providers[0].config.third_party_id == "shop"
        return await original(
            provider,
            redirect_uri_info,
            oauth_tokens,
            session,
            should_try_linking_with_session_user,
            tenant_id,
            api_options,
            user_context,
        )

    return sign_in_up_post


@pytest.mark.parametrize("make", [api_of_0_24, api_of_0_31])
async def test_an_api_in_either_form(start: Start, browser: Browser, make: Any) -> None:
    """SI-27."""
    start(override=InputOverrideConfig(apis=replacing(sign_in_up_post=make)))
    answer = await browser.sign_in_up()
    assert {*answer.json()} == {"status", "user", "createdNewRecipeUser"}
    assert seen == [("shop", PAGE, "public")]


async def test_an_api_that_passes_on_nothing_of_the_provider(start: Start, browser: Browser) -> None:
    """Neither a code nor tokens: what a body without either is answered."""

    def sign_in_up_post(original: Any) -> Any:
        async def own(redirect_uri_info: Any, oauth_tokens: Any, **rest: Any) -> Any:
            return await original(redirect_uri_info=None, oauth_tokens=None, **rest)

        return own

    start(override=InputOverrideConfig(apis=replacing(sign_in_up_post=sign_in_up_post)))
    answer = await browser.sign_in_up()
    message = "Please provide one of redirectURIInfo or oAuthTokens in the request body"
    assert (answer.status_code, answer.json()) == (400, {"message": message})


async def test_the_other_apis(start: Start, browser: Browser) -> None:
    def authorisation_url_get(original: Any) -> Any:
        async def own(
            provider: Any, redirect_uri_on_provider_dashboard: str, api_options: Any, user_context: Any
        ) -> Any:
            result = await original(provider, redirect_uri_on_provider_dashboard, api_options, user_context)
            result.url_with_query_params += "&prompt=login"
            return result

        return own

    def apple_redirect_handler_post(original: Any) -> Any:
        async def own(form_post_info: dict[str, Any], api_options: Any, user_context: Any) -> None:
            api_options.response.set_html_content(f"<p>{len(form_post_info)}</p>")

        return own

    start(
        override=InputOverrideConfig(
            apis=replacing(
                authorisation_url_get=authorisation_url_get,
                apple_redirect_handler_post=apple_redirect_handler_post,
            )
        )
    )
    assert (await browser.authorise()).json()["urlWithQueryParams"].endswith("&prompt=login")
    answer = await browser.client.post("/auth/callback/apple", data={"code": "c"})
    assert (answer.status_code, answer.text) == (200, "<p>1</p>")


def test_an_override_with_a_wrong_argument_is_named(start: Start) -> None:
    """SI-27."""

    def get_provider(_: Any) -> Any:
        async def own(provider_id: str, tenant_id: str) -> None: ...

        return own

    with pytest.raises(ConfigError, match="provider_id"):
        start(override=InputOverrideConfig(functions=replacing(get_provider=get_provider)))


async def test_a_provider_of_an_override(start: Start, browser: Browser, account: Account) -> None:
    """Both routes ask `get_provider`, with what the frontend said."""

    def get_provider(original: Any) -> Any:
        async def own(third_party_id: str, client_type: str, tenant_id: str, user_context: Any) -> Any:
            seen.append((third_party_id, client_type, tenant_id))
            return await original(third_party_id, "web", tenant_id, user_context)

        return own

    client = ProviderClientConfig("of-the-web", "secret", client_type="web")
    start(
        providers=[shop(account, clients=[client])],
        override=InputOverrideConfig(functions=replacing(get_provider=get_provider)),
    )
    answer = await browser.authorise(clientType="ios")
    assert "client_id=of-the-web" in answer.json()["urlWithQueryParams"]
    assert (await browser.sign_in_up(more={"clientType": "ios"})).json()["status"] == "OK"
    assert seen == [("shop", "ios", "public")] * 2


def test_two_providers_of_one_id(start: Start, account: Account) -> None:
    """SI-61."""
    with pytest.raises(
        BadInputError,
        match=r"^The providers array has multiple entries for the same third party provider\.$",
    ):
        start(providers=[shop(account), shop(account)])


@pytest.mark.parametrize(
    "arguments",
    [
        {"sign_in_and_up_feature": ["google"]},
        {"override": "functions"},
        {"allow_private_networks": "yes"},
        {"allowed_redirect_uris": "https://example.com/a"},
        {"allowed_redirect_uris": [1]},
        {"allowed_redirect_uris": ["https://*.example.com/"]},
        {"allowed_redirect_uris": ["/auth/callback"]},
        {"allowed_redirect_uris": ["javascript:x"]},
        {"allowed_redirect_uris": ["https://example.com/#x"]},
    ],
)
def test_wrong_arguments_are_named(start: Start, arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(arguments))):
        thirdparty.init(**arguments)


def test_names_of_later_releases() -> None:
    assert thirdparty.ThirdPartyOverrideConfig is InputOverrideConfig
    assert thirdparty.init().sign_in_and_up_feature is None
    assert SignInAndUpFeature().providers == []
