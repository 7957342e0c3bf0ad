"""A small site that signs users in with providers, and a provider that is asked nothing."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI

from supertokens_py import EngineConfig, InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.framework.fastapi import get_middleware
from supertokens_py.recipe import session, thirdparty
from supertokens_py.recipe.thirdparty import ProviderClientConfig, ProviderConfig, ProviderInput
from supertokens_py.recipe.thirdparty.provider import Provider, RedirectUriInfo
from supertokens_py.recipe.thirdparty.types import RawUserInfoFromProvider, UserInfo, UserInfoEmail
from supertokens_py.tokens.access_token import parse_access_token
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

API = "http://api.example.com"
PAGE = "http://example.com/auth/callback/shop"
ADDRESS = "ada@example.com"
TOKENS = {"access_token": "a provider's access token", "id_token": "a provider's ID token", "expires_in": 60}

Start = Callable[..., Supertokens]


@dataclass
class Account:
    """Who signs in at the provider of the tests, and what goes wrong there."""

    user_id: str = "ada-at-shop"
    email: str | None = ADDRESS
    is_verified: bool = True
    error: Exception | None = None
    asked: list[str] = field(default_factory=list[str])


def shop(account: Account, third_party_id: str = "shop", **config: Any) -> ProviderInput:
    """Return a provider whose network is replaced: whoever comes with a code is the account's user."""

    def override(original: Provider) -> Provider:
        async def exchange_auth_code_for_oauth_tokens(
            redirect_uri_info: RedirectUriInfo, user_context: dict[str, Any]
        ) -> dict[str, Any]:
            account.asked.append(f"code {redirect_uri_info.redirect_uri_query_params.get('code')}")
            if account.error is not None:
                raise account.error
            return {**TOKENS}

        def get_user_info(oauth_tokens: dict[str, Any], user_context: dict[str, Any]) -> UserInfo:
            account.asked.append("user")
            email = None if account.email is None else UserInfoEmail(account.email, account.is_verified)
            raw = RawUserInfoFromProvider({"sub": account.user_id}, {"picture": "a provider's picture"})
            return UserInfo(account.user_id, email, raw)

        original.exchange_auth_code_for_oauth_tokens = exchange_auth_code_for_oauth_tokens  # type: ignore[method-assign]
        original.get_user_info = get_user_info  # type: ignore[method-assign, assignment]
        return original

    settings: dict[str, Any] = {
        "name": "Shop",
        "clients": [ProviderClientConfig("the-client", "the client's secret", scope=["email"])],
        "authorization_endpoint": "https://shop.example.org/authorize",
        "token_endpoint": "https://shop.example.org/token",
        "user_info_endpoint": "https://shop.example.org/me",
        **config,
    }
    return ProviderInput(ProviderConfig(third_party_id, **settings), override=override)


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture(
    params=[
        pytest.param("sqlite_database", id="sqlite"),
        pytest.param("fresh_postgres_database", id="postgres", marks=pytest.mark.postgres),
    ]
)
def each_database(request: pytest.FixtureRequest) -> TestDatabase:
    """Each kind of database in turn, without tables of users."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def start(sqlite_database: TestDatabase, clock: Clock, account: Account) -> Iterator[Start]:
    """Initialise the SDK: `start()` or `start(**arguments of thirdparty.init)`; `providers` are the list."""
    Supertokens.reset()

    def started(
        *recipes: Any,
        uri: str | None = None,
        providers: Any = None,
        info: dict[str, Any] | None = None,
        engine: dict[str, Any] | None = None,
        client_ip: Any = None,
        **settings: Any,
    ) -> Supertokens:
        about = {"app_name": "Tests", "api_domain": API, "website_domain": "http://example.com"}
        given = [shop(account)] if providers is None else providers
        init(
            app_info=InputAppInfo(**{**about, **(info or {})}),
            supertokens_config=SupertokensConfig(
                uri or sqlite_database.uri,
                engine=EngineConfig(now_ms=clock, **{"clean_up_interval": 0, **(engine or {})}),
            ),
            recipe_list=[
                session.init(),
                thirdparty.init(thirdparty.SignInAndUpFeature(given), **settings),
                *recipes,
            ],
            client_ip=client_ip,
        )
        return Supertokens.get_instance()

    yield started
    Supertokens.reset()


def apple_state(address: object) -> str:
    """Return what the official frontends put into `state` for Apple."""
    return b64encode(json.dumps({"state": "s", "frontendRedirectURI": address}).encode()).decode()


class Browser:
    """Asks as the official frontend does."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.client = client

    async def authorise(self, tenant: str = "", **changes: Any) -> httpx2.Response:
        params = {"thirdPartyId": "shop", "redirectURIOnProviderDashboard": PAGE, **changes}
        asked = {name: value for name, value in params.items() if value is not None}
        return await self.client.get(f"/auth{tenant}/authorisationurl", params=asked)

    async def sign_in_up(
        self,
        code: str = "a code",
        *,
        tenant: str = "",
        fdi: str = "",
        client: str = "",
        more: dict[str, Any] | None = None,
        **query: str,
    ) -> httpx2.Response:
        info = {
            "redirectURIOnProviderDashboard": PAGE,
            "redirectURIQueryParams": {"code": code, "state": "s", **query},
            "pkceCodeVerifier": "v" * 43,
        }
        body = {"thirdPartyId": "shop", "redirectURIInfo": info, **(more or {})}
        headers = {"rid": "thirdparty", "st-auth-mode": "header", **({"fdi-version": fdi} if fdi else {})}
        if client:
            headers["x-real-ip"] = client
        return await self.client.post(f"/auth{tenant}/signinup", json=body, headers=headers)

    async def post(self, path: str, content: bytes) -> httpx2.Response:
        return await self.client.post(
            f"/auth{path}", content=content, headers={"content-type": "application/json"}
        )


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    app = FastAPI()
    app.add_middleware(get_middleware())
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=API) as opened:
        yield Browser(opened)


def payload_of(answer: httpx2.Response) -> dict[str, Any] | None:
    """Return the payload of the access token that an answer brings, if it does."""
    token = answer.headers.get("st-access-token")
    return parse_access_token(token).payload if token else None


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
