"""A service with our package and one without it, in two processes: which tokens the other one accepts."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
import pytest

from supertokens_py.cli import main
from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.factory import open_engine
from tests.engine.test_background import until
from tests.servers.harness import EXAMPLES, Kind, Server, launched, running
from tests.support.ports import free_port

FOLDER = EXAMPLES / "microservices"
AUTH = Kind(
    "auth-service", FOLDER, (sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:{port}", "auth:app")
)
WAITRESS = ("-m", "waitress", "--host", "127.0.0.1", "--port", "{port}", "orders:app")
ORDERS = Kind("orders-service", FOLDER, (sys.executable, *WAITRESS))
VISITOR = {"st-auth-mode": "header"}
PATIENCE_S = 30


class Services:
    """Both services, and a visitor who signs in at the first."""

    def __init__(self, database: str, auth: Server, orders: Server) -> None:
        self.database, self.auth, self.orders = database, auth, orders

    @property
    def session(self) -> str:
        """The access token of a new session: another test may have dropped the key of an earlier one."""
        login = {"user": "ada", "password": "demo"}
        answer = self.ask(self.auth, "POST", "/login", json=login, headers=VISITOR)
        assert answer.status_code == 200
        return answer.headers["st-access-token"]

    def ask(self, server: Server, method: str, path: str, **more: Any) -> Any:
        with server.client() as client:
            return client.request(method, path, **more)

    def token(self, service: str = "orders") -> str:
        shown = VISITOR | {"authorization": f"Bearer {self.session}"}
        answer = self.ask(self.auth, "POST", f"/token/{service}", headers=shown)
        assert answer.status_code == 200, answer.text
        return answer.json()["token"]

    def signed(self, claims: dict[str, Any]) -> str:
        """Return a token of the database's own key, made here."""
        engine = open_engine(self.database, EngineConfig(clean_up_interval=0).resolve({}))
        usual = {"sub": "ada", "aud": "orders"}
        issuer = f"{self.auth.url}/auth"
        token = engine.keys.create_jwt(usual | claims, issuer=issuer, validity_s=300, static_key=True)
        engine.close()
        return token

    def orders_of(self, token: str) -> tuple[int, str]:
        headers = {"authorization": f"Bearer {token}"}
        answer = self.ask(self.orders, "GET", "/orders", headers=headers)
        found = answer.json()
        return answer.status_code, found.get("user") or found["message"]


def orders_environment(address: str) -> dict[str, str]:
    return {"ISSUER": f"{address}/auth", "KEYS_PAUSE_SECONDS": "0"}


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    port = free_port()
    database = f"sqlite:///{tmp_path_factory.mktemp('services')}/sessions.db"
    address = f"http://127.0.0.1:{port}"
    with (
        running(AUTH, database, {"API_DOMAIN": address}, port=port) as auth,
        launched(ORDERS, orders_environment(address)) as orders,
    ):
        both = Services(database, auth, orders)
        # Which loads the keys in three seconds or not at all: from then on, an auth service may be slow.
        assert until(lambda: both.orders_of(both.signed({})) == (200, "ada"))
        yield both


def test_a_token_for_the_service_is_accepted(services: Services) -> None:
    """And the example does not have our package."""
    assert services.orders_of(services.token()) == (200, "ada")
    assert "supertokens" not in (FOLDER / "orders.py").read_text().split('"""', 2)[2]


def test_a_token_for_another_service_or_of_a_session_is_refused(services: Services) -> None:
    """Audience: each service has its own tokens; the session's is for the auth service alone."""
    assert services.orders_of(services.token("invoices")) == (401, "Audience doesn't match")
    assert services.orders_of(services.session) == (401, 'Token is missing the "aud" claim')
    shown = VISITOR | {"authorization": f"Bearer {services.token()}"}
    assert services.ask(services.auth, "POST", "/token/orders", headers=shown).status_code == 401


@pytest.mark.parametrize("wrong", ["x", "no.jwt", "a.b.c", "e30.e30.e30"])
def test_what_is_no_token_is_refused(services: Services, wrong: str) -> None:
    assert services.orders_of(wrong)[0] == 401


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({}, "ada"),
        ({"exp": 1_700_000_000}, "Signature has expired"),
        ({"iss": "http://staging.test/auth"}, "Invalid issuer"),
        ({"aud": ["invoices"]}, "Audience doesn't match"),
    ],
)
def test_claims_of_the_right_key_are_compared(
    services: Services, claims: dict[str, Any], reason: str
) -> None:
    """A token that is over, of a copy of the database, or for somebody else; the key is known each time."""
    assert services.orders_of(services.signed(claims))[1] == reason


def test_rotated_keys_are_learnt_and_dropped_ones_forgotten(services: Services) -> None:
    """A token of the new key is accepted without a restart; after that, those of the dropped one are not."""
    before = services.token()
    assert services.orders_of(before) == (200, "ada")
    command = ["keys", "rotate", "--static", "--drop-old", "--connection-uri", services.database]
    assert main(command) == 0
    after = services.signed({})
    assert jwt.get_unverified_header(after)["kid"] != jwt.get_unverified_header(before)["kid"]
    deadline = time.monotonic() + PATIENCE_S
    while services.orders_of(after)[0] != 200 and time.monotonic() < deadline:
        time.sleep(0.05)  # the published keys are read from the database once a second
    assert services.orders_of(after) == (200, "ada")
    assert services.orders_of(before) == (401, "the key is unknown")


def test_an_outage_of_the_auth_service_refuses_nobody(services: Services) -> None:
    """Keys that were loaded stay in use; a token of an unknown one is refused, and no error."""
    document = services.ask(services.auth, "GET", "/auth/jwt/jwks.json").content
    with published(document) as (address, stop), launched(ORDERS, orders_environment(address)) as orders:
        apart = Services(services.database, services.auth, orders)
        token = apart.signed({"iss": f"{address}/auth"})
        assert apart.orders_of(token) == (200, "ada")
        stop()
        unknown = jwt.encode({"sub": "ada"}, "x" * 32, headers={"kid": "made-up"})
        assert apart.orders_of(unknown) == (401, "the key is unknown")
        assert apart.orders_of(token) == (200, "ada")


@contextmanager
def published(document: bytes) -> Iterator[tuple[str, Callable[[], None]]]:
    """Show a document to whoever asks; yield the address, and what ends it."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", str(len(document)))
            self.end_headers()
            self.wfile.write(document)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = Thread(target=server.serve_forever)
    thread.start()

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    try:
        yield f"http://127.0.0.1:{server.server_port}", stop
    finally:
        if thread.is_alive():
            stop()
