"""A provider on this machine whose every answer a test decides."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias
from urllib.parse import parse_qs, unquote, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

CLIENT_ID, CLIENT_SECRET = "client", "client-secret-of-the-tests"
CODE, ACCESS_TOKEN = "the-code-of-the-tests", "the-access-token-of-the-tests"


@dataclass
class Asked:
    """A request that the provider got."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The fields of the form."""
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}

    @property
    def basic_auth(self) -> tuple[str, str] | None:
        """Name and password."""
        kind, _, text = self.headers.get("authorization", "").partition(" ")
        name, _, password = b64decode(text).decode().partition(":") if kind == "Basic" else ("", "", "")
        return (unquote(name), unquote(password)) if name else None


@dataclass
class Reply:
    """An answer that is not JSON with status 200."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict[str, str])


Answering: TypeAlias = Callable[[Asked], Any]


def private_key(kind: str, number: int = 0) -> Any:
    """Return a key; the same one for the same arguments."""
    return _generated(kind, number)


@cache
def _generated(kind: str, number: int) -> Any:
    match kind:
        case "EC":
            return ec.generate_private_key(ec.SECP256R1())
        case "OKP":
            return ed25519.Ed25519PrivateKey.generate()
        case _:
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwk_of(kind: str, kid: str | None, *, number: int = 0) -> dict[str, Any]:
    """Return the public half of a key as JSON Web Key."""
    algorithms = {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}
    algorithm = jwt.get_algorithm_by_name(algorithms[kind])
    public: dict[str, Any] = json.loads(algorithm.to_jwk(private_key(kind, number).public_key()))
    public.pop("key_ops", None)
    return public if kid is None else {**public, "kid": kid}


class FakeProvider:
    """Serves paths from a table to JSON, a `Reply`, or a function of what was asked."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.asked: list[Asked] = []
        self.keys: list[dict[str, Any]] = [jwk_of("RSA", "k1")]
        self.id_token: str | None = None
        self.user: Any = {"sub": "ada", "email": "ada@example.com", "email_verified": True}
        self.document: dict[str, Any] = {
            "issuer": address,
            "authorization_endpoint": f"{address}/authorize",
            "token_endpoint": f"{address}/token",
            "userinfo_endpoint": f"{address}/me",
            "jwks_uri": f"{address}/jwks",
        }
        self.answers: dict[str, Any] = {
            "/.well-known/openid-configuration": lambda asked: self.document,
            "/jwks": lambda asked: {"keys": self.keys},
            "/token": lambda asked: self.tokens(),
            "/me": lambda asked: self.user,
        }

    def tokens(self) -> dict[str, Any]:
        """Return the answer of the token endpoint."""
        tokens = {"access_token": ACCESS_TOKEN, "token_type": "Bearer"}
        return tokens if self.id_token is None else {**tokens, "id_token": self.id_token}

    def paths(self) -> list[str]:
        """Return the paths that were asked for, in order."""
        return [asked.path for asked in self.asked]

    def last(self, path: str) -> Asked:
        """Return the last request to a path."""
        return next(asked for asked in reversed(self.asked) if asked.path == path)

    def answer(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        found = self.answers.get(asked.path, Reply(404))
        found = found(asked) if callable(found) else found
        if isinstance(found, Reply):
            return found
        return Reply(200, json.dumps(found).encode(), {"content-type": "application/json"})


@contextlib.contextmanager
def fake_provider(tls: ssl.SSLContext | None = None) -> Iterator[FakeProvider]:
    """Run a provider on a free port of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = provider.answer(Asked(self.command, parts.path, query, headers, body))
            self.send_response(reply.status)
            for name, value in {"content-length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # whoever has read enough hangs up
                self.wfile.write(reply.body)

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def log_message(self, format: str, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    provider = FakeProvider(f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
