"""An application under test, and a visitor who keeps tokens as the official frontend does."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.engine.call import trace_calls
from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded import EmbeddedEngine
from supertokens_py.recipe import session
from supertokens_py.testing.conformance import Driver, Headers, Reply, cookie_pairs
from supertokens_py.testing.conformance.visitor import Visitor, quoted
from supertokens_py.tokens.access_token import parse_access_token
from supertokens_py.tokens.signatures import sign_jwt
from tests.support.clock import Clock

from .script import Script, World

__all__ = [
    "ADAPTERS",
    "ASGI_AND_WSGI",
    "CORE_DRIVERS",
    "DRIVERS",
    "EVERY_ADAPTER",
    "LITESTAR",
    "Site",
    "Visitor",
    "quoted",
]

DRIVERS = ("fastapi", "flask", "django_sync", "django_async", "quart")
#: One under ASGI and one under WSGI, for what the core decides: an adapter cannot change it.
CORE_DRIVERS = ("fastapi", "flask")
ASGI_AND_WSGI = pytest.mark.parametrize("bare_site", CORE_DRIVERS, indirect=True)
#: Frameworks with servers of their own, for suites that are worth the time.
SERVED = ("aiohttp", "sanic", "tornado")
OTHERS = ("starlette", "drf", "ninja_sync", "ninja_async", "aws_lambda")
LITESTAR = pytest.param("litestar", marks=pytest.mark.real)
#: All of them, for what each adapter carries by itself.
ADAPTERS = [*DRIVERS, *SERVED, *OTHERS, LITESTAR]
EVERY_ADAPTER = pytest.mark.parametrize("bare_site", ADAPTERS, indirect=True)

#: FastAPI takes as long to make an application as a test takes with it. Ours hold nothing of the SDK.
_KEPT: dict[str, tuple[World, Any]] = {}


class Site:
    """One application of one framework, on a database of its own."""

    def __init__(self, driver: str, uri: str, clock: Clock) -> None:
        self.driver = driver
        self.uri = uri
        self.clock = clock
        self._driver: Driver = importlib.import_module(f"tests.framework.clients.{driver}").Driver()
        self.world, self.client = self._build()
        self.root_path = ""

    def _build(self) -> tuple[World, Any]:
        if self.driver in _KEPT:
            world, app = _KEPT[self.driver]
            world.forget()
            return world, self._driver.client(app)
        world = World()
        client: Any = self._driver.build(world.routes())
        if self.driver == "fastapi":
            _KEPT[self.driver] = world, client.app
        return world, client

    def close(self) -> None:
        self.client.close()
        self._driver.close()
        trace_calls(None)
        Supertokens.reset()

    def init(
        self,
        *,
        info: dict[str, Any] | None = None,
        engine: dict[str, Any] | None = None,
        recipes: Sequence[Any] = (),
        has_clients: bool = False,
        **settings: Any,
    ) -> Site:
        """(Re)configure the SDK; the database stays. With `has_clients` limits per client are kept."""
        Supertokens.reset()
        where = {
            "api_domain": "https://api.example.com",
            "website_domain": "https://example.com",
            **(info or {}),
        }
        life = {"access_token_validity_jitter": 0, "clean_up_interval": 0, "sqlite_synchronous": "NORMAL"}
        config = EngineConfig(now_ms=self.clock, **{**life, **(engine or {})})
        init(
            app_info=InputAppInfo(app_name="Test", **where),
            supertokens_config=SupertokensConfig(connection_uri=self.uri, engine=config),
            recipe_list=[session.init(**settings), *recipes],
            client_ip=(lambda _: "192.0.2.7") if has_clients else None,
        )
        return self

    # -- requests ------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        path: str,
        headers: Headers = (),
        *,
        do: Script | None = None,
        cookies: Sequence[tuple[str, str]] = (),
        bearer: str | None = None,
        body: bytes = b"",
    ) -> Reply:
        lines = [*headers]
        if cookies:
            lines.append(("cookie", cookie_pairs(cookies)))
        if bearer is not None:
            lines.append(("authorization", f"Bearer {bearer}"))
        return self.client.request(method, self.target(path, do), lines, body, self.root_path)

    def target(self, path: str, do: Script | None = None) -> str:
        if do is None:
            return path
        return f"{path}{'&' if '?' in path else '?'}do={self.world.add(do)}"

    def get(self, path: str, headers: Headers = (), **kwargs: Any) -> Reply:
        return self.request("GET", path, headers, **kwargs)

    def post(self, path: str, headers: Headers = (), **kwargs: Any) -> Reply:
        return self.request("POST", path, headers, **kwargs)

    def sign_in(
        self,
        mode: str = "cookie",
        user_id: str = "user-1",
        payload: dict[str, Any] | None = None,
        *,
        prefix: str = "",
        **more: Any,
    ) -> Visitor:
        """Create a session and return the visitor who holds its tokens."""
        visitor = Visitor(self, mode)

        def create(view: Any) -> Any:
            made = yield view.create(user_id, payload, **more)
            return {"handle": made.get_handle()}

        reply = visitor.post(f"{prefix}/open", do=create)
        assert reply.status == 200, reply.body
        visitor.handle = reply.json["handle"]
        visitor.first = reply
        return visitor

    # -- the store -----------------------------------------------------------------------------------

    @property
    def engine(self) -> EmbeddedEngine:
        engine: Any = Supertokens.get_instance().engine
        return engine

    def spy(self) -> list[str]:
        """From now on, list the calls of the engine, such as "sessions.create"."""
        calls: list[str] = []

        def listed(name: str) -> AbstractContextManager[None]:
            calls.append(name)
            return nullcontext()

        trace_calls(listed)
        return calls

    def stored(self, handle: str) -> Any:
        """The session as stored, or None."""
        return self.engine.sessions.information(handle)

    def handles(self, user_id: str = "user-1") -> list[str]:
        return self.engine.sessions.user_handles(user_id, tenant_id=None)

    def forge(self, like: str, *, version: int | None = 5, kid: str | None = None, **claims: Any) -> str:
        """Sign a variation of an access token with the app's own key; a claim that is `...` is left out."""
        token = parse_access_token(like)
        assert token is not None
        payload = {name: value for name, value in {**token.payload, **claims}.items() if value is not ...}
        key: Any = self.engine.keys.signer(static=token.kid.startswith("s-"))
        return sign_jwt(payload, key=key.private_key, kid=kid or key.kid, version=version)
