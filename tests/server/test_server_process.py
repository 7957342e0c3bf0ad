"""`supertokens serve` as a process: workers, keys, shutdown, and our own remote engine as its client."""

from __future__ import annotations

import re
import socket
import time

import httpx2
import pytest

from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.records import IssuedSession, TokenTheft, Unauthorised, Verified
from supertokens_py.engine.remote import RemoteEngine, RemoteSettings
from supertokens_py.tokens.access_token import parse_access_token
from tests.engine.conftest import POSTGRES, SQLITE
from tests.engine.driver import new_session, refresh_request
from tests.engine.remote.conftest import FOR_A_BUSY_MACHINE
from tests.engine.test_background import until
from tests.server.processes import API_KEY, serving
from tests.support.databases import TestDatabase


@pytest.fixture(params=[SQLITE, POSTGRES])
def database(request: pytest.FixtureRequest) -> TestDatabase:
    name = "sqlite_database" if request.param == "sqlite-file" else "fresh_postgres_database"
    return request.getfixturevalue(name)


@pytest.mark.real
def test_two_workers_keep_one_set_of_sessions(database: TestDatabase) -> None:
    """Whichever process answers: create, verify, refresh, theft, revoke and metrics agree."""
    key = "key-that-reads-the-metrics"
    strict = {"SUPERTOKENS_REFRESH_TOKEN_ROTATION_GRACE_PERIOD": "0", "SUPERTOKENS_METRICS_KEYS": key}
    with serving(database.uri, "--workers", "2", environ=strict) as server:
        patient = RemoteSettings.from_environment(FOR_A_BUSY_MACHINE)
        engine = RemoteEngine(
            server.address, EngineConfig().resolve({}), api_key=API_KEY, remote_settings=patient
        )
        for _ in range(3):
            engine.close()  # a new connection, so that either worker may answer
            created = engine.sessions.create(new_session("u1", payload={"a": 1}))
            token = parse_access_token(created.access_token.text)
            assert token is not None
            engine.close()
            assert engine.sessions.verify(token, check_database=True) == Verified()
            engine.close()
            second = engine.sessions.refresh(refresh_request(created.refresh_token.text))
            assert isinstance(second, IssuedSession)
            third = engine.sessions.refresh(refresh_request(second.refresh_token.text))
            assert isinstance(third, IssuedSession)
            engine.close()
            theft = engine.sessions.refresh(refresh_request(created.refresh_token.text))
            assert isinstance(theft, TokenTheft)
            engine.close()
            gone = engine.sessions.refresh(refresh_request(third.refresh_token.text))
            assert isinstance(gone, Unauthorised)
        assert len({key["kid"] for key in engine.keys.jwks().keys}) == 2
        engine.close()
        refreshes = (
            r'total\{answer="(\w+)",method="POST",route="/recipe/session/refresh",status="200"\} (\S+)'
        )

        def counted() -> list[tuple[str, str]]:
            shown = httpx2.get(f"{server.address}/metrics", headers={"api-key": key}, timeout=20).text
            return sorted(re.findall(refreshes, shown))

        expected = [("OK", "6.0"), ("TOKEN_THEFT_DETECTED", "3.0"), ("UNAUTHORISED", "3.0")]
        until(lambda: counted() == expected)  # a process counts a request after it was answered
        assert counted() == expected
        assert server.stop() in (0, -15)
        assert "Traceback" not in server.output()


def test_a_request_under_way_is_finished_before_the_end(sqlite_database: TestDatabase) -> None:
    """Graceful shutdown: SIGTERM during a request does not cut its answer off."""
    body = b'{"userId":"u","userDataInJWT":{},"userDataInDatabase":{},"enableAntiCsrf":false}'
    with serving(sqlite_database.uri) as server:
        host, port = server.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            head = f"POST /recipe/session HTTP/1.1\r\nhost: {host}\r\napi-key: {API_KEY}\r\n"
            head += f"content-length: {len(body)}\r\nexpect: 100-continue\r\n\r\n"
            connection.sendall(head.encode())
            assert connection.recv(65_536).startswith(b"HTTP/1.1 100 ")  # the application waits for the rest
            connection.sendall(body[:20])
            server.process.terminate()
            time.sleep(0.3)
            connection.sendall(body[20:])
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200 OK")
        assert server.stop() in (0, -15)


def test_the_environment_configures_a_server(sqlite_database: TestDatabase) -> None:
    """`SUPERTOKENS_*` variables: versions, keys, and the engine's own settings."""
    environ = {
        "SUPERTOKENS_MAX_CDI_VERSION": "5.4",
        "SUPERTOKENS_API_KEYS": f" {API_KEY} , another-key-of-the-server",
        "SUPERTOKENS_ACCESS_TOKEN_VALIDITY": "60",
        "SUPERTOKENS_ACCESS_TOKEN_VALIDITY_JITTER": "0",
    }
    with serving(sqlite_database.uri, environ=environ) as server:
        headers = {"api-key": "another-key-of-the-server"}
        versions = httpx2.get(f"{server.address}/apiversion", headers=headers, timeout=20).json()["versions"]
        assert versions[-1] == "5.4"
        body = {"userId": "u", "userDataInJWT": {}, "userDataInDatabase": {}, "enableAntiCsrf": False}
        created = httpx2.post(
            f"{server.address}/recipe/session", headers=headers, json=body, timeout=20
        ).json()
        assert created["accessToken"]["expiry"] - created["accessToken"]["createdTime"] == 60_000


def test_the_health_check_of_official_compose_files(sqlite_database: TestDatabase) -> None:
    """`echo` adds a line break after the request, which may arrive at any moment before the answer."""
    request = b"GET /hello HTTP/1.1\r\nhost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    with serving(sqlite_database.uri) as server:
        host, port = server.address.removeprefix("http://").split(":")

        def answer(pause_s: float) -> bytes:
            with socket.create_connection((host, int(port)), timeout=10) as client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                client.sendall(request)
                until = time.perf_counter() + pause_s
                while time.perf_counter() < until:
                    pass
                received = b""
                try:
                    client.sendall(b"\n")
                    while part := client.recv(4096):
                        received += part
                except OSError:  # the answer came first, and the connection is closed
                    pass
                return received

        answers = [answer(number / 400 * 0.0015) for number in range(400)]
        assert [text for text in answers if text and b"Hello" not in text] == []
        assert httpx2.head(f"{server.address}/hello").status_code == 200
        assert "Invalid HTTP request" not in server.output()
