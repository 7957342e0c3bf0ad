"""A small site that signs users in with codes and links, and the messages that it sends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI

from supertokens_py import EngineConfig, InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.framework.fastapi import get_middleware
from supertokens_py.recipe import passwordless, session
from supertokens_py.recipe.passwordless import (
    ContactConfig,
    ContactEmailOrPhoneConfig,
    EmailDeliveryConfig,
    EmailDeliveryInterface,
    EmailTemplateVars,
    SMSDeliveryConfig,
    SMSDeliveryInterface,
    SMSTemplateVars,
)
from supertokens_py.tokens.access_token import parse_access_token
from tests.support.clock import Clock
from tests.support.databases import Sqlite, TestDatabase

API = "http://api.example.com"
ADDRESS, NUMBER = "ada@example.com", "+16502530000"
BOTH = "USER_INPUT_CODE_AND_MAGIC_LINK"

RESTART = {"status": "RESTART_FLOW_ERROR"}
HEADER = {"st-auth-mode": "header"}

Start = Callable[..., Supertokens]
T = TypeVar("T", EmailTemplateVars, SMSTemplateVars)


def claims_of(reply: httpx2.Response) -> dict[str, Any]:
    """Return the claims of the access token in a response's headers."""
    token = parse_access_token(reply.headers["st-access-token"])
    assert token is not None
    return token.payload


class Outbox(EmailDeliveryInterface[EmailTemplateVars], SMSDeliveryInterface[SMSTemplateVars]):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        self.letters: list[EmailTemplateVars] = []
        self.messages: list[SMSTemplateVars] = []
        self.code = self.link = ""  #: the last ones
        self.error: Exception | None = None

    async def send_email(self, template_vars: EmailTemplateVars, user_context: dict[str, Any]) -> None:
        self.letters.append(self._noted(template_vars))

    async def send_sms(self, template_vars: SMSTemplateVars, user_context: dict[str, Any]) -> None:
        self.messages.append(self._noted(template_vars))

    def _noted(self, template_vars: T) -> T:
        if self.error is not None:
            raise self.error
        self.code = template_vars.user_input_code or ""
        self.link = template_vars.url_with_link_code or ""
        return template_vars


def opened(link: str) -> dict[str, str]:
    """Return what the website's page posts when a link is opened."""
    parts = urlsplit(link)
    return {"preAuthSessionId": parse_qs(parts.query)["preAuthSessionId"][0], "linkCode": parts.fragment}


@pytest.fixture
def sqlite_database(sqlite_files: Sqlite) -> TestDatabase:
    """A SQLite file of this test, with the tables of users that sign in, too."""
    return sqlite_files.create(users=True)


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


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
def start(sqlite_database: TestDatabase, clock: Clock, outbox: Outbox) -> Iterator[Start]:
    """Initialise the SDK: `start()` or `start(**arguments of passwordless.init)`."""
    Supertokens.reset()

    def started(
        *recipes: Any,
        contact: ContactConfig | None = None,
        flow: Any = BOTH,
        uri: str | None = None,
        info: dict[str, Any] | None = None,
        engine: dict[str, Any] | None = None,
        client_ip: Any = None,
        **settings: Any,
    ) -> Supertokens:
        about = {"app_name": "Tests", "api_domain": API, "website_domain": "http://example.com"}
        config = EngineConfig(now_ms=clock, **({"clean_up_interval": 0} | (engine or {})))
        settings.setdefault("email_delivery", EmailDeliveryConfig(outbox))
        settings.setdefault("sms_delivery", SMSDeliveryConfig(outbox))
        own = passwordless.init(contact or ContactEmailOrPhoneConfig(), flow, **settings)
        init(
            app_info=InputAppInfo(**{**about, **(info or {})}),
            supertokens_config=SupertokensConfig(uri or sqlite_database.uri, engine=config),
            recipe_list=[session.init(), own, *recipes],
            client_ip=client_ip,
        )
        return Supertokens.get_instance()

    yield started
    Supertokens.reset()


class Browser:
    """Posts what the official frontend posts."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.client = client
        self.device: dict[str, str] = {}

    async def post(self, path: str, body: Any, **headers: str) -> httpx2.Response:
        return await self.client.post(f"/auth{path}", json=body, headers=headers)

    async def ask(self, email: str | None = ADDRESS, *, tenant: str = "", **more: Any) -> httpx2.Response:
        """Ask for a code, and remember the device as a browser does."""
        contact = {} if email is None else {"email": email}
        headers = {name: more.pop(name) for name in ("fdi-version", "x-real-ip") if name in more}
        reply = await self.post(f"{tenant}/signinup/code", contact | more, **headers)
        body = reply.json()
        self.device = {name: body[name] for name in ("deviceId", "preAuthSessionId") if name in body}
        return reply

    async def again(self) -> httpx2.Response:
        """Ask for another code."""
        return await self.post("/signinup/code/resend", self.device)

    async def enter(self, code: str, *, tenant: str = "", fdi: str = "", **more: Any) -> httpx2.Response:
        """Enter a code."""
        headers = {"fdi-version": fdi} if fdi else {}
        body = {**self.device, "userInputCode": code, **more}
        return await self.post(f"{tenant}/signinup/code/consume", body, **headers)

    async def open(self, link: str, *, tenant: str = "") -> httpx2.Response:
        """Open a link and press Continue."""
        return await self.post(f"{tenant}/signinup/code/consume", opened(link))


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    app = FastAPI()
    app.add_middleware(get_middleware())
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=API) as client:
        yield Browser(client)
