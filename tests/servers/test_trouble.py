"""Bad input and a database that is away: clear answers, nobody logged out, nothing given away."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.servers.harness import (
    AIOHTTP,
    ANSWER_SECONDS,
    DJANGO_ASGI,
    DJANGO_WSGI,
    FASTAPI,
    FLASK,
    FLASK_SYNC,
    KINDS,
    QUART,
    SANIC,
    TORNADO,
    Kind,
    Server,
    running,
)
from tests.servers.visitor import REFRESH, SIGN_OUT, Visitor
from tests.support.ports import free_port


def _real(*kinds: Kind) -> list[Any]:
    return [pytest.param(kind, marks=pytest.mark.real) for kind in kinds]


FURTHER = _real(QUART, AIOHTTP, SANIC, TORNADO)
SECRET = "hunter2-in-the-uri"
PROTECTED = (("GET", "/api/me"), ("GET", "/api/verified"), ("POST", REFRESH), ("POST", SIGN_OUT))
BAD_LOGINS = [
    *(b"", b"{", b"null", b"[]", b'"ada"', b"{}", b"\xff\xfe"),
    *(b'{"user":null}', b'{"user":7}', b'{"user":["ada"]}', b'{"user":""}', b'{"user":"  "}'),
    *(b'{"user":"a\\u0000b"}', b'{"user":"\\ud800"}', json.dumps({"user": "x" * 65}).encode()),
]


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.name)
def server(request: pytest.FixtureRequest, sqlite: str) -> Iterator[Server]:
    with running(request.param, sqlite) as server:
        yield server


@pytest.fixture
def visitor(server: Server) -> Iterator[Visitor]:
    with server.client() as http:
        visitor = Visitor(http, "cookie", server.kind.prefix)
        visitor.login()
        yield visitor


def part(value: Any) -> str:
    """Return `value` as one part of a JWT."""
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def bad_tokens() -> dict[str, str]:
    """Return texts that are no access token of ours, each wrong in its own way."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    claims = {"sub": "eve", "iat": 1, "exp": 4102444800, "sessionHandle": "h", "tId": "public", "rsub": "eve"}
    ours = {"kid": "d-1700000000000", "version": "5", "typ": "JWT"}
    deep = "[" * 2500 + "]" * 2500
    return {
        "garbage": "%%%not-a-token;;",
        "dots": "...",
        "empty parts": "..",
        "foreign HS256": jwt.encode(claims, "x" * 32, "HS256"),
        "foreign RS256": jwt.encode(claims, key, "RS256", headers={"kid": "elsewhere"}),
        "our shape, other key": jwt.encode(claims, key, "RS256", headers=ours),
        "unsigned": f"{part({'alg': 'none', **ours})}.{part(claims)}.",
        "deep payload": f"{part({'alg': 'RS256', **ours})}.{part(deep)}.AAAA",
        "deep header": f"{part(deep)}.{part(claims)}.AAAA",
        "not base64": "€€€.ÄÖÜ.ß",
        "wrong types": f"{part({'alg': 1, 'kid': [], 'version': {}})}.{part([1])}.{part('x')}",
        "long": "A" * 6000,
        "too long": "A" * 70_000,
        "a null byte": "a%00b",
    }


@pytest.mark.parametrize("way", ["cookie", "bearer"])
def test_bad_tokens_are_answered_and_change_nothing(visitor: Visitor, way: str) -> None:
    """Never a 500 or a traceback on any route, and the valid session beside it goes on."""
    for name, token in bad_tokens().items():
        for method, path in PROTECTED:
            cookie = "sRefreshToken" if path == REFRESH else "sAccessToken"
            text = f"Bearer {token}" if way == "bearer" else f"{cookie}={token}"
            headers = {"authorization" if way == "bearer" else "cookie": text.encode(), "rid": "session"}
            prefix = visitor.prefix if path.startswith("/api") else ""
            answer = send_raw(visitor.http, method, prefix + path, headers)
            if answer is not None:
                assert answer.status_code in (400, 401, 413, 414, 431, 494), (name, path, answer.text)
                assert "Traceback" not in answer.text
    assert visitor.get("/api/verified").status_code == 200
    assert visitor.refresh().status_code == 200


def send_raw(http: httpx2.Client, method: str, path: str, headers: dict[str, Any]) -> httpx2.Response | None:
    """Send a request; None where the server hangs up on it without a word (oversized headers)."""
    try:
        return http.request(method, path, headers=headers)
    except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError):
        return None


def test_a_foreign_bearer_token_does_not_hide_the_session_in_the_cookie(visitor: Visitor) -> None:
    """A proxy or another login system may put its own JWT there."""
    foreign = bad_tokens()["foreign HS256"]
    headers = {"authorization": f"Bearer {foreign}", "cookie": f"sAccessToken={visitor.access}"}
    assert visitor.http.get(f"{visitor.prefix}/api/me", headers=headers).status_code == 200


def test_doubled_session_cookies_are_a_server_error_without_a_trace(visitor: Visitor) -> None:
    """A changed cookie domain needs `older_cookie_domain`: 500 for the developer, nothing for an attacker."""
    doubled = f"sRefreshToken={quote(visitor.refresh_token, safe='')}; sRefreshToken=other"
    answer = visitor.http.post(REFRESH, headers={"cookie": doubled, "rid": "session"})
    assert answer.status_code == 500
    assert "Traceback" not in answer.text
    assert ".py" not in answer.text
    assert answer.headers.get_list("set-cookie") == []
    assert "front-token" not in answer.headers
    doubled = f"sAccessToken={visitor.access}; sAccessToken=other"
    answer = visitor.http.get(f"{visitor.prefix}/api/me", headers={"cookie": doubled})
    assert (answer.status_code, answer.json()) == (401, {"message": "try refresh token"})
    assert visitor.refresh().status_code == 200


@pytest.mark.parametrize("body", BAD_LOGINS)
def test_a_bad_login_is_a_400_with_a_reason(server: Server, body: bytes) -> None:
    with server.client() as http:
        headers = {"content-type": "application/json"}
        answer = http.post(f"{server.kind.prefix}/login", content=body, headers=headers)
    assert answer.status_code == 400
    assert isinstance(answer.json()["message"], str)
    assert "front-token" not in answer.headers


def test_the_longest_and_the_strangest_user_names_work(visitor: Visitor) -> None:
    for name in ("x" * 64, "Zoë", "名前", "a b", "o'brien; drop table", "🦊"):
        assert visitor.login(name).status_code == 200
        assert visitor.get("/api/me").json()["user"] == name
        assert visitor.payload["sub"] == name


# -- the database is away -------------------------------------------------------------------------


class Cable:
    """A TCP relay to the database that can be pulled out and put back, or be made to hold what it carries."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._flows = threading.Event()
        self._flows.set()
        self.held = threading.Event()  #: something waits, since `hold()`
        self._held_text = b""
        self._open: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self.port = free_port()  # also while it is pulled out
        self.plug_in()

    def plug_in(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def pull_out(self) -> None:
        if self._listener:
            # Closing alone would leave the thread in accept() holding the port.
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        for end in self._open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._open.clear()

    def hold(self, text: bytes) -> None:
        """Hold statements that hold `text` until `release()`, as a database that answers slowly.

        Only those, because background work writes now and then, and would be taken for the request.
        """
        self._held_text = text
        self.held.clear()
        self._flows.clear()

    def release(self) -> None:
        self._flows.set()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self._target)
                self._open += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not self._flows.is_set() and self._held_text in data:
                    self.held.set()
                    self._flows.wait(ANSWER_SECONDS)
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def cable(postgres: str) -> Iterator[Cable]:
    where = urlsplit(postgres)
    cable = Cable(where.hostname or "127.0.0.1", where.port or 5432)
    yield cable
    cable.pull_out()


@pytest.fixture(
    scope="module",
    params=[FASTAPI, FLASK, DJANGO_ASGI, DJANGO_WSGI, *FURTHER],
    ids=lambda kind: kind.name,
)
def wired(request: pytest.FixtureRequest, cable: Cable, postgres: str) -> Iterator[Server]:
    """A server whose database is at the other end of the cable."""
    with running(request.param, through(cable, postgres)) as server:
        yield server


@pytest.mark.postgres
def test_a_lost_database_logs_nobody_out(wired: Server, cable: Cable) -> None:
    """5xx while it is away, tokens untouched, no secret shown; all is well again once it is back."""
    with wired.client() as http:
        visitor = Visitor(http, "cookie", wired.kind.prefix)
        assert visitor.login().status_code == 200
        cable.pull_out()
        for attempt in (visitor.refresh, visitor.login, partial(visitor.get, "/api/verified")):
            assert_unavailable(attempt())
        assert_unavailable(visitor.post("/api/visits"))
        # What needs no database goes on.
        assert visitor.get("/api/me").status_code == 200
        cable.plug_in()
        assert visitor.refresh().status_code == 200
        assert visitor.get("/api/verified").status_code == 200
        assert SECRET not in wired.logs()


@pytest.mark.postgres
def test_a_slow_database_is_waited_for(wired: Server, cable: Cable) -> None:
    """What needs it takes as long as it does; what does not is as fast as ever; nobody is logged out."""
    prefix = wired.kind.prefix
    with wired.client() as http:
        visitor, other = Visitor(http, "cookie", prefix), Visitor(http, "header", prefix)
        assert (visitor.login().status_code, other.login().status_code) == (200, 200)
        cable.hold(b"session_info")
        with ThreadPoolExecutor(2) as pool:
            slow = [pool.submit(visitor.refresh), pool.submit(other.get, "/api/verified")]
            assert cable.held.wait(ANSWER_SECONDS)
            assert [visitor.get("/api/me").status_code for _ in range(5)] == [200] * 5
            assert not any(answer.done() for answer in slow)
            cable.release()
            assert [answer.result().status_code for answer in slow] == [200, 200]
        assert visitor.refresh().status_code == 200


@pytest.mark.postgres
@pytest.mark.parametrize(
    "kind", [FASTAPI, FLASK, *_real(FLASK_SYNC, DJANGO_ASGI, DJANGO_WSGI)], ids=lambda kind: kind.name
)
def test_sigterm_waits_for_a_refresh_that_has_begun(kind: Kind, cable: Cable, postgres: str) -> None:
    """Its answer arrives with the new tokens, and then the server ends."""
    with running(kind, through(cable, postgres)) as server, server.client() as http:
        visitor = Visitor(http, "header", kind.prefix)
        assert visitor.login().status_code == 200
        before = visitor.refresh_token
        cable.hold(b"session_info")
        with ThreadPoolExecutor(2) as pool:
            answer = pool.submit(visitor.refresh)
            assert cable.held.wait(ANSWER_SECONDS)
            ended = pool.submit(server.stop)
            time.sleep(0.5)  # the signal arrives while the database is still thinking
            assert not answer.done()
            cable.release()
            assert answer.result().status_code == 200
            ended.result()
        assert visitor.refresh_token not in ("", before)
        assert "Traceback" not in server.logs()


def through(cable: Cable, uri: str) -> str:
    """Return the database's URI by way of the cable."""
    where = urlsplit(uri)
    return where._replace(netloc=f"{where.username}:{SECRET}@127.0.0.1:{cable.port}").geturl()


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Return the access and refresh token of a session that lives in a database elsewhere."""
    uri = f"sqlite:///{tmp_path_factory.mktemp('elsewhere')}/sessions.db"
    with running(FASTAPI, uri) as server, server.client() as http:
        visitor = Visitor(http)
        visitor.login()
        return visitor.access, visitor.refresh_token


@pytest.mark.parametrize("kind", [FASTAPI, *_real(FLASK, DJANGO_WSGI)], ids=lambda kind: kind.name)
@pytest.mark.parametrize(
    "uri",
    # A directory cannot be opened as a file. One that is missing is refused by `init`.
    [f"postgresql://app:{SECRET}@127.0.0.1:1/nowhere", f"sqlite:///{tempfile.gettempdir()}"],
    ids=["postgresql", "sqlite"],
)
def test_a_database_that_was_never_there_is_no_401(kind: Kind, uri: str, tokens: tuple[str, str]) -> None:
    """The server starts all the same, says 5xx, and leaves the tokens of another day alone."""
    with running(kind, uri) as server, server.client() as http:
        visitor = Visitor(http, "cookie", kind.prefix, *tokens)
        for answer in (visitor.login(), visitor.get("/api/me"), visitor.refresh(), visitor.sign_out()):
            assert_unavailable(answer)
        assert (visitor.access, visitor.refresh_token) == tokens
        assert SECRET not in server.logs()


def assert_unavailable(answer: httpx2.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.headers.get_list("set-cookie") == []
    assert "front-token" not in answer.headers
    assert "st-access-token" not in answer.headers
    assert not re.search(r"Traceback|\.py\b|sqlalchemy|psycopg|sqlite3", answer.text, re.IGNORECASE)
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    "kind",
    [FASTAPI, FLASK, *_real(FLASK_SYNC, DJANGO_ASGI, DJANGO_WSGI), *FURTHER],
    ids=lambda kind: kind.name,
)
def test_a_server_that_is_asked_to_end_does_so(kind: Kind, tmp_path: Path) -> None:
    """No thread of ours keeps it alive, and nothing goes wrong on the way out."""
    with running(kind, f"sqlite:///{tmp_path}/sessions.db") as server:
        with server.client() as http:
            visitor = Visitor(http, "cookie", kind.prefix)
            visitor.login()
            assert visitor.get("/api/verified").status_code == 200
        server.stop()
        assert "Traceback" not in server.logs()
        assert "Warning:" not in server.logs()
