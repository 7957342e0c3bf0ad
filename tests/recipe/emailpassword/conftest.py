"""A small site that signs users in, and the e-mails that it sends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI

from supertokens_py import EngineConfig, InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.framework.fastapi import get_middleware
from supertokens_py.ingredients.emaildelivery.types import EmailDeliveryInterface
from supertokens_py.recipe import emailpassword, session
from supertokens_py.recipe.emailpassword import EmailDeliveryConfig
from supertokens_py.recipe.emailpassword.types import EmailTemplateVars
from tests.support.clock import Clock
from tests.support.databases import Sqlite, TestDatabase
from tests.support.deferred_work import finish_before_answers

API = "http://api.example.com"
ADDRESS, PASSWORD = "ada@example.com", "correct horse 1"

Start = Callable[..., Supertokens]


class Outbox(EmailDeliveryInterface[EmailTemplateVars]):
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
        return self.sent[-1].password_reset_link.partition("token=")[2].partition("&")[0]


@pytest.fixture
def sqlite_database(sqlite_files: Sqlite) -> TestDatabase:
    """A SQLite file of this test, with the tables of users that sign in, too."""
    return sqlite_files.create(users=True)


@pytest.fixture(autouse=True)
def _everything_is_sent_before_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is; that it goes on by itself is tested with `DedicatedPool`."""
    finish_before_answers(monkeypatch)


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
    """Initialise the SDK: `start()` or `start(**arguments of emailpassword.init)`, with quick hashes."""
    Supertokens.reset()

    def started(
        *recipes: Any,
        uri: str | None = None,
        info: dict[str, Any] | None = None,
        engine: dict[str, Any] | None = None,
        client_ip: Any = None,
        **settings: Any,
    ) -> Supertokens:
        about = {"app_name": "Tests", "api_domain": API, "website_domain": "http://example.com"}
        quick = {"clean_up_interval": 0, "argon2_memory_kb": 1024, "argon2_parallelism": 1}
        config = EngineConfig(now_ms=clock, **(quick | (engine or {})))
        settings.setdefault("email_delivery", EmailDeliveryConfig(outbox))
        init(
            app_info=InputAppInfo(**{**about, **(info or {})}),
            supertokens_config=SupertokensConfig(uri or sqlite_database.uri, engine=config),
            recipe_list=[session.init(), emailpassword.init(**settings), *recipes],
            client_ip=client_ip,
        )
        return Supertokens.get_instance()

    yield started
    Supertokens.reset()


def tokens_of(reply: httpx2.Response) -> list[str]:
    """Return the names of the headers that bring tokens, in whichever way the client wants them."""
    names = ("set-cookie", "front-token", "st-access-token", "st-refresh-token")
    return [name for name in names if reply.headers.get(name)]


class Browser:
    """Posts forms as the official frontend does."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.client = client

    async def post(self, path: str, body: Any, **headers: str) -> httpx2.Response:
        return await self.client.post(f"/auth{path}", json=body, headers=headers)

    async def form(self, path: str, /, *, more: Any = None, fdi: str = "", **fields: Any) -> httpx2.Response:
        body = {"formFields": [{"id": name, "value": value} for name, value in fields.items()]}
        headers = {"fdi-version": fdi} if fdi else {}
        return await self.post(path, body | (more or {}), **headers)

    async def form_from(self, client: str, path: str, /, **fields: Any) -> httpx2.Response:
        """Send a form through a proxy that says whom it is from."""
        body = {"formFields": [{"id": name, "value": value} for name, value in fields.items()]}
        return await self.post(path, body, **{"x-real-ip": client})

    async def sign_up(self, email: str = ADDRESS, password: str = PASSWORD, **more: Any) -> httpx2.Response:
        return await self.form("/signup", email=email, password=password, **more)

    async def sign_in(self, email: str = ADDRESS, password: str = PASSWORD, **more: Any) -> httpx2.Response:
        return await self.form("/signin", email=email, password=password, **more)

    async def ask_for_reset(self, email: str = ADDRESS) -> httpx2.Response:
        return await self.form("/user/password/reset/token", email=email)

    async def reset(self, token: str, password: str = "another horse 2") -> httpx2.Response:
        return await self.form(
            "/user/password/reset", password=password, more={"token": token, "method": "token"}
        )


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    app = FastAPI()
    app.add_middleware(get_middleware())
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=API) as opened:
        yield Browser(opened)
