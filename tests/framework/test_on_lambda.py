"""What others put between Lambda and an application: Mangum, and the resolver of Powertools."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from aws_lambda_powertools.event_handler import (
    ALBResolver,
    APIGatewayHttpResolver,
    APIGatewayRestResolver,
    LambdaFunctionUrlResolver,
)
from fastapi import Depends, FastAPI, Request
from mangum import Mangum

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.framework.aws_lambda import middleware
from supertokens_py.framework.fastapi import get_middleware
from supertokens_py.recipe import session
from supertokens_py.recipe.session import SessionContainer, syncio
from supertokens_py.recipe.session import asyncio as session_asyncio
from supertokens_py.recipe.session.framework.fastapi import verify_session
from tests.support.databases import Sqlite

from .clients.aws_lambda import FunctionUrl, HttpApi, LoadBalancer, MultiValueLoadBalancer, RestApi, Service

RESOLVERS: dict[type[Service], Any] = {
    HttpApi: APIGatewayHttpResolver,
    FunctionUrl: LambdaFunctionUrlResolver,
    RestApi: APIGatewayRestResolver,
    LoadBalancer: ALBResolver,
    MultiValueLoadBalancer: ALBResolver,
}


@pytest.fixture(autouse=True)
def database(sqlite_files: Sqlite, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "shop")
    Supertokens.reset()
    init(
        app_info=InputAppInfo("Test", "https://api.example.com", website_domain="https://example.com"),
        supertokens_config=SupertokensConfig(sqlite_files.create().uri),
        recipe_list=[session.init()],
    )
    yield
    Supertokens.reset()


@pytest.fixture(params=RESOLVERS, ids=lambda service: service.name)
def service(request: pytest.FixtureRequest) -> Any:
    return request.param


def talk(client: Service) -> None:
    """Log in, be recognised, refresh, be refused."""
    reply = client.request("POST", "/login", [("st-auth-mode", "cookie")])
    assert reply.status == 200
    assert reply.cookie_names == ["sAccessToken", "sRefreshToken"]
    cookies = "; ".join(f"{cookie.name}={cookie.raw}" for cookie in reply.set_cookies)
    sent = [("cookie", cookies), ("rid", "session")]
    assert client.request("GET", "/me", sent).json == {"user": "ada"}
    refreshed = client.request("POST", "/auth/session/refresh", sent)
    assert (refreshed.status, refreshed.cookie_names) == (200, ["sAccessToken", "sRefreshToken"])
    refused = client.request("GET", "/me", [])
    assert (refused.status, refused.json) == (401, {"message": "unauthorised"})


@pytest.fixture
def loop() -> Iterator[None]:
    """The event loop that Mangum would make and leave open."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.mark.usefixtures("loop")
def test_fastapi_in_mangum(service: Any) -> None:
    app = FastAPI()
    app.add_middleware(get_middleware())

    @app.post("/login")
    async def login(request: Request) -> None:
        await session_asyncio.create_new_session(request, "public", "ada")

    @app.get("/me")
    async def me(session: Annotated[SessionContainer, Depends(verify_session())]) -> dict[str, str]:
        return {"user": session.get_user_id()}

    talk(service(Mangum(app, lifespan="off")))


def test_a_resolver_of_powertools(service: Any) -> None:
    app = RESOLVERS[service]()

    @app.post("/login")
    def login() -> dict[str, str]:
        syncio.create_new_session(app.current_event.raw_event, "public", "ada")
        return {}

    @app.get("/me")
    def me() -> dict[str, str]:
        return {"user": syncio.get_session(app.current_event.raw_event).get_user_id()}

    talk(service(middleware(app.resolve)))
