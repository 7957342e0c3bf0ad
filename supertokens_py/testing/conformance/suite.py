"""The suite: what a user can see of an adapter, from log-in to theft, in cookies and in headers."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote

import pytest

from supertokens_py import Supertokens
from supertokens_py.framework.request import BaseRequest
from supertokens_py.framework.request_registry import as_base_request
from supertokens_py.recipe import session
from supertokens_py.recipe.session import syncio
from supertokens_py.recipe.session.interfaces import APIInterface, APIOptions

from .application import GRACE_SECONDS, VALIDITY_SECONDS, WEBSITE, Application, start
from .driver import Driver
from .replies import Headers, Reply, cookie_pairs
from .routes import USER, kinds_of
from .visitor import REFRESH, SIGN_OUT, Visitor

PARTS = {
    "cookie": ["front-token", "sAccessToken", "sRefreshToken"],
    "header": ["front-token", "st-access-token", "st-refresh-token"],
}
RENEWED = {"cookie": ["front-token", "sAccessToken"], "header": ["front-token", "st-access-token"]}
PERSONAL = ("Cookie, Authorization", "private")
UNREACHABLE = "sqlite:////dev"  # a directory


def answer(reply: Reply) -> tuple[int, Any]:
    """Return status and JSON of a response."""
    return reply.status, reply.json


def caching(reply: Reply) -> tuple[str | None, str | None]:
    """Return what a response says to caches."""
    return reply.header("vary"), reply.header("cache-control")


class Conformance:
    """Subclass it in a test file, as `class TestMine(Conformance): driver = MyDriver`."""

    driver: ClassVar[type[Driver]]

    def __init_subclass__(cls) -> None:
        if not cls.driver.streams:
            cls.test_a_stream = None  # type: ignore[assignment]  # pytest collects functions
        if not cls.driver.websockets:
            cls.test_a_websocket_with_cookies = cls.test_a_websocket_with_a_header = None  # type: ignore[assignment]

    @pytest.fixture(params=["cookie", "header"])
    def mode(self, request: pytest.FixtureRequest) -> str:
        """How the tokens travel."""
        return request.param

    @pytest.fixture
    def uri(self, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> str:
        """The database of one test: a copy with tables and keys, which take a moment to make."""
        template = tmp_path_factory.getbasetemp() / "conformance.db"
        if not template.exists():
            start(f"sqlite:///{template}")
            syncio.create_new_session_without_request_response("public", "nobody")
            Supertokens.reset()
        return f"sqlite:///{shutil.copy(template, tmp_path / 'sessions.db')}"

    @pytest.fixture
    def application(self, uri: str) -> Iterator[Application]:
        """The driver's application, made anew for each test."""
        made = Application(self.driver(), uri)
        yield made
        made.close()

    # -- the life of a session -------------------------------------------------------------------------

    def test_a_session_until_its_theft(self, application: Application, mode: str) -> None:
        """Create, verify, merge, refresh, repeat the refresh in the grace period and after it."""
        visitor = application.log_in(mode)
        assert visitor.first.session_parts == PARTS[mode]
        assert visitor.first.front["uid"] == USER
        for path in ("/me", "/call", "/optional", "/database"):
            reply = visitor.get(path)
            assert (answer(reply), reply.session_parts) == ((200, {"user": USER}), [])
        assert visitor.get("/open").json == {"user": None}

        merged = visitor.post("/merge")
        assert merged.session_parts == RENEWED[mode]
        assert merged.front["up"]["visits"] == 1
        application.wait(1)
        first, access = visitor.refresh_token, visitor.access
        refreshed = visitor.refresh()
        assert (answer(refreshed), refreshed.session_parts) == ((200, {}), PARTS[mode])
        second = visitor.refresh_token
        assert second != first
        assert visitor.access != access
        assert refreshed.front["up"]["visits"] == 1
        assert visitor.get("/database").status == 200

        application.wait(GRACE_SECONDS - 1)
        visitor.refresh_token = first
        assert visitor.refresh().status == 200
        assert visitor.refresh_token == second  # a lost response is repeated

        application.wait(2)
        access, visitor.refresh_token = visitor.access, first
        theft = visitor.refresh()
        assert answer(theft) == (401, {"message": "token theft detected"})
        theft.assert_cleared("cookie", "header")
        visitor.access, visitor.refresh_token = access, second
        assert answer(visitor.get("/database")) == (401, {"message": "unauthorised"})
        visitor.refresh_token = second
        assert answer(visitor.refresh()) == (401, {"message": "unauthorised"})

    def test_sign_out(self, application: Application, mode: str) -> None:
        """By the SDK's route and by a view; the refresh token is worth nothing afterwards."""
        for path in (SIGN_OUT, "/end"):
            visitor = application.log_in(mode)
            token = visitor.refresh_token
            reply = visitor.post(path)
            assert answer(reply) == (200, {"status": "OK"} if path == SIGN_OUT else {"ended": True})
            reply.assert_cleared(mode)
            assert (visitor.access, visitor.get("/me").status) == (None, 401)
            visitor.refresh_token = token
            assert answer(visitor.refresh()) == (401, {"message": "unauthorised"})
        assert syncio.get_all_session_handles_for_user(USER) == []

    def test_an_expired_access_token(self, application: Application, mode: str) -> None:
        """401 asks for a refresh and takes nothing away."""
        visitor = application.log_in(mode)
        application.wait(VALIDITY_SECONDS + 1)
        for path in ("/me", "/call"):
            reply = visitor.get(path)
            assert answer(reply) == (401, {"message": "try refresh token"})
            assert reply.session_parts == []
        assert visitor.refresh().status == 200
        assert visitor.get("/me").json == {"user": USER}

    # -- errors ----------------------------------------------------------------------------------------

    @pytest.mark.parametrize("token", [None, "garbage"])
    def test_no_session(self, application: Application, token: str | None) -> None:
        """401 with a body that the frontend knows, and a challenge where nothing was sent."""
        headers = [] if token is None else [("authorization", f"Bearer {token}")]
        for path in ("/me", "/call"):
            reply = application.request("GET", path, headers)
            assert answer(reply) == (401, {"message": "unauthorised"})
            assert reply.session_parts == []
            assert caching(reply) == PERSONAL
        assert application.request("GET", "/me").header("www-authenticate") == "Bearer"
        assert answer(application.request("GET", "/optional")) == (200, {"user": None})

    def test_claims(self, application: Application, mode: str) -> None:
        """403 says which claim failed."""
        reply = application.log_in(mode).get("/admin")
        assert reply.status == 403
        assert reply.json["message"] == "invalid claim"
        assert [failure["id"] for failure in reply.json["claimValidationErrors"]] == ["admin"]

    def test_a_foreign_page_cannot_post(self, application: Application) -> None:
        """Under `anti_csrf="VIA_CUSTOM_HEADER"`, cookies do not prove that our page sent a request."""
        cookie = ("cookie", cookie_pairs([("sAccessToken", application.log_in("cookie").access or "")]))
        assert application.request("POST", "/me", [cookie]).status == 401
        assert application.request("POST", "/me", [cookie, ("rid", "anti-csrf")]).status == 200

    def test_store_out_of_reach(self, application: Application, uri: str, mode: str) -> None:
        """503, never a logout: nothing is taken from the visitor, and all goes on later."""
        visitor = application.log_in(mode)
        application.start(UNREACHABLE)
        for method, path in (
            ("POST", "/login"),
            ("POST", REFRESH),
            ("POST", SIGN_OUT),
            ("GET", "/me"),
            ("GET", "/call"),
            ("GET", "/database"),
        ):
            reply = visitor.request(method, path)
            assert answer(reply) == (503, {"message": "session store unavailable"})
            assert (reply.header("retry-after"), reply.session_parts) == ("1", [])
        application.start(uri)
        assert visitor.refresh().status == 200
        assert visitor.get("/me").status == 200

    @pytest.mark.parametrize(("path", "status"), [("/failed", 500), ("/refused", 401), ("/crash", 500)])
    def test_failed_responses_carry_no_tokens(
        self, application: Application, mode: str, path: str, status: int
    ) -> None:
        """Whoever wrote them; the session that was created is revoked."""
        visitor = Visitor(application, mode)
        with suppress(KeyError):  # a client without a server may let the error through
            reply = visitor.post(path)
            assert (reply.status, reply.header("st-access-token") or "") == (status, "")
            assert [cookie for cookie in reply.set_cookies if cookie.value] == []
        assert visitor.access is visitor.refresh_token is None
        assert syncio.get_all_session_handles_for_user(USER) == []
        assert application.log_in(mode).get("/me").status == 200

    def test_a_forgotten_middleware(self, uri: str) -> None:
        """Tokens that would never arrive are not made: an error says what to add."""
        application = Application(self.driver(), uri, middleware=False)
        try:
            application.check_undelivered(application.request("POST", "/undelivered").json["error"])
        finally:
            application.close()

    # -- responses -------------------------------------------------------------------------------------

    def test_no_header_comes_twice(self, application: Application, mode: str) -> None:
        """What the SDK answers has one Content-Type, whatever the framework adds to its responses."""
        visitor = application.log_in(mode)
        replies = [
            application.request("GET", "/auth/jwt/jwks.json"),
            application.request("GET", "/me"),
            application.request("POST", REFRESH),
            visitor.get("/admin"),
            visitor.refresh(),
            visitor.post(SIGN_OUT),
        ]
        assert [reply.status for reply in replies] == [200, 401, 401, 403, 200, 200]
        for reply in replies:
            for name, _ in reply.headers:
                assert name == "set-cookie" or reply.header(name) is not None
            assert (reply.header("content-type") or "").partition(";")[0] == "application/json"

    def test_the_frameworks_own_request(self, application: Application, uri: str) -> None:
        """Overrides of the SDK's routes find the request that views have, and may pass it on."""
        found: list[tuple[Any, BaseRequest]] = []

        def apis(original: APIInterface) -> APIInterface:
            refresh = original.refresh_post

            async def refresh_post(api_options: APIOptions, user_context: dict[str, Any]) -> Any:
                request = api_options.request
                found.append((request.request, as_base_request(request.request)))
                assert found[-1][1] is request
                return await refresh(api_options, user_context)

            original.refresh_post = refresh_post
            return original

        visitor = application.log_in("header")
        application.start(uri, session.InputOverrideConfig(apis=apis))
        assert visitor.refresh().status == 200
        views, hooks = application.request("GET", "/kinds").json["kinds"], kinds_of(found[0][0])
        assert views[0] in hooks or hooks[0] in views, f"views have {views[0]}, overrides {hooks[0]}"

    def test_a_guest(self, application: Application, mode: str) -> None:
        """To a route that does not say otherwise a guest has no session, and keeps the tokens."""
        visitor = application.log_in(mode, "/visit")
        for path in ("/me", "/call", "/database", "/admin"):
            refused = visitor.get(path)
            assert (refused.status, refused.json["claimValidationErrors"][0]["id"]) == (403, "st-guest")
        assert answer(visitor.get("/optional")) == (200, {"user": None})
        assert visitor.refresh().status == 200
        assert visitor.get("/guests").json["user"].startswith("guest_")
        if self.driver.websockets:
            self._shake(application, [("authorization", f"Bearer {visitor.access}")], False)

    def test_caches(self, application: Application, mode: str) -> None:
        """Responses with tokens are never stored; those that depend on a session are their visitor's own."""
        visitor = application.log_in(mode)
        assert caching(visitor.first) == ("Cookie, Authorization", "private, no-store")
        assert caching(visitor.get("/me")) == PERSONAL
        assert caching(application.request("GET", "/optional")) == PERSONAL
        assert caching(visitor.get("/open")) == (None, None)
        assert caching(visitor.post("/merge")) == ("Cookie, Authorization", "private, no-store")
        assert caching(visitor.refresh()) == ("Cookie, Authorization", "private, no-store")

    def test_what_a_view_writes_itself(self, application: Application, mode: str) -> None:
        """Its cookies, two of one name among them, and its headers stay; lists are merged."""
        reply = application.log_in(mode).post("/merge")
        own = [
            (cookie.raw, cookie.attributes["path"]) for cookie in reply.set_cookies if cookie.name == "mine"
        ]
        assert own == [("1", "/a"), ("2", "/b")]
        assert reply.header("x-mine") == "1"
        assert set(reply.exposed) >= {"X-Mine", "front-token"}
        assert reply.session_parts == RENEWED[mode]

    def test_what_a_request_carries(self, application: Application) -> None:
        """The adapter's request answers with what the browser sent: decoded, the whole path."""
        headers = [
            ("X-Sent", "1"),
            ("cookie", "sent=a%20b; other=x; sent=c"),
            ("content-type", "application/json"),
        ]
        reply = application.request("POST", "/caf%C3%A9?a=1&a=2&b=", headers, body=b'{"x": [1]}')
        assert reply.status == 200
        assert re.fullmatch(r"https?://[^/]+/café\?a=1&a=2&b=", unquote(reply.json["url"]))
        assert reply.json | {"url": ""} == {
            "method": "POST",
            "path": "/café",
            "query": {"a": "2", "b": ""},
            "header": "1",
            "cookies": ["a b", "c"],
            "json": {"x": [1]},
            "url": "",
        }

    def test_other_paths_are_the_applications(self, application: Application) -> None:
        """Below the base path as well; what the SDK serves without a session needs none."""
        for path in ("/auth/nothing", "/nothing"):
            assert application.request("GET", path).status == 404
        keys = application.request("GET", "/auth/jwt/jwks.json")
        assert (keys.status, sorted(keys.json["keys"][0])[:2]) == (200, ["alg", "e"])

    def test_a_stream(self, application: Application, mode: str) -> None:
        """It brings the tokens of what happened before it started."""
        visitor = application.log_in(mode)
        reply = visitor.post("/stream")
        assert answer(reply) == (200, {"user": USER})
        assert reply.session_parts == RENEWED[mode]
        assert reply.front["up"]["visits"] == 2

    # -- WebSockets --------------------------------------------------------------------------------------

    @pytest.mark.parametrize("origin", [WEBSITE, "https://evil.test", "null", None])
    def test_a_websocket_with_cookies(self, application: Application, origin: str | None) -> None:
        """A page of somebody else's cannot open one with the visitor's cookies; who is no browser can."""
        cookie = ("cookie", f"sAccessToken={application.log_in('cookie').access}")
        headers = [cookie] if origin is None else [cookie, ("origin", origin)]
        self._shake(application, headers, origin in (WEBSITE, None))

    def test_a_websocket_with_a_header(self, application: Application) -> None:
        """No page can send that; without a session it is refused."""
        bearer = ("authorization", f"Bearer {application.log_in('header').access}")
        self._shake(application, [bearer, ("origin", "https://evil.test")], True)
        self._shake(application, [("authorization", "Bearer garbage")], False)
        self._shake(application, [], False)

    def _shake(self, application: Application, headers: Headers, welcome: bool) -> None:
        found = application.client.handshake("/socket", headers)
        assert found.message == (USER if welcome else None)
        if welcome or self.driver.accepts_first:
            assert found.accepted
        else:
            assert not found.accepted
            assert found.status in (401, 403, None)  # servers make a 403 of a close
        if not welcome and found.status is None:
            assert found.code == 1008
