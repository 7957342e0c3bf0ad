"""What a sign-in is refused for, each with a provider that behaves that way."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.recipe.thirdparty.exceptions import ProviderError
from supertokens_py.recipe.thirdparty.provider import (
    Provider,
    ProviderClientConfig,
    RedirectUriInfo,
    UserFields,
    UserInfoMap,
)
from supertokens_py.recipe.thirdparty.providers.frontend_tokens import accepted_tokens
from supertokens_py.recipe.thirdparty.providers.places import MAX_EXCHANGES
from supertokens_py.recipe.thirdparty.providers.user_fields import value_at
from supertokens_py.runtime.bridge import step
from tests.recipe.thirdparty.conftest import CALLBACK, Frontend, MakeSource, custom, found, id_token
from tests.support.clock import Clock
from tests.support.fake_provider import (
    ACCESS_TOKEN,
    CLIENT_ID,
    CLIENT_SECRET,
    CODE,
    FakeProvider,
    Reply,
    jwk_of,
)

ADA = "ada@example.com"
PUBLIC = "Sign in with Custom failed. Please try again."


async def refused(frontend: Frontend, why: str, **query: Any) -> None:
    """Come back, and be refused with a message for people and another one for the log."""
    with pytest.raises(ProviderError, match=why) as caught:
        await frontend.come_back(**query)
    assert caught.value.public_message == PUBLIC


# -- proof keys (53) -----------------------------------------------------------------------------------


async def test_verifiers_that_are_not_of_this_sign_in(
    source: MakeSource, fake: FakeProvider, clock: Clock
) -> None:
    """SI-53 Of another provider, tenant or address, of a frontend, none, and one that is too old."""
    other = custom(fake, third_party_id="other")
    providers = source(custom(fake), other)
    frontend = await Frontend(await found(providers)).begin()
    elsewhere = await Frontend(await found(providers), f"{CALLBACK}/2").begin()
    of_other = await Frontend(await found(providers, "other")).begin()
    stored = [custom(fake).config]
    of_tenant = await Frontend(await found(providers, tenant_id="t1", stored=stored)).begin()
    for begun in (elsewhere, of_other, of_tenant):
        await refused(frontend, "made for another", verifier=begun.redirect.pkce_code_verifier)
    await refused(frontend, "made for another", verifier="x" * 64)
    await refused(frontend, "no pkceCodeVerifier", verifier=None)
    clock.advance(minutes=10, ms=1)
    await refused(frontend, "older than ten minutes")
    assert "/token" not in fake.paths()


async def test_verifiers_of_another_process(source: MakeSource, fake: FakeProvider, clock: Clock) -> None:
    """The process that answers the second request knows what the first one made."""
    first = await Frontend(await found(source(custom(fake)))).begin()
    second = Frontend(await found(source(custom(fake))))
    second.redirect = first.redirect
    fake.id_token = id_token(fake, clock, first.query["nonce"])
    assert (await second.come_back()).third_party_user_id == "ada"


async def test_codes_of_one_verifier(source: MakeSource, fake: FakeProvider) -> None:
    """One at a time, and five in all: each is a request to the provider."""
    provider = await found(source(custom(fake)))
    frontend = await Frontend(provider).begin()
    failures: list[str] = []

    def meanwhile(asked: Any) -> Reply:
        with pytest.raises(ProviderError, match="one by one") as caught:
            step(frontend.exchange())
        failures.append(str(caught.value))
        return Reply(400, b'{"error": "invalid_grant"}')

    fake.answers["/token"] = meanwhile
    for _ in range(MAX_EXCHANGES):
        await refused(frontend, "error=invalid_grant")
    await refused(frontend, "only a few for a PKCE verifier")
    assert (fake.paths().count("/token"), len(failures)) == (MAX_EXCHANGES, MAX_EXCHANGES)
    await refused(await Frontend(provider).begin(), "error=invalid_grant")


@pytest.mark.parametrize("code", ["\ud800", "é", "a\0", "a\r\nb"])
async def test_codes_that_no_provider_makes(source: MakeSource, fake: FakeProvider, code: str) -> None:
    await refused(await Frontend(await found(source(custom(fake)))).begin(), "code has characters", code=code)
    assert "/token" not in fake.paths()


@pytest.mark.parametrize("name", ["access_token", "id_token"])
@pytest.mark.parametrize("token", ["\ud800", "é€", "a\r\nx: y", "\ud800.a.b"])
async def test_tokens_that_no_provider_makes(
    source: MakeSource, fake: FakeProvider, name: str, token: str
) -> None:
    provider = await found(source(custom(fake)))
    with pytest.raises(ProviderError, match="token has characters"):
        await provider.get_user_info({name: token}, {})


# -- ID tokens (54) ------------------------------------------------------------------------------------


async def test_an_id_token_of_another_sign_in(source: MakeSource, fake: FakeProvider, clock: Clock) -> None:
    """A replayed one, and one that an attacker's code leads to (code injection)."""
    providers = source(custom(fake))
    earlier = await Frontend(await found(providers)).begin()
    fake.id_token = id_token(fake, clock, earlier.query["nonce"])
    await earlier.come_back()
    await refused(await Frontend(await found(providers)).begin(), "nonce is not that of this sign-in")
    fake.id_token = id_token(fake, clock, None)
    await refused(await Frontend(await found(providers)).begin(), "nonce is not that of this sign-in")


async def test_an_id_token_that_an_app_asked_for(
    source: MakeSource, fake: FakeProvider, clock: Clock
) -> None:
    """Of one client for the other, where the application names both: as a client, or in a list."""
    fake_token = {"id_token": id_token(fake, clock, azp="the app")}
    listed = custom(fake, additional_config={"authorizedParties": ["the app"]})
    both = custom(fake)
    assert both.config.clients is not None
    both.config.clients[0].client_type = "web"
    both.config.clients.append(ProviderClientConfig("the app", client_type="android"))
    for one, client_type in ((listed, None), (both, "web")):
        provider = await found(source(one), client_type=client_type)
        assert (await provider.get_user_info(fake_token, {})).third_party_user_id == "ada"
    with pytest.raises(ProviderError, match="issued to another client"):
        await (await found(source(custom(fake)))).get_user_info(fake_token, {})
    with pytest.raises(ConfigError, match="authorizedParties of additional_config must be a list"):
        source(custom(fake, additional_config={"authorizedParties": "the app"}))


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"aud": "another-client"}, "for another client"),
        ({"iss": "https://evil.example"}, "of another issuer"),
        ({"exp": 1}, "expired"),
        ({"azp": "another-client"}, "issued to another client"),
        ({"sub": "eve"}, "speaks of another user than the ID token"),
        ({"number": 1}, "signature is not valid"),
    ],
)
async def test_id_tokens_that_are_refused(
    claims: dict[str, Any], why: str, source: MakeSource, fake: FakeProvider, clock: Clock
) -> None:
    frontend = await Frontend(await found(source(custom(fake)))).begin()
    fake.id_token = id_token(fake, clock, frontend.query["nonce"], **claims)
    await refused(frontend, why)


async def test_a_new_key_of_the_provider(source: MakeSource, fake: FakeProvider, clock: Clock) -> None:
    """It is asked for once in five seconds; tokens with keys that do not exist are refused."""
    providers = source(custom(fake))

    async def sign_in(kid: str, number: int) -> str:
        frontend = await Frontend(await found(providers)).begin()
        fake.id_token = id_token(fake, clock, frontend.query["nonce"], kid=kid, number=number)
        return (await frontend.come_back()).third_party_user_id

    assert await sign_in("k1", 0) == "ada"
    for _ in range(3):
        with pytest.raises(ProviderError, match="names a key that the provider does not publish"):
            await sign_in("k2", 1)
    assert fake.paths().count("/jwks") == 1  # it was loaded a moment ago


async def test_a_key_without_a_name(source: MakeSource, fake: FakeProvider, clock: Clock) -> None:
    fake.keys = [jwk_of("EC", None)]
    frontend = await Frontend(await found(source(custom(fake)))).begin()
    fake.id_token = id_token(fake, clock, frontend.query["nonce"], kid=None, kind="EC", algorithm="ES256")
    assert (await frontend.come_back()).third_party_user_id == "ada"


# -- issuers and mix-up --------------------------------------------------------------------------------


async def test_a_document_of_another_issuer(source: MakeSource, fake: FakeProvider) -> None:
    fake.document["issuer"] = "https://accounts.google.com"
    with pytest.raises(ProviderError, match="names another issuer than its URL"):
        await Frontend(await found(source(custom(fake)))).begin()


async def test_an_issuer_that_is_configured(source: MakeSource, fake: FakeProvider, clock: Clock) -> None:
    fake.document["issuer"] = "https://issuer.example"
    given = custom(fake, additional_config={"issuer": "https://issuer.example"})
    frontend = await Frontend(await found(source(given))).begin()
    fake.id_token = id_token(fake, clock, frontend.query["nonce"], iss="https://issuer.example")
    assert (await frontend.come_back()).third_party_user_id == "ada"


async def test_a_callback_of_another_provider(source: MakeSource, fake: FakeProvider) -> None:
    """Mix-up: the browser was sent to one provider, and comes back from another (RFC 9207)."""
    providers = source(custom(fake))
    frontend = await Frontend(await found(providers)).begin()
    await refused(frontend, "of another provider", iss="https://evil.example")
    await refused(frontend, "of another provider", iss=["x"])
    assert "/token" not in fake.paths()
    await frontend.exchange(iss=fake.address)


async def test_a_callback_that_does_not_name_the_provider(source: MakeSource, fake: FakeProvider) -> None:
    """Of a provider whose document says that it always does."""
    fake.document["authorization_response_iss_parameter_supported"] = True
    frontend = await Frontend(await found(source(custom(fake)))).begin()
    await refused(frontend, "does not name the provider")
    await frontend.exchange(iss=fake.address)


async def test_keys_without_an_issuer(source: MakeSource, fake: FakeProvider, clock: Clock) -> None:
    """Where endpoints are configured one by one, nobody says who issues ID tokens."""
    endpoints = {
        "oidc_discovery_endpoint": None,
        "authorization_endpoint": f"{fake.address}/authorize",
        "token_endpoint": f"{fake.address}/token",
        "jwks_uri": f"{fake.address}/jwks",
    }
    frontend = await Frontend(await found(source(custom(fake, **endpoints)))).begin()
    fake.id_token = id_token(fake, clock, frontend.query["nonce"])
    await refused(frontend, "not configured who issues ID tokens")
    named = custom(fake, additional_config={"issuer": fake.address}, **endpoints)
    frontend = await Frontend(await found(source(named))).begin()
    fake.id_token = id_token(fake, clock, frontend.query["nonce"])
    assert (await frontend.come_back()).third_party_user_id == "ada"


# -- checks that are switched off ----------------------------------------------------------------------


async def test_checks_that_a_provider_cannot_pass(
    source: MakeSource, fake: FakeProvider, clock: Clock
) -> None:
    skipped = {"skipChecks": ["pkce", "nonce", "issuer", "verifier"]}
    fake.document["issuer"] = "https://another.example"
    frontend = await Frontend(await found(source(custom(fake, additional_config=skipped)))).begin()
    assert {"code_challenge", "nonce"}.isdisjoint(frontend.query)
    fake.id_token = id_token(fake, clock, None)
    assert (await frontend.come_back(iss="https://third.example")).third_party_user_id == "ada"
    assert "code_verifier" not in fake.last("/token").form
    assert (await frontend.come_back(verifier=None)).third_party_user_id == "ada"
    await refused(frontend, "made for another", verifier="x" * 64)


async def test_a_nonce_of_the_application(source: MakeSource, fake: FakeProvider, clock: Clock) -> None:
    given = custom(fake, authorization_endpoint_query_params={"nonce": "mine"})
    frontend = await Frontend(await found(source(given))).begin()
    assert frontend.query["nonce"] == "mine"
    fake.id_token = id_token(fake, clock, "mine")
    assert (await frontend.come_back()).third_party_user_id == "ada"


# -- errors of the provider (55) -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ({"error": "access_denied", "code": None}, "error=access_denied"),
        ({"error": "<script>"}, "an error without a name"),
        ({"error": ["x"]}, "an error without a name"),
        ({"code": None}, "has no code"),
        ({"code": 1}, "has no code"),
        ({"code": ""}, "has no code"),
        ({"code": "x" * 9000}, "has no code"),
    ],
)
async def test_the_browser_comes_back_without_a_code(
    query: dict[str, Any], why: str, source: MakeSource, fake: FakeProvider
) -> None:
    await refused(await Frontend(await found(source(custom(fake)))).begin(), why, **query)
    assert "/token" not in fake.paths()


@pytest.mark.parametrize(
    ("path", "reply", "why"),
    [
        ("/token", Reply(500, b"stack trace"), "answered 500"),
        ("/token", Reply(400, b'{"error": "invalid_grant"}'), "error=invalid_grant"),
        ("/token", {"error": "bad_verification_code"}, "error=bad_verification_code"),
        ("/token", Reply(200, b"<html>"), "no JSON"),
        ("/token", [], "no JSON object"),
        ("/token", {}, "neither an ID token nor an answer"),
        ("/token", {"access_token": 1}, "a token is no string"),
        ("/token", Reply(302, b"", {"location": "/elsewhere"}), "answered 302"),
        ("/me", Reply(401), "answered 401"),
        ("/me", "ada", "no JSON object"),
        ("/me", Reply(200, b"x"), "no JSON"),
        ("/me", {}, "does not say who the user is"),
        ("/me", {"sub": True}, "does not say who the user is"),
        ("/me", {"sub": "x" * 257}, "longer than 256"),
        ("/jwks", Reply(503), "answered 503"),
        ("/jwks", {"keys": "none"}, "no list of keys"),
    ],
)
async def test_a_provider_that_fails(
    path: str, reply: Any, why: str, source: MakeSource, fake: FakeProvider, clock: Clock
) -> None:
    frontend = await Frontend(await found(source(custom(fake)))).begin()
    if path == "/jwks":
        fake.id_token = id_token(fake, clock, frontend.query["nonce"])
    fake.answers[path] = reply
    await refused(frontend, why)


async def test_a_document_that_fails(source: MakeSource, fake: FakeProvider) -> None:
    fake.answers["/.well-known/openid-configuration"] = Reply(500)
    with pytest.raises(ProviderError, match="answered 500"):
        await Frontend(await found(source(custom(fake)))).begin()


@pytest.mark.parametrize(
    "endpoint",
    ["javascript:alert(1)//", "http://evil.example/authorize", "https://u:p@evil.example/", "", None],
)
async def test_where_a_document_may_send_browsers(
    endpoint: str | None, source: MakeSource, fake: FakeProvider
) -> None:
    """The page opens what it is told to: a script of a tenant must not run there."""
    fake.document["authorization_endpoint"] = endpoint
    with pytest.raises(ProviderError):
        await Frontend(await found(source(custom(fake)))).begin()


@pytest.mark.parametrize("name", ["token_endpoint", "userinfo_endpoint", "jwks_uri"])
async def test_where_a_document_may_send_us(
    name: str, source: MakeSource, fake: FakeProvider, clock: Clock
) -> None:
    """Every address that it names is looked at, though the code names that of the document."""
    for inside in ("http://169.254.169.254/latest", "https://10.0.0.1/", "file:///etc/passwd"):
        fake.document[name] = inside
        frontend = await Frontend(await found(source(custom(fake)))).begin()
        fake.id_token = id_token(fake, clock, frontend.query["nonce"])
        await refused(frontend, "https only|private network|must not have")


async def test_a_document_of_a_tenant_inside(source: MakeSource, fake: FakeProvider) -> None:
    """In production: neither this machine nor our network, unless the code names the host."""
    providers = source(website="https://example.com")
    config = custom(fake).config
    for url in ("https://169.254.169.254/.well-known/openid-configuration", "https://127.0.0.1/x"):
        config.oidc_discovery_endpoint = url
        provider = await found(providers, tenant_id="t1", stored=[config])
        with pytest.raises(ProviderError, match="in a private network"):
            await Frontend(provider, "https://example.com/callback").begin()
    assert fake.paths() == []


async def test_a_host_that_an_override_names(source: MakeSource, fake: FakeProvider) -> None:
    """It is the application's code, though the tenant has stored the provider."""

    def move(original: Provider) -> Provider:
        config_of = original.get_config_for_client_type

        async def get_config(client_type: str | None, user_context: dict[str, Any]) -> Any:
            config = await config_of(client_type, user_context)
            config.oidc_discovery_endpoint = user_context.get("url", config.oidc_discovery_endpoint)
            return config

        original.get_config_for_client_type = get_config
        return original

    url = f"{fake.address.replace('http:', 'https:')}/.well-known/openid-configuration"
    listed = custom(fake, oidc_discovery_endpoint="https://idp.example/x", override=move)
    stored = custom(fake, oidc_discovery_endpoint="https://127.0.0.2/x").config
    providers = source(listed, website="https://example.com")
    for context, why in (({"url": url}, "did not answer"), ({}, "in a private network")):
        provider = await providers.find(
            "custom", client_type=None, tenant_id="t1", stored=[stored], user_context=context
        )
        assert provider is not None
        with pytest.raises(ProviderError, match=why):
            await Frontend(provider, "https://example.com/callback").begin()


# -- addresses to come back to (58) --------------------------------------------------------------------


async def test_foreign_redirect_uris(source: MakeSource, fake: FakeProvider) -> None:
    listed = "com.example.app:/callback"
    provider = await found(source(custom(fake), allowed_redirect_uris=[listed]))
    for uri in ("https://evil.example/callback", f"{listed}/2", ""):
        with pytest.raises(BadInputError, match="neither on the website nor"):
            await Frontend(provider, uri).begin()
        with pytest.raises(BadInputError, match="neither on the website nor"):
            await provider.exchange_auth_code_for_oauth_tokens(RedirectUriInfo(uri, {"code": CODE}, "x"), {})
    for uri in (listed, "http://localhost:8000/auth/callback/apple", CALLBACK):
        assert (await Frontend(provider, uri).begin()).query["redirect_uri"] == uri
    assert "/token" not in fake.paths()


async def test_a_code_that_a_library_got(source: MakeSource, fake: FakeProvider, clock: Clock) -> None:
    """On a phone nobody is redirected: there is neither an address nor a proof key, for such clients."""
    phone = custom(fake, additional_config={"skipChecks": ["verifier"]})
    fake.id_token = id_token(fake, clock, None)
    info = RedirectUriInfo("", {"code": CODE})
    provider = await found(source(phone))
    tokens = await provider.exchange_auth_code_for_oauth_tokens(info, {})
    assert (await provider.get_user_info(tokens, {})).third_party_user_id == "ada"
    assert fake.last("/token").form == {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "code": CODE,
        "grant_type": "authorization_code",
    }
    with_key = RedirectUriInfo("", {"code": CODE}, "x" * 64)
    for given, refused_info in ((custom(fake), info), (phone, with_key)):
        provider = await found(source(given))
        with pytest.raises(BadInputError):
            await provider.exchange_auth_code_for_oauth_tokens(refused_info, {})


# -- tokens of frontends (59) --------------------------------------------------------------------------


async def test_a_client_may_take_no_tokens(source: MakeSource, fake: FakeProvider, clock: Clock) -> None:
    """An ID token is of no sign-in that began here, and good until it expires: a website may refuse all."""
    tokens = {"id_token": id_token(fake, clock, "the nonce of another sign-in")}
    provider = await found(source(custom(fake)))
    for _ in range(2):
        accepted = accepted_tokens(provider, tokens)
        assert (await provider.get_user_info(accepted, {})).third_party_user_id == "ada"
    anything = {"allowFrontendTokens": False, "allowAccessTokenSignIn": True}
    provider = await found(source(custom(fake, additional_config=anything)))
    for refused in (tokens, {"access_token": ACCESS_TOKEN}, {**tokens, "access_token": ACCESS_TOKEN}):
        with pytest.raises(BadInputError, match="takes no oAuthTokens"):
            accepted_tokens(provider, refused)


async def test_an_access_token_alone(source: MakeSource, fake: FakeProvider) -> None:
    """SI-59. It may have been issued to any application: only one that is looked at signs somebody in."""
    tokens = {"access_token": ACCESS_TOKEN}
    provider = await found(source(custom(fake)))
    with pytest.raises(BadInputError, match="needs an id_token"):
        accepted_tokens(provider, tokens)
    anyone = custom(fake, additional_config={"allowAccessTokenSignIn": True})
    provider = await found(source(anyone))
    assert (await provider.get_user_info(accepted_tokens(provider, tokens), {})).third_party_user_id == "ada"
    seen: list[Any] = []

    async def look(token: str, config: Any, user_context: dict[str, Any]) -> None:
        seen.append((token, config.client_id))
        if user_context.get("refuse"):
            raise ValueError(f"no token of ours: {token}")

    provider = await found(source(custom(fake, validate_access_token=look)))
    accepted = accepted_tokens(provider, tokens)
    assert (await provider.get_user_info(accepted, {})).third_party_user_id == "ada"
    assert seen == [(ACCESS_TOKEN, CLIENT_ID)]
    with pytest.raises(ProviderError, match="look refused with ValueError"):
        await provider.get_user_info(accepted, {"refuse": True})


async def test_an_id_token_of_a_frontend(source: MakeSource, fake: FakeProvider, clock: Clock) -> None:
    """It is checked as any other; the access token beside it is not used, as nobody knows whose it is."""
    provider = await found(source(custom(fake)))
    token = id_token(fake, clock)
    accepted = accepted_tokens(provider, {"id_token": token, "access_token": ACCESS_TOKEN, "x": "y"})
    assert accepted == {"id_token": token}
    user = await provider.get_user_info(accepted, {})
    assert (user.third_party_user_id, user.raw_user_info_from_provider.from_user_info_api) == ("ada", None)
    for wrong in (id_token(fake, clock, aud="another"), id_token(fake, clock, exp=1), "x.y.z"):
        with pytest.raises(ProviderError):
            await provider.get_user_info(accepted_tokens(provider, {"id_token": wrong}), {})


@pytest.mark.parametrize("tokens", [{}, {"id_token": None}, {"id_token": 1}, {"id_token": ""}, {"x": "y"}])
async def test_no_tokens(tokens: dict[str, Any], source: MakeSource, fake: FakeProvider) -> None:
    provider = await found(source(custom(fake)))
    with pytest.raises(BadInputError):
        accepted_tokens(provider, tokens)


# -- who it is -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "answer", "expected"),
    [
        ({}, {}, (ADA, True)),
        ({"email_verified": "TRUE"}, {}, (ADA, True)),
        ({"email_verified": "yes"}, {}, (ADA, False)),
        ({"email_verified": 1}, {}, (ADA, False)),
        ({"email_verified": None}, {}, (ADA, False)),
        ({"email_verified": None}, {"email": ADA, "email_verified": True}, (ADA, True)),
        ({"email_verified": None}, {"email": "eve@example.com", "email_verified": True}, (ADA, False)),
        ({"email": None}, {"email": "info@example.com"}, ("info@example.com", False)),
        ({"email": None, "email_verified": True}, {"email": "info@example.com"}, ("info@example.com", False)),
        ({"email": 5}, {}, None),
        ({"email": " "}, {}, None),
        ({"email": "x" * 257}, {}, None),
    ],
)  # fmt: skip
async def test_the_address(
    token: dict[str, Any],
    answer: dict[str, Any],
    expected: tuple[str, bool] | None,
    source: MakeSource,
    fake: FakeProvider,
    clock: Clock,
) -> None:
    """An address is as verified as the document says in which it stands."""
    frontend = await Frontend(await found(source(custom(fake)))).begin()
    fake.user = {"sub": "ada", **answer}
    fake.id_token = id_token(fake, clock, frontend.query["nonce"], **token)
    email = (await frontend.come_back()).email
    assert (email and (email.id, email.is_verified)) == expected


async def test_where_the_documents_name_the_user(
    source: MakeSource, fake: FakeProvider, clock: Clock
) -> None:
    """Paths with dots; what one document does not have, the other one does."""
    fields = UserInfoMap(UserFields("oid", "mail"), UserFields("data.0.id", "data.0.mail", "data.0.ok"))
    frontend = await Frontend(await found(source(custom(fake, user_info_map=fields)))).begin()
    fake.user = {"data": [{"id": 7, "mail": "x@example.com", "ok": True}]}
    fake.id_token = id_token(fake, clock, frontend.query["nonce"])
    user = await frontend.come_back()
    assert user.third_party_user_id == "7"
    assert user.email is not None
    assert (user.email.id, user.email.is_verified) == ("x@example.com", True)


@pytest.mark.parametrize("name", ["1", "-1", "\u00b2", "9" * 5000, "x", ""])
def test_a_path_leads_nowhere_behind_a_list_without_such_an_item(name: str) -> None:
    """Without the ValueError for what `isdigit` takes for a number and `int` does not."""
    assert value_at({"data": ["first"]}, f"data.{name}") is None


# -- logs (73) -----------------------------------------------------------------------------------------


async def test_no_secrets_in_logs(
    source: MakeSource, fake: FakeProvider, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """SI-73. Neither ours nor the HTTP client's, in success and failure, at DEBUG."""
    caplog.set_level(logging.DEBUG)
    frontend = await Frontend(await found(source(custom(fake)))).begin()
    token = fake.id_token = id_token(fake, clock, frontend.query["nonce"])
    query = {"user_info_endpoint_query_params": {"access_token": "secret-parameter"}}
    with_query = await Frontend(await found(source(custom(fake, **query)))).begin()
    await frontend.come_back()
    await refused(with_query, "nonce")
    fake.answers["/token"] = Reply(400, f'{{"error": "e", "code": "{CODE}"}}'.encode())
    await refused(frontend, "error=e")
    verifier = frontend.redirect.pkce_code_verifier
    assert verifier is not None
    assert "sign-in with custom (tenant public) failed" in caplog.text
    for secret in (CLIENT_SECRET, CODE, ACCESS_TOKEN, token, verifier, "secret-parameter"):
        assert secret not in caplog.text
