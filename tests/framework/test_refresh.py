"""POST {base}/session/refresh (protocol: Refresh)."""

from __future__ import annotations

import asyncio
import ctypes
import functools
import logging
from collections.abc import Callable
from typing import Any

import pytest

from supertokens_py.recipe.session import InputErrorHandlers, InputOverrideConfig
from supertokens_py.testing.conformance import EPOCH, Reply
from supertokens_py.tokens.access_token import parse_access_token

from .site import ASGI_AND_WSGI, Site, Visitor, quoted

PATH = "/auth/session/refresh"
UNAUTHORISED = {"message": "unauthorised"}
MULTIPLE = "The request contains multiple session cookies."


def assert_logged_out(reply: Reply, body: dict[str, Any] = UNAUTHORISED, status: int = 401) -> None:
    """Assert that everything is cleared (protocol: Clearing)."""
    assert (reply.status, reply.json) == (status, body)
    reply.assert_cleared("cookie", "header")
    assert reply.header("content-type") == "application/json; charset=utf-8"
    assert sorted(reply.exposed) == ["front-token", "st-access-token", "st-refresh-token"]


def test_a_refresh_answers_with_the_tokens_of_the_method_in_use(site: Site, mode: str) -> None:
    """FP-76: 200 `{}` as JSON, with exactly the tokens of the method in use."""
    visitor = site.sign_in(mode)
    old = (visitor.access, visitor.refresh_token)
    site.clock.advance(hours=2)
    reply = visitor.refresh()
    assert (reply.status, reply.body) == (200, b"{}")
    assert reply.header("content-type") == "application/json; charset=utf-8"
    tokens = {
        "cookie": ["front-token", "sAccessToken", "sRefreshToken"],
        "header": ["front-token", "st-access-token", "st-refresh-token"],
    }
    assert reply.session_parts == tokens[mode]
    assert visitor.access != old[0]
    assert visitor.refresh_token != old[1]
    token = parse_access_token(visitor.access or "")
    assert token is not None
    assert reply.front == {"uid": "user-1", "ate": token.expires_ms, "up": token.payload}
    assert token.handle == visitor.handle
    assert visitor.get("/protected").json == {"user": "user-1"}


def test_payload_and_data_survive(site: Site, mode: str) -> None:
    """FP-22: refreshing keeps custom claims and their order."""
    visitor = site.sign_in(mode, payload={"z": 1, "a": [1, {"y": None}]})
    up = visitor.refresh().front["up"]
    assert [name for name in up if name in ("z", "a")] == ["z", "a"]
    assert up["a"] == [1, {"y": None}]


def test_every_spelling_of_the_refresh_path_is_handled(site: Site) -> None:
    """FP-72: trailing slash, query, with and without content type: handled."""
    visitor = site.sign_in("header")
    for path in (f"{PATH}/", f"{PATH}?x=1", f"{PATH}/?rid=1"):
        for headers in ((), (("content-type", "application/json"),)):
            assert site.post(path, headers, bearer=visitor.refresh_token).body == b"{}", path


def test_a_body_is_ignored(site: Site) -> None:
    """FP-72: whatever is sent."""
    visitor = site.sign_in("header")
    headers = [("content-type", "application/json")]
    assert site.post(PATH, headers, bearer=visitor.refresh_token, body=b"{not json").status == 200


NOT_OURS = (
    ("GET", PATH),
    ("PUT", PATH),
    ("OPTIONS", PATH),
    ("POST", "/auth/Session/refresh"),
    ("POST", "/AUTH/session/refresh"),
    ("POST", "/auth/session/refresh/x"),
    ("POST", "/authors/session/refresh"),
    ("POST", "/auth/t_1/session/refresh"),
    ("POST", "/auth/a/b/session/refresh"),
    ("POST", "/session/refresh"),
    ("POST", "/auth"),
    ("POST", "/auth/"),
)


def test_other_methods_and_paths_reach_the_application(site: Site) -> None:
    """FP-72, FP-77, FP-107: other methods, cases, prefixes and segments reach the application."""
    visitor = site.sign_in("header")
    for method, path in NOT_OURS:
        reply = site.request(method, path, bearer=visitor.refresh_token)
        # These answer preflights of every known path.
        preflight = site.driver in ("flask", "quart", "litestar") and method == "OPTIONS"
        assert reply.status in ((200, 204) if preflight else (404, 405)), path
        assert reply.session_parts == []


def test_paths_below_the_base_that_are_not_ours(site: Site) -> None:
    """FP-107: everything else under the base path reaches the application untouched."""
    assert site.get("/auth/other").json == {"user": None}
    assert site.world.runs == 1


def test_any_or_no_rid_reaches_refresh(site: Site, mode: str) -> None:
    """FP-106: any or no `rid` reaches refresh."""
    visitor = site.sign_in(mode)
    for rid in ("anti-csrf", "session", "emailpassword", "nonsense", "", None):
        headers = [] if rid is None else [("rid", rid)]
        assert visitor.refresh(without=["rid"], headers=headers).status == 200, rid


def test_junk_in_fdi_version_is_no_error(site: Site) -> None:
    """FP-108: junk in `fdi-version` never causes an error."""
    visitor = site.sign_in("header")
    for versions in ("1.16,1.17", "99.99", "", "junk", "3.x, ,;", "\xe9", "1" * 5000):
        assert visitor.refresh(headers=[("fdi-version", versions)]).status == 200, versions


def test_the_tenant_form_of_the_path_refreshes(site: Site) -> None:
    """FP-77: `{base}/{tenant}/session/refresh` works in header mode."""
    visitor = site.sign_in("header")
    for tenant in ("t1", "public", "A-1"):
        reply = site.post(f"/auth/{tenant}/session/refresh", bearer=visitor.refresh_token)
        assert (reply.status, reply.body) == (200, b"{}")


def test_st_auth_mode_is_ignored(site: Site, mode: str) -> None:
    """FP-78: the session keeps the method that it arrived with."""
    visitor = site.sign_in(mode)
    for auth_mode in ("cookie", "header", "foo", None):
        headers = [("st-auth-mode", auth_mode)] if auth_mode else []
        reply = visitor.refresh(without=["st-auth-mode"], headers=headers)
        assert reply.status == 200
        assert (reply.header("st-refresh-token") is not None) is (mode == "header")


# -- no token --------------------------------------------------------------------------------------


def test_no_refresh_token(site: Site) -> None:
    """FP-60: a first visit: 401 unauthorised and everything cleared."""
    calls = site.spy()
    assert_logged_out(site.post(PATH))
    assert_logged_out(site.post(PATH, cookies=[("sAccessToken", site.sign_in().access or "")]))
    assert_logged_out(site.post(PATH, cookies=[("sRefreshToken", "")]))
    assert calls == ["sessions.create"]


@pytest.mark.parametrize("place", ["cross-site", "same-site"])
@pytest.mark.parametrize("path", [PATH, "/auth/signout"])
def test_a_form_of_another_origin_logs_nobody_out(site: Site, path: str, place: str) -> None:
    """A page elsewhere makes the browser navigate here by POST: 401, and no cookie is touched."""
    visitor = site.sign_in("cookie")
    navigation = [("sec-fetch-mode", "navigate"), ("sec-fetch-site", place)]
    for reply in (
        site.post(path, navigation),  # SameSite kept the cookies back
        visitor.post(path, headers=navigation),  # and where it does not
    ):
        assert (reply.status, reply.json) == (401, UNAUTHORISED)
        assert reply.session_parts == []
    assert visitor.refresh().status == 200
    for mode, where in (("cors", "same-origin"), ("navigate", "same-origin"), ("navigate", "none")):
        assert_logged_out(site.post(PATH, [("sec-fetch-mode", mode), ("sec-fetch-site", where)]))
    preflighted = [("sec-fetch-mode", "cors"), ("sec-fetch-site", place), ("rid", "session")]
    assert_logged_out(site.post(PATH, preflighted))


@pytest.mark.parametrize("place", ["cross-site", "same-site"])
@pytest.mark.parametrize("mode", ["VIA_CUSTOM_HEADER", "VIA_TOKEN"])
def test_a_script_of_another_origin_logs_nobody_out(bare_site: Site, mode: str, place: str) -> None:
    """`fetch` sends cookies and asks nobody, where it sends no `rid`: 401, and no cookie is touched."""
    site = bare_site.init(anti_csrf=mode, cookie_secure=True, cookie_same_site="none")
    visitor = site.sign_in("cookie")
    cookies = [("sRefreshToken", visitor.refresh_token or ""), ("sAccessToken", visitor.access or "")]
    for fetch in ("no-cors", "cors"):
        elsewhere = [("sec-fetch-mode", fetch), ("sec-fetch-site", place)]
        reply = site.post(PATH, elsewhere, cookies=cookies)
        assert (reply.status, reply.json) == (401, UNAUTHORISED)
        assert reply.session_parts == []
    assert visitor.refresh().status == 200
    # A page of ours that forgot its proof is logged out, as ever: it would try again and again.
    for own in ([("sec-fetch-site", "same-origin")], []):
        assert_logged_out(site.post(PATH, own, cookies=[("sRefreshToken", visitor.refresh_token or "")]))


ROWS = [
    # callback, header, cookie, tokens are set as, cleared as well
    ("any", False, False, None, None),
    ("header", False, False, None, None),
    ("cookie", False, False, None, None),
    ("any", False, True, "cookie", None),
    ("header", False, True, None, None),
    ("cookie", False, True, "cookie", None),
    ("any", True, False, "header", None),
    ("header", True, False, "header", None),
    ("cookie", True, False, None, None),
    ("any", True, True, "header", "cookie"),
    ("header", True, True, "header", "cookie"),
    ("cookie", True, True, "cookie", "header"),
]


@ASGI_AND_WSGI
@pytest.mark.parametrize(("allowed", "header", "cookie", "used", "cleared"), ROWS)
def test_which_token_is_refreshed(
    bare_site: Site, allowed: str, header: bool, cookie: bool, used: str | None, cleared: str | None
) -> None:
    """FP-61, FP-62: all rows (protocol: The refresh token), with the final front token."""
    bare_site.init(
        get_token_transfer_method=lambda request, creating, context: "any" if creating else allowed
    )
    given: dict[str, Any] = {}
    if header:
        given["bearer"] = bare_site.sign_in("header", "by-header").refresh_token
    if cookie:
        token = bare_site.sign_in("cookie", "by-cookie").refresh_token or ""
        given["cookies"] = [("sRefreshToken", quoted(token))]
    reply = bare_site.post(PATH, **given)
    if used is None:
        assert_logged_out(reply)
        return
    assert (reply.status, reply.body) == (200, b"{}")
    assert reply.front["uid"] == f"by-{used}"
    by_header = (reply.header("st-access-token"), reply.header("st-refresh-token"))
    if used == "header":
        assert all(by_header)
    else:
        assert by_header == (("", "") if cleared == "header" else (None, None))
    by_cookie = [cookie.is_cleared for cookie in reply.set_cookies]
    assert by_cookie == ([] if "cookie" not in (used, cleared) else [used != "cookie"] * 2)


def test_a_jwt_in_the_header_is_no_refresh_token(site: Site) -> None:
    """FP-74: a Bearer JWT beside a good cookie does not log the user out."""
    visitor = site.sign_in()
    for bearer in (visitor.access or "", "eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.xx"):
        reply = visitor.refresh(bearer=bearer)
        assert reply.status == 200
        assert reply.front["uid"] == "user-1"
        assert not reply.cookie("sRefreshToken").is_cleared
    assert_logged_out(site.post(PATH, bearer=visitor.access))


FOREIGN_BEARERS = [
    "sk-live-0123456789abcdef",
    "a.b",
    "a.b.c",
    "a.b.c.V2",
    "a.b.V2.c",
    "..V2",
    "a b.c.V2",
    "é.b.V2",
    "a.b.Vx",
    "x" * 5000,
]


@ASGI_AND_WSGI
@pytest.mark.parametrize("bearer", FOREIGN_BEARERS)
def test_a_foreign_bearer_does_not_hide_the_cookie(site: Site, bearer: str) -> None:
    """FP-74: gateways put keys of their own on every request: the cookie verifies, refreshes, signs out."""
    visitor = site.sign_in("cookie")
    foreign = [("authorization", f"Bearer {bearer}")]
    assert visitor.post("/protected", headers=foreign).status == 200
    reply = visitor.refresh(headers=foreign)
    assert reply.status == 200
    assert reply.cookie("sRefreshToken").value
    assert visitor.post("/auth/signout", headers=foreign).status == 200
    assert site.stored(visitor.handle) is None
    assert_logged_out(site.post(PATH, foreign))  # alone it is a token that does not hold


def test_a_foreign_bearer_is_no_proof(bare_site: Site) -> None:
    """FP-74: the cookie beside it is checked like any other cookie."""
    site = bare_site.init(anti_csrf="VIA_CUSTOM_HEADER")
    visitor = site.sign_in("cookie")
    foreign = [("authorization", "Bearer sk-live-0123456789abcdef")]
    for path, status in (("/protected", 401), (PATH, 401), ("/auth/signout", 401)):
        elsewhere = [*foreign, ("origin", "https://evil.test")]
        assert visitor.post(path, without=["rid"], headers=elsewhere).status == status
    assert site.stored(visitor.handle) is not None


def test_an_empty_bearer_is_none(site: Site) -> None:
    """FP-75: `Bearer ` without a token, and other schemes, leave the cookie in charge."""
    visitor = site.sign_in()
    for value in ("Bearer ", "Bearer", "Bearer    ", "Basic abc", ""):
        reply = visitor.refresh(headers=[("authorization", value)])
        assert {"front-token", "sAccessToken", "sRefreshToken"} <= set(reply.session_parts), value
        assert reply.front["uid"] == "user-1"


# -- refusals --------------------------------------------------------------------------------------


def test_garbage_and_revoked_tokens_clear_everything(site: Site, mode: str) -> None:
    """FP-63: garbage, foreign, revoked and expired refresh tokens are 401 with everything cleared."""
    visitor = site.sign_in(mode)
    visitor.refresh_token = "garbage"
    assert_logged_out(visitor.refresh())
    visitor = site.sign_in(mode)
    site.request("POST", "/open", do=lambda view: _revoked(view, visitor.handle))
    assert_logged_out(visitor.refresh())
    visitor = site.sign_in(mode)
    site.clock.advance(days=101)
    assert_logged_out(visitor.refresh())


def _revoked(view: Any, handle: str) -> Any:
    from .script import Call

    yield Call("revoke_session", (handle,))


def after_grace(site: Site, mode: str) -> Visitor:
    """A visitor whose refresh token was retired more than a grace window ago."""
    visitor = site.sign_in(mode)
    old = visitor.refresh_token
    visitor.refresh()
    site.clock.advance(s=31)
    visitor.refresh_token = old
    return visitor


def test_a_theft_clears_everything_and_revokes_once(site: Site, mode: str) -> None:
    """FP-64: 401 `token theft detected`, everything cleared, the session revoked once."""
    visitor = after_grace(site, mode)
    calls = site.spy()
    assert_logged_out(visitor.refresh(), {"message": "token theft detected"})
    assert calls == ["sessions.refresh", "sessions.revoke"]
    assert site.stored(visitor.handle) is None


def theft_hooks(note: Callable[..., Any]) -> dict[str, tuple[Callable[..., Any], list[str]]]:
    """Every form of the hook, and what it learns besides handle and user id."""

    def four(request: Any, session_handle: str, user_id: str, response: Any) -> Any:
        return note(response, session_handle, user_id)

    def five(request: Any, session_handle: str, user_id: str, recipe_user_id: str, response: Any) -> Any:
        return note(response, session_handle, user_id, recipe_user_id)

    def four_and_reason(request: Any, session_handle: str, user_id: str, response: Any, reason: str) -> Any:
        return note(response, session_handle, user_id, reason)

    def reason_by_name(
        request: Any, handle: str, user: str, recipe_user: str, response: Any, *, reason: str | None = None
    ) -> Any:
        return note(response, handle, user, recipe_user, reason)

    return {
        "four": (four, []),
        "five": (five, ["user-1"]),
        "four_and_reason": (four_and_reason, ["RECENT_PREV"]),
        "reason_by_name": (reason_by_name, ["user-1", "RECENT_PREV"]),
    }


def as_async(hook: Callable[..., Any]) -> Callable[..., Any]:
    """The same function as a coroutine function, with the same signature."""

    @functools.wraps(hook)
    async def later(*args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0)  # application code may really suspend
        return hook(*args, **kwargs)

    return later


@ASGI_AND_WSGI
@pytest.mark.parametrize("kind", ["four", "five", "four_and_reason", "reason_by_name"])
@pytest.mark.parametrize("is_async", [False, True])
def test_a_theft_hook_replaces_the_revocation(bare_site: Site, kind: str, is_async: bool) -> None:
    """FP-65, FP-90: a custom hook replaces the revocation; tokens are cleared before it runs."""
    seen: list[Any] = []

    def note(response: Any, *facts: Any) -> Any:
        seen.extend(facts)
        response.set_status_code(401)
        response.set_json_content({"thief": True})
        return response

    hook, learned = theft_hooks(note)[kind]
    handlers = InputErrorHandlers(on_token_theft_detected=as_async(hook) if is_async else hook)
    visitor = after_grace(bare_site.init(error_handlers=handlers), "cookie")
    calls = bare_site.spy()
    assert_logged_out(visitor.refresh(), {"thief": True})
    assert calls == ["sessions.refresh"]
    assert seen == [visitor.handle, "user-1", *learned]


def test_a_theft_hook_that_does_not_tell_its_parameters(bare_site: Site) -> None:
    """FP-65: compiled functions get the four arguments that every release passes."""
    seen: list[Any] = []

    def hook(request: Any, session_handle: str, user_id: str, response: Any) -> Any:
        seen.extend((session_handle, user_id))
        response.set_json_content({"thief": True})
        response.set_status_code(401)
        return response

    thing = ctypes.py_object
    compiled = ctypes.PYFUNCTYPE(thing, thing, thing, thing, thing)(hook)
    handlers = InputErrorHandlers(on_token_theft_detected=compiled)
    visitor = after_grace(bare_site.init(error_handlers=handlers), "cookie")
    assert_logged_out(visitor.refresh(), {"thief": True})
    assert seen == [visitor.handle, "user-1"]


def test_a_retired_token_yields_the_same_successor_within_the_window(site: Site, mode: str) -> None:
    """FP-64: inside the grace window the retired token yields the same successor."""
    visitor = site.sign_in(mode)
    old = visitor.refresh_token
    first = visitor.refresh().refresh
    site.clock.advance(s=29)
    visitor.refresh_token = old
    assert visitor.refresh().refresh == first
    assert visitor.refresh().status == 200


@pytest.mark.parametrize("sent", [None, "", "wrong"])
def test_via_token_on_refresh(bare_site: Site, sent: str | None) -> None:
    """FP-63: the anti-CSRF token goes with the refresh token; a mismatch logs out, the session stays."""
    bare_site.init(anti_csrf="VIA_TOKEN")
    visitor = bare_site.sign_in()
    right = visitor.anti_csrf
    reply = visitor.refresh()
    assert reply.status == 200
    assert reply.header("anti-csrf")
    assert "anti-csrf" in reply.exposed
    token = parse_access_token(reply.access)
    assert token is not None
    assert token.anti_csrf_token == reply.header("anti-csrf")
    assert right is not None
    visitor.anti_csrf = sent
    assert_logged_out(visitor.refresh(headers=[("anti-csrf", "")] if sent == "" else []))
    assert bare_site.stored(visitor.handle) is not None


def test_via_token_does_not_concern_headers(bare_site: Site) -> None:
    """FP-59: header mode refreshes without anti-CSRF and gets none."""
    reply = bare_site.init(anti_csrf="VIA_TOKEN").sign_in("header").refresh()
    assert reply.status == 200
    assert reply.header("anti-csrf") is None


def test_custom_header_on_refresh(bare_site: Site) -> None:
    """FP-66: no rid: 401, everything cleared, the core not asked (protocol: Anti-CSRF)."""
    bare_site.init(anti_csrf="VIA_CUSTOM_HEADER")
    visitor = bare_site.sign_in()
    assert visitor.refresh(without=["rid"], headers=[("rid", "")]).status == 200
    calls = bare_site.spy()
    assert_logged_out(visitor.refresh(without=["rid"]))
    assert calls == []
    assert bare_site.stored(visitor.handle) is not None
    assert bare_site.post(PATH, bearer=bare_site.sign_in("header").refresh_token).status == 200


@pytest.mark.parametrize("code", [440, 499])
def test_the_status_code_is_configurable(bare_site: Site, code: int) -> None:
    """FP-85: every refusal carries the configured code."""
    bare_site.init(session_expired_status_code=code, anti_csrf="VIA_CUSTOM_HEADER")
    assert_logged_out(bare_site.post(PATH), status=code)
    assert_logged_out(bare_site.sign_in().refresh(without=["rid"]), status=code)
    theft = {"message": "token theft detected"}
    assert_logged_out(after_grace(bare_site, "header").refresh(), theft, status=code)


# -- duplicates ------------------------------------------------------------------------------------


def doubled(visitor: Visitor, *names: str) -> list[tuple[str, str]]:
    pairs = [("sAccessToken", visitor.access or ""), ("sRefreshToken", quoted(visitor.refresh_token or ""))]
    return pairs + [(name, "old") for name in names] + [("theme", "dark"), ("theme", "light")]


def test_doubled_cookies_without_an_older_domain_are_a_500(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """FP-67: 500, nothing cleared, the core not asked; the log says once what to do, without a traceback."""
    visitor = site.sign_in()
    calls = site.spy()
    for names in (("sAccessToken",), ("sRefreshToken",), ("sAccessToken", "sRefreshToken")):
        reply = site.post(PATH, cookies=doubled(visitor, *names))
        assert (reply.status, reply.json) == (500, {"message": MULTIPLE})
        assert reply.session_parts == []
        assert site.client.error is None
    assert calls == []
    loud = [record for record in caplog.records if record.name.startswith("supertokens")]
    loud = [record for record in loud if record.levelno >= logging.INFO]
    assert [(record.levelname, record.exc_info) for record in loud] == [("ERROR", None)]
    said = loud[0].getMessage()
    assert said.startswith(MULTIPLE)
    assert "set 'older_cookie_domain' in your config. It is the former cookie_domain, or \"\"" in said


@pytest.mark.parametrize(("older", "attribute"), [("", None), (".example.com", ".example.com")])
@pytest.mark.parametrize(
    "names", [("sAccessToken",), ("sRefreshToken",), ("sAccessToken", "sRefreshToken")], ids="+".join
)
def test_doubled_cookies_expire_on_the_older_domain(
    bare_site: Site, older: str, attribute: str | None, names: tuple[str, ...]
) -> None:
    """FP-68, FP-69: 200, only the doubled cookies expire on the older domain, no front token."""
    bare_site.init(cookie_domain="api.example.com", older_cookie_domain=older)
    visitor = bare_site.sign_in()
    calls = bare_site.spy()
    reply = bare_site.post(PATH, cookies=doubled(visitor, *names))
    assert reply.status == 200
    assert reply.json["message"].startswith(MULTIPLE)
    assert reply.session_parts == sorted(names)
    for cookie in reply.set_cookies:
        assert cookie.is_cleared
        assert cookie.attributes.get("domain") == attribute
        assert cookie.attributes["path"] == ("/" if cookie.name == "sAccessToken" else PATH)
    assert reply.exposed == []
    assert calls == []
    assert visitor.refresh().status == 200  # the next call carries single cookies and works


@pytest.mark.parametrize("is_async", [False, True])
def test_the_hook_for_doubled_cookies_writes_the_body(bare_site: Site, is_async: bool) -> None:
    """FP-90: `on_clear_duplicate_session_cookies` gets request, message, response, and writes the body."""

    def hook(request: Any, message: str, response: Any) -> Any:
        response.set_json_content({"cleared": request.get_path(), "told": "multiple" in message})
        return response

    handlers = InputErrorHandlers(on_clear_duplicate_session_cookies=as_async(hook) if is_async else hook)
    bare_site.init(older_cookie_domain="", error_handlers=handlers)
    reply = bare_site.post(PATH, cookies=doubled(bare_site.sign_in(), "sAccessToken"))
    assert (reply.status, reply.json) == (200, {"cleared": PATH, "told": True})


def test_doubled_cookies_beside_a_header_token_are_cleared(site: Site) -> None:
    """FP-70: a Bearer refresh token is used, and the doubled cookies are cleared with the rest."""
    visitor = site.sign_in("header")
    cookies = doubled(site.sign_in(), "sAccessToken", "sRefreshToken")
    reply = site.post(PATH, bearer=visitor.refresh_token, cookies=cookies)
    assert (reply.status, reply.body) == (200, b"{}")
    assert reply.front["uid"] == "user-1"
    assert [cookie.is_cleared for cookie in reply.set_cookies] == [True, True]


def test_duplicates_where_only_headers_count(bare_site: Site) -> None:
    """FP-67: with callback `header` doubled cookies are no reason to fail."""
    bare_site.init(get_token_transfer_method=lambda *_: "header")
    assert_logged_out(bare_site.post(PATH, cookies=[("sAccessToken", "a"), ("sAccessToken", "b")]))


# -- the legacy cookie -----------------------------------------------------------------------------


def assert_legacy_expired(reply: Reply, domain: str | None) -> None:
    legacy = reply.cookie("sIdRefreshToken")
    assert legacy.is_cleared
    assert legacy.attributes["path"] == "/"
    assert legacy.attributes["expires"] == EPOCH
    assert legacy.attributes.get("domain") == domain


@pytest.mark.parametrize("domain", [None, ".example.com"])
def test_the_legacy_cookie_expires_with_every_answer(bare_site: Site, domain: str | None) -> None:
    """FP-73: `sIdRefreshToken` expires on success, missing token, theft and CSRF failure."""
    bare_site.init(cookie_domain=domain, anti_csrf="VIA_CUSTOM_HEADER")
    legacy = ("sIdRefreshToken", "x")
    assert_legacy_expired(bare_site.post(PATH, cookies=[legacy]), domain)

    visitor = bare_site.sign_in()
    cookies = [legacy, ("sRefreshToken", quoted(visitor.refresh_token or ""))]
    reply = bare_site.post(PATH, [("rid", "x")], cookies=cookies)
    assert reply.status == 200
    assert reply.front["uid"] == "user-1"
    assert_legacy_expired(reply, domain)

    bare_site.clock.advance(s=31)
    reply = bare_site.post(PATH, [("rid", "x")], cookies=cookies)
    assert reply.json == {"message": "token theft detected"}
    assert_legacy_expired(reply, domain)
    assert_legacy_expired(bare_site.post(PATH, cookies=cookies), domain)  # no rid
    assert_legacy_expired(bare_site.post(PATH, [("rid", "x")], cookies=cookies), domain)  # revoked


# -- the refresh path of the application -----------------------------------------------------------


def without_api(default: Any) -> Any:
    default.disable_refresh_post = True
    return default


@pytest.mark.pairwise
@pytest.mark.parametrize("gateway", ["", "/gw"])
def test_verifying_on_the_refresh_path(bare_site: Site, gateway: str, mode: str) -> None:
    """FP-49: with the API off, verify_session on its path rotates and runs the handler."""
    bare_site.init(info={"api_gateway_path": gateway}, override=InputOverrideConfig(apis=without_api))
    visitor = bare_site.sign_in(mode)
    old = visitor.refresh_token
    reply = visitor.refresh()
    assert reply.json == {"user": "user-1"}
    assert visitor.refresh_token != old
    assert reply.front["uid"] == "user-1"
    runs = bare_site.world.runs
    assert_logged_out(bare_site.post(PATH))  # optional or not
    assert bare_site.world.runs == runs


def test_an_overridden_verification_on_the_refresh_path(bare_site: Site, mode: str) -> None:
    """FP-49: the original that the override calls rotates there, too."""

    def apis(default: Any) -> Any:
        original = default.verify_session

        async def verify(options: Any, *rest: Any) -> Any:
            return await original(options, *rest)

        default.verify_session = verify
        return without_api(default)

    visitor = bare_site.init(override=InputOverrideConfig(apis=apis)).sign_in(mode)
    old = visitor.refresh_token
    assert visitor.refresh().json == {"user": "user-1"}
    assert visitor.refresh_token != old


def test_a_disabled_api_is_not_handled(bare_site: Site) -> None:
    """FP-49: other methods and the tenant form are the application's as well."""
    bare_site.init(override=InputOverrideConfig(apis=without_api))
    visitor = bare_site.sign_in("header")
    assert bare_site.post("/auth/t1/session/refresh", bearer=visitor.refresh_token).status == 404
    assert bare_site.get(PATH, bearer=visitor.refresh_token).status == 405


def test_refreshing_by_function_works_on_any_path(site: Site, mode: str) -> None:
    """FP-49: `refresh_session(request)` does the same on any path, with its tokens in the response."""
    visitor = site.sign_in(mode)

    def script(view: Any) -> Any:
        session = yield view.refresh()
        return {"user": session.get_user_id()}

    refresh_path = "/open?path=/session/refresh"
    given: dict[str, Any] = {"bearer": visitor.refresh_token}
    if mode == "cookie":
        given = {"cookies": [("sRefreshToken", quoted(visitor.refresh_token or ""))]}
    reply = site.post(refresh_path, do=script, **given)
    assert reply.json == {"user": "user-1"}
    assert reply.front["uid"] == "user-1"
    assert_logged_out(site.post(refresh_path, do=script))
