"""A small site whose users verify their addresses, and the e-mails that it sends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any

import httpx2
import pytest
import pytest_asyncio
from fastapi import Depends, FastAPI

from supertokens_py import EngineConfig, InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.framework.fastapi import get_middleware
from supertokens_py.ingredients.emaildelivery.types import EmailDeliveryConfig, EmailDeliveryInterface
from supertokens_py.recipe import emailpassword, emailverification, session
from supertokens_py.recipe.emailverification import EmailVerificationClaim
from supertokens_py.recipe.emailverification.types import EmailTemplateVars
from supertokens_py.recipe.session import SessionContainer
from supertokens_py.recipe.session.framework.fastapi import verify_session
from supertokens_py.tokens.access_token import parse_access_token
from tests.recipe.emailpassword.conftest import API, each_database
from tests.support.clock import Clock
from tests.support.databases import Sqlite, TestDatabase

__all__ = ["each_database"]

ADDRESS, NEW, PASSWORD = "ada@example.com", "new@example.com", "correct horse 1"

Start = Callable[..., Supertokens]


class Outbox(EmailDeliveryInterface[Any]):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        self.sent: list[EmailTemplateVars] = []
        self.error: Exception | None = None

    async def send_email(self, template_vars: EmailTemplateVars, user_context: dict[str, Any]) -> None:
        if self.error is not None:
            raise self.error
        self.sent.append(template_vars)

    @property
    def token(self) -> str:
        """The token in the last link."""
        return token_in(self.sent[-1].email_verify_link)


def token_in(link: str) -> str:
    """Return the token in a link."""
    return link.partition("token=")[2].partition("&")[0]


@pytest.fixture
def sqlite_database(sqlite_files: Sqlite) -> TestDatabase:
    """A SQLite file of this test, with the tables of users that sign in, too."""
    return sqlite_files.create(users=True)


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def start(sqlite_database: TestDatabase, clock: Clock, outbox: Outbox) -> Iterator[Start]:
    """Initialise the SDK: `start(mode)` or `start(mode, **arguments of emailverification.init)`."""
    Supertokens.reset()

    def started(
        mode: Any = "REQUIRED",
        *,
        uri: str | None = None,
        info: dict[str, Any] | None = None,
        recipes: list[Any] | None = None,
        sessions: Any = None,
        **settings: Any,
    ) -> Supertokens:
        about = {"app_name": "Tests", "api_domain": API, "website_domain": "http://example.com"}
        config = EngineConfig(now_ms=clock, clean_up_interval=0, argon2_memory_kb=1024, argon2_parallelism=1)
        settings.setdefault("email_delivery", EmailDeliveryConfig(outbox))
        if recipes is None:
            recipes = [emailpassword.init(email_delivery=EmailDeliveryConfig(Outbox()))]
        init(
            app_info=InputAppInfo(**{**about, **(info or {})}),
            supertokens_config=SupertokensConfig(uri or sqlite_database.uri, engine=config),
            recipe_list=[emailverification.init(mode, **settings), sessions or session.init(), *recipes],
        )
        return Supertokens.get_instance()

    yield started
    Supertokens.reset()


class Browser:
    """Does what the official frontend does."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.client = client

    async def form(self, path: str, **fields: Any) -> httpx2.Response:
        body = {"formFields": [{"id": name, "value": value} for name, value in fields.items()]}
        return await self.client.post(f"/auth{path}", json=body)

    async def sign_up(self, email: str = ADDRESS) -> str:
        """Return the id of a new user, whose session is the browser's from now on."""
        reply = await self.form("/signup", email=email, password=PASSWORD)
        assert reply.json()["status"] == "OK"
        return reply.json()["user"]["id"]

    async def sign_in(self, email: str = ADDRESS) -> None:
        reply = await self.form("/signin", email=email, password=PASSWORD)
        assert reply.json()["status"] == "OK"

    async def ask(self) -> httpx2.Response:
        """Ask for a link."""
        return await self.client.post("/auth/user/email/verify/token", json={})

    async def verify(self, token: Any, tenant: str = "", fdi: str = "4.1") -> httpx2.Response:
        return await self.client.post(
            f"/auth{tenant}/user/email/verify",
            json={"method": "token", "token": token},
            headers={"fdi-version": fdi},
        )

    async def is_verified(self) -> httpx2.Response:
        return await self.client.get("/auth/user/email/verify")

    async def page(self) -> httpx2.Response:
        """See a protected page."""
        return await self.client.get("/me")

    @property
    def claim(self) -> Any:
        """What the browser's access token says."""
        token = parse_access_token(self.client.cookies["sAccessToken"])
        assert token is not None
        return token.payload.get(EmailVerificationClaim.key)


@pytest_asyncio.fixture
async def open_browser() -> AsyncIterator[Callable[[], Browser]]:
    """Open browsers of one site, each with cookies of its own."""
    app = FastAPI()
    app.add_middleware(get_middleware())
    opened: list[httpx2.AsyncClient] = []

    @app.get("/me")
    async def me(session: Annotated[SessionContainer, Depends(verify_session())]) -> str:
        return session.get_user_id()

    def another() -> Browser:
        client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app), base_url=API, headers={"st-auth-mode": "cookie"}
        )
        opened.append(client)
        return Browser(client)

    yield another
    for client in opened:
        await client.aclose()


@pytest.fixture
def browser(open_browser: Callable[[], Browser]) -> Browser:
    return open_browser()
