"""HTTP to providers: whom we ask, how long we wait, how much we read. The only module that knows a client.

Each request has a connection of its own, to an address that was looked at before: what a name resolves to a
second later does not count (DNS rebinding). Requests do not pass through `httpx2.Client`, which would write
their URLs to its log and follow redirects.
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
import zlib
from base64 import b64encode
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeAlias, cast
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import httpx2

from supertokens_py.exceptions import ConfigError
from supertokens_py.http_proxies import proxy_from_environment
from supertokens_py.runtime import fork_hooks
from supertokens_py.secret import SecretBytes, SecretDict, SecretText, masked
from supertokens_py.urls import site_of

from .addresses import NetworkRules, Target
from .callbacks import shown_error
from .failures import SignInFailedError
from .places import Places

TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 1 << 20
#: Requests at once to one origin that the application's code names, and to one that only a tenant does.
MAX_PER_HOST, MAX_PER_TENANTS_HOST = 16, 4
#: Names below one domain, of tenants, that are looked up at once: nothing ends a look-up that is slow.
MAX_LOOK_UPS = 4
#: How long a request waits for a place among those.
WAIT_S = 1.5

_ADDRESSES = 4  #: of a host that are tried
_PIECE_BYTES = 16 * 1024

#: `(host, port)` to the addresses of a host.
Resolve: TypeAlias = Callable[[str, int], Iterable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked. `form` makes it a POST."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    query: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    json: Mapping[str, Any] | None = field(default=None, repr=False)
    basic_auth: tuple[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status."""

    host: str
    status: int
    body: bytes = field(repr=False)

    def successful(self) -> Answer:
        """Return the same, if the status says success. Raises SignInFailedError."""
        if not 200 <= self.status < 300:
            raise SignInFailedError(f"{self.host} answered {self.status}")
        return self

    def tokens(self) -> dict[str, Any]:
        """Return the answer of a token endpoint. Raises SignInFailedError where it is an error."""
        try:
            found = self.json_object()
        except SignInFailedError:
            self.successful()
            raise
        if found.get("error") is not None:
            raise SignInFailedError(f"{self.host} answered {shown_error(found['error'])}")
        self.successful()
        for name in found:
            found[name] = masked(found[name])
        return found

    def json(self) -> Any:
        """Return the body, which must be JSON.

        Raises:
            SignInFailedError: it is not.
        """
        try:
            return json.loads(self.body, object_pairs_hook=SecretDict)
        except (ValueError, RecursionError) as error:
            raise SignInFailedError(f"{self.host} answered {self.status} and no JSON") from error

    def json_object(self) -> dict[str, Any]:
        """Return the body, which must be a JSON object. Raises SignInFailedError."""
        value = self.json()
        if not isinstance(value, dict):
            raise SignInFailedError(f"{self.host} answered {self.status} and no JSON object")
        return cast("dict[str, Any]", value)


def resolve(host: str, port: int) -> list[str]:
    """Ask the system for the addresses of a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class ProviderHttp:
    """Sends requests; a class because it counts those that are under way."""

    def __init__(
        self,
        rules: NetworkRules,
        *,
        resolve: Resolve = resolve,
        tls: Callable[[], ssl.SSLContext] | None = None,
        timeout_s: float = TIMEOUT_S,
        wait_s: float = WAIT_S,
    ) -> None:
        self._rules = rules
        self._resolve = resolve
        self._tls = tls or _tls_context
        self._timeout_s, self._wait_s = timeout_s, wait_s
        self._places = Places()

    def send(self, request: Request, trusted_origins: Collection[str]) -> Answer:
        """Return the answer, redirects and errors included.

        Args:
            request: what to ask.
            trusted_origins: those that the application's own code names; they may be in a private network.

        Raises:
            SignInFailedError: nobody answers in time, or the URL is one that must not be asked.
        """
        target = self._rules.target(request.url, trusted_origins)
        fork_hooks.check()
        most = MAX_PER_HOST if target.is_trusted else MAX_PER_TENANTS_HOST
        name, what = (target.scheme, target.authority, target.is_trusted), f"requests to {target.host}"
        with (
            _Deadline(self._timeout_s) as deadline,
            self._places.taken(name, most, wait_s=self._wait_s, what=what),
        ):
            return self._send(request, target, deadline)

    def _send(self, request: Request, target: Target, deadline: _Deadline) -> Answer:
        proxy = proxy_from_environment(target.scheme, target.host, target.port)
        failure: Exception | None = None
        addresses = self._addresses(target, has_proxy=proxy is not None)
        for address in addresses[:_ADDRESSES]:
            if deadline.is_over:
                break
            try:
                built = _built(request, target, address, deadline, self._timeout_s)
                with (
                    closing(httpx2.HTTPTransport(verify=self._tls(), trust_env=False, proxy=proxy)) as sender,
                    closing(sender.handle_request(built)) as response,
                ):
                    body = _read(response, target)
                if not deadline.is_over:  # else it is what came until then
                    return Answer(target.host, response.status_code, body)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                failure = error
            except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
                failure = error
                break
        if deadline.is_over or isinstance(failure, httpx2.TimeoutException):
            raise SignInFailedError(f"{target.host} did not answer within {self._timeout_s:g} s") from failure
        # The text of such errors may repeat the URL, with what is in its query.
        raise SignInFailedError(f"{target.host} did not answer ({type(failure).__name__})") from failure

    def _addresses(self, target: Target, *, has_proxy: bool) -> list[str]:
        """Return what to connect to, or to have the proxy connect to."""
        if self._rules.allows_any(target):
            return [target.host] if has_proxy else self._looked_up(target)  # a proxy resolves names by itself
        # Nobody may look it up again: not a proxy either, which may get another answer than we did.
        what = f"names below {_domain(target.host)}"
        name = "look-ups", _domain(target.host)
        with self._places.taken(name, MAX_LOOK_UPS, wait_s=self._wait_s, what=what):
            found = self._looked_up(target)
        if not all(self._rules.allows(target, address) for address in found):
            raise SignInFailedError(f"{target.host} is in a private network; see allow_private_networks")
        return found

    def _looked_up(self, target: Target) -> list[str]:
        try:
            found = list(self._resolve(target.host, target.port))
        except (OSError, UnicodeError) as error:
            raise SignInFailedError(f"{target.host} has no address") from error
        if not found:
            raise SignInFailedError(f"{target.host} has no address")
        return found


class _Deadline:
    """Ends a connection when its time is over: time-outs of a client begin again with every byte."""

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def note(self, event: str, info: Mapping[str, Any]) -> None:
        """Learn of the socket, from the client's `trace` extension."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")
            if self.is_over:
                self._end()

    def _end(self) -> None:
        self.is_over = True
        if self._socket is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def _built(
    request: Request, target: Target, address: str, deadline: _Deadline, timeout_s: float
) -> httpx2.Request:
    parts = urlsplit(target.url)
    query = "&".join(part for part in (parts.query, urlencode(request.query)) if part)
    place = f"[{address}]" if ":" in address else address
    url = urlunsplit((target.scheme, f"{place}:{target.port}", parts.path or "/", query, ""))
    headers = {
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": "supertokens_py",
        **{name.lower(): value for name, value in request.headers.items()},
        "host": target.authority,
    }
    content: bytes | None = None
    if request.form is not None:
        headers["content-type"] = "application/x-www-form-urlencoded"
        content = SecretBytes(urlencode(request.form).encode())
    elif request.json is not None:
        headers["content-type"] = "application/json"
        content = SecretBytes(json.dumps(request.json).encode())
    if request.basic_auth is not None:
        pair = ":".join(quote(part, safe="") for part in request.basic_auth)  # RFC 6749 2.3.1
        headers["authorization"] = SecretText(f"Basic {b64encode(pair.encode()).decode()}")
    waits = dict.fromkeys(("connect", "read", "write", "pool"), timeout_s)
    extensions: dict[str, Any] = {"timeout": waits, "sni_hostname": target.host, "trace": deadline.note}
    method = "GET" if content is None else "POST"
    return httpx2.Request(method, url, headers=headers, content=content, extensions=extensions)


def _read(response: httpx2.Response, target: Target) -> bytes:
    """Return the body, of bounded length: a small one may decompress to any."""
    pieces, size = list[bytes](), 0
    for piece in map(SecretBytes, response.iter_raw(_PIECE_BYTES)):
        pieces.append(piece)
        size += len(piece)
        if size > MAX_ANSWER_BYTES:
            raise SignInFailedError(f"{target.host} answered with more than {MAX_ANSWER_BYTES >> 20} MiB")
    raw = SecretBytes(b"".join(pieces))
    return SecretBytes(_decoded(raw, response.headers.get("content-encoding", ""), target))


def _decoded(raw: bytes, encoding: str, target: Target) -> bytes:
    if encoding.strip().lower() in ("", "identity"):
        return raw
    if encoding.strip().lower() not in ("gzip", "x-gzip", "deflate"):
        raise SignInFailedError(f"{target.host} answered in an encoding that was not asked for")
    try:
        data = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(raw, MAX_ANSWER_BYTES + 1)
    except zlib.error as error:
        raise SignInFailedError(f"{target.host} answered with what cannot be decompressed") from error
    if len(data) > MAX_ANSWER_BYTES:
        raise SignInFailedError(f"{target.host} answered with more than {MAX_ANSWER_BYTES >> 20} MiB")
    return data


def _domain(host: str) -> str:
    """Return the domain that somebody registered, with all of whose names they may do as they like."""
    try:
        return site_of(f"https://{host}")
    except ConfigError:
        return host


@cache
def _tls_context() -> ssl.SSLContext:
    # Reading the certificates of all authorities costs 60 ms, and gives every request the same.
    return httpx2.create_ssl_context()
