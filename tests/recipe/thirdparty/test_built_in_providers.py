"""Each built-in provider against a server that answers as its documentation says.

This shows what we send and how we read the answers, not that the provider still does as it wrote.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from supertokens_py.recipe.thirdparty.exceptions import ProviderError
from supertokens_py.recipe.thirdparty.provider import (
    ProviderClientConfig,
    ProviderConfig,
    ProviderInput,
    UserInfo,
)
from supertokens_py.recipe.thirdparty.providers.built_in import BUILT_IN, filled, type_of
from supertokens_py.recipe.thirdparty.providers.frontend_tokens import accepted_tokens, email_of
from supertokens_py.recipe.thirdparty.providers.merging import each_client
from tests.recipe.thirdparty.conftest import Frontend, MakeSource, found, id_token
from tests.support.clock import Clock
from tests.support.fake_provider import (
    ACCESS_TOKEN,
    CLIENT_ID,
    CLIENT_SECRET,
    FakeProvider,
    Reply,
    private_key,
)

DIRECTORY = "11111111-2222-3333-4444-555555555555"
APPLE_KEY = (
    private_key("EC", 5)
    .private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    .decode()
)


@dataclass
class Case:
    """What a provider is configured with, what it answers, and who that is."""

    name: str
    additional_config: dict[str, str] = field(default_factory=dict[str, str])
    claims: dict[str, Any] | None = None  #: of the ID token; None: there is none
    answers: dict[str, Any] = field(default_factory=dict[str, Any])
    user: tuple[str, str | None, bool] = ("ada", "ada@example.com", True)
    asked: tuple[str, ...] = ()  #: of the provider, after the token


_OIDC = ("/jwks", "/me")
_EMAIL = {"email": "ada@example.com"}
_GITHUB_EMAILS = [
    {"email": "old@example.com", "primary": False, "verified": True},
    {"email": "ada@example.com", "primary": True, "verified": True},
]
_BITBUCKET_EMAILS = {
    "values": [
        {"email": "old@example.com", "is_primary": False, "is_confirmed": True},
        {"email": "ada@example.com", "is_primary": True, "is_confirmed": False},
    ]
}
CASES = [
    Case("google", claims={}, asked=_OIDC),
    Case("google-2", claims={}, asked=_OIDC),
    Case("google-workspaces", {"hd": "example.com"}, claims={"hd": "example.com"}, asked=_OIDC),
    Case("gitlab", claims={"email_verified": False}, answers={"/me": {"sub": "ada"}},
         user=("ada", "ada@example.com", False), asked=_OIDC),
    Case("okta-acme", {"oktaDomain": "acme.okta.com"}, claims={}, asked=_OIDC),
    Case("apple", {"keyId": "K", "teamId": "T", "privateKey": APPLE_KEY.replace("\n", "\\n")},
         claims={"email_verified": "true"}, answers={"/me": {"sub": "ada"}}, asked=_OIDC),
    Case("active-directory", {"directoryId": DIRECTORY}, claims={"email_verified": None},
         answers={"/me": {"sub": "ada", "email": "ada@example.com"}},
         user=("ada", "ada@example.com", False), asked=_OIDC),
    Case("active-directory", {"directoryId": DIRECTORY}, claims={"email_verified": None, "xms_edov": True},
         answers={"/me": {"sub": "ada", "email": "ada@example.com"}}, asked=_OIDC),
    Case("github", answers={"/user": {"id": 583231, "login": "ada", "email": "public@example.com"},
                            "/user/emails": _GITHUB_EMAILS,
                            f"/applications/{CLIENT_ID}/token": {"app": {"client_id": CLIENT_ID}}},
         user=("583231", "ada@example.com", True),
         asked=(f"/applications/{CLIENT_ID}/token", "/user", "/user/emails")),
    Case("bitbucket", answers={"/2.0/user": {"uuid": "{a}", "username": "ada"},
                               "/2.0/user/emails": _BITBUCKET_EMAILS},
         user=("{a}", "ada@example.com", False), asked=("/2.0/user", "/2.0/user/emails")),
    Case("discord", answers={"/api/users/@me": {"id": "80351110224678912", "verified": True, **_EMAIL}},
         user=("80351110224678912", "ada@example.com", True), asked=("/api/users/@me",)),
    Case("facebook", answers={"/me": {"id": "10158", "email": "ada@example.com"}},
         user=("10158", "ada@example.com", False), asked=("/me",)),
    Case("facebook", answers={"/me": {"id": "10158"}}, user=("10158", None, False), asked=("/me",)),
    Case("linkedin", answers={"/v2/userinfo": {"sub": "ada", "email_verified": "true", **_EMAIL}},
         asked=("/v2/userinfo",)),
    Case("twitter", answers={"/2/users/me": {"data": {"id": "2244994945", "username": "ada"}}},
         user=("2244994945", None, False), asked=("/2/users/me",)),
    Case("boxy-saml", {"boxyURL": "https://saml.example.com"},
         answers={"/api/oauth/userinfo": {"id": "ada", **_EMAIL}},
         user=("ada", "ada@example.com", False), asked=("/api/oauth/userinfo",)),
]  # fmt: skip


def configured(case: Case, fake: FakeProvider) -> ProviderInput:
    """Return the provider with its own endpoints, at another address."""
    secret = None if case.name == "apple" else CLIENT_SECRET
    client = ProviderClientConfig(CLIENT_ID, secret, additional_config=dict(case.additional_config))
    config = ProviderConfig(case.name, clients=[client])
    whole = filled(each_client(config)[0])
    for name in ("authorization_endpoint", "token_endpoint", "user_info_endpoint"):
        if (url := getattr(whole, name)) is not None:
            setattr(config, name, fake.address + urlsplit(url).path)
    if whole.oidc_discovery_endpoint is not None:
        config.oidc_discovery_endpoint = f"{fake.address}/.well-known/openid-configuration"
    fake.answers |= case.answers
    if config.token_endpoint is not None:
        fake.answers[urlsplit(config.token_endpoint).path] = lambda asked: fake.tokens()
    return ProviderInput(config)


async def signed_in(case: Case, source: MakeSource, fake: FakeProvider, clock: Clock) -> UserInfo:
    """Return who comes back."""
    frontend = await Frontend(await found(source(configured(case, fake)), case.name)).begin()
    if case.claims is not None:
        fake.id_token = id_token(fake, clock, frontend.query.get("nonce"), **case.claims)
    return await frontend.come_back()


@pytest.mark.parametrize("case", CASES, ids=[f"{number}-{case.name}" for number, case in enumerate(CASES)])
async def test_who_signed_in(case: Case, source: MakeSource, fake: FakeProvider, clock: Clock) -> None:
    """SI-60"""
    user = await signed_in(case, source, fake, clock)
    email = (None, False) if user.email is None else (user.email.id, user.email.is_verified)
    assert (user.third_party_user_id, *email) == case.user
    paths = fake.paths()
    token = next(path for path in paths if path.lower().endswith("token"))
    assert tuple(paths[paths.index(token) + 1 :]) == case.asked


def test_every_built_in_provider_is_tried() -> None:
    assert {type_of(case.name) for case in CASES} == set(BUILT_IN)


@pytest.mark.parametrize(
    ("name", "additional_config", "expected"),
    [
        ("google", {}, "https://accounts.google.com/.well-known/openid-configuration"),
        ("apple", {}, "https://appleid.apple.com/.well-known/openid-configuration"),
        ("gitlab", {}, "https://gitlab.com/.well-known/openid-configuration"),
        (
            "gitlab",
            {"gitlabBaseUrl": "https://git.example/"},
            "https://git.example/.well-known/openid-configuration",
        ),
        ("okta", {"oktaDomain": "acme.okta.com"}, "https://acme.okta.com/.well-known/openid-configuration"),
        (
            "okta",
            {"oktaDomain": "https://acme.okta.com/"},
            "https://acme.okta.com/.well-known/openid-configuration",
        ),
        (
            "active-directory",
            {"directoryId": DIRECTORY},
            f"https://login.microsoftonline.com/{DIRECTORY}/v2.0/.well-known/openid-configuration",
        ),
    ],
)
def test_where_the_document_is(name: str, additional_config: dict[str, str], expected: str) -> None:
    client = ProviderClientConfig(CLIENT_ID, additional_config=additional_config)
    config = ProviderConfig(name, clients=[client])
    assert filled(each_client(config)[0]).oidc_discovery_endpoint == expected


def test_a_custom_document_is_asked_as_given() -> None:
    config = ProviderConfig("mine", oidc_discovery_endpoint="https://idp.example/config")
    assert filled(each_client(config)[0]).oidc_discovery_endpoint == "https://idp.example/config"


async def test_what_google_is_asked_for(source: MakeSource, fake: FakeProvider) -> None:
    workspaces = Case("google-workspaces", {"hd": "example.com"})
    frontend = await Frontend(await found(source(configured(workspaces, fake)), workspaces.name)).begin()
    query = frontend.query
    assert (query["hd"], query["include_granted_scopes"], query["access_type"]) == (
        "example.com",
        "true",
        "offline",
    )


async def test_a_parameter_is_replaced_and_one_removed(source: MakeSource, fake: FakeProvider) -> None:
    given = configured(Case("google"), fake)
    given.config.authorization_endpoint_query_params = {
        "access_type": None,
        "prompt": "login",
        "absent": None,
    }
    frontend = await Frontend(await found(source(given), "google")).begin()
    assert "access_type" not in frontend.query
    assert "absent" not in frontend.query
    assert frontend.query["prompt"] == "login"
    assert frontend.query["include_granted_scopes"] == "true"


@pytest.mark.parametrize(
    ("wanted", "claims", "passes"),
    [
        ("example.com", {"hd": "example.com"}, True),
        ("example.com", {"hd": "evil.example"}, False),
        ("example.com", {}, False),
        ("*", {"hd": "any.example"}, True),
        ("*", {}, False),
    ],
)
async def test_users_of_a_workspace(
    wanted: str, claims: dict[str, Any], passes: bool, source: MakeSource, fake: FakeProvider, clock: Clock
) -> None:
    """What the browser is asked for in the URL is not what the ID token says."""
    case = Case("google-workspaces", {"hd": wanted}, claims=claims)
    if passes:
        assert (await signed_in(case, source, fake, clock)).third_party_user_id == "ada"
    else:
        with pytest.raises(ProviderError, match="not of the configured Google Workspace"):
            await signed_in(case, source, fake, clock)


async def test_apples_client_secret(source: MakeSource, fake: FakeProvider, clock: Clock) -> None:
    """A JWT of minutes, signed with the key that Apple gave, whose line breaks may be written out."""
    case = next(case for case in CASES if case.name == "apple")
    await signed_in(case, source, fake, clock)
    secret = fake.last("/token").form["client_secret"]
    assert jwt.get_unverified_header(secret) == {"alg": "ES256", "kid": "K", "typ": "JWT"}
    claims = jwt.decode(
        secret,
        private_key("EC", 5).public_key(),
        algorithms=["ES256"],
        audience="https://appleid.apple.com",
        options={"verify_iat": False, "verify_exp": False},
    )
    now_s = clock() // 1000
    assert claims == {
        "iss": "T",
        "sub": CLIENT_ID,
        "aud": "https://appleid.apple.com",
        "iat": now_s,
        "exp": now_s + 300,
    }


async def test_a_damaged_key_of_apple(source: MakeSource, fake: FakeProvider, clock: Clock) -> None:
    case = Case("apple", {"keyId": "K", "teamId": "T", "privateKey": "damaged-private-key"}, claims={})
    with pytest.raises(ProviderError, match="no P-256 key in PEM") as caught:
        await signed_in(case, source, fake, clock)
    assert "damaged-private-key" not in str(caught.value)


async def test_twitters_token_endpoint(source: MakeSource, fake: FakeProvider, clock: Clock) -> None:
    case = next(case for case in CASES if case.name == "twitter")
    await signed_in(case, source, fake, clock)
    asked = fake.last("/2/oauth2/token")
    assert asked.basic_auth == (CLIENT_ID, CLIENT_SECRET)
    assert "client_secret" not in asked.form
    assert "code_verifier" in asked.form


async def test_facebooks_user(source: MakeSource, fake: FakeProvider, clock: Clock) -> None:
    case = next(case for case in CASES if case.name == "facebook")
    await signed_in(case, source, fake, clock)
    asked = fake.last("/me")
    assert asked.query == {"fields": "id,email", "access_token": ACCESS_TOKEN}
    assert "authorization" not in asked.headers


async def test_githubs_requests(source: MakeSource, fake: FakeProvider, clock: Clock) -> None:
    case = next(case for case in CASES if case.name == "github")
    user = await signed_in(case, source, fake, clock)
    for path in ("/user", "/user/emails"):
        headers = fake.last(path).headers
        assert headers["authorization"] == f"Bearer {ACCESS_TOKEN}"
        assert headers["accept"] == "application/vnd.github.v3+json"
    looked_up = fake.last(f"/applications/{CLIENT_ID}/token")
    assert looked_up.basic_auth == (CLIENT_ID, CLIENT_SECRET)
    assert json.loads(looked_up.body) == {"access_token": ACCESS_TOKEN}
    raw = user.raw_user_info_from_provider.from_user_info_api
    assert raw is not None
    assert raw["emails"] == _GITHUB_EMAILS


@pytest.mark.parametrize(
    "answer", [{"app": {"client_id": "another"}}, {"app": None}, {}, Reply(404), Reply(200, b"[]")]
)
async def test_an_access_token_of_another_application(
    answer: Any, source: MakeSource, fake: FakeProvider
) -> None:
    """Where it comes from a frontend, it might have been issued to an application of an attacker."""
    case = next(case for case in CASES if case.name == "github")
    provider = await found(source(configured(case, fake)), "github")
    fake.answers[f"/applications/{CLIENT_ID}/token"] = answer
    tokens = accepted_tokens(provider, {"access_token": ACCESS_TOKEN})
    with pytest.raises(ProviderError):
        await provider.get_user_info(tokens, {})
    assert "/user" not in fake.paths()


async def test_a_user_without_an_address(source: MakeSource, fake: FakeProvider, clock: Clock) -> None:
    """X gives none, so that one is made up; where an address is required, there is none."""
    case = next(case for case in CASES if case.name == "twitter")
    given = configured(case, fake)
    provider = await found(source(given), "twitter")
    user = await (await Frontend(provider).begin()).come_back()
    email = await email_of(provider, user, "public", {})
    assert email is not None
    assert (email.id, email.is_verified) == ("2244994945.twitter@stfakeemail.supertokens.com", True)
    given.config.require_email = True
    provider = await found(source(given), "twitter")
    assert await email_of(provider, user, "public", {}) is None

    async def made_up(tenant_id: str, user_id: str, user_context: dict[str, Any]) -> str:
        return f"{tenant_id}-{user_id}@example.com"

    given.config.require_email, given.config.generate_fake_email = False, made_up
    provider = await found(source(given), "twitter")
    email = await email_of(provider, user, "t1", {})
    assert email is not None
    assert email.id == "t1-2244994945@example.com"


@pytest.mark.parametrize(
    ("directory", "issuer", "token", "passes"),
    [
        (DIRECTORY, "{d}", {}, True),
        ("contoso.onmicrosoft.com", DIRECTORY, {}, True),
        ("common", "{tenantid}", {"tid": DIRECTORY}, True),
        ("common", "{tenantid}", {"tid": DIRECTORY.replace("1", "9")}, False),
        (DIRECTORY, DIRECTORY.replace("1", "9"), {}, False),
        (DIRECTORY, "{tenantid}", {"tid": DIRECTORY}, False),
    ],
)
async def test_directories_of_microsoft(
    directory: str,
    issuer: str,
    token: dict[str, str],
    passes: bool,
    source: MakeSource,
    fake: FakeProvider,
    clock: Clock,
) -> None:
    """A directory that is named by a domain has its id as issuer; one that is named by its id, that id."""
    issuer = issuer.replace("{d}", directory)
    document = f"/{directory}/v2.0/.well-known/openid-configuration"
    fake.document["issuer"] = f"{fake.address}/{issuer}/v2.0"
    fake.answers[document] = lambda asked: fake.document
    client = ProviderClientConfig(CLIENT_ID, CLIENT_SECRET, additional_config={"directoryId": directory})
    config = ProviderConfig(
        "active-directory", clients=[client], oidc_discovery_endpoint=f"{fake.address}/{directory}/v2.0/"
    )
    frontend = Frontend(await found(source(ProviderInput(config)), "active-directory"))

    async def whole() -> UserInfo:
        await frontend.begin()
        named = DIRECTORY if "tenantid" in issuer else issuer
        claims = {"iss": f"{fake.address}/{named}/v2.0", **token}
        fake.id_token = id_token(fake, clock, frontend.query["nonce"], **claims)
        return await frontend.come_back()

    if passes:
        assert (await whole()).third_party_user_id == "ada"
    else:
        with pytest.raises(ProviderError):
            await whole()
