"""HTTP to the hosts of a core: one pooled client, rotation, and repetition only where it is safe."""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import cache
from typing import Any, NamedTuple, TypeAlias, cast
from urllib.parse import unquote

import httpx2

from supertokens_py.engine.call import current_user_context
from supertokens_py.engine.uris import core_hosts
from supertokens_py.exceptions import BadInputError, EngineUnavailableError, GeneralError
from supertokens_py.http_proxies import proxy_from_environment
from supertokens_py.runtime import fork_hooks
from supertokens_py.secret import SecretBytes
from supertokens_py.tokens.encoding import to_json
from supertokens_py.types.base import JSONObject

from .answer_deadlines import AnswerDeadlines
from .settings import RemoteSettings

NetworkInterceptor: TypeAlias = Callable[
    [str, str, dict[str, Any], dict[str, Any] | None, dict[str, Any] | None, dict[str, Any] | None],
    tuple[str, str, dict[str, Any], dict[str, Any] | None, dict[str, Any] | None],
]

_log = logging.getLogger(__name__)

_BUSY_RETRIES = 5
_BUSY_FIRST_DELAY_S = 0.01
_BUSY_DELAY_STEP_S = 0.25
_KEEPALIVE_S = 15
#: Larger than a list of all handles or users that a core can be asked for.
MAX_ANSWER_BYTES = 64 * 2**20
_HEADERS = {"accept": "application/json", "accept-encoding": "gzip, deflate", "user-agent": "supertokens_py"}


class Host(NamedTuple):
    """A core's base URL without a trailing slash, and the user and password that its URI names."""

    address: str
    auth: httpx2.BasicAuth | None = None


def parse_hosts(uri: str) -> tuple[Host, ...]:
    """Split a `;`-separated connection URI. A password stays out of the addresses, which are logged.

    Raises:
        ConfigError: a piece is not an http(s) address.
    """
    hosts: list[Host] = []
    for parts in core_hosts(uri):
        user, _, place = parts.netloc.rpartition("@")
        name, _, password = user.partition(":")
        auth = httpx2.BasicAuth(unquote(name), unquote(password)) if user else None
        hosts.append(Host(f"{parts.scheme.lower()}://{place}{parts.path.rstrip('/')}", auth))
    return tuple(hosts)


class _Tries:
    """How often one request is sent: once to each host, and a few times more to one that is busy."""

    def __init__(self, hosts: int) -> None:
        self.left = hosts
        self.failure: Exception | None = None
        self._mended = False
        self._busy: dict[str, int] = {}

    def failed(self, error: Exception) -> None:
        """Pass over a host."""
        self.left, self.failure = self.left - 1, error

    def broke(self, error: httpx2.RequestError) -> None:
        """Pass over a host, unless it may only have closed a kept connection meanwhile."""
        self.failure = error
        if self._mended or isinstance(error, httpx2.TimeoutException):
            self.left -= 1
        self._mended = True

    def delay_s(self, url: str) -> float | None:
        """Return how long to wait for a host that is busy (429); None if that was tried often enough."""
        retries = self._busy.get(url, 0)
        if retries >= _BUSY_RETRIES:
            return None
        self._busy[url] = retries + 1
        return _BUSY_FIRST_DELAY_S + _BUSY_DELAY_STEP_S * retries


class Transport:
    """Sends one request to whichever host answers, over one client made at the first of them."""

    def __init__(
        self,
        hosts: tuple[Host, ...],
        settings: RemoteSettings,
        *,
        interceptor: NetworkInterceptor | None = None,
        base: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.hosts = hosts
        self._settings = settings
        self._interceptor = interceptor
        self._base = base
        self._sleep = sleep
        self._deadlines = AnswerDeadlines(settings.timeout, monotonic_s)
        self._next = 0
        self._senders: dict[str | None, httpx2.BaseTransport] = {}  #: by the proxy that they go through
        self._lock = threading.Lock()

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None = None,
        body: JSONObject | None = None,
        intercept: bool = True,
    ) -> httpx2.Response:
        """Return the first answer, whatever its status.

        A host that refuses the connection is passed over, and so is one where something else than a core
        answers (a core that is starting, a proxy). A request that may have been processed is repeated only if
        it is a GET: a refresh or a create is never sent twice.

        Raises:
            EngineUnavailableError: no core answered.
        """
        tries = _Tries(len(self.hosts))
        while tries.left > 0:
            host = self._next_host()
            url = host.address + path
            try:
                response = self._attempt(
                    method, url, headers, query, body, auth=host.auth, intercept=intercept
                )
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                _log.warning("core %s cannot be reached: %s", url, error)
                tries.failed(error)
            except httpx2.RequestError as error:  # also a body that cannot be decompressed
                if method != "GET":
                    raise EngineUnavailableError(
                        f"the SuperTokens core did not answer a {method} request to path: {path}"
                    ) from error
                tries.broke(error)
            else:
                if _is_no_core(response, method):
                    _log.warning("no core at %s: a page with status %d", url, response.status_code)
                    tries.failed(_page_error(response, method, path))
                elif response.status_code != 429 or (delay_s := tries.delay_s(url)) is None:
                    return response
                else:
                    self._sleep(delay_s)
        raise _unavailable(tries.failure)

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        fork_hooks.check()
        with self._lock:
            senders, self._senders = self._senders, {}
        for sender in senders.values():
            sender.close()

    def forget_after_fork(self) -> None:
        """Leave the connections to the parent process, which owns them."""
        self._lock = threading.Lock()
        self._senders = {}

    def _attempt(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None,
        body: JSONObject | None,
        *,
        auth: httpx2.BasicAuth | None,
        intercept: bool,
    ) -> httpx2.Response:
        sent_headers, params, content = dict[str, Any](headers), dict[str, Any](query or {}), body
        if intercept and self._interceptor is not None:
            answer = self._interceptor(
                url, method, sent_headers, params, {} if content is None else content, current_user_context()
            )
            url, method, sent_headers, params, content = _checked_answer(answer)
            if body is None and not content:
                content = None
        try:
            request = self._request(method, url, sent_headers, params, content, auth)
            self._deadlines.begin()
            with closing(self._sender(request.url).handle_request(request)) as response:
                return self._read(response)
        except UnicodeEncodeError as error:
            raise BadInputError(f"cannot be sent to the SuperTokens core: {error}") from error
        except httpx2.PoolTimeout as error:
            raise EngineUnavailableError("every connection to the SuperTokens core is in use") from error

    def _request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, Any],
        query: Mapping[str, Any],
        body: JSONObject | None,
        auth: httpx2.BasicAuth | None,
    ) -> httpx2.Request:
        wait, connect = self._settings.timeout, self._settings.connect_timeout
        all_headers = httpx2.Headers(_HEADERS)
        all_headers.update(headers)
        request = httpx2.Request(
            method,
            url,
            params=query or None,
            headers=all_headers,
            content=None if body is None else encode(body),
            extensions={
                "timeout": {"connect": connect, "pool": connect, "read": wait, "write": wait},
                "trace": self._deadlines.note,
            },
        )
        if auth is None and request.url.userinfo:  # of an interceptor's URL
            auth = httpx2.BasicAuth(request.url.username, request.url.password)
        return request if auth is None else next(auth.sync_auth_flow(request))

    def _next_host(self) -> Host:
        fork_hooks.check()
        with self._lock:
            host = self.hosts[self._next % len(self.hosts)]
            self._next += 1
            return host

    def _sender(self, url: httpx2.URL) -> httpx2.BaseTransport:
        """Return what sends to a URL. `httpx2.Client` would log URLs, which name users, and keep cookies."""
        if self._base is not None:
            return self._base
        proxy = proxy_from_environment(url.scheme, url.host, url.port)
        with self._lock:
            if (sender := self._senders.get(proxy)) is None:
                size = self._settings.pool_size
                limits = httpx2.Limits(
                    max_connections=size, max_keepalive_connections=size, keepalive_expiry=_KEEPALIVE_S
                )
                sender = httpx2.HTTPTransport(
                    verify=_tls_context(), trust_env=False, limits=limits, proxy=proxy
                )
                self._senders[proxy] = sender
            return sender

    def _read(self, response: httpx2.Response) -> httpx2.Response:
        """Return an answer with its whole body, which is bounded: a small one can decompress to any size.

        Raises:
            EngineUnavailableError: no core sends that much.
            httpx2.ReadTimeout: it is not there in time, though something of it came all the time.
        """
        pieces, size = list[bytes](), 0
        self._deadlines.begin()
        for piece in response.iter_bytes():
            size += len(piece)
            if size > MAX_ANSWER_BYTES:
                raise EngineUnavailableError(
                    "what answered in place of the SuperTokens core sent more than "
                    f"{MAX_ANSWER_BYTES >> 20} MiB"
                )
            if self._deadlines.left_s < 0:
                raise httpx2.ReadTimeout(f"no whole answer within {self._settings.timeout:g} s")
            pieces.append(piece)
        headers = httpx2.Headers(response.headers)
        for name in ("content-encoding", "transfer-encoding", "content-length"):
            headers.pop(name, None)
        return httpx2.Response(response.status_code, headers=headers, content=b"".join(pieces))


def _is_no_core(response: httpx2.Response, method: str) -> bool:
    """Return whether a page of HTML was sent by something that did not process the request.

    A core answers with JSON or plain text. While one is starting, its web server knows no path (404). Behind
    a proxy's error, 503 included, a core may have done what a POST or PUT asked for, and only been slow.
    """
    status = response.status_code
    possible = status == 404 or (method == "GET" and status >= 500)
    return possible and response.content.lstrip()[:1] == b"<"


def _page_error(response: httpx2.Response, method: str, path: str) -> EngineUnavailableError:
    return EngineUnavailableError(
        f"No SuperTokens core available to query: the {method} request to path: {path} was answered with "
        f"status code {response.status_code} and a page of HTML, as where a core is starting"
    )


def _unavailable(failure: Exception | None) -> EngineUnavailableError:
    if isinstance(failure, EngineUnavailableError):
        return failure
    error = EngineUnavailableError("No SuperTokens core available to query")
    error.__cause__ = failure
    return error


@cache
def _tls_context() -> ssl.SSLContext:
    # Reading the certificates of all authorities costs 60 ms, and gives every client the same.
    return httpx2.create_ssl_context()


def encode(body: JSONObject) -> SecretBytes:
    """Return the JSON text of a request body, which may hold a refresh token.

    Raises:
        BadInputError: a value in it has no JSON form.
    """
    try:
        return SecretBytes(to_json(body).encode())
    except ValueError as error:
        raise BadInputError(f"cannot be sent to the SuperTokens core: {error}") from error


def _checked_answer(answer: object) -> tuple[str, str, dict[str, Any], dict[str, Any], dict[str, Any] | None]:
    if not isinstance(answer, tuple) or len(cast("tuple[Any, ...]", answer)) != 5:
        raise GeneralError("network_interceptor must return (url, method, headers, params, body)")
    url, method, headers, params, body = cast("tuple[Any, Any, Any, Any, Any]", answer)
    return str(url), str(method).upper(), dict(headers or {}), dict(params or {}), body
