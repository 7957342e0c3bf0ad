"""POST {base}/signout (protocol: Sign-out)."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.recipe.session import InputOverrideConfig
from supertokens_py.recipe.session.claims import BooleanClaim
from supertokens_py.types.response import GeneralErrorResponse

from .site import Site, quoted
from .test_verify import TRY_REFRESH, UNAUTHORISED, assert_refused

PATH = "/auth/signout"


@pytest.mark.pairwise
@pytest.mark.parametrize("path", [PATH, f"{PATH}/", f"{PATH}?x", "/auth/t1/signout"])
def test_signing_out_clears_the_used_method_and_revokes(site: Site, path: str, mode: str) -> None:
    """FP-79: 200 OK, the used method cleared, the session revoked; any spelling of the path."""
    visitor = site.sign_in(mode)
    calls = site.spy()
    reply = visitor.post(path)
    assert (reply.status, reply.json) == (200, {"status": "OK"})
    reply.assert_cleared(mode)
    assert reply.header("content-type") == "application/json; charset=utf-8"
    assert calls == ["sessions.revoke"]
    assert site.stored(visitor.handle) is None


def test_the_access_cookie_is_deleted_last(site: Site) -> None:
    """Of two deletions in one response curl 7.88 takes the last, and an access token outlives its session."""
    reply = site.sign_in("cookie").post(PATH)
    assert [cookie.name for cookie in reply.set_cookies] == ["sRefreshToken", "sAccessToken"]


def test_the_other_method_is_cleared_if_it_was_sent(site: Site) -> None:
    """FP-79: tokens of the other method in the request go, too."""
    by_header, by_cookie = site.sign_in("header"), site.sign_in("cookie")
    cookies = [
        ("sAccessToken", by_cookie.access or ""),
        ("sRefreshToken", quoted(by_cookie.refresh_token or "")),
    ]
    reply = site.post(PATH, bearer=by_header.access, cookies=cookies)
    assert reply.json == {"status": "OK"}
    reply.assert_cleared("cookie", "header")
    reply = site.post(PATH, bearer="foreign", cookies=[("sAccessToken", by_cookie.access or "")])
    reply.assert_cleared("cookie", "header")


def test_a_session_that_is_gone(site: Site, mode: str) -> None:
    """FP-80: still 200 and cleared when the store says there was none."""
    visitor = site.sign_in(mode)
    access = visitor.access
    visitor.post(PATH)
    visitor.access = access
    reply = visitor.post(PATH)
    assert reply.json == {"status": "OK"}
    reply.assert_cleared(mode)


def test_an_expired_token(site: Site, mode: str) -> None:
    """FP-81: try refresh, nothing cleared; after the refresh it works."""
    visitor = site.sign_in(mode)
    site.clock.advance(hours=2)
    assert_refused(visitor.post(PATH), TRY_REFRESH)
    assert visitor.refresh().status == 200
    assert visitor.post(PATH).json == {"status": "OK"}


def test_signing_out_without_a_token_is_unauthorised(site: Site) -> None:
    """FP-82: unauthorised, nothing cleared."""
    assert_refused(site.post(PATH), UNAUTHORISED)
    assert_refused(site.post(PATH, bearer="x", cookies=[("sAccessToken", "y")]), UNAUTHORISED)


@pytest.mark.parametrize(("anti_csrf", "proof"), [("VIA_CUSTOM_HEADER", "rid"), ("VIA_TOKEN", "anti-csrf")])
def test_signing_out_needs_the_anti_csrf_token(bare_site: Site, anti_csrf: Any, proof: str) -> None:
    """FP-81: sign-out is a POST, so it is checked; a failure clears nothing."""
    visitor = bare_site.init(anti_csrf=anti_csrf).sign_in()
    assert_refused(visitor.post(PATH, without=[proof]), TRY_REFRESH)
    assert visitor.post(PATH).json == {"status": "OK"}


def test_failing_claims_do_not_block_it(bare_site: Site, mode: str) -> None:
    """FP-83: no claim validator runs at sign-out."""
    never = BooleanClaim("never", lambda *_: False)

    def functions(default: Any) -> Any:
        default.get_global_claim_validators = lambda *_: [never.validators.is_true()]
        return default

    visitor = bare_site.init(override=InputOverrideConfig(functions=functions)).sign_in(mode)
    assert visitor.get("/protected").status == 403
    assert visitor.post(PATH).json == {"status": "OK"}


@pytest.mark.pairwise
@pytest.mark.parametrize("is_async", [False, True])
def test_a_general_error(bare_site: Site, is_async: bool, mode: str) -> None:
    """FP-84: an override may refuse: 200 GENERAL_ERROR with its message, tokens untouched."""

    def apis(default: Any) -> Any:
        async def later(session: Any, options: Any, context: Any) -> Any:
            return GeneralErrorResponse("not now")

        default.signout_post = later if is_async else lambda *_: GeneralErrorResponse("not now")
        return default

    visitor = bare_site.init(override=InputOverrideConfig(apis=apis)).sign_in(mode)
    reply = visitor.post(PATH)
    assert (reply.status, reply.json) == (200, {"status": "GENERAL_ERROR", "message": "not now"})
    assert reply.session_parts == []
    assert visitor.get("/database").status == 200


def test_a_disabled_sign_out_is_the_applications_path(bare_site: Site) -> None:
    """FP-79: a disabled API is the application's path; other methods always are."""

    def apis(default: Any) -> Any:
        default.disable_signout_post = True
        return default

    visitor = bare_site.init(override=InputOverrideConfig(apis=apis)).sign_in("header")
    assert visitor.post(PATH).status == 404
    visitor = bare_site.init().sign_in("header")
    assert visitor.get(PATH).status == 404


def test_an_override_may_sign_nobody_out(bare_site: Site, mode: str) -> None:
    """FP-79: the original without a session answers OK and touches nothing."""

    def apis(default: Any) -> Any:
        original = default.signout_post
        default.signout_post = lambda session, options, context: original(None, options, context)
        return default

    visitor = bare_site.init(override=InputOverrideConfig(apis=apis)).sign_in(mode)
    reply = visitor.post(PATH)
    assert (reply.json, reply.session_parts) == ({"status": "OK"}, [])
    assert visitor.get("/database").status == 200


@pytest.mark.pairwise
@pytest.mark.parametrize(("answer", "came"), [(None, "None"), ({"status": "OK"}, "dict")])
def test_an_override_that_answers_with_something_else(
    bare_site: Site, answer: Any, came: str, mode: str
) -> None:
    """FP-79: it is named, with what to return."""

    def signout_post(*_: Any) -> Any:
        return answer

    def apis(default: Any) -> Any:
        default.signout_post = signout_post
        return default

    visitor = bare_site.init(override=InputOverrideConfig(apis=apis)).sign_in(mode)
    assert visitor.post(PATH).status == 500
    line = f"{__file__}:{signout_post.__code__.co_firstlineno}"
    assert str(bare_site.client.error) == (
        f"signout_post of session.init(override=…apis) ({line}) returned {came}; "
        "it must return a SignOutOkayResponse or a GeneralErrorResponse"
    )


def test_an_override_runs_around_ours(bare_site: Site, mode: str) -> None:
    """FP-79: an override of sign-out may call the original, and of revoke_session too, sync or async."""
    seen: list[str] = []

    def apis(default: Any) -> Any:
        original = default.signout_post

        async def signout(session: Any, options: Any, context: Any) -> Any:
            seen.append(session.get_user_id())
            return await original(session, options, context)

        default.signout_post = signout
        return default

    def functions(default: Any) -> Any:
        original = default.revoke_session

        async def revoke(handle: str, context: Any) -> Any:
            seen.append(context["_default"]["request"].get_path())
            return await original(handle, context)

        default.revoke_session = revoke
        return default

    bare_site.init(override=InputOverrideConfig(apis=apis, functions=functions))
    visitor = bare_site.sign_in(mode)
    reply = visitor.post(PATH)
    assert reply.json == {"status": "OK"}
    reply.assert_cleared(mode)
    assert seen == ["user-1", PATH]
    assert bare_site.stored(visitor.handle) is None
