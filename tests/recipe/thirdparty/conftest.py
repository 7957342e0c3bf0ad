"""Providers of one small application, and what frontends do with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from supertokens_py import EngineConfig, InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.recipe import session
from supertokens_py.recipe.thirdparty.provider import (
    AuthorisationRedirect,
    Provider,
    ProviderClientConfig,
    ProviderConfig,
    ProviderInput,
    RedirectUriInfo,
    UserInfo,
)
from supertokens_py.recipe.thirdparty.providers.source import ProviderSource
from tests.support.clock import Clock
from tests.support.databases import Sqlite, TestDatabase
from tests.support.fake_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    CODE,
    FakeProvider,
    fake_provider,
    private_key,
)

WEBSITE = "http://localhost:3000"
CALLBACK = f"{WEBSITE}/auth/callback/custom"

MakeSource = Callable[..., ProviderSource]


@pytest.fixture
def sqlite_database(sqlite_files: Sqlite) -> TestDatabase:
    """A SQLite file of this test, with the tables of users that sign in, too."""
    return sqlite_files.create(users=True)


@pytest.fixture(scope="module")
def running_fake() -> Iterator[FakeProvider]:
    with fake_provider() as running:
        yield running


@pytest.fixture
def fake(running_fake: FakeProvider) -> FakeProvider:
    """A provider on this machine, as it is at the start."""
    fresh = FakeProvider(running_fake.address)
    vars(running_fake).update(vars(fresh))
    running_fake.answers = {
        "/.well-known/openid-configuration": lambda asked: running_fake.document,
        "/jwks": lambda asked: {"keys": running_fake.keys},
        "/token": lambda asked: running_fake.tokens(),
        "/me": lambda asked: running_fake.user,
    }
    return running_fake


@pytest.fixture
def source(sqlite_database: TestDatabase, clock: Clock) -> Iterator[MakeSource]:
    """Make the providers of an application: `source(*inputs, website=…, **arguments of ProviderSource)`."""
    Supertokens.reset()

    def made(*inputs: ProviderInput, website: str = WEBSITE, **settings: Any) -> ProviderSource:
        Supertokens.reset()
        init(
            app_info=InputAppInfo("Tests", "http://localhost:8000", website_domain=website),
            supertokens_config=SupertokensConfig(
                sqlite_database.uri, engine=EngineConfig(now_ms=clock, clean_up_interval=0)
            ),
            recipe_list=[session.init()],
        )
        return ProviderSource(Supertokens.get_instance(), inputs, **settings)

    yield made
    Supertokens.reset()


def custom(fake: FakeProvider, **settings: Any) -> ProviderInput:
    """Return a provider that is configured by its document; `settings` are of its client or its own."""
    own = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "scope": ["openid", "email"]}
    names = ("client_id", "client_secret", "scope", "additional_config", "client_type")
    own |= {name: settings.pop(name) for name in names if name in settings}
    override = settings.pop("override", None)
    config = {
        "third_party_id": "custom",
        "name": "Custom",
        "clients": [ProviderClientConfig(**own)],
        "oidc_discovery_endpoint": f"{fake.address}/.well-known/openid-configuration",
        **settings,
    }
    return ProviderInput(ProviderConfig(**config), override=override)


async def found(
    source: ProviderSource,
    third_party_id: str = "custom",
    *,
    client_type: str | None = None,
    tenant_id: str = "public",
    stored: Sequence[ProviderConfig] = (),
) -> Provider:
    """Return a provider that is there."""
    provider = await source.find(
        third_party_id, client_type=client_type, tenant_id=tenant_id, stored=stored, user_context={}
    )
    assert provider is not None
    return provider


class Frontend:
    """What a website does with a provider of one request."""

    def __init__(self, provider: Provider, callback: str = CALLBACK) -> None:
        self.provider = provider
        self.callback = callback
        self.redirect = AuthorisationRedirect("")

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the authorisation URL."""
        return {
            name: value[0]
            for name, value in parse_qs(urlsplit(self.redirect.url_with_query_params).query).items()
        }

    async def begin(self) -> Frontend:
        self.redirect = await self.provider.get_authorisation_redirect_url(self.callback, {})
        return self

    async def exchange(self, /, **query: Any) -> dict[str, Any]:
        """Come back from the provider."""
        verifier = query.pop("verifier", self.redirect.pkce_code_verifier)
        info = RedirectUriInfo(self.callback, {"code": CODE, "state": "s", **query}, verifier)
        return await self.provider.exchange_auth_code_for_oauth_tokens(info, {})

    async def come_back(self, /, **query: Any) -> UserInfo:
        """Come back from the provider, and learn who it is."""
        return await self.provider.get_user_info(await self.exchange(**query), {})


def id_token(
    fake: FakeProvider,
    clock: Clock,
    nonce: str | None = None,
    *,
    kind: str = "RSA",
    algorithm: str = "RS256",
    number: int = 0,
    kid: str | None = "k1",
    **claims: Any,
) -> str:
    """Return an ID token of the fake provider; a claim that is None is left out."""
    now_s = clock() // 1000
    payload = {
        "iss": fake.address,
        "aud": CLIENT_ID,
        "sub": "ada",
        "iat": now_s,
        "exp": now_s + 300,
        "nonce": nonce,
        "email": "ada@example.com",
        "email_verified": True,
        **claims,
    }
    present = {name: value for name, value in payload.items() if value is not None}
    headers = {} if kid is None else {"kid": kid}
    return jwt.encode(present, private_key(kind, number), algorithm=algorithm, headers=headers)
