"""Sessions of Channels' consumers, which know nothing but a scope."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from supertokens_py.exceptions import GeneralError
from supertokens_py.recipe.session import syncio
from supertokens_py.recipe.session.claims import PrimitiveClaim
from supertokens_py.testing.conformance import AsgiClient
from tests.support.clock import Clock
from tests.support.databases import Sqlite

from .clients import django_settings  # noqa: F401  must be first
from .site import Site
from .test_device_bindings import Device
from .test_guests import visit

# isort: split
from channels.generic.websocket import AsyncJsonWebsocketConsumer, JsonWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.testing import WebsocketCommunicator
from django.core.asgi import get_asgi_application
from django.urls import path

from supertokens_py.framework.django.channels import SessionAuthMiddleware

WEBSITE = "https://example.com"
UNREACHABLE = "sqlite:////dev"  # a directory


class AsyncWho(AsyncJsonWebsocketConsumer):
    async def connect(self) -> None:
        session = self.scope["state"]["supertokens"]
        await self.accept()
        await self.send_json({"user": session and session.get_user_id()})


class Who(JsonWebsocketConsumer):
    def connect(self) -> None:
        session = self.scope["state"]["supertokens"]
        self.accept()
        self.send_json({"user": session and session.get_user_id()})


@pytest.fixture
def site(sqlite_files: Sqlite, clock: Clock) -> Iterator[Site]:
    made = Site("django_async", sqlite_files.create().uri, clock).init()
    yield made
    made.close()


def shake(app: Any, headers: list[tuple[str, str]], state: dict[str, Any] | None = None) -> Any:
    """Open a WebSocket: what it says first, or the code of the close that refuses it."""

    async def run() -> Any:
        lines = [(name.encode(), value.encode()) for name, value in headers]
        socket = WebsocketCommunicator(app, "/who", lines)
        if state is not None:
            socket.scope["state"] = state
        accepted, detail = await socket.connect()
        said = await socket.receive_json_from() if accepted else detail
        await socket.disconnect()
        return said

    return asyncio.run(run())


@pytest.fixture(params=[AsyncWho, Who])
def consumer(request: pytest.FixtureRequest) -> Any:
    return request.param.as_asgi()


def router(consumer: Any, **options: Any) -> Any:
    sockets = SessionAuthMiddleware(URLRouter([path("who", consumer)]), **options)
    return ProtocolTypeRouter({"http": get_asgi_application(), "websocket": sockets})


@pytest.mark.parametrize("origin", [WEBSITE, "https://evil.test", "null", None])
def test_a_socket_with_cookies(site: Site, consumer: Any, origin: str | None) -> None:
    """A page of somebody else's cannot open one with the visitor's cookies; who is no browser can."""
    cookie = ("cookie", f"sAccessToken={site.sign_in(user_id='ada').access}")
    headers = [cookie] if origin is None else [cookie, ("origin", origin)]
    expected: Any = {"user": "ada"} if origin in (WEBSITE, None) else 1008
    assert shake(router(consumer), headers) == expected


def test_a_socket_with_a_header(site: Site, consumer: Any) -> None:
    """No page can send that; without a session it is refused."""
    bearer = ("authorization", f"Bearer {site.sign_in('header', 'ada').access}")
    assert shake(router(consumer), [bearer, ("origin", "https://evil.test")]) == {"user": "ada"}
    assert shake(router(consumer), [("authorization", "Bearer garbage")]) == 1008
    assert shake(router(consumer), []) == 1008


def test_a_guest(site: Site, consumer: Any) -> None:
    """CP-24: refused as one without a session, unless the consumer is for guests too."""
    guest, guest_id = visit(site, "header")
    bearer = [("authorization", f"Bearer {guest.access}")]
    assert shake(router(consumer), bearer) == 1008
    assert shake(router(consumer, session_required=False), bearer) == {"user": None}
    assert shake(router(consumer, allow_guests=True), bearer) == {"user": guest_id}


def test_a_bound_session(site: Site, consumer: Any) -> None:
    """CP-29: the handshake comes with the bound cookie, or is refused."""
    device = Device(site.init(device_binding="auto")).bind()
    with_proof = [line for line in device.credentials("/who") if line[0] == "cookie"]
    app = router(consumer, require_bound=True)
    assert shake(app, with_proof) == {"user": "user-1"}
    assert shake(app, [("cookie", f"sAccessToken={device.access}")]) == 1008
    assert shake(app, [("cookie", f"sAccessToken={site.sign_in().access}")]) == 1008
    site.clock.advance(minutes=10)
    assert shake(app, with_proof) == 1008


@pytest.mark.parametrize("is_on", [True, False])
def test_an_open_socket_of_a_revoked_session(site: Site, consumer: Any, is_on: bool) -> None:
    """CP-16: it is closed as one that is refused; without `instant_revocation` it stays open."""
    visitor = site.init(instant_revocation=is_on).sign_in("header", "ada")

    async def run() -> Any:
        bearer = (b"authorization", f"Bearer {visitor.access}".encode())
        socket = WebsocketCommunicator(router(consumer), "/who", [bearer])
        assert (await socket.connect())[0]
        assert await socket.receive_json_from() == {"user": "ada"}
        assert await asyncio.to_thread(syncio.revoke_session, visitor.handle)
        said = await socket.receive_output(20) if is_on else await socket.receive_nothing()
        await socket.disconnect()
        return said

    expected = {"type": "websocket.close", "code": 1008, "reason": "unauthorised"} if is_on else True
    assert asyncio.run(run()) == expected


def test_options_of_verify_session(site: Site, consumer: Any) -> None:
    assert shake(router(consumer, session_required=False), []) == {"user": None}
    visitor = site.sign_in("header", "ada")
    bearer = [("authorization", f"Bearer {visitor.access}")]
    assert syncio.revoke_session(visitor.handle)
    assert shake(router(consumer), bearer) == {"user": "ada"}
    assert shake(router(consumer, check_database=True), bearer) == 1008


def test_a_store_away(site: Site, consumer: Any) -> None:
    """1013: try again later."""
    bearer = [("authorization", f"Bearer {site.sign_in('header').access}")]
    uri, site.uri = site.uri, UNREACHABLE
    site.init()
    assert shake(router(consumer, check_database=True), bearer) == 1013
    site.uri = uri


@pytest.mark.parametrize("error", [LookupError("mine"), GeneralError("mine")])
def test_errors_of_the_application_are_raised(site: Site, consumer: Any, error: Exception) -> None:
    def broken(*_: Any) -> Any:
        raise error

    bearer = [("authorization", f"Bearer {site.sign_in('header').access}")]
    with pytest.raises(type(error)):
        shake(router(consumer, override_global_claim_validators=broken), bearer)


def test_claims_may_be_looked_up_by_blocking_code(site: Site, consumer: Any) -> None:
    """As that of the ORM, which refuses to run on an event loop."""

    def plan(*_: Any) -> str:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return "pro"

    wanted = PrimitiveClaim("plan", plan).validators.has_value("pro")
    bearer = [("authorization", f"Bearer {site.sign_in('header', 'ada').access}")]
    options = {"override_global_claim_validators": lambda given, *_: [*given, wanted]}
    assert shake(router(consumer, **options), bearer) == {"user": "ada"}


def test_async_hooks_of_a_blocking_consumer_run_on_the_loop_of_the_server(site: Site) -> None:
    """They may hold locks of that loop."""
    loops: list[Any] = []

    async def fetch(*_: Any) -> str:
        loops.append(asyncio.get_running_loop())
        return "pro"

    claim: Any = PrimitiveClaim("plan", fetch)

    class Plan(JsonWebsocketConsumer):
        def connect(self) -> None:
            session = self.scope["state"]["supertokens"]
            session.sync_fetch_and_set_claim(claim)
            self.accept()
            self.send_json(session.sync_get_claim_value(claim))

    class Loop(AsyncJsonWebsocketConsumer):
        async def connect(self) -> None:
            loops.append(asyncio.get_running_loop())
            await self.accept()
            await self.send_json("pro")

    bearer = (b"authorization", f"Bearer {site.sign_in('header', 'ada').access}".encode())

    async def run() -> None:
        for consumer in (Plan, Loop):
            socket = WebsocketCommunicator(router(consumer.as_asgi()), "/who", [bearer])
            await socket.connect()
            assert await socket.receive_json_from() == "pro"
            await socket.disconnect()

    asyncio.run(run())
    assert loops == [loops[0]] * 2


def test_state_of_the_server_is_not_written_to(site: Site, consumer: Any) -> None:
    """Some servers share it between connections."""
    state: dict[str, Any] = {"pool": 1}
    bearer = [("authorization", f"Bearer {site.sign_in('header', 'ada').access}")]
    assert shake(router(consumer), bearer, state) == {"user": "ada"}
    assert state == {"pool": 1}


def test_http_is_passed_on(site: Site) -> None:
    """It is Django's, also below the middleware."""
    client = AsgiClient(SessionAuthMiddleware(get_asgi_application()))
    assert client.request("GET", "/auth/jwt/jwks.json", []).status == 200
    client.close()
