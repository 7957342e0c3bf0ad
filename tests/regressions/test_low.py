"""Defects of low weight; D numbers are those of README.md beside this file."""

from __future__ import annotations

import ast
import io
import json
import logging
import re
import socket
import sys
import threading
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import supertokens_py
from supertokens_py import InputAppInfo, Supertokens, get_request_from_user_context, init
from supertokens_py.constants import SUPPORTED_CDI_VERSIONS
from supertokens_py.exceptions import ConfigError
from supertokens_py.framework.response import BaseResponse
from supertokens_py.recipe import multitenancy, session
from supertokens_py.recipe.session.asyncio import (
    create_new_session_without_request_response,
    refresh_session_without_request_response,
)
from supertokens_py.recipe.session.exceptions import InvalidClaimsError, UnauthorisedError
from supertokens_py.recipe.session.interfaces import ClaimValidationResult, SessionClaimValidator
from supertokens_py.tokens import encoding
from tests.engine.remote.cores import stored_session
from tests.regressions.core import TinyCore
from tests.seeds.fixtures import Open, Start
from tests.seeds.sites import API, KINDS, Route, Visit, fastapi_site
from tests.support.clock import Clock

COOKIE = {"st_auth_mode": "cookie"}
PACKAGE = Path(supertokens_py.__file__).parent


async def log_in(visit: Visit) -> Any:
    return (await visit.log_in("ada")).get_handle()


async def page(visit: Visit) -> Any:
    return visit.session.get_user_id() if visit.session else None


LOG_IN = Route("/login", log_in)
PAGE = Route("/page", page, verify={})


def test_d28_a_debug_line_is_json_whatever_is_in_it() -> None:
    """One line per record, with quotes and line breaks inside the JSON, and an honest time stamp."""
    from supertokens_py.logger import _JsonLine

    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_JsonLine())
    record = logging.LogRecord(
        "supertokens_py", logging.DEBUG, "f", 1, "said %s", ('"x"\n{"forged": 1}',), None
    )
    handler.emit(record)
    lines = stream.getvalue().strip().split("\n")
    assert len(lines) == 1
    entry = json.loads(lines[0].partition(" ")[2])
    assert entry["message"] == 'said "x"\n{"forged": 1}'
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["t"])
    assert record.msg == "said %s"  # other handlers see the record as it was


@pytest.mark.parametrize(
    ("api", "website", "same_site"),
    [
        ("http://[::1]:8000", "http://[::1]:3000", "lax"),
        ("http://[::1]:8000", "http://localhost:3000", "lax"),
        ("http://backend:8000", "http://backend:3000", "lax"),
        ("http://backend:8000", "http://frontend:3000", "none"),
        ("http://a.internal", "http://b.internal", "none"),
    ],
)
def test_d30_every_host_has_a_site(
    api: str, website: str, same_site: str, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """IPv6 and hosts without a public suffix work, and nothing is downloaded to find out."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    app = start(info={"api_domain": api, "website_domain": website})
    config = app.recipe(session.SessionRecipe).config
    assert config.get_cookie_same_site(None, {}) == same_site


def test_d32_a_second_init_says_that_it_is_ignored(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    first = start()
    info = InputAppInfo(app_name="Second", api_domain=API, website_domain=API)
    with caplog.at_level(logging.WARNING, "supertokens_py"):
        init(app_info=info, recipe_list=[session.init()])
    assert Supertokens.get_instance() is first
    assert "ignored" in caplog.text
    assert "fixtures.py" in caplog.text  # where the first call stands


def test_d32_an_init_that_failed_can_be_repeated(start: Start) -> None:
    Supertokens.reset()
    info = InputAppInfo(app_name="Tests", api_domain=API, website_domain=API)

    def broken(app: Any) -> Any:
        raise ConfigError("broken")

    with pytest.raises(ConfigError, match="broken"):
        init(app_info=info, recipe_list=[session.init(), broken])
    assert Supertokens.current() is None
    init(app_info=info, recipe_list=[session.init()])
    assert Supertokens.get_instance().app_info.app_name == "Tests"


@pytest.mark.parametrize("kind", ["flask", "django-sync"])
async def test_d33_environment_variables_are_no_headers(kind: str, start: Start, open_site: Open) -> None:
    """A variable `RID` in the WSGI environment is no proof against forged requests."""
    start(anti_csrf="VIA_CUSTOM_HEADER")
    site = open_site(kind, [LOG_IN, PAGE])
    inner = site.app
    site.app = lambda environ, respond: inner({**environ, "RID": "x", "AUTHORIZATION": "Bearer x"}, respond)
    browser = site.browser(**COOKIE)
    await browser.post("/login")
    assert (await browser.post("/page")).status_code == 401
    assert (await browser.post("/page", headers={"rid": "x"})).status_code == 200


@pytest.mark.parametrize("kind", KINDS)
async def test_d33_prefixes_end_at_a_slash(kind: str, start: Start, open_site: Open) -> None:
    """Neither `/authors` nor `/apiary` is taken for the SDK's."""
    start(info={"api_gateway_path": "/api"})
    routes = [Route(path, page) for path in ("/authors/jwt/jwks.json", "/apiary/auth/jwt/jwks.json")]
    browser = open_site(kind, routes).browser()
    for route in routes:
        assert (await browser.get(route.path)).json() is None
    assert "keys" in (await browser.get("/auth/jwt/jwks.json")).json()
    assert "keys" in (await browser.get("/api/auth/jwt/jwks.json")).json()


async def test_d33_a_response_whose_headers_are_a_tuple(start: Start) -> None:
    """ASGI allows any iterable of headers, and none at all."""
    from supertokens_py.framework.fastapi import get_middleware
    from supertokens_py.recipe.session.asyncio import create_new_session
    from tests.seeds.sites import Site

    start()
    for headers in ({"headers": ((b"x-app", b"1"),)}, {}):

        async def app(scope: Any, receive: Any, send: Any, headers: Any = headers) -> None:
            from starlette.requests import Request

            await create_new_session(Request(scope, receive), "public", "ada")
            await send({"type": "http.response.start", "status": 200, **headers})
            await send({"type": "http.response.body", "body": b"ok"})

        browser = Site("fastapi", get_middleware()(app)).browser(**COOKIE)
        answer = await browser.post("/login")
        assert answer.text == "ok"
        assert "front-token" in answer.headers
        assert ("x-app" in answer.headers) == bool(headers)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("valid", [True, False])
async def test_d34_a_reason_that_is_no_json_breaks_nothing(
    kind: str, valid: bool, start: Start, open_site: Open
) -> None:
    class Odd(SessionClaimValidator):
        async def validate(self, payload: Any, user_context: Any) -> ClaimValidationResult:
            return ClaimValidationResult(
                valid, {"message": "too late", "since": datetime(2026, 1, 1, tzinfo=UTC)}
            )

    start()
    verify = {"override_global_claim_validators": lambda *_: [Odd("odd")]}
    browser = open_site(kind, [LOG_IN, Route("/page", page, verify=verify)]).browser(**COOKIE)
    await browser.post("/login")
    answer = await browser.get("/page")
    if valid:
        assert answer.status_code == 200
    else:
        assert answer.status_code == 403
        reason = answer.json()["claimValidationErrors"][0]["reason"]
        assert reason == {"message": "too late", "since": "2026-01-01 00:00:00+00:00"}


async def test_d35_anti_csrf_tokens_are_compared_in_constant_time(
    start: Start, open_site: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[bytes, bytes]] = []
    compare = encoding.compare_digest
    monkeypatch.setattr(encoding, "compare_digest", lambda a, b: compared.append((a, b)) or compare(a, b))
    start(anti_csrf="VIA_TOKEN")
    browser = open_site("fastapi", [LOG_IN, PAGE]).browser(**COOKIE)
    token = (await browser.post("/login")).headers["anti-csrf"]
    assert (await browser.post("/page", headers={"anti-csrf": token})).status_code == 200
    assert (token.encode(), token.encode()) in compared
    assert (await browser.post("/page", headers={"anti-csrf": token[:-1]})).status_code == 401


@pytest.mark.parametrize("kind", KINDS)
async def test_d36_response_mutators_get_the_context_of_their_request(
    kind: str, start: Start, open_site: Open
) -> None:
    """Those that the application adds to a session, and those of an error."""

    def mutate(response: BaseResponse, user_context: dict[str, Any]) -> None:
        request = get_request_from_user_context(user_context)
        response.set_header("x-method", request.method() if request else "unknown")

    async def add(visit: Visit) -> Any:
        assert visit.session is not None
        visit.session.response_mutators.append(mutate)
        return "ok"

    async def fail(visit: Visit) -> Any:
        error = UnauthorisedError("no", clear_tokens=False)
        error.response_mutators.append(mutate)
        raise error

    start()
    routes = [LOG_IN, Route("/add", add, verify={}), Route("/fail", fail)]
    browser = open_site(kind, routes).browser(**COOKIE)
    await browser.post("/login")
    answer = await browser.post("/fail")
    assert (answer.status_code, answer.headers["x-method"]) == (401, "POST")
    answer = await browser.post("/add")
    assert (answer.status_code, answer.headers["x-method"]) == (200, "POST")


def test_d37_threads_share_the_hosts_of_a_core(start: Start) -> None:
    """Every call finds a host, and each host gets its share."""
    from supertokens_py.recipe.session.syncio import get_session_information

    failures: list[BaseException] = []
    answers = {"GET /recipe/session": stored_session()}
    with TinyCore(answers) as first, TinyCore(answers) as second:
        start(uri=f"{first.uri};{second.uri}")

        def ask() -> None:
            try:
                for _ in range(10):
                    assert get_session_information("handle-1")
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-5)
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            sys.setswitchinterval(interval)
        counts = [core.asked.count("GET /recipe/session") for core in (first, second)]
    assert failures == []
    assert sum(counts) == 80
    assert abs(counts[0] - counts[1]) <= 2


def test_d38_dependencies_are_few_and_have_no_upper_bound() -> None:
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    needed = [re.match(r"[\w-]+", line)[0].lower() for line in project["dependencies"]]  # type: ignore[index]
    assert sorted(needed) == ["cryptography", "publicsuffixlist", "pyjwt", "sqlalchemy"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    assert [line for line in project["dependencies"] + extras if "<" in line or "==" in line] == []


def test_d38_what_the_package_imports_is_declared() -> None:
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    declared = {"jwt", *sys.stdlib_module_names}  # PyJWT's module
    for lines in (project["dependencies"], *project["optional-dependencies"].values()):
        declared |= {re.match(r"\w+", line)[0].lower() for line in lines}  # type: ignore[index]
    declared |= {"supertokens_py", "werkzeug"}  # Flask is Werkzeug's
    declared |= {"rest_framework", "ninja"}  # modules of djangorestframework and django-ninja
    declared |= {"phonenumbers", "ua_parser"}  # modules of phonenumberslite and ua-parser
    declared |= {"prometheus_client"}  # module of prometheus-client
    declared |= {"typing_extensions"}  # only type checkers import it, which bring it
    declared |= {"drf_spectacular"}  # registers with it where an application uses it
    imported: set[str] = set()
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imported |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add((node.module or "").partition(".")[0])
    assert imported - declared == set()


def test_d38_no_default_value_is_mutable() -> None:
    shared: list[str] = []
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                defaults = [*node.args.defaults, *(d for d in node.args.kw_defaults if d)]
                kinds = ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp
                shared += [f"{file}:{d.lineno}" for d in defaults if isinstance(d, kinds)]
    assert shared == []


async def test_d39_a_raced_refresh_is_forgiven(start: Start, clock: Clock) -> None:
    """Inside the grace period the replaced token yields the same successor; later it ends the session."""
    from supertokens_py.recipe.session.exceptions import TokenTheftError

    assert "5.6" in SUPPORTED_CDI_VERSIONS
    start()
    created = await create_new_session_without_request_response("public", "ada")
    token = created.get_all_session_tokens_dangerously()["refreshToken"]
    assert token is not None
    first, second = [await refresh_session_without_request_response(token) for _ in range(2)]
    assert first.refresh_token is not None
    assert second.refresh_token is not None
    assert first.refresh_token.token == second.refresh_token.token
    clock.advance(s=31)
    with pytest.raises(TokenTheftError) as theft:
        await refresh_session_without_request_response(token)
    assert theft.value.reason == "RECENT_PREV"


# -- found in 0.24.4 only --------------------------------------------------------------------------


def test_multitenancy_accepts_its_own_override_configuration(start: Start) -> None:
    seen: list[str] = []

    def functions(original: Any) -> Any:
        seen.append("functions")
        return original

    from supertokens_py.recipe.multitenancy.utils import InputOverrideConfig, OverrideConfig

    for kind in (InputOverrideConfig, OverrideConfig):
        start(multitenancy.init(override=kind(functions=functions)))
    assert seen == ["functions", "functions"]


async def test_manual_claim_errors_keep_their_list(start: Start) -> None:
    """`InvalidClaimsError` carries the caller's list, in order."""
    from supertokens_py.recipe.session.exceptions import ClaimValidationError, raise_invalid_claims_exception

    errors = [ClaimValidationError("b", None), ClaimValidationError("a", {"x": 1})]
    with pytest.raises(InvalidClaimsError) as raised:
        raise_invalid_claims_exception("no", errors)
    assert [error.to_json() for error in raised.value.payload] == [
        {"id": "b"},
        {"id": "a", "reason": {"x": 1}},
    ]


async def test_a_route_of_the_application_below_the_base_path_reaches_it(start: Start) -> None:
    start()
    browser = fastapi_site([Route("/auth/other", page)]).browser()
    assert (await browser.get("/auth/other")).json() is None
