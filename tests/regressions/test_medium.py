"""Defects of medium weight; D numbers are those of README.md beside this file."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import threading
import typing
from typing import Any

import pytest

from supertokens_py.engine.records import KeySet
from supertokens_py.recipe.session import syncio
from supertokens_py.recipe.session.asyncio import (
    create_new_session_without_request_response,
    get_jwks,
    get_session_information,
    get_session_without_request_response,
    merge_into_access_token_payload,
    revoke_session,
)
from supertokens_py.recipe.session.claims import BooleanClaim, PrimitiveArrayClaim, PrimitiveClaim
from supertokens_py.recipe.session.exceptions import TryRefreshTokenError, UnauthorisedError
from supertokens_py.recipe.session.interfaces import ClaimValidationResult, SessionClaimValidator
from supertokens_py.recipe.session.verification.verifier import verify
from supertokens_py.tokens.access_token import parse_access_token
from supertokens_py.tokens.signatures import RsaVerificationKey, sign_jwt
from tests.engine.remote.cores import access_token, private_key, stored_session
from tests.regressions.core import TinyCore
from tests.seeds.fixtures import Open, Start
from tests.seeds.sites import API, KINDS, Route, Visit, fastapi_site, set_cookies
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

COOKIE = {"st_auth_mode": "cookie"}


async def log_in(visit: Visit) -> Any:
    return (await visit.log_in("ada")).get_handle()


async def page(visit: Visit) -> Any:
    return visit.session.get_user_id() if visit.session else None


LOG_IN = Route("/login", log_in)
PAGE = Route("/page", page, verify={})
OPTIONAL = Route("/optional", page, verify={"session_required": False})
TOKEN_HEADERS = ("front-token", "st-access-token", "st-refresh-token")


def exposed(answer: Any) -> list[str]:
    """Return the names in the one Access-Control-Expose-Headers line."""
    (line,) = answer.headers.get_list("access-control-expose-headers")
    return [name.strip().lower() for name in line.split(",")]


@pytest.mark.parametrize("order", ["cors outside", "cors inside"])
async def test_d13_cors_and_session_headers_get_along(order: str, start: Start) -> None:
    """Scripts of the website can read the tokens; with CORS outermost, as told, also our own answers."""
    from fastapi import FastAPI
    from fastapi.middleware.cors import CORSMiddleware

    from supertokens_py.framework.fastapi import get_middleware

    start()
    site = fastapi_site([LOG_IN, PAGE], middleware=False)
    app: FastAPI = site.native
    cors: dict[str, Any] = {"allow_origins": ["http://example.com"], "allow_credentials": True}
    if order == "cors outside":
        app.add_middleware(get_middleware())
        app.add_middleware(CORSMiddleware, **cors)
    else:
        app.add_middleware(CORSMiddleware, expose_headers=["X-Total"], **cors)
        app.add_middleware(get_middleware())
    browser = site.browser(origin="http://example.com", st_auth_mode="header")
    names = exposed(await browser.post("/login"))
    assert set(TOKEN_HEADERS) <= set(names)
    if order == "cors outside":
        assert (await browser.get("/page")).headers["access-control-allow-origin"] == "http://example.com"
    else:
        assert "x-total" in names  # theirs and ours stand in one line


@pytest.mark.parametrize("kind", KINDS)
async def test_d13_exposed_headers_of_the_application_stay_and_none_comes_twice(
    kind: str, start: Start, open_site: Open
) -> None:
    start()
    answer = await open_site(kind, [LOG_IN]).browser(st_auth_mode="header").post("/login")
    names = exposed(answer)
    assert sorted(names) == sorted(set(names)) == sorted(TOKEN_HEADERS)


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE"])
@pytest.mark.parametrize("kind", KINDS)
async def test_d14_options_and_trace_on_a_protected_view_are_no_server_error(
    kind: str, method: str, start: Start, open_site: Open
) -> None:
    start()
    browser = open_site(kind, [PAGE, OPTIONAL]).browser()
    answer = await browser.send(method, "/page")
    assert answer.status_code == 401
    assert "front-token" not in answer.headers
    assert (await browser.send(method, "/optional")).status_code == 200


async def test_d15_concurrent_merges_all_survive(any_database: TestDatabase, start: Start) -> None:
    """By handle from many tasks, and online through containers that hold the payload of before."""
    start(uri=any_database.uri)
    created = await create_new_session_without_request_response("public", "ada")
    await asyncio.gather(
        *(
            merge_into_access_token_payload(created.get_handle(), {f"k{number}": number})
            for number in range(12)
        )
    )
    first, second = [await get_session_without_request_response(created.get_access_token()) for _ in range(2)]
    assert first is not None
    assert second is not None
    await first.merge_into_access_token_payload({"first": 1})
    await second.merge_into_access_token_payload({"second": 2})
    information = await get_session_information(created.get_handle())
    assert information is not None
    stored = information.custom_claims_in_access_token_payload
    assert {f"k{number}" for number in range(12)} | {"first", "second"} <= set(stored)
    assert {"first", "second"} <= set(second.get_access_token_payload())


async def test_d16_an_async_should_refetch_is_awaited(start: Start) -> None:
    fetched: list[str] = []
    claim = PrimitiveClaim[str]("c", lambda user_id, *_: fetched.append(user_id) or "value")  # type: ignore[func-returns-value]

    class Never(SessionClaimValidator):
        async def should_refetch(self, payload: dict[str, Any], user_context: dict[str, Any]) -> bool:  # type: ignore[override]
            return False

        async def validate(self, payload: Any, user_context: Any) -> ClaimValidationResult:
            return ClaimValidationResult(True)

    start()
    created = await create_new_session_without_request_response("public", "ada")
    validator = Never("never")
    validator.claim = claim
    await created.assert_claims([validator])
    assert fetched == []


async def test_d17_a_failed_claim_update_leaves_the_payload_as_it_was(start: Start) -> None:
    """The session is revoked under its feet: the update fails, the payload keeps every member."""
    start()
    created = await create_new_session_without_request_response("public", "ada", {"a": 1})
    before = json.loads(json.dumps(created.get_access_token_payload()))
    await revoke_session(created.get_handle())
    claim = BooleanClaim("b", lambda *_: True)
    with pytest.raises(UnauthorisedError):
        await created.assert_claims([claim.validators.is_true()])
    assert created.get_access_token_payload() == before


async def test_d17_claim_helpers_leave_their_argument_alone() -> None:
    claim, payload = PrimitiveClaim("c", lambda *_: 1), {"c": {"v": 1, "t": 1}, "sub": "ada"}
    for change in (claim.remove_from_payload, claim.remove_from_payload_by_merge_):
        assert change(payload) != payload
    assert claim.add_to_payload_(payload, 2) != payload
    assert payload == {"c": {"v": 1, "t": 1}, "sub": "ada"}
    assert claim.remove_from_payload({}) == {}
    assert claim.get_value_from_payload({"c": None}) is None


async def test_d18_a_max_age_of_zero_counts(start: Start, clock: Clock) -> None:
    """0 refetches a value of any age, also where the claim has a default."""
    start()
    fetched: list[int] = []

    def fetch(*_: Any) -> Any:
        fetched.append(1)
        return ["x"]

    array = PrimitiveArrayClaim[str]("list", fetch, default_max_age_in_sec=300)
    single = PrimitiveClaim[Any]("one", fetch, default_max_age_in_sec=300)
    makers = [
        lambda: single.validators.has_value(["x"], 0),
        lambda: array.validators.includes("x", 0),
        lambda: array.validators.excludes("y", 0),
        lambda: array.validators.includes_all(["x"], 0),
        lambda: array.validators.includes_any(["x"], 0),
        lambda: array.validators.excludes_all(["y"], 0),
    ]
    created = await create_new_session_without_request_response("public", "ada")
    for claim in (array, single):
        await created.fetch_and_set_claim(claim)
    clock.advance(s=1)
    for make in makers:
        fetched.clear()
        await created.assert_claims([make()])
        assert fetched == [1]
        clock.advance(s=1)


async def test_d18_boolean_validators_need_no_age_and_take_it_under_any_name(start: Start) -> None:
    start()
    claim = BooleanClaim("b", lambda *_: True)
    created = await create_new_session_without_request_response("public", "ada")
    await created.assert_claims([claim.validators.is_true()])
    for age in ({"max_age": 5}, {"max_age_in_sec": 5}, {"max_age_in_seconds": 5}):
        assert claim.validators.is_true(**age).max_age_in_sec == 5  # type: ignore[attr-defined]
        assert claim.validators.is_false(**age).max_age_in_sec == 5  # type: ignore[attr-defined]


@pytest.mark.parametrize("middleware", [True, False])
async def test_d19_the_fastapi_exception_handler_keeps_every_header(middleware: bool, start: Start) -> None:
    from supertokens_py.exceptions import SuperTokensError
    from supertokens_py.recipe.session.framework.fastapi import session_exception_handler

    async def refuse(visit: Visit) -> Any:
        raise UnauthorisedError("gone")

    start()
    site = fastapi_site([LOG_IN, Route("/refuse", refuse)], middleware=middleware)
    site.native.add_exception_handler(SuperTokensError, session_exception_handler)
    browser = site.browser(**COOKIE)
    answer = await browser.post("/refuse")
    assert answer.status_code == 401
    assert answer.headers["front-token"] == "remove"
    assert set(set_cookies(answer)) == {"sAccessToken", "sRefreshToken"}
    assert "front-token" in exposed(answer)


@pytest.mark.parametrize("kind", KINDS)
async def test_d20_the_cache_control_of_a_core_is_passed_on(kind: str, start: Start, open_site: Open) -> None:
    with TinyCore() as core:  # answers with max-age=120
        start(uri=core.uri)
        answer = await open_site(kind, []).browser().get("/auth/jwt/jwks.json")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "max-age=120, must-revalidate"
    assert [key["kid"] for key in answer.json()["keys"]] == ["d-1"]


async def test_d21_the_django_middleware_is_async_under_asgi(start: Start, open_site: Open) -> None:
    """Middleware and view run in the thread of the loop, with no hop between."""
    from asgiref.sync import iscoroutinefunction

    from supertokens_py.framework.django.django_middleware import middleware

    threads: list[int] = []

    async def where(visit: Visit) -> Any:
        threads.append(threading.get_ident())
        return "ok"

    start()
    assert middleware.async_capable
    assert middleware.sync_capable

    async def get_response(request: Any) -> Any:
        raise AssertionError

    assert iscoroutinefunction(middleware(get_response))
    assert not iscoroutinefunction(middleware(lambda request: None))
    browser = open_site("django-async", [LOG_IN, Route("/where", where, verify={})]).browser(**COOKIE)
    await browser.post("/login")
    assert (await browser.get("/where")).status_code == 200
    assert threads == [threading.get_ident()]


def test_d22_the_flask_decorator_takes_async_views(start: Start) -> None:
    from flask import Flask, g, request
    from flask.views import MethodView

    from supertokens_py.framework.flask import Middleware
    from supertokens_py.recipe.session.framework.flask import verify_session

    start()
    app = Flask("tests")
    Middleware(app)

    @app.post("/login")
    def login() -> str:
        syncio.create_new_session(request, "public", "ada")
        return "ok"

    @app.get("/async")
    @verify_session()
    async def view() -> str:
        await asyncio.sleep(0)
        await g.supertokens.merge_into_access_token_payload({"a": 1})
        return g.supertokens.get_user_id()

    class Page(MethodView):
        decorators: typing.ClassVar[list[Any]] = [verify_session()]

        async def get(self) -> str:
            return g.supertokens.get_user_id()

    app.add_url_rule("/class", view_func=Page.as_view("page"))
    client = app.test_client()
    where: dict[str, Any] = {"base_url": API, "headers": {"st-auth-mode": "cookie"}}
    assert client.get("/async", **where).status_code == 401
    client.post("/login", **where)
    answer = client.get("/async", **where)
    assert answer.text == "ada"
    assert "front-token" in answer.headers
    assert client.get("/class", **where).text == "ada"


@pytest.mark.parametrize("version", [4, 5])
def test_d23_a_token_without_tenant_is_none(version: int) -> None:
    """Although its signature would hold."""
    whole = access_token()
    claims = {name: value for name, value in whole.payload.items() if name != "tId"}
    text = sign_jwt(claims, key=private_key("d-1"), kid="d-1", version=version)
    assert parse_access_token(text) is None
    keys = KeySet({"d-1": RsaVerificationKey("d-1", private_key("d-1").public_key())}, loaded_ms=0)
    assert verify(whole, keys, now_ms=whole.created_ms, dynamic_key=True) == whole.expires_ms


async def test_d24_tokens_of_the_oldest_form_are_refreshed_never_trusted(start: Start) -> None:
    """There is no arithmetic on their times that could be wrong: whatever they say, try refresh."""
    start()
    for expires in (1_700_000_000, 1_700_000_000_000, 99_999_999_999_999):
        claims = {
            "sessionHandle": "h",
            "userId": "ada",
            "refreshTokenHash1": "0" * 64,
            "userData": {},
            "expiryTime": expires,
            "timeCreated": 1,
        }
        head = base64.b64encode(b'{"alg":"RS256","typ":"JWT","version":"2"}').decode()
        body = base64.b64encode(json.dumps(claims).encode()).decode()
        with pytest.raises(TryRefreshTokenError):
            await get_session_without_request_response(f"{head}.{body}.AAAA")


async def test_d25_core_calls_share_connections(start: Start) -> None:
    with TinyCore({"GET /recipe/session": stored_session()}) as core:
        start(uri=core.uri)
        for _ in range(20):
            assert await get_session_information("handle-1")
        assert core.asked.count("GET /recipe/session") == 20
        assert core.connections <= 2


def test_d25_a_call_that_may_have_arrived_is_not_sent_twice(start: Start) -> None:
    """Two hosts, the first breaks the connection in mid-answer: a refresh is not repeated at the second."""
    from supertokens_py.exceptions import EngineUnavailableError

    with TinyCore() as first, TinyCore() as second:
        first.breaks = second.breaks = True
        start(uri=f"{first.uri};{second.uri}")
        with pytest.raises(EngineUnavailableError):
            syncio.refresh_session_without_request_response("r")
        asked = [line for line in first.asked + second.asked if line == "POST /recipe/session/refresh"]
        assert len(asked) == 1


async def test_d26_a_change_after_the_response_warns_and_is_not_lost(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    from fastapi import BackgroundTasks, Depends, FastAPI

    from supertokens_py.framework.fastapi import get_middleware
    from supertokens_py.recipe.session import SessionContainer
    from supertokens_py.recipe.session.framework.fastapi import verify_session
    from tests.seeds.sites import Site

    start()
    app: FastAPI = fastapi_site([LOG_IN]).native
    needed = Depends(verify_session())

    async def view(tasks: BackgroundTasks, session: Any = needed) -> str:
        tasks.add_task(session.merge_into_access_token_payload, {"later": 1})
        return session.get_handle()

    view.__annotations__ = {"tasks": BackgroundTasks, "session": SessionContainer}
    app.add_api_route("/later", view)
    assert get_middleware()
    browser = Site("fastapi", app).browser(**COOKIE)
    await browser.post("/login")
    with caplog.at_level(logging.WARNING, "supertokens_py"):
        answer = await browser.get("/later")
    assert "front-token" not in answer.headers
    assert "after its response was sent" in caplog.text
    information = await get_session_information(answer.json())
    assert information is not None
    assert information.custom_claims_in_access_token_payload["later"] == 1


def test_d27_the_type_of_the_session_follows_session_required() -> None:
    from supertokens_py.recipe.session.framework.fastapi import verify_session

    returned = [typing.get_type_hints(form)["return"] for form in typing.get_overloads(verify_session)]
    assert "| None" not in str(returned[0])
    assert "| None" in str(returned[1])


async def test_d27_a_request_without_a_session_says_none(start: Start) -> None:
    from starlette.requests import Request

    from supertokens_py.framework.fastapi.fastapi_request import FastApiRequest

    request = FastApiRequest.of(Request({"type": "http", "method": "GET", "path": "/", "headers": []}))
    assert request.get_session() is None


async def test_d20_the_embedded_engine_says_how_long_its_keys_may_be_cached(start: Start) -> None:
    start()
    found = await get_jwks()
    assert found.validity_in_secs is not None
    assert found.validity_in_secs > 0
