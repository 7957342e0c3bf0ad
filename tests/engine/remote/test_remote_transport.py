"""Hosts, repetition, back-off, headers and errors of the remote engine."""

from __future__ import annotations

import faulthandler
import inspect
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from supertokens_py.engine.records import UnknownTenantError
from supertokens_py.engine.remote import RemoteEngine, RemoteSettings
from supertokens_py.engine.remote.core import Core as RemoteCore
from supertokens_py.engine.remote.transport import parse_hosts
from supertokens_py.exceptions import (
    BadInputError,
    ConfigError,
    EngineUnavailableError,
    GeneralError,
    ProtectedClaimError,
)
from supertokens_py.types.users import AccountInfo
from tests.engine.driver import new_session, refresh_request
from tests.engine.remote.cores import Core, engine_over, wire_session


def create(engine: RemoteEngine, **changes: Any) -> Any:
    return engine.sessions.create(new_session("u1", **changes))


def test_hosts_are_split_and_keep_their_base_path() -> None:
    """`;` separates hosts; a base path stays, a trailing slash goes."""
    expected = ["http://a:3567", "https://b/base/path"]
    hosts = parse_hosts(" http://a:3567/ ;; HTTPS://b/base/path/ ")
    assert [host.address for host in hosts] == expected


@pytest.mark.parametrize("uri", ["", ";", "a:3567", "ftp://a", "http://", "http://a?x=1", "http://a/#x"])
def test_a_uri_that_is_no_core_is_refused(uri: str) -> None:
    """What cannot be an address of a core is a ConfigError at construction."""
    with pytest.raises(ConfigError):
        parse_hosts(uri)


@pytest.mark.parametrize("uri", ["http://a/?key=hush", "http://a/#hush", "http://me:hush@a:x", "a b?hush"])
def test_a_refused_uri_is_not_repeated_where_it_may_hold_a_secret(uri: str) -> None:
    """Some services take their key in the query."""
    with pytest.raises(ConfigError) as raised:
        parse_hosts(uri)
    assert "hush" not in str(raised.value)


def test_a_password_in_the_uri_is_sent_and_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    """It authenticates each request, and stands in no log, error or URL that an interceptor sees."""
    core = Core({"GET /recipe/roles": {"status": "OK", "roles": []}})
    seen: list[httpx2.Request] = []
    shown: list[str] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        if request.url.host == "a":
            raise httpx2.ConnectError("refused")
        return core(request)

    def interceptor(url: str, *rest: Any) -> Any:
        shown.append(url)
        return (url, *rest[:4])

    caplog.set_level("DEBUG")
    uri = "http://me:hush%40@a/x;http://me:hush%40@b"
    engine = engine_over(handler, uri=uri, network_interceptor=interceptor)
    assert engine.roles.all() == []
    assert {request.headers["authorization"] for request in seen} == {"Basic bWU6aHVzaEA="}
    with pytest.raises(ConfigError) as raised:
        parse_hosts("ftp://me:hush@a")
    texts = [*shown, *(str(request.url) for request in seen), caplog.text, str(raised.value)]
    assert [text for text in texts if "hush" in text] == []


def test_a_dead_host_is_passed_over_and_the_next_call_starts_after_the_living_one() -> None:
    """CS-103: dead first host → second host used, next call starts after it."""
    core = Core({"GET /recipe/roles": {"status": "OK", "roles": []}})
    tried: list[str] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        tried.append(request.url.host)
        if request.url.host == "a":
            raise httpx2.ConnectError("refused")
        return core(request)

    engine = engine_over(handler, uri="http://a;http://b;http://c")
    assert engine.roles.all() == []
    assert tried == ["a", "b", "c"]  # negotiation on b, then the call itself on c
    engine.roles.all()
    assert tried[3:] == ["a", "b"]


def test_all_hosts_dead_is_unavailable() -> None:
    """CS-103: all dead → `No SuperTokens core available to query`, and no answer that logs anyone out."""

    def handler(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectTimeout("slow")

    with pytest.raises(EngineUnavailableError, match=r"^No SuperTokens core available to query$"):
        create(engine_over(handler, uri="http://a;http://b"))


@pytest.mark.parametrize(
    "failure", [httpx2.ReadTimeout("x"), httpx2.RemoteProtocolError("x"), httpx2.ReadError("x")]
)
def test_a_request_that_may_have_arrived_is_not_sent_again(failure: Exception) -> None:
    """A create or a refresh is sent once: two refreshes of one token could look like theft."""
    sent: list[str] = []

    def breaking(request: httpx2.Request) -> httpx2.Response:
        sent.append(request.url.host)
        raise failure

    core = Core({"POST /public/recipe/session": breaking, "POST /recipe/session/refresh": breaking})
    engine = engine_over(core, uri="http://a;http://b")
    with pytest.raises(EngineUnavailableError):
        create(engine)
    assert len(sent) == 1
    with pytest.raises(EngineUnavailableError):
        engine.sessions.refresh(refresh_request("r"))
    assert len(sent) == 2


def test_a_get_whose_connection_broke_is_repeated() -> None:
    """A GET changes nothing, so a connection that the core closed meanwhile costs nothing."""
    failures = [httpx2.RemoteProtocolError("server disconnected")]

    def answer(request: httpx2.Request) -> Any:
        if failures:
            raise failures.pop()
        return {"status": "OK", "roles": ["r"]}

    assert engine_over(Core({"GET /recipe/roles": answer})).roles.all() == ["r"]


def test_a_get_that_timed_out_is_asked_of_the_next_host() -> None:
    """A slow host does not fail a read when there is another."""
    core = Core({"GET /recipe/roles": {"status": "OK", "roles": ["r"]}})

    def handler(request: httpx2.Request) -> httpx2.Response:
        if request.url.host == "b" and request.url.path == "/recipe/roles":
            raise httpx2.ReadTimeout("slow")
        return core(request)

    assert engine_over(handler, uri="http://a;http://b").roles.all() == ["r"]


def test_a_busy_core_is_asked_again_with_growing_pauses() -> None:
    """CS-104: 429 five times then 200 → success after 10, 260, 510, 760, 1010 ms."""
    busy = [(429, "slow down")] * 5
    slept: list[float] = []
    core = Core({"POST /public/recipe/session": lambda request: busy.pop() if busy else wire_session()})
    assert create(engine_over(core, sleep=slept.append)).handle == "handle-1"
    assert [round(seconds * 1000) for seconds in slept] == [10, 260, 510, 760, 1010]


def test_a_core_that_stays_busy_is_unavailable() -> None:
    """CS-104: a sixth 429 ends it, as an error of the engine."""
    core = Core({"POST /public/recipe/session": (429, "slow down")})
    with pytest.raises(EngineUnavailableError, match="with status code: 429 and message: slow down"):
        create(engine_over(core))
    assert core.asked.count("POST /public/recipe/session") == 6


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failing_core_is_unavailable(status: int) -> None:
    """5xx is never a missing session."""
    core = Core({"POST /recipe/session/refresh": (status, "broken")})
    with pytest.raises(EngineUnavailableError, match=f"status code: {status} and message: broken"):
        engine_over(core).sessions.refresh(refresh_request("r"))


def test_the_text_of_a_refused_request_says_what_was_refused() -> None:
    """A 4xx is a GeneralError with method, path, status and body."""
    core = Core({"PUT /recipe/role": (400, "Field name 'role' is invalid in JSON input")})
    with pytest.raises(GeneralError) as raised:
        engine_over(core).roles.add("r", [])
    assert str(raised.value) == (
        "SuperTokens core threw an error for a PUT request to path: /recipe/role with status code: 400 "
        "and message: Field name 'role' is invalid in JSON input"
    )
    assert not isinstance(raised.value, EngineUnavailableError)


PAGE = "<!doctype html><html><title>HTTP Status 404</title></html>"


def _answering(
    first: tuple[int, str], core: Core
) -> tuple[Callable[[httpx2.Request], httpx2.Response], list[str]]:
    asked: list[str] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        asked.append(f"{request.method} {request.url.host}")
        if request.url.host == "a" and request.url.path != "/apiversion":
            return httpx2.Response(first[0], text=first[1], headers={"content-type": "text/html"})
        return core(request)

    return handler, asked


def test_a_core_that_is_starting_is_passed_over() -> None:
    """Its web server answers every path with a page: nothing was done, so even a create may go on."""
    session = {"status": "OK", **wire_session()}
    core = Core({"POST /public/recipe/session": session, "GET /recipe/roles": {"status": "OK", "roles": []}})
    handler, asked = _answering((404, PAGE), core)
    engine = engine_over(handler, uri="http://a;http://b")
    assert [create(engine).user_id for _ in range(2)] == ["u1", "u1"]
    assert [engine.roles.all() for _ in range(2)] == [[], []]
    assert {"POST a", "POST b", "GET a", "GET b"} <= set(asked)
    with pytest.raises(EngineUnavailableError, match="status code 404 and a page of HTML"):
        create(engine_over(handler, uri="http://a"))


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_page_of_a_proxy_is_an_outage(status: int) -> None:
    """A read goes to the next host; a create, which the core may have done, does not.

    Not with 503 either: some proxies answer that when the core has only been slow.
    """
    core = Core({"GET /recipe/roles": {"status": "OK", "roles": []}})
    handler, asked = _answering((status, PAGE), core)
    engine = engine_over(handler, uri="http://a;http://b")
    assert [engine.roles.all() for _ in range(2)] == [[], []]
    asked.clear()
    with pytest.raises(EngineUnavailableError):
        create(engine_over(handler, uri="http://a;http://a"))
    assert asked.count("POST a") == 1


class _Drops(httpx2.SyncByteStream):
    """A body of which something comes all the time."""

    def __init__(self, passes: Callable[[float], None]) -> None:
        self._passes = passes

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield b" "
            self._passes(0.3)


def test_an_answer_that_drips_is_waited_for_no_longer_than_any() -> None:
    """CS-103: `timeout` bounds the whole answer, not the pause between two bytes of it."""
    now_s = [0.0]

    def passes(seconds: float) -> None:
        now_s[0] += seconds

    core = Core({"GET /recipe/roles": lambda request: httpx2.Response(200, stream=_Drops(passes))})
    settings = RemoteSettings.from_environment({"SUPERTOKENS_CORE_TIMEOUT": "2"})
    engine = engine_over(core, remote_settings=settings, monotonic_s=lambda: now_s[0])
    with pytest.raises(EngineUnavailableError) as raised:
        engine.roles.all()
    assert str(raised.value.__cause__) == "no whole answer within 2 s"
    assert core.asked.count("GET /recipe/roles") == 1
    assert round(now_s[0], 1) == 2.1


def test_what_an_interceptor_says_takes_the_place_of_what_we_say() -> None:
    """Its headers come once, in whatever case, and a user in its URL is sent as one."""
    core = Core({"GET /recipe/roles": {"status": "OK", "roles": []}})

    def interceptor(url: str, method: str, headers: Any, params: Any, body: Any, context: Any) -> Any:
        mine = {**headers, "User-Agent": "mine", "Accept": "text/x"}
        return url.replace("http://", "http://me:hush%40@"), method, mine, params, body

    assert engine_over(core, network_interceptor=interceptor).roles.all() == []
    sent = core.requests[-1].headers
    assert sent.get_list("user-agent") + sent.get_list("accept") == ["mine", "text/x"]
    assert sent["authorization"] == "Basic bWU6aHVzaEA="


def test_nobody_queues_up_behind_a_dead_core() -> None:
    """Who waited while it could not be asked for its versions gets that failure, and does not ask again."""
    asked, may_fail = list[str](), threading.Event()

    def handler(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        may_fail.wait(20)
        raise httpx2.ConnectTimeout("slow")

    engine = engine_over(handler)
    with ThreadPoolExecutor(3) as pool:
        callers = [pool.submit(engine.roles.all) for _ in range(3)]
        deadline = time.monotonic() + 20
        while len(_WAITING.findall(_stacks())) < 2 and time.monotonic() < deadline:
            time.sleep(0.001)
        may_fail.set()
        errors = [caller.exception() for caller in callers]
    assert [type(error) for error in errors] == [EngineUnavailableError] * 3
    assert asked == ["/apiversion"]
    with pytest.raises(EngineUnavailableError):
        engine.roles.all()
    assert asked == ["/apiversion"] * 2  # who comes later asks


_SOURCE = inspect.getsource(RemoteCore.version).split("\n")
_LOCKED = inspect.getsourcelines(RemoteCore.version)[1] + next(
    number for number, line in enumerate(_SOURCE) if "with self._lock" in line
)
#: A thread that is at the lock, in the first line of its stack.
_WAITING = re.compile(rf"\(most recent call first\):\n  File \"[^\n]*core\.py\", line {_LOCKED} in version")


def _stacks() -> str:
    """Return what all threads are at."""
    with tempfile.TemporaryFile("w+") as file:
        faulthandler.dump_traceback(file, all_threads=True)
        file.seek(0)
        return file.read()


def test_no_log_repeats_what_a_question_names(caplog: pytest.LogCaptureFixture) -> None:
    """Addresses and handles of users are in the query of some; applications log at INFO."""
    caplog.set_level("INFO")
    core = Core({"GET /public/users/by-accountinfo": {"status": "OK", "users": []}})
    found = engine_over(core).users.by_account_info("public", AccountInfo(email="ada@secret.example"))
    assert found == []
    assert core.requests[-1].url.params["email"] == "ada@secret.example"
    assert "secret.example" not in caplog.text


def test_a_core_sets_no_cookies() -> None:
    """What a proxy before it sets would only grow."""
    core = Core(
        {
            "GET /recipe/roles": lambda request: httpx2.Response(
                200, json={"status": "OK", "roles": []}, headers={"set-cookie": f"c{len(core.requests)}=1"}
            )
        }
    )
    engine = engine_over(core)
    for _ in range(2):
        engine.roles.all()
    assert [request.headers.get("cookie") for request in core.requests] == [None] * 3


def test_what_answers_in_place_of_a_core_without_a_jwt_is_no_core() -> None:
    """A secret is derived from a JWT of the core; anything else is an outage, not an accident."""
    for jwt in ("x", "a.b.c", "a.W10.c"):
        core = Core({"POST /recipe/jwt": {"status": "OK", "jwt": jwt}})
        with pytest.raises(EngineUnavailableError, match="sent no JWT"):
            engine_over(core, api_key="secret-key-of-twenty-signs").keys.shared_secrets("test")


def test_a_path_that_a_core_does_not_know_is_no_outage() -> None:
    """It says so in plain text: the request was wrong, on every host."""
    with pytest.raises(GeneralError) as raised:
        engine_over(Core({"GET /recipe/roles": (404, "Not found")})).roles.all()
    assert not isinstance(raised.value, EngineUnavailableError)


def test_an_answer_that_is_not_a_core_is_unavailable() -> None:
    """A proxy's welcome page with status 200 is not an answer."""
    core = Core({"GET /recipe/roles": lambda request: httpx2.Response(200, text="<html>hello</html>")})
    with pytest.raises(EngineUnavailableError):
        engine_over(core).roles.all()


def test_an_unknown_status_is_unavailable() -> None:
    """A status that no version has is not taken for a verdict on the session."""
    core = Core({"POST /recipe/session/refresh": {"status": "NEW_STATUS"}})
    with pytest.raises(EngineUnavailableError, match="NEW_STATUS"):
        engine_over(core).sessions.refresh(refresh_request("r"))


def test_protected_claims_are_refused_before_the_core_is_asked() -> None:
    """Overwriting a protected claim names it and sends nothing."""
    core = Core()
    with pytest.raises(ProtectedClaimError) as raised:
        create(engine_over(core), payload={"sub": "x", "mine": 1})
    assert raised.value.names == ("sub",)
    assert core.asked == []


def test_protected_claims_that_only_the_core_knows_are_the_same_error() -> None:
    """The core's 400 becomes a ProtectedClaimError."""
    core = Core({"POST /public/recipe/session": (400, "The user payload contains protected field")})
    with pytest.raises(ProtectedClaimError):
        create(engine_over(core), payload={"future": 1})


def test_an_unknown_tenant_is_told_apart() -> None:
    """The core's 400 about a tenant becomes an UnknownTenantError with its name."""
    text = "AppId or tenantId not found => Tenant with the following connectionURIDomain..."
    core = Core({"POST /t9/recipe/session": (400, text)})
    with pytest.raises(UnknownTenantError) as raised:
        create(engine_over(core), tenant_id="t9")
    assert raised.value.tenant_id == "t9"


@pytest.mark.parametrize("tenant_id", ["..", ".", "a/b", "a_b", "appid-other", "recipe", "%2e%2e", "é"])
def test_a_tenant_that_cannot_be_is_unknown_and_no_other_path(tenant_id: str) -> None:
    """In a path these ids would mean another tenant, another app, or none: the core is not asked."""
    core = Core({"POST /public/recipe/session": wire_session(), "POST /recipe/session": wire_session()})
    with pytest.raises(UnknownTenantError) as raised:
        create(engine_over(core), tenant_id=tenant_id)
    assert raised.value.tenant_id == tenant_id
    assert core.asked == []


def test_headers_say_key_version_and_recipe() -> None:
    """CS-105: `api-key` and `cdi-version` on every call, `rid` only on recipe paths."""
    core = Core({"POST /public/recipe/session": wire_session()})
    create(
        engine_over(
            core, api_key="secret-key-of-twenty-signs", api_domain="https://a", website_domain="https://w"
        )
    )
    negotiation, call = core.requests
    assert "secret-key-of-twenty-signs" == negotiation.headers["api-key"] == call.headers["api-key"]
    assert dict(negotiation.url.params) == {"apiDomain": "https://a", "websiteDomain": "https://w"}
    assert "cdi-version" not in negotiation.headers
    assert "rid" not in negotiation.headers
    assert call.headers["cdi-version"] == "5.6"
    assert call.headers["rid"] == "session"
    assert call.headers["content-type"] == "application/json; charset=utf-8"


def test_the_newest_common_version_is_spoken_and_asked_for_once() -> None:
    """Negotiation picks the numerically greatest version that both sides know."""
    core = Core({"GET /recipe/roles": {"status": "OK", "roles": []}}, versions=["5.10", "5.2", "4.0", "5.4"])
    engine = engine_over(core)
    engine.roles.all()
    engine.roles.all()
    assert core.asked.count("GET /apiversion") == 1
    assert core.requests[-1].headers["cdi-version"] == "5.4"


def test_no_common_version_is_a_clear_error() -> None:
    """The message names the core, without a password, and both sides' versions."""
    core = Core(versions=["2.21", "4.0"])
    with pytest.raises(GeneralError) as raised:
        create(engine_over(core, uri="https://me:hush@a;http://b:3567"))
    assert str(raised.value) == (
        "the SuperTokens core at https://a, http://b:3567 speaks CDI 2.21, 4.0, this SDK 5.0 to 5.6: "
        "upgrade the core, or use a release of the SDK that fits it"
    )


def test_a_core_that_was_replaced_is_asked_for_its_versions_again() -> None:
    """A roll-back of the core needs no restart of its clients."""

    def roles(request: httpx2.Request) -> Any:
        if request.headers["cdi-version"] == "5.6":
            return 400, "cdi-version 5.6 not supported"
        return {"status": "OK", "roles": ["r"]}

    core = Core({"GET /recipe/roles": roles}, versions=["5.6"])
    engine = engine_over(core)
    core.answers["GET /apiversion"] = lambda request: {
        "versions": ["5.6"] if len(core.requests) < 2 else ["5.4"]
    }
    assert engine.roles.all() == ["r"]
    assert core.requests[-1].headers["cdi-version"] == "5.4"


def test_the_interceptor_may_rewrite_a_request() -> None:
    """Url, method, headers, query and body go through the hook, for each request but the JWKS."""
    seen: list[tuple[str, str, Any, Any]] = []

    def interceptor(url: str, method: str, headers: Any, params: Any, body: Any, context: Any) -> Any:
        seen.append((url, method, params, body))
        return url.replace("/core-a", ""), method, {**headers, "x-trace": "1"}, params, body

    core = Core({"POST /public/recipe/session": wire_session(), "GET /.well-known/jwks.json": {"keys": []}})
    engine = engine_over(core, uri="http://h/core-a", network_interceptor=interceptor)
    create(engine)
    core.answers["GET /core-a/.well-known/jwks.json"] = {"keys": []}
    engine.keys.reload()
    assert [item[0] for item in seen] == [
        "http://h/core-a/apiversion",
        "http://h/core-a/public/recipe/session",
    ]
    assert seen[0][3] == {}
    assert seen[1][2] == {}
    assert seen[1][3]["userId"] == "u1"
    assert core.requests[1].headers["x-trace"] == "1"


def test_an_interceptor_that_returns_nothing_is_told_so() -> None:
    """The message says what to return."""
    with pytest.raises(GeneralError, match="network_interceptor must return"):
        create(engine_over(Core(), network_interceptor=lambda *args: None))


def test_the_engine_reopens_after_close() -> None:
    """`close()` is not the end."""
    core = Core({"GET /recipe/roles": {"status": "OK", "roles": []}})
    engine = engine_over(core)
    assert engine.roles.all() == []
    engine.close()
    assert engine.roles.all() == []
    engine.close()


def test_settings_come_from_the_environment_and_are_checked() -> None:
    """Seconds and counts are read from SUPERTOKENS_CORE_*; nonsense names its variable."""
    settings = RemoteSettings.from_environment(
        {"SUPERTOKENS_CORE_TIMEOUT": "2.5", "SUPERTOKENS_CORE_POOL_SIZE": "4"}
    )
    assert (settings.timeout, settings.connect_timeout, settings.pool_size) == (2.5, 5, 4)
    for text in ("-1", "soon", "nan"):
        with pytest.raises(ConfigError, match="SUPERTOKENS_CORE_TIMEOUT"):
            RemoteSettings.from_environment({"SUPERTOKENS_CORE_TIMEOUT": text})


@pytest.mark.parametrize(("params", "body"), [({"userId": "a\ud800"}, None), ({}, {"x": object()})])
def test_what_cannot_be_sent_is_refused(params: dict[str, Any], body: Any) -> None:
    """What an interceptor adds may have no form in a URL or in JSON: no error of the HTTP client gets out."""
    engine = engine_over(
        Core(), network_interceptor=lambda url, method, headers, *rest: (url, method, headers, params, body)
    )
    with pytest.raises(BadInputError, match="cannot be sent"):
        engine.sessions.user_handles("a", tenant_id=None)


def test_bad_arguments_are_refused_before_the_core_is_asked() -> None:
    """The limits are those of the embedded engine; what no request can hold is never in one."""
    core = Core()
    engine = engine_over(core)
    calls: list[Callable[[], Any]] = [
        lambda: engine.sessions.create(new_session("a\ud800")),
        lambda: create(engine, payload={"x": object()}),
        lambda: create(engine, data={"x": "y" * 70_000}),
        lambda: create(engine, tenant_id="a\0"),
        lambda: engine.sessions.information(5),  # pyright: ignore[reportArgumentType]
        lambda: engine.roles.add(" ", []),
        lambda: engine.tenants.put("a_b", {}),
        lambda: engine.tenants.delete(" Public "),
        lambda: engine.keys.create_jwt({}, issuer="i", validity_s=0, static_key=True),
    ]
    for call in calls:
        with pytest.raises(BadInputError):
            call()
    assert core.asked == []


@pytest.mark.parametrize("handle", ["a\ud800", "a\0", "x" * 256])
def test_a_handle_that_cannot_be_is_not_asked_for(handle: str) -> None:
    """There is no session of that handle, and no core has to be asked for it."""
    core = Core()
    engine = engine_over(core)
    assert engine.sessions.information(handle) is None
    assert engine.sessions.revoke([handle]) == []
    assert engine.sessions.replace_data(handle, {}) is False
    assert engine.sessions.merge_payload(handle, {"a": 1}) is False
    assert core.asked == []


@pytest.mark.parametrize("text", ["accessTokenValidity cannot be so long", "Invalid core config: x"])
def test_arguments_that_only_the_core_can_judge(text: str) -> None:
    """Its text reaches the caller, in the same error as a refusal of our own."""
    with pytest.raises(BadInputError, match=text):
        create(engine_over(Core({"POST /public/recipe/session": (400, text)})))
