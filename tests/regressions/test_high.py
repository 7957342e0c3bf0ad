"""Severe defects of the SDK that this package replaces; D numbers are those of README.md beside this file."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import os
import threading
import time
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from supertokens_py import get_request_from_user_context
from supertokens_py.framework.request import BaseRequest
from supertokens_py.recipe import session
from supertokens_py.recipe.session import syncio
from supertokens_py.recipe.session.asyncio import (
    create_new_session_without_request_response,
    get_all_session_handles_for_user,
    get_session_information,
    get_session_without_request_response,
    update_session_data_in_database,
)
from supertokens_py.recipe.session.exceptions import TryRefreshTokenError, UnauthorisedError
from supertokens_py.recipe.session.interfaces import (
    ClaimValidationResult,
    RecipeInterface,
    SessionClaimValidator,
)
from supertokens_py.tokens.access_token import parse_access_token
from tests.engine.remote.cores import access_token
from tests.regressions.core import TinyCore
from tests.seeds.fixtures import Open, Start
from tests.seeds.sites import KINDS, Browser, Route, Visit, fastapi_site, set_cookies
from tests.support.clock import Clock

COOKIE = {"st_auth_mode": "cookie"}


async def log_in(visit: Visit) -> Any:
    return (await visit.log_in(visit.request.headers.get("x-user", "ada"))).get_handle()


async def page(visit: Visit) -> Any:
    return visit.session.get_user_id() if visit.session else None


LOG_IN = Route("/login", log_in)
PAGE = Route("/page", page, verify={})


def assert_no_tokens(browser: Browser, answer: Any) -> None:
    """The answer takes every token away and gives none."""
    assert answer.headers["front-token"] == "remove"
    assert answer.headers.get("st-access-token", "") == ""
    values = [line.partition(";")[0] for line in set_cookies(answer).values()]
    assert all(value in ("", '""') for value in values)
    assert "sAccessToken" not in browser.cookies
    assert "sRefreshToken" not in browser.cookies


# -- state shared between requests -----------------------------------------------------------------


@pytest.mark.parametrize("given", [None, {"given": "by the developer"}])
@pytest.mark.parametrize("kind", KINDS)
async def test_d1_user_context_is_not_shared_by_the_requests_of_a_route(
    kind: str, given: dict[str, Any] | None, start: Start, open_site: Open
) -> None:
    seen: list[dict[str, Any]] = []

    def override(original: RecipeInterface) -> RecipeInterface:
        verify = original.get_session

        async def get_session(*arguments: Any, user_context: dict[str, Any], **named: Any) -> Any:
            seen.append({**user_context})
            user_context["secret of"] = get_request_from_user_context(user_context).get_header("x-user")  # type: ignore[union-attr]
            return await verify(*arguments, user_context=user_context, **named)

        original.get_session = get_session  # type: ignore[method-assign]
        return original

    start(override=session.InputOverrideConfig(functions=override))
    site = open_site(kind, [LOG_IN, Route("/page", page, verify={"user_context": given})])
    for user in ("ada", "bob"):
        browser = site.browser(x_user=user, **COOKIE)
        await browser.post("/login")
        assert (await browser.get("/page")).json() == user
    assert len(seen) == 2
    assert all(set(context) == {"_default", *(given or {})} for context in seen)
    assert given in (None, {"given": "by the developer"})


@pytest.mark.parametrize("kind", ["fastapi", "django-async"])
async def test_d2_an_override_gets_its_own_request_under_concurrency(
    kind: str, start: Start, open_site: Open
) -> None:
    """Both requests are inside the override before either asks for its request."""
    inside, users = asyncio.Barrier(2), dict[str, str | None]()

    def override(original: RecipeInterface) -> RecipeInterface:
        verify = original.get_session

        async def get_session(*arguments: Any, user_context: dict[str, Any], **named: Any) -> Any:
            await inside.wait()
            request = get_request_from_user_context(user_context)
            found = await verify(*arguments, user_context=user_context, **named)
            assert found is not None
            assert request is not None
            users[found.get_user_id()] = request.get_header("x-user")
            return found

        original.get_session = get_session  # type: ignore[method-assign]
        return original

    start(override=session.InputOverrideConfig(functions=override))
    site = open_site(kind, [LOG_IN, PAGE])
    browsers = [site.browser(x_user=user, **COOKIE) for user in ("ada", "bob")]
    for browser in browsers:
        await browser.post("/login")
    await asyncio.gather(*(browser.get("/page") for browser in browsers))
    assert users == {"ada": "ada", "bob": "bob"}


@pytest.mark.parametrize("kind", KINDS)
async def test_d3_a_validator_sees_what_changed_elsewhere_and_contexts_do_not_grow(
    kind: str, start: Start, open_site: Open
) -> None:
    sizes: list[int] = []

    class NotBanned(SessionClaimValidator):
        async def validate(self, payload: Any, user_context: Any) -> ClaimValidationResult:
            information = await get_session_information(payload["sessionHandle"], user_context)
            sizes.append(len(user_context) + len(user_context["_default"]))
            assert information is not None
            return ClaimValidationResult(not information.session_data_in_database.get("banned"), {})

    start()
    verify = {"override_global_claim_validators": lambda *_: [NotBanned("not-banned")]}
    browser = open_site(kind, [LOG_IN, Route("/page", page, verify=verify)]).browser(**COOKIE)
    handle = (await browser.post("/login")).json()
    for _ in range(3):
        assert (await browser.get("/page")).status_code == 200
    await update_session_data_in_database(handle, {"banned": True})
    assert (await browser.get("/page")).status_code == 403
    assert len(set(sizes)) == 1


# -- tokens on error responses ---------------------------------------------------------------------


async def create_then_refuse(visit: Visit) -> Any:
    await visit.log_in("banned")
    raise UnauthorisedError("banned")


async def change_then_refuse(visit: Visit) -> Any:
    await visit.merge({"a": 1})
    raise UnauthorisedError("banned meanwhile")


@pytest.mark.parametrize("mode", ["cookie", "header"])
@pytest.mark.parametrize("kind", KINDS)
async def test_d4_no_tokens_on_an_error_response(kind: str, mode: str, start: Start, open_site: Open) -> None:
    """Neither after creating a session nor after changing a payload; the session just created is revoked."""
    start()
    create, change = Route("/create", create_then_refuse), Route("/change", change_then_refuse, verify={})
    routes = [LOG_IN, PAGE, create, change]
    browser = open_site(kind, routes).browser(st_auth_mode=mode)
    answer = await browser.post("/create")
    assert (answer.status_code, answer.json()) == (401, {"message": "unauthorised"})
    assert_no_tokens(browser, answer)
    assert await get_all_session_handles_for_user("banned") == []
    token = (await browser.post("/login")).headers.get("st-access-token")
    if token:
        browser.headers["authorization"] = f"Bearer {token}"
    answer = await browser.post("/change")
    assert answer.status_code == 401
    assert_no_tokens(browser, answer)


@pytest.mark.parametrize("middleware", [True, False])
async def test_d4_no_tokens_on_an_error_response_of_the_fastapi_exception_handler(
    middleware: bool, start: Start
) -> None:
    from supertokens_py.exceptions import SuperTokensError
    from supertokens_py.recipe.session.framework.fastapi import session_exception_handler

    start()
    site = fastapi_site([Route("/create", create_then_refuse)], middleware=middleware)
    site.native.add_exception_handler(SuperTokensError, session_exception_handler)
    browser = site.browser(**COOKIE)
    answer = await browser.post("/create")
    assert answer.status_code == 401
    assert_no_tokens(browser, answer)


# -- verification keys -----------------------------------------------------------------------------


def forged(number: int) -> str:
    """Return a token with a key id that nobody has, and a signature that nobody made."""
    head, body, signature = access_token("d-1", sessionHandle=f"h{number}").text.split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    changed = json.dumps({**header, "kid": f"d-foreign-{number}"}).encode()
    return f"{base64.urlsafe_b64encode(changed).rstrip(b'=').decode()}.{body}.{signature}"


async def test_d5_unknown_keys_cost_at_most_one_load(start: Start, clock: Clock) -> None:
    """30 forged tokens with 30 key ids: the core is asked for its keys twice at most."""
    with TinyCore() as core:
        start(uri=core.uri)
        for number in range(30):
            with pytest.raises(TryRefreshTokenError):
                await get_session_without_request_response(forged(number))
        assert core.asked.count("GET /.well-known/jwks.json") <= 2


async def test_d5_unknown_keys_cost_at_most_one_load_embedded(start: Start) -> None:
    from sqlalchemy import Engine, event

    start()
    await create_new_session_without_request_response("public", "ada")
    statements: list[str] = []

    def count(*arguments: Any) -> None:
        statements.append(arguments[2])

    event.listen(Engine, "before_cursor_execute", count)
    try:
        for number in range(30):
            with pytest.raises(TryRefreshTokenError):
                await get_session_without_request_response(forged(number))
    finally:
        event.remove(Engine, "before_cursor_execute", count)
    assert len(statements) <= 6


async def test_d6_a_slow_core_does_not_stop_the_event_loop(start: Start) -> None:
    """The core answers for its keys only after a timer beside the request has gone off twenty times."""
    gate = threading.Event()
    with TinyCore(gate=gate) as core:
        start(uri=core.uri)
        asking = asyncio.create_task(get_session_without_request_response(forged(1)))
        assert await asyncio.to_thread(core.reached.wait, 40)
        for _ in range(20):
            await asyncio.sleep(0.005)
            assert not asking.done()
        gate.set()
        with pytest.raises(TryRefreshTokenError):
            await asking


@pytest.mark.parametrize("kind", KINDS)
async def test_d7_a_core_out_of_reach_is_not_an_expired_session(
    kind: str, start: Start, open_site: Open
) -> None:
    """503, and the client keeps its tokens."""
    with TinyCore(status=503) as core:
        start(uri=core.uri)
        browser = open_site(kind, [PAGE]).browser(authorization=f"Bearer {forged(1)}")
        answer = await browser.get("/page")
        assert answer.status_code == 503
        assert "front-token" not in answer.headers
        assert "set-cookie" not in answer.headers
        browser = open_site(kind, [PAGE]).browser()
        browser.cookies.set("sRefreshToken", "r", domain="api.example.com")
        answer = await browser.post("/auth/session/refresh")
        assert answer.status_code == 503
        assert "front-token" not in answer.headers


async def test_d7_known_keys_serve_while_the_core_is_out_of_reach(start: Start) -> None:
    moment = Clock()
    with TinyCore() as core:
        start(uri=core.uri, engine={"now_ms": moment}, jwks_refresh_interval_sec=60)
        token = access_token(exp=moment() // 1000 + 86_400).text
        assert await get_session_without_request_response(token)
        core.status = 503
        moment.advance(hours=3)
        assert await get_session_without_request_response(token)


# -- cookies ---------------------------------------------------------------------------------------


@pytest.fixture(params=["America/Los_Angeles", "Asia/Tokyo"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A process that lives west or east of Greenwich."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()


@pytest.mark.parametrize("kind", KINDS)
async def test_d8_cookies_expire_when_the_token_does_in_every_time_zone(
    kind: str, zone: str, start: Start, open_site: Open, clock: Clock
) -> None:
    start()
    browser = open_site(kind, [LOG_IN, PAGE, Route("/out", create_then_refuse)]).browser(**COOKIE)
    lines = set_cookies(await browser.post("/login"))
    for name, days in (("sRefreshToken", 100), ("sAccessToken", 365)):
        text = lines[name].partition("xpires=")[2].partition(";")[0]
        assert text.endswith(" GMT")
        assert abs(parsedate_to_datetime(text).timestamp() - clock() / 1000 - days * 86_400) <= 1
    for line in set_cookies(await browser.post("/out")).values():
        assert "xpires=Thu, 01 Jan 1970 00:00:00 GMT" in line


@pytest.mark.parametrize("kind", KINDS)
async def test_d9_same_site_follows_the_origin_of_each_request(
    kind: str, start: Start, open_site: Open
) -> None:
    def origin(request: BaseRequest | None, user_context: dict[str, Any]) -> str:
        return (request and request.get_header("origin")) or "https://example.com"

    https = {"api_domain": "https://api.example.com", "website_domain": None, "origin": origin}
    start(info=https)
    site = open_site(kind, [LOG_IN, PAGE])
    for website, same_site in (
        ("https://example.com", "lax"),
        ("https://other.org", "none"),
        ("https://example.com", "lax"),
    ):
        browser = site.browser(origin=website, **COOKIE)
        lines = set_cookies(await browser.post("/login"))
        assert f"samesite={same_site}" in lines["sAccessToken"].lower()
        browser.headers["cookie"] = "sAccessToken=" + lines["sAccessToken"].partition(";")[0]
        answer = await browser.post("/page")  # no `rid`: refused, whatever the request says of its origin
        assert (answer.status_code, answer.json()) == (401, {"message": "try refresh token"})
        assert (await browser.post("/page", headers={"rid": "anti-csrf"})).status_code == 200


# -- acceptance of tokens --------------------------------------------------------------------------


async def test_d10_an_audience_and_a_clock_ahead_are_accepted(start: Start, clock: Clock) -> None:
    """`aud` in a payload is the application's; tokens from a machine two seconds ahead hold."""
    start()
    created = await create_new_session_without_request_response("public", "ada", {"aud": ["a", "b"]})
    clock.advance(s=-2)
    found = await get_session_without_request_response(created.get_access_token())
    assert found is not None
    assert found.get_access_token_payload()["aud"] == ["a", "b"]
    clock.advance(hours=2)
    with pytest.raises(TryRefreshTokenError, match="expired"):
        await get_session_without_request_response(created.get_access_token())


# -- blocking callers ------------------------------------------------------------------------------


async def test_d11_the_blocking_api_inside_a_loop_says_what_to_do(start: Start) -> None:
    start()
    created = await create_new_session_without_request_response("public", "ada")
    with pytest.raises(RuntimeError, match="Await its async twin"):
        syncio.get_session_information(created.get_handle())
    with pytest.raises(RuntimeError, match="sync_"):
        created.sync_get_session_data_from_database()


def test_d11_threads_of_blocking_callers_leave_nothing_open(start: Start) -> None:
    """Also where the application's own async functions have to be run."""

    def override(original: RecipeInterface) -> RecipeInterface:
        create = original.create_new_session

        async def create_new_session(*arguments: Any, **named: Any) -> Any:
            await asyncio.sleep(0)
            return await create(*arguments, **named)

        original.create_new_session = create_new_session  # type: ignore[method-assign]
        return original

    start(override=session.InputOverrideConfig(functions=override))

    def visit() -> None:
        syncio.create_new_session_without_request_response("public", "ada")

    def in_a_thread() -> None:
        thread = threading.Thread(target=visit)
        thread.start()
        thread.join()

    in_a_thread()
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    gc.disable()
    try:
        for _ in range(20):
            in_a_thread()
        after = len(os.listdir("/proc/self/fd")) if before else 0
    finally:
        gc.enable()
    assert after - before <= 5  # a database connection or two, but no loop per thread
    assert len(syncio.get_all_session_handles_for_user("ada")) == 21


# -- refreshing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
async def test_d12_refresh_with_header_and_cookie_keeps_the_client_logged_in(
    kind: str, start: Start, open_site: Open
) -> None:
    """The unused method is cleared first: the answer ends with the new front token, not with `remove`."""
    start()
    site = open_site(kind, [LOG_IN, PAGE])
    browser, other = site.browser(**COOKIE), site.browser(st_auth_mode="header")
    await browser.post("/login")
    token = (await other.post("/login")).headers["st-refresh-token"]
    answer = await browser.post("/auth/session/refresh", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert answer.headers["front-token"] not in ("", "remove")
    assert answer.headers["st-refresh-token"] not in ("", token)
    assert parse_access_token(answer.headers["st-access-token"])
    assert "sAccessToken" not in browser.cookies
    assert "sRefreshToken" not in browser.cookies
