"""Error responses, hooks, and the order of changes (protocol: Errors, Order of changes)."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from supertokens_py.exceptions import EngineUnavailableError, TooBusyError, TooManyAttemptsError
from supertokens_py.recipe import multitenancy
from supertokens_py.recipe.emailpassword.exceptions import FieldError
from supertokens_py.recipe.emailpassword.types import ErrorFormField
from supertokens_py.recipe.session import InputErrorHandlers, InputOverrideConfig
from supertokens_py.recipe.session.exceptions import (
    ClaimValidationError,
    InvalidClaimsError,
    TokenTheftError,
    TryRefreshTokenError,
    UnauthorisedError,
)
from supertokens_py.recipe.thirdparty.exceptions import ProviderError

from .script import Answer
from .site import ASGI_AND_WSGI, Site
from .test_refresh import as_async
from .test_verify import TRY_REFRESH, UNAUTHORISED, assert_refused

PLACES = ("/open", "/protected")
IN_2033 = "Wed, 18 May 2033 03:33:20 GMT"


def raising(error: Callable[[], Exception]) -> Any:
    def script(view: Any) -> Any:
        raise error()

    return script


# -- who raises what -------------------------------------------------------------------------------


@pytest.mark.pairwise
@pytest.mark.parametrize("path", PLACES)
def test_errors_raised_by_views_are_answered_with_and_without_a_guard(
    site: Site, path: str, mode: str
) -> None:
    """FP-89, FP-95: the same answers with and without the decorator."""
    visitor = site.sign_in(mode)
    access = visitor.access
    reply = visitor.post(path, do=raising(lambda: UnauthorisedError("internal text")))
    assert (reply.status, reply.json) == (401, UNAUTHORISED)
    reply.assert_cleared("cookie", "header")
    visitor.access = access
    kept = raising(lambda: UnauthorisedError("internal text", clear_tokens=False))
    assert_refused(visitor.post(path, do=kept), UNAUTHORISED)
    assert_refused(visitor.post(path, do=raising(lambda: TryRefreshTokenError("x"))), TRY_REFRESH)
    failures = [
        ClaimValidationError("a", {"message": "wrong value", "é": "漢"}),
        ClaimValidationError("b", None),
    ]
    reply = visitor.post(path, do=raising(lambda: InvalidClaimsError("x", failures)))
    listed = '[{"id":"a","reason":{"message":"wrong value","é":"漢"}},{"id":"b"}]'
    expected = f'{{"message":"invalid claim","claimValidationErrors":{listed}}}'
    assert (reply.status, reply.body.decode()) == (403, expected)
    assert reply.header("content-type") == "application/json; charset=utf-8"
    assert reply.session_parts == []
    reply = visitor.post(path, do=raising(lambda: TokenTheftError("user-1", visitor.handle)))
    assert (reply.status, reply.json) == (401, {"message": "token theft detected"})
    reply.assert_cleared("cookie", "header")
    assert site.stored(visitor.handle) is None


def test_bad_input_is_a_400_with_its_text(site: Site) -> None:
    """FP-89: bad input is 400 with its text, on SDK functions called by views as well."""

    def too_long(view: Any) -> Any:
        yield view.create("x" * 129)

    reply = site.post("/open", do=too_long)
    assert reply.status == 400
    assert "user_id must not be longer than 128 characters" in reply.json["message"]
    assert reply.session_parts == []


@pytest.mark.parametrize("path", PLACES)
def test_too_many_attempts_are_no_success_of_a_view(site: Site, path: str) -> None:
    """Of an application's own log-in: whoever sends its form takes a 200 for a sign-in."""
    visitor = site.sign_in()
    for kind, text in (
        (TooManyAttemptsError, "Too many attempts"),
        (TooBusyError, "Too many people are signing in at this moment"),
    ):
        reply = visitor.post(path, do=raising(lambda kind=kind: kind(90_500)))
        message = f"{text}. Please try again in 91 seconds"
        assert (reply.status, reply.json) == (429, {"message": message})
        assert (reply.header("retry-after"), reply.session_parts) == ("91", [])


@pytest.mark.parametrize("path", PLACES)
def test_what_people_are_shown_is_no_success_of_a_view(site: Site, path: str) -> None:
    """Whichever recipe is in use: an application's own form, or its own sign-in with a provider."""
    visitor = site.sign_in()
    fields = FieldError("wrong", [ErrorFormField("age", "Too young")])
    provider = ProviderError("no answer", provider_name="Shop")
    for error, body in (
        (fields, {"status": "FIELD_ERROR", "formFields": [{"id": "age", "error": "Too young"}]}),
        (
            provider,
            {"status": "GENERAL_ERROR", "message": "Sign in with Shop failed. Please try again."},
        ),
    ):
        reply = visitor.post(path, do=raising(lambda error=error: error))
        assert (reply.status, reply.json, reply.session_parts) == (400, body, [])


def told(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "supertokens_py.error_answers"]


NO_JSON = (
    'access_token_payload["last_login"] cannot be written as JSON: datetime is not a JSON value; '
    "convert it to a string, a number, a list or a dict"
)


def test_bad_input_of_a_view_is_logged_where_it_was_made(
    site: Site, caplog: pytest.LogCaptureFixture, mode: str
) -> None:
    """A value that is no JSON: the same 400 in both modes, and a warning that leads to the view."""

    def script(view: Any) -> Any:
        yield view.create("user-1", {"last_login": datetime(2026, 1, 2)})

    reply = site.post("/open", [("st-auth-mode", mode)], do=script)
    assert (reply.status, reply.json) == (400, {"message": NO_JSON})
    assert site.handles() == []
    (record,) = told(caplog)
    assert (record.levelname, record.getMessage()) == (
        "WARNING",
        f"the application's own call was refused, and its request is answered with 400: {NO_JSON}",
    )
    assert record.exc_info
    assert "script" in [frame.name for frame in traceback.extract_tb(record.exc_info[2])]


def test_a_merge_of_bad_input_ends_alike_in_both_modes(
    site: Site, caplog: pytest.LogCaptureFixture, mode: str
) -> None:
    """Whether the token would fit a cookie is asked of JSON only."""

    def script(view: Any) -> Any:
        yield view.merge({"last_login": datetime(2026, 1, 2)})

    reply = site.sign_in(mode).post("/protected", do=script)
    text = NO_JSON.replace("payload[", "payload_update[")
    assert (reply.status, reply.json, len(told(caplog))) == (400, {"message": text}, 1)


def test_bad_input_of_an_override_is_logged_on_our_routes_too(
    bare_site: Site, caplog: pytest.LogCaptureFixture, mode: str
) -> None:
    """Sign-out is the SDK's route, the mistake in it the application's."""

    def apis(default: Any) -> Any:
        async def signout_post(session: Any, options: Any, user_context: Any) -> Any:
            await session.update_session_data_in_database([], user_context)

        default.signout_post = signout_post
        return default

    visitor = bare_site.init(override=InputOverrideConfig(apis=apis)).sign_in(mode)
    assert visitor.post("/auth/signout").status == 400
    assert [record.levelname for record in told(caplog)] == ["WARNING"]


def test_bad_input_of_a_client_is_not(bare_site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """What a stranger sends to the SDK's routes fills no log."""
    caplog.set_level(logging.DEBUG)
    bare_site.init(recipes=[multitenancy.init()])
    reply = bare_site.get("/auth/nobody/loginmethods")
    assert (reply.status, reply.json) == (400, {"message": "Tenant not found"})
    assert [(record.levelname, record.getMessage()) for record in told(caplog)] == [
        ("DEBUG", "answering 400: Tenant not found")
    ]


def test_configured_status_codes_are_used_everywhere(bare_site: Site, mode: str) -> None:
    """FP-85: configured codes are used in every response."""
    bare_site.init(session_expired_status_code=440, invalid_claim_status_code=441)
    visitor = bare_site.sign_in(mode)
    assert_refused(bare_site.get("/protected"), UNAUTHORISED, 440)
    assert bare_site.post("/auth/signout").status == 440
    bare_site.clock.advance(hours=2)
    assert_refused(visitor.get("/protected"), TRY_REFRESH, 440)
    for error, status in (
        (UnauthorisedError("x"), 440),
        (TryRefreshTokenError("x"), 440),
        (InvalidClaimsError("x", []), 441),
        (TokenTheftError("user-1", "no-such-handle"), 440),
    ):
        assert bare_site.post("/open", do=raising(lambda error=error: error)).status == status


def test_every_401_names_the_scheme(bare_site: Site, mode: str) -> None:
    """RFC 9110, 15.5.2: a 401 names the scheme, whoever chose that status; others do not."""

    def hook(request: Any, message: str, response: Any) -> Any:
        response.set_status_code(int(message))
        if message == "401":
            response.set_header("WWW-Authenticate", "Own")
        return response

    bare_site.init()
    for reply in (
        bare_site.get("/protected"),
        bare_site.post("/auth/session/refresh"),
        bare_site.post("/auth/signout"),
        bare_site.post("/open", do=raising(lambda: TryRefreshTokenError("x"))),
    ):
        assert (reply.status, reply.header("www-authenticate")) == (401, "Bearer")
    reply = bare_site.post("/open", do=raising(lambda: InvalidClaimsError("x", [])))
    assert (reply.status, reply.header("www-authenticate")) == (403, None)
    bare_site.init(error_handlers=InputErrorHandlers(on_unauthorised=hook))
    for status, challenge in (("401", "Own"), ("403", None)):
        reply = bare_site.post("/open", do=raising(lambda status=status: UnauthorisedError(status)))
        assert (reply.status, reply.header("www-authenticate")) == (int(status), challenge)
    bare_site.init(session_expired_status_code=440)
    assert bare_site.get("/protected").header("www-authenticate") is None


# -- hooks -----------------------------------------------------------------------------------------


@pytest.mark.pairwise
@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("path", PLACES)
def test_error_hooks_write_status_and_body_after_clearing(
    bare_site: Site, is_async: bool, path: str, mode: str
) -> None:
    """FP-90: hooks get request, facts and response after clearing, and write status and body."""
    seen: list[Any] = []

    def hook(request: Any, fact: Any, response: Any) -> Any:
        seen.append((request.get_path(), fact if isinstance(fact, str) else [item.id for item in fact]))
        response.set_status_code(418)
        response.set_json_content({"custom": True})
        response.set_header("x-hook", "1")
        return response

    used = as_async(hook) if is_async else hook
    handlers = InputErrorHandlers(on_unauthorised=used, on_try_refresh_token=used, on_invalid_claim=used)
    visitor = bare_site.init(error_handlers=handlers).sign_in(mode)
    for error, fact in (
        (TryRefreshTokenError("why"), "why"),
        (InvalidClaimsError("x", [ClaimValidationError("a", "r")]), ["a"]),
        (UnauthorisedError("who", clear_tokens=False), "who"),
        (UnauthorisedError("gone"), "gone"),
    ):
        seen.clear()
        reply = visitor.post(path, do=raising(lambda error=error: error))
        assert (reply.status, reply.json, reply.header("x-hook")) == (418, {"custom": True}, "1")
        assert seen == [(path, fact)]
        if getattr(error, "clear_tokens", False):
            reply.assert_cleared("cookie", "header")
        else:
            assert reply.session_parts == []


def test_refresh_and_sign_out_use_the_same_hooks(bare_site: Site) -> None:
    """FP-90: refresh and sign-out use the same hooks; tokens are cleared whatever the hook does."""

    def hook(request: Any, message: str, response: Any) -> Any:
        response.set_json_content({"path": request.get_path()})
        response.set_status_code(401)
        return response

    bare_site.init(error_handlers=InputErrorHandlers(on_unauthorised=hook))
    reply = bare_site.post("/auth/session/refresh")
    assert reply.json == {"path": "/auth/session/refresh"}
    reply.assert_cleared("cookie", "header")
    reply = bare_site.post("/auth/signout")
    assert reply.json == {"path": "/auth/signout"}
    assert reply.session_parts == []


def test_a_hook_answers_in_its_own_words(bare_site: Site) -> None:
    """FP-90: a page of its own type, with cookies that scripts may read or that need https."""

    def hook(request: Any, message: str, response: Any) -> Any:
        response.set_html_content("<p>Sign in</p>")
        response.set_header("Content-Type", "application/xhtml+xml")
        response.set_status_code(403)
        response.set_cookie("seen", "1 2", 2_000_000_000_000)
        response.set_cookie("kept", "x", 2_000_000_000_000, "/x", ".example.com", True, True, "strict")
        return response

    bare_site.init(error_handlers=InputErrorHandlers(on_unauthorised=hook))
    for reply in (bare_site.get("/protected"), bare_site.post("/auth/signout")):
        assert (reply.status, reply.body) == (403, b"<p>Sign in</p>")
        assert reply.header("content-type") == "application/xhtml+xml"
        seen, kept = reply.cookie("seen"), reply.cookie("kept")
        assert (seen.value, kept.value) == ("1 2", "x")
        assert seen.attributes == {"path": "/", "expires": IN_2033, "samesite": "Lax"}
        assert kept.attributes == {
            "path": "/x",
            "domain": ".example.com",
            "expires": IN_2033,
            "samesite": "Strict",
            "httponly": "",
            "secure": "",
        }


@pytest.mark.parametrize("is_async", [False, True])
def test_a_hook_that_returns_no_response_is_named(bare_site: Site, is_async: bool) -> None:
    """With its line, in what the framework logs of the 500."""

    def hook(*_: Any) -> Any:
        return None

    used = as_async(hook) if is_async else hook
    bare_site.init(error_handlers=InputErrorHandlers(used, used, used, used))
    line = f"{__file__}:{hook.__code__.co_firstlineno}"
    for name, error in (
        ("on_unauthorised", UnauthorisedError("x")),
        ("on_try_refresh_token", TryRefreshTokenError("x")),
        ("on_invalid_claim", InvalidClaimsError("x", [])),
        ("on_token_theft_detected", TokenTheftError("user-1", "some-handle")),
    ):
        assert bare_site.post("/open", do=raising(lambda error=error: error)).status == 500
        assert str(bare_site.client.error) == (
            f"error_handlers.{name} ({line}) returned None; "
            "it must return the response that it got, a BaseResponse"
        )


# -- the order of changes --------------------------------------------------------------------------


def test_a_merge_before_unauthorised_is_cleared_and_kept_in_store(site: Site, mode: str) -> None:
    """FP-87: only cleared tokens in the response; the session itself stays."""

    def script(view: Any) -> Any:
        yield view.merge({"a": 1})
        raise UnauthorisedError("x")

    visitor = site.sign_in(mode)
    reply = visitor.post("/protected", do=script)
    reply.assert_cleared("cookie", "header")
    assert reply.json == UNAUTHORISED
    assert site.stored(visitor.handle) is not None


@pytest.mark.pairwise
@pytest.mark.parametrize("status", [404, 500])
def test_a_merge_before_an_error_of_the_application_is_delivered(site: Site, status: int, mode: str) -> None:
    """FP-88: 4xx and 5xx answers of the application carry the new tokens."""

    def script(view: Any) -> Any:
        yield view.merge({"a": 1})
        return status, {"app": "error"}

    reply = site.sign_in(mode).post("/protected", do=script)
    assert (reply.status, reply.json) == (status, {"app": "error"})
    assert reply.front["up"]["a"] == 1
    assert reply.session_parts == ["front-token", "sAccessToken" if mode == "cookie" else "st-access-token"]


def test_a_merge_before_invalid_claims_is_delivered(site: Site, mode: str) -> None:
    """FP-88: INVALID_CLAIMS raised by the handler keeps the new tokens."""

    def script(view: Any) -> Any:
        yield view.merge({"a": 1})
        raise InvalidClaimsError("x", [ClaimValidationError("c", None)])

    reply = site.sign_in(mode).post("/protected", do=script)
    assert reply.status == 403
    assert reply.front["up"]["a"] == 1


def test_revoking_the_old_session_keeps_the_new_tokens(site: Site, mode: str) -> None:
    """FP-92: the new session's tokens stay, whichever way the old one came."""

    def script(view: Any) -> Any:
        old = view.session
        yield view.create("user-2")
        yield view.revoke(old)

    for old_mode in ("cookie", "header"):
        visitor = site.sign_in(old_mode)
        reply = visitor.post(
            "/protected", without=["st-auth-mode"], headers=[("st-auth-mode", mode)], do=script
        )
        assert reply.front["uid"] == "user-2"
        assert reply.access
        assert reply.refresh
        assert site.stored(visitor.handle) is None
    assert len(site.handles("user-2")) == 2


def test_merging_into_the_old_session_keeps_the_new_tokens(site: Site, mode: str) -> None:
    """FP-92: a change of a superseded session does not replace the new one's tokens."""

    def script(view: Any) -> Any:
        old = view.session
        yield view.create("user-2")
        yield view.merge({"late": 1}, old)

    reply = site.sign_in(mode).post("/protected", do=script)
    assert reply.front["uid"] == "user-2"
    assert "late" not in reply.front["up"]


def test_signing_in_after_revoking_has_the_last_word(site: Site, mode: str) -> None:
    """FP-92: revoke, then create: the new tokens are the last word, with their front token."""

    def script(view: Any) -> Any:
        yield view.revoke()
        yield view.create("user-2")

    visitor = site.sign_in(mode)
    reply = visitor.post("/protected", do=script)
    assert reply.front["uid"] == "user-2"
    assert visitor.get("/database").json == {"user": "user-2"}


def test_the_session_leaves_the_request(site: Site, mode: str) -> None:
    """FP-93: after a clearing error the request has no session; after the response nobody finds it."""
    natives: list[Any] = []

    def script(view: Any) -> Any:
        natives.append(view.request)
        made = yield view.create()
        assert made.req_res_info is not None
        raise UnauthorisedError("x")

    def keep(view: Any) -> Any:
        natives.append(view.request)
        return {}

    site.post("/open", do=script)
    from supertokens_py.framework.request_registry import as_base_request

    if site.driver not in ("flask", "quart"):  # theirs are proxies
        assert as_base_request(natives[0]).get_session() is None
    site.sign_in(mode).get("/protected", do=keep)
    if site.driver == "flask":
        from flask import g

        with site.client.app.app_context():
            assert "supertokens" not in g
    assert site.get("/optional").json == {"user": None}
    assert site.get("/open", do=lambda view: {"user": view.session is not None}).json == {"user": False}


def test_changes_after_the_response_warn(site: Site, caplog: pytest.LogCaptureFixture, mode: str) -> None:
    """FP-93: a merge by a background task cannot reach the client: it is stored, and a warning says so."""
    kept: list[Any] = []

    def keep(view: Any) -> Any:
        kept.append(view.session)
        return {}

    visitor = site.sign_in(mode)
    reply = visitor.get("/protected", do=keep)
    assert reply.session_parts == []
    with caplog.at_level(logging.WARNING):
        kept[0].sync_merge_into_access_token_payload({"late": 1})
    assert "after its response was sent" in caplog.text
    assert site.stored(visitor.handle).payload["late"] == 1
    assert visitor.get("/protected").session_parts == []
    assert visitor.refresh().front["up"]["late"] == 1


def test_no_response_carries_the_session_of_another_request(site: Site) -> None:
    """FP-93, FP-50: a sign-in that failed half-way leaves nothing for the next visitor."""

    def script(view: Any) -> Any:
        yield view.create("user-2")
        raise LookupError("bug")

    site.post("/open", do=script)
    reply = site.get("/optional")
    assert (reply.json, reply.session_parts) == ({"user": None}, [])


def test_a_crash_after_create_delivers_all_tokens_or_none(site: Site, mode: str) -> None:
    """FP-88: tokens of a 500 are delivered where the framework allows, or nothing is; never half."""

    def script(view: Any) -> Any:
        yield view.create("user-2")
        raise LookupError("bug")

    reply = site.post("/open", [("st-auth-mode", mode)], do=script)
    assert reply.status == 500
    assert len(reply.session_parts) in (0, 3)


# -- overrides -------------------------------------------------------------------------------------


@pytest.mark.pairwise
@pytest.mark.parametrize("is_async", [False, True])
def test_errors_raised_by_overrides_are_answered_like_any(bare_site: Site, is_async: bool, mode: str) -> None:
    """FP-89: an override may refuse, sync or async; its error is answered like any other."""

    def functions(default: Any) -> Any:
        def get_session(*args: Any, **kwargs: Any) -> Any:
            raise UnauthorisedError("banned")

        default.get_session = as_async(get_session) if is_async else get_session
        return default

    visitor = bare_site.init(override=InputOverrideConfig(functions=functions)).sign_in(mode)
    reply = visitor.get("/protected")
    assert (reply.status, reply.json) == (401, UNAUTHORISED)
    reply.assert_cleared("cookie", "header")


@ASGI_AND_WSGI
def test_a_theft_while_the_store_is_out_of_reach(
    bare_site: Site, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The tokens of the client go all the same, and the log says which session is left."""

    def functions(default: Any) -> Any:
        async def revoke_session(*_: Any) -> bool:
            raise EngineUnavailableError("the database is down")

        default.revoke_session = revoke_session
        return default

    visitor = bare_site.init(override=InputOverrideConfig(functions=functions)).sign_in(mode)
    reply = visitor.post("/open", do=raising(lambda: TokenTheftError("user-1", visitor.handle)))
    assert (reply.status, reply.json) == (401, {"message": "token theft detected"})
    reply.assert_cleared("cookie", "header")
    assert "a session could not be revoked: the database is down" in caplog.messages
    assert bare_site.handles() == [visitor.handle]


@pytest.mark.pairwise
@pytest.mark.parametrize("is_async", [False, True])
def test_verify_session_can_be_overridden(bare_site: Site, is_async: bool, mode: str) -> None:
    """FP-49: an override of the API `verify_session` decides for every framework's decorator."""

    def apis(default: Any) -> Any:
        original = default.verify_session

        async def later(options: Any, *rest: Any) -> Any:
            if options.request.get_header("x-banned"):
                raise TryRefreshTokenError("banned")
            return await original(options, *rest)

        def at_once(options: Any, *rest: Any) -> Any:
            if options.request.get_header("x-banned"):
                raise TryRefreshTokenError("banned")
            return original(options, *rest)

        default.verify_session = later if is_async else at_once
        return default

    visitor = bare_site.init(override=InputOverrideConfig(apis=apis)).sign_in(mode)
    assert visitor.get("/protected").json == {"user": "user-1"}
    assert_refused(visitor.get("/protected", headers=[("x-banned", "1")]), TRY_REFRESH)


@pytest.mark.pairwise
@ASGI_AND_WSGI
@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("part", ["apis", "functions"])
def test_an_override_that_finds_no_session(bare_site: Site, part: str, is_async: bool, mode: str) -> None:
    """FP-49: it opens no route that requires one; where a session is optional, there is none."""

    def nothing(*_: Any, **__: Any) -> None:
        return None

    def override(default: Any) -> Any:
        name = "verify_session" if part == "apis" else "get_session"
        setattr(default, name, as_async(nothing) if is_async else nothing)
        return default

    visitor = bare_site.init(override=InputOverrideConfig(**{part: override})).sign_in(mode)
    runs = bare_site.world.runs
    for path in ("/protected", "/database"):
        assert_refused(visitor.get(path), UNAUTHORISED)
    assert bare_site.world.runs == runs
    assert visitor.get("/optional").json == {"user": None}


def test_an_overridden_create_may_add_claims(bare_site: Site, mode: str) -> None:
    """FP-101: the override's payload reaches the token, whatever the framework."""

    def functions(default: Any) -> Any:
        original = default.create_new_session

        async def create(
            user_id: str, payload: Any, data: Any, csrf: Any, tenant: str, user_context: Any
        ) -> Any:
            return await original(user_id, {**payload, "by": "override"}, data, csrf, tenant, user_context)

        default.create_new_session = create
        return default

    visitor = bare_site.init(override=InputOverrideConfig(functions=functions)).sign_in(mode)
    assert visitor.first.front["up"]["by"] == "override"


def test_an_error_keeps_the_applications_headers(site: Site) -> None:
    """FP-12: an application answer keeps its own headers beside cleared tokens."""

    def script(view: Any) -> Any:
        yield view.revoke()
        return Answer({"bye": True}, 202, (("X-App", "1"), ("Set-Cookie", "theme=dark; Path=/")))

    reply = site.sign_in("cookie").post("/protected", do=script)
    assert (reply.status, reply.json, reply.header("x-app")) == (202, {"bye": True}, "1")
    assert reply.cookie("theme").raw == "dark"
    assert reply.header("front-token") == "remove"
    assert reply.cookie_names == ["sAccessToken", "sRefreshToken", "theme"]
