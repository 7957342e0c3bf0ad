"""`login_as` and the assertions, with the test clients that the frameworks bring."""

from __future__ import annotations

import json
import unittest
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp.test_utils
import aiohttp.web
import httpx
import httpx2
import litestar
import litestar.testing
import pytest
import quart
import tornado.testing
import tornado.web
from fastapi import Depends, FastAPI, Request
from fastapi.responses import RedirectResponse
from fastapi.testclient import TestClient
from flask import Flask, g
from quart import Quart

import supertokens_py.framework.aiohttp
import supertokens_py.framework.quart
import supertokens_py.framework.tornado
from supertokens_py import (
    InputAppInfo,
    Supertokens,
    SupertokensConfig,
    get_request_from_user_context,
    init,
)
from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.framework.fastapi import CurrentSession, get_middleware
from supertokens_py.framework.flask import Middleware
from supertokens_py.framework.litestar import SuperTokensPlugin
from supertokens_py.recipe import emailpassword, session, userroles
from supertokens_py.recipe.session import GuestSettings, Impersonation, InputOverrideConfig
from supertokens_py.recipe.session import syncio as session_syncio
from supertokens_py.recipe.session.asyncio import create_new_session
from supertokens_py.recipe.session.exceptions import InvalidClaimsError
from supertokens_py.recipe.session.framework import aiohttp as aiohttp_guard
from supertokens_py.recipe.session.framework import fastapi as fastapi_guard
from supertokens_py.recipe.session.framework import flask as flask_guard
from supertokens_py.recipe.session.framework import litestar as litestar_guard
from supertokens_py.recipe.session.framework import quart as quart_guard
from supertokens_py.recipe.session.framework import tornado as tornado_guard
from supertokens_py.recipe.userroles import UserRoleClaim
from supertokens_py.testing import (
    SupertokensClock,
    SupertokensTestMixin,
    assert_claim_failed,
    assert_logged_in,
    assert_logged_out,
    login_as,
    steal,
)
from supertokens_py.testing.pytest_plugin.applications import under_test
from supertokens_py.testing.pytest_plugin.outbox import collected
from supertokens_py.testing.pytest_plugin.provider_accounts import ProviderAccounts
from supertokens_py.testing.pytest_plugin.sign_ups import sign_up_as

HERE = "http://localhost"
ADMIN = {
    "override_global_claim_validators": lambda given, *_: [*given, UserRoleClaim.validators.includes("admin")]
}
CLEARED = [
    ("set-cookie", "sAccessToken=; Max-Age=0; Path=/"),
    ("set-cookie", "sRefreshToken=; Max-Age=0; Path=/auth/session/refresh"),
]


def start(**settings: Any) -> None:
    Supertokens.reset()
    init(
        app_info=InputAppInfo(app_name="Shop", api_domain=HERE, website_domain=HERE),
        supertokens_config=SupertokensConfig("sqlite://"),
        recipe_list=[session.init(**settings), userroles.init(), emailpassword.init()],
    )


@pytest.fixture
def clock() -> Iterator[SupertokensClock]:
    start()
    made = SupertokensClock()
    with under_test(made, uri="sqlite://", engine={}):
        yield made
    Supertokens.reset()


@pytest.fixture(params=["cookie", "header"])
def mode(request: pytest.FixtureRequest) -> Any:
    return request.param


# -- an application of each framework, and its clients ---------------------------------------------------


def fastapi_app() -> FastAPI:
    app = FastAPI()
    app.add_middleware(get_middleware())

    @app.get("/me")
    async def me(session: CurrentSession) -> Any:
        return {"user": session.get_user_id(), "actor": session.impersonator, "guest": session.is_guest}

    @app.get("/admin", dependencies=[Depends(fastapi_guard.verify_session(**ADMIN))])
    async def admin() -> None: ...

    @app.get("/anybody", dependencies=[Depends(fastapi_guard.verify_session(allow_guests=True))])
    async def anybody() -> None: ...

    @app.post("/login")
    async def login(request: Request) -> Any:
        await create_new_session(request, "public", "ada")
        return {}

    @app.post("/forgotten")
    async def forgotten() -> Any:
        return {}

    return app


def flask_app() -> Flask:
    app = Flask(__name__)
    Middleware(app)

    @app.get("/me")
    @flask_guard.verify_session()
    def me() -> Any:
        return {"user": g.supertokens.get_user_id()}

    @app.get("/admin")
    @flask_guard.verify_session(**ADMIN)
    def admin() -> Any:
        return {}

    return app


def quart_app() -> Quart:
    app = Quart(__name__)
    supertokens_py.framework.quart.Middleware(app)

    @app.get("/me")
    @quart_guard.verify_session()
    async def me() -> Any:
        return {"user": quart.g.supertokens.get_user_id()}

    @app.get("/admin")
    @quart_guard.verify_session(**ADMIN)
    async def admin() -> Any:
        return {}

    return app


def aiohttp_app() -> aiohttp.web.Application:
    @aiohttp_guard.verify_session()
    async def me(request: Any) -> Any:
        user = request[supertokens_py.framework.aiohttp.SESSION].get_user_id()
        return aiohttp.web.json_response({"user": user})

    @aiohttp_guard.verify_session(**ADMIN)
    async def admin(request: Any) -> Any:
        return aiohttp.web.json_response({})

    app = aiohttp.web.Application()
    app.add_routes([aiohttp.web.get("/me", me), aiohttp.web.get("/admin", admin)])
    supertokens_py.framework.aiohttp.setup(app)
    return app


def litestar_app() -> litestar.Litestar:
    @litestar.get("/me", guards=[litestar_guard.verify_session()], sync_to_thread=False)
    def me(request: litestar.Request[Any, Any, Any]) -> dict[str, Any]:
        return {"user": request.auth.get_user_id()}

    @litestar.get("/admin", guards=[litestar_guard.verify_session(**ADMIN)], sync_to_thread=False)
    def admin() -> dict[str, Any]:
        return {}

    return litestar.Litestar([me, admin], plugins=[SuperTokensPlugin()], logging_config=None)


def tornado_app() -> tornado.web.Application:
    class Me(tornado.web.RequestHandler):
        @tornado_guard.verify_session()
        async def get(self) -> None:
            self.write({"user": self.request.supertokens.get_user_id()})

    class Admin(tornado.web.RequestHandler):
        @tornado_guard.verify_session(**ADMIN)
        async def get(self) -> None: ...

    app = tornado.web.Application([("/me", Me), ("/admin", Admin)])
    supertokens_py.framework.tornado.setup(app)
    return app


APPS: dict[str, Callable[[], Any]] = {"quart": quart_app, "aiohttp": aiohttp_app, "litestar": litestar_app}


@asynccontextmanager
async def clients_of(kind: str) -> AsyncIterator[Callable[[], Awaitable[Any]]]:
    """Yield what makes clients of one application."""
    async with AsyncExitStack() as stack:
        app: Any = {"quart": quart_app, "aiohttp": aiohttp_app, "litestar": litestar_app}.get(
            kind, fastapi_app
        )()
        server: Any = aiohttp.test_utils.TestServer(app) if kind == "aiohttp" else None

        async def new() -> Any:
            if kind == "quart":
                return app.test_client()
            if kind == "aiohttp":
                return await stack.enter_async_context(aiohttp.test_utils.TestClient(server))
            if kind == "litestar":
                return await stack.enter_async_context(
                    litestar.testing.AsyncTestClient(litestar_app(), base_url="http://shop.local")
                )
            http: Any = {"httpx": httpx, "httpx2": httpx2}[kind]
            transport = http.ASGITransport(app=app)
            return await stack.enter_async_context(http.AsyncClient(transport=transport, base_url=HERE))

        yield new


def assert_status(response: Any, wanted: int) -> None:
    status = getattr(response, "status_code", None) or response.status
    assert status == wanted


async def assert_claim_failed_of(response: Any) -> None:
    asserted = assert_claim_failed(response, "st-role")
    if asserted is not None:
        await asserted


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["quart", "aiohttp", "litestar", "httpx", "httpx2"])
async def test_async_clients(kind: str, mode: Any, clock: SupertokensClock) -> None:
    """CP-35: signed in, refreshed, refused for a claim; then the token is stolen."""
    async with clients_of(kind) as new:
        client = await new()
        assert_status(await client.get("/me"), 401)
        login_as(client, "ada", mode=mode)
        login = login_as(client, "ada lovelace", mode=mode)
        assert_status(await client.get("/me"), 200)
        await assert_claim_failed_of(await client.get("/admin"))
        login_as(client, "ada lovelace", roles=["admin"], mode=mode)
        assert_status(await client.get("/admin"), 200)

        login = login_as(client, "ada lovelace", mode=mode)
        thief = steal(login)
        for token in (login.tokens.access, login.tokens.refresh):
            assert token not in repr(login) + repr(thief)  # which pytest prints
        clock.until_access_token_expires(login.session)
        assert_status(await client.get("/me"), 401)
        refreshed = await login.refresh()
        assert_logged_in(refreshed, "ada lovelace")
        if mode == "cookie":
            assert_status(await client.get("/me"), 200)
        clock.advance("31s")
        other = await new()
        await assert_logged_out(await thief.replay(other), other)


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["quart", "aiohttp", "litestar", "httpx", "httpx2"])
async def test_async_clients_sign_up(kind: str, mode: Any, clock: SupertokensClock) -> None:
    """CP-35: a real user, made through the API."""
    async with clients_of(kind) as new:
        client = await new()
        with collected() as outbox:
            login = await sign_up_as(outbox, ProviderAccounts(), client, mode=mode, roles=["admin"])
        assert login.user.emails == ["ada@example.com"]
        assert_status(await client.get("/admin"), 200)


@pytest.mark.parametrize("http", [httpx, httpx2])
def test_clients_of_wsgi(http: Any, mode: Any, clock: SupertokensClock) -> None:
    """CP-35: both generations of httpx."""
    with http.Client(transport=http.WSGITransport(app=flask_app()), base_url=HERE) as client:
        login = login_as(client, "ada", mode=mode)
        assert client.get("/me").json() == {"user": "ada"}
        assert_claim_failed(client.get("/admin"), "st-role")
        clock.until_access_token_expires(login.session)
        assert client.get("/me").status_code == 401
        assert_logged_in(login.refresh(), "ada")


class TornadoTests(SupertokensTestMixin, tornado.testing.AsyncHTTPTestCase):
    """Collected by nobody: the test below runs it."""

    __test__ = False
    mode: Any = "cookie"

    def get_app(self) -> tornado.web.Application:
        return tornado_app()

    def runTest(self) -> None:
        assert self.fetch("/me").code == 401
        login = login_as(self, "ada", mode=self.mode)
        thief = steal(login)
        assert json.loads(self.fetch("/me").body) == {"user": "ada"}
        assert_claim_failed(self.fetch("/admin", headers={"Cookie": "own=1"}), "st-role")
        self.supertokens_clock.until_access_token_expires(login.session)
        assert self.fetch("/me").code == 401
        assert_logged_in(login.refresh(), "ada")
        if self.mode == "cookie":
            assert self.fetch("/me").code == 200
        self.supertokens_clock.advance("31s")
        assert_logged_out(thief.replay(self), login)
        eve = self.sign_up_as(self, "eve@example.com", mode=self.mode)
        assert json.loads(self.fetch("/me").body) == {"user": eve.user.id}


def test_the_test_case_of_tornado(clock: SupertokensClock, mode: Any) -> None:
    """CP-35: it keeps no cookies of its own."""
    test, result = TornadoTests(), unittest.TestResult()
    test.mode = mode
    test.run(result)
    assert (result.testsRun, result.errors, result.failures) == (1, [], [])


# -- what is signed in, and what is asserted -------------------------------------------------------------


def test_guests_and_those_who_act_as_others(mode: Any) -> None:
    """Made by the application's own functions: its `may` is asked."""

    async def may(actor: Any, user_id: str, user_context: Any) -> bool:
        return actor.get_user_id() == "boss"

    start(guests=GuestSettings(), impersonation=Impersonation(may=may, routes=True))
    with under_test(SupertokensClock(), uri="sqlite://", engine={}):
        client = TestClient(fastapi_app(), base_url=HERE)
        guest = login_as(client, guest=True, payload={"cart": 1}, mode=mode)
        assert guest.session.get_access_token_payload()["cart"] == 1
        assert [client.get(path).status_code for path in ("/me", "/anybody")] == [403, 200]
        login = login_as(client, "ada", actor="boss", mode=mode)
        assert client.get("/me").json() == {"user": "ada", "actor": "boss", "guest": False}
        told = {"returnToken": login.session.return_token} if mode == "header" else {}
        headers = {"rid": "anti-csrf", "st-auth-mode": mode}
        ended = client.post("/auth/impersonation/end", json=told, headers=headers)
        assert ended.json() == {"status": "OK", "restored": True}
        with pytest.raises(InvalidClaimsError, match="not allowed to act as this user"):
            login_as(client, "ada", actor="bob", mode=mode)
        for wrong in ({"user_id": "ada", "guest": True}, {"guest": True, "roles": ["admin"]}):
            with pytest.raises(TypeError, match="makes the guest's id"):
                login_as(client, **wrong)
        with pytest.raises(TypeError, match="takes no payload, claims or data"):
            login_as(client, "ada", actor="boss", payload={"a": 1})
        with pytest.raises(TypeError, match="login_as needs a user id"):
            login_as(client)


def test_an_override_may_read_the_request_behind_a_guest(mode: Any) -> None:
    """It is nobody's: it has no body."""
    bodies: list[bytes] = []

    def functions(original: Any) -> Any:
        create = original.create_new_session

        async def create_new_session(*args: Any, user_context: dict[str, Any]) -> Any:
            request = get_request_from_user_context(user_context)
            assert request is not None
            bodies.append(await request.body())
            return await create(*args, user_context=user_context)

        original.create_new_session = create_new_session
        return original

    start(guests=GuestSettings(), override=InputOverrideConfig(functions=functions))
    with under_test(SupertokensClock(), uri="sqlite://", engine={}):
        login_as(TestClient(fastapi_app()), guest=True, mode=mode)
    assert bodies == [b""]


@pytest.mark.asyncio
async def test_errors_come_through_in_an_event_loop(clock: SupertokensClock) -> None:
    with pytest.raises(BadInputError, match="tenant 't9' does not exist"):
        login_as(TestClient(fastapi_app()), "ada", tenant="t9")


@pytest.mark.asyncio
async def test_a_page_that_is_awaited_names_no_claim(clock: SupertokensClock) -> None:
    """Its reader refuses what is no JSON by an error of its own."""
    app = aiohttp.web.Application()

    async def page(request: aiohttp.web.Request) -> aiohttp.web.Response:
        return aiohttp.web.Response(status=403, text="No")

    app.router.add_get("/", page)
    async with aiohttp.test_utils.TestClient(aiohttp.test_utils.TestServer(app)) as client:
        asserted = assert_claim_failed(await client.get("/"), "st-role")
        assert asserted is not None
        with pytest.raises(AssertionError, match="names no claims: it is text/plain; charset=utf-8, as"):
            await asserted


def test_nobody_acts_where_the_application_does_not_say_who_may(clock: SupertokensClock) -> None:
    with pytest.raises(ConfigError, match="acting as another user needs"):
        login_as(TestClient(fastapi_app()), "ada", actor="boss")


def test_a_response_that_signs_in(clock: SupertokensClock, mode: Any) -> None:
    """Whose session it is, and that there is one."""
    client = TestClient(fastapi_app(), base_url=HERE)
    response = client.post("/login", headers={"st-auth-mode": mode})
    assert_logged_in(response)
    assert_logged_in(response, "ada")
    with pytest.raises(AssertionError, match="it is the session of 'ada', not of '7'"):
        assert_logged_in(response, 7)
    with pytest.raises(AssertionError, match="the response, with status 200, delivers no session"):
        assert_logged_in(client.post("/forgotten"))


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ([], "the header front-token is None, not 'remove': the tokens stay"),
        ([("front-token", "remove")], "does not clear the cookies sAccessToken, sRefreshToken"),
        ([("front-token", "remove"), CLEARED[0]], "does not clear the cookies sRefreshToken"),
        ([("front-token", "remove"), *CLEARED, ("st-access-token", "x")], "delivers st-access-token"),
    ],
)
def test_a_response_that_leaves_tokens_behind(
    headers: list[tuple[str, str]], message: str, clock: SupertokensClock
) -> None:
    """Each token is asserted, not only what the frontend sees of them."""
    with pytest.raises(AssertionError, match=message):
        assert_logged_out(httpx2.Response(401, headers=headers))
    assert_logged_out(httpx2.Response(401, headers=[("front-token", "remove"), *CLEARED]))
    with pytest.raises(
        AssertionError, match="the status of the response is 403, not 401 or that of a success"
    ):
        assert_logged_out(httpx2.Response(403))


@pytest.mark.parametrize("path", ["/auth/signout", "/leave", "/leave?to=/"])
def test_a_sign_out_is_a_success(path: str, clock: SupertokensClock, mode: Any) -> None:
    """Of a session in headers it clears those, and names no cookies."""
    app = fastapi_app()

    @app.post("/leave")
    async def leave(session: CurrentSession, to: str = "") -> Any:
        await session.revoke_session()
        return RedirectResponse(to, 303) if to else {"left": True}

    client = TestClient(app, base_url=HERE, follow_redirects=False)
    login = login_as(client, "ada", mode=mode)
    with pytest.raises(AssertionError, match="front-token is None, not 'remove'"):
        assert_logged_out(client.get("/me"))
    assert_logged_out(client.post(path), login)


def test_a_client_that_could_still_refresh(clock: SupertokensClock, mode: Any) -> None:
    """The response says that the session ended, and it has not."""
    client = TestClient(fastapi_app(), base_url=HERE)
    login = login_as(client, "ada", mode=mode)
    said = httpx2.Response(401, headers=[("front-token", "remove"), *CLEARED])
    with pytest.raises(AssertionError, match="the status of a refresh is 200, not 401"):
        assert_logged_out(said, login)
    if mode == "cookie":
        with pytest.raises(AssertionError, match="the status of a refresh is 200, not 401"):
            assert_logged_out(said, client)
    session_syncio.revoke_all_sessions_for_user("ada")
    clock.advance("2h")
    assert_logged_out(said, login)
