"""The functions of the session recipe without a request, and the session's own methods."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from starlette.requests import Request

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.engine.call import trace_calls
from supertokens_py.exceptions import (
    BadInputError,
    ConfigError,
    GeneralError,
    PayloadTooLargeError,
    ProtectedClaimError,
)
from supertokens_py.framework.request_registry import as_base_request
from supertokens_py.recipe import session as session_recipe
from supertokens_py.recipe.session import InputOverrideConfig, SessionContainer, SessionRecipe
from supertokens_py.recipe.session import asyncio as sessions_async
from supertokens_py.recipe.session import syncio as sessions
from supertokens_py.recipe.session.claims import BooleanClaim, PrimitiveClaim
from supertokens_py.recipe.session.exceptions import (
    InvalidClaimsError,
    TokenTheftError,
    TryRefreshTokenError,
    UnauthorisedError,
)
from supertokens_py.recipe.session.interfaces import GetClaimValueOkResult, SessionDoesNotExistError
from supertokens_py.runtime.bridge import blocking
from supertokens_py.tokens.access_token import parse_access_token
from tests.support.clock import Clock
from tests.support.databases import LINKED_USERS, TestDatabase

from .conftest import Start


@pytest.fixture(autouse=True)
def _started(start: Start) -> None:
    start()


def made(user_id: str = "user-1", payload: dict[str, Any] | None = None, **more: Any) -> SessionContainer:
    return sessions.create_new_session_without_request_response("public", user_id, payload, **more)


def test_validators_may_stand_in_a_tuple() -> None:
    session = made(payload={"role": {"v": "admin", "t": 0}})
    role = PrimitiveClaim[str]("role", lambda *_: "admin")
    session.sync_assert_claims((role.validators.has_value("admin"),))
    with pytest.raises(InvalidClaimsError):
        session.sync_assert_claims((role.validators.has_value("owner"),))


def test_information_about_a_session_is_shown_without_what_is_kept_in_it(clock: Clock) -> None:
    session = made(payload={"card": "4111"}, session_data_in_database={"pin": "1234"})
    found = sessions.get_session_information(session.session_handle)
    assert found is not None
    assert repr(found) == (
        f"SessionInformationResult(session_handle={session.session_handle!r}, user_id='user-1', "
        f"tenant_id='public', time_created={clock()}, expiry={found.expiry}, device=None)"
    )


def test_a_new_session_knows_itself(clock: Clock) -> None:
    """Reads come from the token; tokens are there for whoever delivers them."""
    session = made(payload={"a": 1}, session_data_in_database={"d": 2})
    assert (session.get_user_id(), session.get_recipe_user_id(), session.get_tenant_id()) == (
        "user-1",
        "user-1",
        "public",
    )
    assert session.get_access_token_payload()["a"] == 1
    assert session.sync_get_session_data_from_database() == {"d": 2}
    assert session.sync_get_time_created() == clock.now_ms
    assert session.sync_get_expiry() == clock.now_ms + 100 * 86_400_000
    tokens = session.get_all_session_tokens_dangerously()
    assert tokens["accessToken"] == session.get_access_token()
    assert tokens["accessAndFrontTokenUpdated"] is True
    assert tokens["refreshToken"]
    assert tokens["antiCsrfToken"] is None
    assert tokens["frontToken"] == session.front_token
    assert tokens["accessToken"] not in repr(session)


def test_attributes_of_a_session_read_by_dot_and_by_name() -> None:
    """By dot or by name, as code written for older releases reads them."""
    session = made(payload={"a": 1})
    recipe = SessionRecipe.get_instance()
    assert session["user_id"] == session.user_id == "user-1"
    assert session["session_handle"] == session.get_handle()
    assert session.user_data_in_access_token == session.get_access_token_payload()
    assert session.config is recipe.config
    assert session.recipe_implementation is recipe.recipe_implementation
    with pytest.raises(AttributeError, match="nothing"):
        session["nothing"]


def test_stored_sessions_are_read_by_new_and_older_names(clock: Clock) -> None:
    """Information, data, handles, by the new and the older names."""
    session = made(payload={"a": 1}, session_data_in_database={"d": 2})
    found = sessions.get_session_information(session.get_handle())
    assert found is not None
    assert (found.user_id, found.tenant_id, found.time_created) == ("user-1", "public", clock.now_ms)
    assert found.custom_claims_in_access_token_payload == found.access_token_payload
    assert found.access_token_payload == {"a": 1, "iss": "https://api.example.com/auth"}
    assert found.session_data == found.session_data_in_database == {"d": 2}
    assert sessions.update_session_data_in_database(session.get_handle(), {"x": 1}) is True
    assert session.sync_get_session_data_from_database() == {"x": 1}
    session.sync_update_session_data_in_database({"y": 1})
    assert session.sync_get_session_data_from_database() == {"y": 1}
    assert sessions.update_session_data_in_database("nope", {}) is False
    assert sessions.get_session_information("nope") is None
    other = made()
    assert sessions.get_all_session_handles_for_user("user-1") == [session.get_handle(), other.get_handle()]
    assert sessions.get_all_session_handles_for_user("nobody") == []


def test_only_sessions_that_existed_are_reported_as_revoked(clock: Clock) -> None:
    """By handle, by handles, by user; only what existed is reported."""
    one, two, three = made(), made(), made("user-2")
    assert sessions.revoke_session(one.get_handle()) is True
    assert sessions.revoke_session(one.get_handle()) is False
    assert sessions.revoke_multiple_sessions([one.get_handle(), two.get_handle(), "x"]) == [two.get_handle()]
    assert sessions.revoke_all_sessions_for_user("user-2", "public") == [three.get_handle()]
    assert sessions.revoke_all_sessions_for_user("user-2") == []
    for session in (one, two, three):
        for call in (
            session.sync_get_session_data_from_database,
            session.sync_get_time_created,
            lambda session=session: session.sync_update_session_data_in_database({}),
            lambda session=session: session.sync_merge_into_access_token_payload({"a": 1}),
        ):
            with pytest.raises(UnauthorisedError, match="does not exist anymore"):
                call()
        session.sync_revoke_session()  # ending what has ended is no error


def test_revoking_with_the_arguments_of_later_releases() -> None:
    """A flag about linked accounts comes second, or by its name; no accounts are linked here."""
    revoke, handles = sessions.revoke_all_sessions_for_user, sessions.get_all_session_handles_for_user
    one = made()
    assert handles("user-1", True, "public") == handles("user-1", False) == [one.get_handle()]
    assert handles("user-1", fetch_sessions_for_linked_accounts=True) == [one.get_handle()]
    context: dict[str, Any] = {}
    assert revoke("user-1", False, "public", context) == [one.get_handle()]
    two = made()
    assert revoke("user-1", "public", revoke_sessions_for_linked_accounts=True) == [two.get_handle()]
    three = made()
    with pytest.raises(TypeError, match="unexpected arguments: across, all_tenants"):
        revoke("user-1", across=True, all_tenants=True)
    assert handles("user-1") == [three.get_handle()]


def test_merging_by_handle_leaves_tokens_in_use_alone(clock: Clock) -> None:
    """FP-101: null deletes, protected members are refused; tokens in use do not change."""
    session = made(payload={"a": 1, "b": 2})
    assert sessions.merge_into_access_token_payload(session.get_handle(), {"a": None, "c": 3}) is True
    stored = sessions.get_session_information(session.get_handle())
    assert stored is not None
    assert stored.access_token_payload == {"b": 2, "iss": "https://api.example.com/auth", "c": 3}
    assert session.get_access_token_payload()["a"] == 1
    with pytest.raises(ProtectedClaimError):
        sessions.merge_into_access_token_payload(session.get_handle(), {"sub": "x"})
    assert sessions.merge_into_access_token_payload(session.get_handle(), {"sub": None, "d": 4}) is True
    stored = sessions.get_session_information(session.get_handle())
    assert stored is not None
    assert stored.access_token_payload == {"b": 2, "iss": "https://api.example.com/auth", "c": 3, "d": 4}
    assert sessions.merge_into_access_token_payload("nope", {"a": 1}) is False


BIG = "x" * 3500


def test_a_payload_that_fits_no_cookie_is_refused_by_handle(start: Start) -> None:
    """Nobody knows by handle how a session's tokens travel: no way to write one is accepted."""
    claim = PrimitiveClaim[str]("big", lambda *_: BIG)
    session = made(payload={"a": 1})
    handle = session.get_handle()
    writes: list[Callable[[], object]] = [
        lambda: sessions.merge_into_access_token_payload(handle, {"big": BIG}),
        lambda: sessions.fetch_and_set_claim(handle, claim),
        lambda: sessions.set_claim_value(handle, claim, BIG),
        lambda: sessions.validate_claims_for_session_handle(
            handle, lambda *_: [claim.validators.has_value(BIG)]
        ),
    ]
    for write in writes:
        with pytest.raises(PayloadTooLargeError, match="browsers drop cookies above 4096"):
            write()
    with pytest.raises(PayloadTooLargeError), pytest.warns(DeprecationWarning, match="is deprecated"):
        sessions.update_access_token_payload(handle, {"big": BIG})
    half = "x" * 1500
    assert sessions.merge_into_access_token_payload(handle, {"b": half}) is True
    with pytest.raises(PayloadTooLargeError):
        sessions.merge_into_access_token_payload(handle, {"c": half})
    assert sessions.merge_into_access_token_payload(handle, {"b": None}) is True
    stored = sessions.get_session_information(handle)
    assert stored is not None
    assert stored.access_token_payload == {"a": 1, "iss": "https://api.example.com/auth"}
    assert sessions.merge_into_access_token_payload("nope", {"a": BIG}) is False


def test_a_write_by_handle_is_checked_where_it_happens(start: Start) -> None:
    """No look at the session beforehand: it would cost a question, and be out of date."""
    claim = PrimitiveClaim[str]("plan", lambda *_: "gold")
    handle = made().get_handle()
    calls: list[str] = []
    trace_calls(lambda name: nullcontext(calls.append(name)))
    try:
        assert sessions.merge_into_access_token_payload(handle, {"a": 1}) is True
        assert sessions.set_claim_value(handle, claim, "silver") is True
        assert sessions.fetch_and_set_claim(handle, claim) is True
    finally:
        trace_calls(None)
    merge = "sessions.merge_payload"
    assert calls == [merge, merge, "sessions.information", merge]


def test_a_large_payload_by_handle_where_no_token_is_in_a_cookie(start: Start) -> None:
    """The setting "header" says so for every session."""
    start(get_token_transfer_method="header")
    handle = made().get_handle()
    assert sessions.merge_into_access_token_payload(handle, {"big": BIG}) is True
    stored = sessions.get_session_information(handle)
    assert stored is not None
    assert stored.access_token_payload["big"] == BIG


def test_a_merge_keeps_what_others_merged() -> None:
    """Two requests merge at the same time: neither is lost (D15 in regressions/README.md)."""
    session = made(payload={"n": 0})
    token = session.get_access_token()
    first = sessions.get_session_without_request_response(token)
    second = sessions.get_session_without_request_response(token)
    assert first is not None
    assert second is not None
    first.sync_merge_into_access_token_payload({"a": 1})
    second.sync_merge_into_access_token_payload({"b": 2})
    assert second.get_access_token_payload()["a"] == 1
    stored = sessions.get_session_information(session.get_handle())
    assert stored is not None
    assert {"n": 0, "a": 1, "b": 2}.items() <= stored.access_token_payload.items()


def test_merging_with_an_expired_token_is_stored_and_keeps_the_token(clock: Clock) -> None:
    """FP-99: the payload is stored, the token stays; the next refresh delivers it."""
    session = made()
    token = session.get_access_token()
    clock.advance(hours=2)
    session.sync_merge_into_access_token_payload({"late": 1})
    assert session.get_access_token() == token
    assert session.get_access_token_payload()["late"] == 1
    assert session.get_access_token_payload()["sessionHandle"] == session.get_handle()
    refresh = session.get_all_session_tokens_dangerously()["refreshToken"]
    assert refresh is not None
    refreshed = sessions.refresh_session_without_request_response(refresh)
    assert refreshed.get_access_token_payload()["late"] == 1


def test_a_failed_merge_damages_nothing() -> None:
    """The payload in hand stays whole when the session is gone (D17 in regressions/README.md)."""
    session = made(payload={"a": 1})
    before = dict(session.get_access_token_payload())
    sessions.revoke_session(session.get_handle())
    claim = BooleanClaim("ok", lambda *_: True)
    with pytest.raises(UnauthorisedError):
        session.sync_assert_claims([claim.validators.is_true()])
    assert session.get_access_token_payload() == before


DEPRECATED = "update_access_token_payload is deprecated. Use merge_into_access_token_payload instead"


def test_the_deprecated_full_update_warns_at_the_callers_line() -> None:
    """`update_access_token_payload` replaces every custom claim, and warns at the caller's own line."""
    session = made(payload={"a": 1})
    with pytest.warns(DeprecationWarning, match=DEPRECATED) as caught:
        session.sync_update_access_token_payload({**session.get_access_token_payload(), "b": 2})
    assert {warning.filename for warning in caught} == {__file__}
    assert session.get_access_token_payload()["a"] == 1
    with pytest.warns(DeprecationWarning, match=DEPRECATED):
        session.sync_update_access_token_payload({"c": 3})
    payload = session.get_access_token_payload()
    assert "a" not in payload
    assert (payload["c"], payload["iss"]) == (3, "https://api.example.com/auth")
    with pytest.warns(DeprecationWarning, match=DEPRECATED) as caught:
        assert sessions.update_access_token_payload(session.get_handle(), {"d": 4}) is True
    assert {warning.filename for warning in caught} == {__file__}
    stored = sessions.get_session_information(session.get_handle())
    assert stored is not None
    assert stored.access_token_payload == {"iss": "https://api.example.com/auth", "d": 4}


def test_a_full_update_of_sessions_that_travel_in_headers_may_be_large(start: Start) -> None:
    start(get_token_transfer_method="header")
    handle = made().get_handle()
    with pytest.warns(DeprecationWarning, match=DEPRECATED):
        assert sessions.update_access_token_payload(handle, {"big": BIG}) is True
    stored = sessions.get_session_information(handle)
    assert stored is not None
    assert stored.access_token_payload == {"iss": "https://api.example.com/auth", "big": BIG}


def test_the_deprecated_full_update_of_a_session_that_is_gone() -> None:
    """The payload in hand stays as it was."""
    session = made(payload={"a": 1})
    before = dict(session.get_access_token_payload())
    session.sync_revoke_session()
    with (
        pytest.warns(DeprecationWarning, match=DEPRECATED),
        pytest.raises(UnauthorisedError, match=r"^Session does not exist anymore\.$"),
    ):
        session.sync_update_access_token_payload({"b": 2})
    assert session.get_access_token_payload() == before


async def test_the_deprecated_full_update_warns_at_the_line_that_awaits() -> None:
    """The warning points at the line that awaits."""
    session = await sessions_async.create_new_session_without_request_response("public", "user-1")
    with pytest.warns(DeprecationWarning, match=DEPRECATED) as caught:
        await session.update_access_token_payload({"b": 2})
    assert {warning.filename for warning in caught} == {__file__}
    with pytest.warns(DeprecationWarning, match=DEPRECATED) as caught:
        await sessions_async.update_access_token_payload(session.get_handle(), {"c": 3})
    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("public", ""), BadInputError, "user_id"),
        (("public", "x" * 129), BadInputError, "user_id"),
        (("public", "a\0b"), BadInputError, "NUL"),
        (("nowhere", "u"), BadInputError, "nowhere"),
        (("public", "u", {"a": float("nan")}), BadInputError, "JSON"),
        (("public", "u", {"a": {1}}), BadInputError, "JSON"),
        (("public", "u", {1: 2}), BadInputError, "key"),
        (("public", "u", {"a": "x" * 70_000}), BadInputError, "bytes"),
        (("public", "u", None, {"a": object()}), BadInputError, "session_data"),
        (("public", None), BadInputError, "^user_id must be a string, not NoneType$"),
        (("public",), TypeError, "^missing required argument: 'user_id'$"),
    ],
)
def test_bad_input_is_named_and_nothing_is_stored(arguments: Any, error: type[Exception], words: str) -> None:
    """The error names what is wrong, and nothing is stored."""
    with pytest.raises(error, match=words):
        sessions.create_new_session_without_request_response(*arguments)
    assert sessions.get_all_session_handles_for_user("u") == []


def test_a_circular_payload_is_an_error() -> None:
    """An error, not a crash."""
    payload: dict[str, Any] = {}
    payload["self"] = payload
    with pytest.raises(BadInputError, match="nested"):
        made(payload=payload)


# -- verifying and refreshing without a request ----------------------------------------------------


def test_verifying_follows_the_rules_of_a_request(clock: Clock) -> None:
    """FP-39, FP-41, FP-45: the same rules as in a request."""
    session = made()
    token = session.get_access_token()
    check = sessions.get_session_without_request_response
    found = check(token)
    assert found is not None
    assert found.get_user_id() == "user-1"
    assert found.get_all_session_tokens_dangerously()["accessAndFrontTokenUpdated"] is False
    with pytest.raises(UnauthorisedError) as caught:
        check("garbage")
    assert caught.value.clear_tokens is False
    assert check("garbage", session_required=False) is None
    sessions.revoke_session(session.get_handle())
    assert check(token) is not None
    with pytest.raises(UnauthorisedError):
        check(token, check_database=True)
    clock.advance(hours=2)
    for required in (True, False):
        with pytest.raises(TryRefreshTokenError):
            check(token, session_required=required)


def test_originals_take_the_arguments_of_0_24() -> None:
    """FP-39: overrides may pass None for a payload: a new session has none, a new token the stored one."""
    functions = SessionRecipe.get_instance().recipe_implementation
    new: SessionContainer = blocking(functions.create_new_session)("ada", None, None, None, "public", {})
    token = new.get_access_token()
    assert "a" not in new.get_access_token_payload()
    sessions.merge_into_access_token_payload(new.get_handle(), {"a": 1})
    regenerated = blocking(functions.regenerate_access_token)(token, None, {})
    assert regenerated is not None
    assert regenerated.session.user_data_in_jwt == {"a": 1}
    assert blocking(functions.regenerate_access_token)("nonsense", {}, {}) is None


def test_a_session_is_attached_to_a_request_by_hand() -> None:
    """Its tokens leave with the response; later on it keeps nothing of the request."""
    native = Request({"type": "http", "method": "GET", "path": "/", "headers": []})
    request, session = as_base_request(native), made()
    session.sync_attach_to_request_response(request, "header", {})
    assert request.get_session() is session
    assert request.changes.headers["st-access-token"] == session.get_access_token()
    request.release()
    assert request.get_session() is None
    with pytest.raises(InvalidClaimsError):
        session.sync_assert_claims([BooleanClaim("ok", lambda *_: False).validators.is_true()])
    assert request.session_error is None

    request.set_session(made())  # one that no tokens are delivered of
    request.release()
    assert request.get_session() is None


def test_verifying_no_token(start: Start) -> None:
    """FP-39: an override may ask the original for a session where there is no token."""
    get_session = blocking(SessionRecipe.get_instance().recipe_implementation.get_session)
    assert get_session(None, session_required=False) is None
    for required in (True, None):
        with pytest.raises(UnauthorisedError, match="Are you sending the session tokens") as caught:
            get_session(None, session_required=required)
        assert caught.value.clear_tokens is False


def regenerating(answer: Callable[..., Any]) -> InputOverrideConfig:
    """An override of `regenerate_access_token` that gets the original's answer."""

    def functions(default: Any) -> Any:
        original = default.regenerate_access_token

        async def regenerate(access_token: str, payload: Any, user_context: dict[str, Any]) -> Any:
            return answer(await original(access_token, payload, user_context))

        default.regenerate_access_token = regenerate
        return default

    return InputOverrideConfig(functions=functions)


def test_an_override_that_regenerates_no_session(start: Start) -> None:
    """None says that the session is gone, whoever says it."""
    start(override=regenerating(lambda result: None))
    with pytest.raises(UnauthorisedError, match=r"^Session does not exist anymore\.$"):
        made().sync_merge_into_access_token_payload({"a": 1})


def test_an_override_that_regenerates_nonsense(start: Start) -> None:
    """A token that nobody can read is not handed on; the one in hand stays."""

    def spoil(result: Any) -> Any:
        result.access_token.token = "nonsense"
        return result

    start(override=regenerating(spoil))
    session = made()
    token = session.get_access_token()
    with pytest.raises(GeneralError, match="issued an access token that this release cannot read"):
        session.sync_merge_into_access_token_payload({"a": 1})
    assert session.get_access_token() == token


def test_claims_are_judged() -> None:
    """FP-100: with the global validators and the override."""
    claim = BooleanClaim("ok", lambda *_: False)
    token = made().get_access_token()
    with pytest.raises(InvalidClaimsError):
        sessions.get_session_without_request_response(
            token, override_global_claim_validators=lambda *_: [claim.validators.is_true()]
        )


def test_an_anti_csrf_token_is_checked_unless_switched_off(start: Start) -> None:
    """FP-53, FP-59: VIA_TOKEN is checked unless switched off; creation can leave it out."""
    start(anti_csrf="VIA_TOKEN")
    session = made()
    csrf = session.get_all_session_tokens_dangerously()["antiCsrfToken"]
    assert csrf
    token = session.get_access_token()
    check = sessions.get_session_without_request_response
    assert check(token, csrf) is not None
    assert check(token, anti_csrf_check=False) is not None
    for wrong in (None, "wrong"):
        with pytest.raises(TryRefreshTokenError):
            check(token, wrong)
    bare = made(disable_anti_csrf=True)
    assert bare.get_all_session_tokens_dangerously()["antiCsrfToken"] is None
    refresh = session.get_all_session_tokens_dangerously()["refreshToken"] or ""
    with pytest.raises(UnauthorisedError):
        sessions.refresh_session_without_request_response(refresh, False, "wrong")
    again = sessions.refresh_session_without_request_response(refresh, False, csrf)
    assert again.get_all_session_tokens_dangerously()["antiCsrfToken"]


def test_a_custom_header_cannot_be_checked(start: Start) -> None:
    """FP-52: with VIA_CUSTOM_HEADER these functions must be called with the check off."""
    start(anti_csrf="VIA_CUSTOM_HEADER")
    session = made()
    tokens = session.get_all_session_tokens_dangerously()
    with pytest.raises(ConfigError, match="VIA_CUSTOM_HEADER"):
        sessions.get_session_without_request_response(tokens["accessToken"])
    assert sessions.get_session_without_request_response(tokens["accessToken"], anti_csrf_check=False)
    with pytest.raises(ConfigError, match="VIA_CUSTOM_HEADER"):
        sessions.refresh_session_without_request_response(tokens["refreshToken"] or "")
    assert sessions.refresh_session_without_request_response(tokens["refreshToken"] or "", True)


def test_refreshing_rotates_repeats_and_finds_theft(clock: Clock) -> None:
    """FP-64: rotation, grace, theft with its kind."""
    session = made(payload={"a": 1})
    first = session.get_all_session_tokens_dangerously()["refreshToken"] or ""
    again = sessions.refresh_session_without_request_response(first)
    assert again.get_handle() == session.get_handle()
    assert again.get_access_token_payload()["a"] == 1
    clock.advance(s=31)
    with pytest.raises(TokenTheftError) as caught:
        sessions.refresh_session_without_request_response(first)
    assert (caught.value.user_id, caught.value.recipe_user_id) == ("user-1", "user-1")
    assert (caught.value.session_handle, caught.value.reason) == (session.get_handle(), "RECENT_PREV")
    with pytest.raises(UnauthorisedError):
        sessions.refresh_session_without_request_response("garbage")


# -- claims by handle ------------------------------------------------------------------------------


def test_claims_by_handle_say_whether_there_is_a_session(clock: Clock) -> None:
    """FP-94: fetch, set, get, remove; False or a result object where there is no session."""
    claim = PrimitiveClaim[int]("level", lambda *_: 7)
    handle = made().get_handle()
    assert sessions.fetch_and_set_claim(handle, claim) is True
    assert sessions.get_claim_value(handle, claim) == GetClaimValueOkResult(7)
    assert sessions.set_claim_value(handle, claim, 3) is True
    stored = sessions.get_session_information(handle)
    assert stored is not None
    assert stored.access_token_payload["level"] == {"v": 3, "t": clock.now_ms}
    assert sessions.remove_claim(handle, claim) is True
    assert sessions.get_claim_value(handle, claim) == GetClaimValueOkResult(None)
    for answer in (
        sessions.fetch_and_set_claim("x", claim),
        sessions.set_claim_value("x", claim, 1),
        sessions.remove_claim("x", claim),
    ):
        assert answer is False
    assert isinstance(sessions.get_claim_value("x", claim), SessionDoesNotExistError)


def test_validating_by_handle_returns_failures_and_stores_values(clock: Clock) -> None:
    """FP-95: failures are returned, fetched values stored; the override gets the session's information."""
    claim = BooleanClaim("ok", lambda *_: False)
    handle = made().get_handle()
    seen: list[Any] = []

    def override(given: Any, information: Any, context: Any) -> Any:
        seen.append(information.session_handle)
        return [claim.validators.is_true()]

    result: Any = sessions.validate_claims_for_session_handle(handle, override)
    assert [failure.id for failure in result.invalid_claims] == ["ok"]
    assert seen == [handle]
    stored = sessions.get_session_information(handle)
    assert stored is not None
    assert stored.access_token_payload["ok"] == {"v": False, "t": clock.now_ms}
    assert isinstance(sessions.validate_claims_for_session_handle("x"), SessionDoesNotExistError)


def test_an_override_that_forgets_its_validators_judges_nothing() -> None:
    """By handle and by payload as in a route: no list of validators is a mistake that is told."""
    handle = made().get_handle()
    forgetful: Any = lambda given, subject, context: None  # noqa: E731
    with pytest.raises(ConfigError, match="must return a list of claim validators"):
        sessions.validate_claims_for_session_handle(handle, forgetful)
    with pytest.raises(ConfigError, match="must return a list of claim validators"):
        sessions.validate_claims_in_jwt_payload("public", "user-1", {}, forgetful)


def test_validating_by_handle_what_needs_no_fetch() -> None:
    """FP-95: nothing is fetched and nothing stored where the value is there."""
    claim = PrimitiveClaim[int]("level", lambda *_: pytest.fail("fetched"))
    handle = made(payload={"level": {"v": 3, "t": 1}}).get_handle()
    for expected, failing in ((3, []), (4, ["level"])):
        result: Any = sessions.validate_claims_for_session_handle(
            handle, lambda *_, expected=expected: [claim.validators.has_value(expected)]
        )
        assert [failure.id for failure in result.invalid_claims] == failing


def test_validating_by_handle_a_session_that_ends_meanwhile() -> None:
    """FP-95: what was fetched cannot be stored any more."""
    session = made()

    async def fetch(*_: Any) -> bool:
        await sessions_async.revoke_session(session.get_handle())
        return True

    claim = BooleanClaim("ok", fetch)
    result = sessions.validate_claims_for_session_handle(
        session.get_handle(), lambda *_: [claim.validators.is_true()]
    )
    assert isinstance(result, SessionDoesNotExistError)


def test_validating_a_payload_fetches_nothing() -> None:
    """FP-96: without fetching anything; the override gets the user's id second."""
    claim = PrimitiveClaim[int]("level", lambda *_: pytest.fail("fetched"))
    seen: list[Any] = []

    def override(given: Any, user_id: str, context: Any) -> Any:
        seen.append((given, user_id))
        return [claim.validators.has_value(3)]

    for payload, reason in (
        ({"level": {"v": 3, "t": 1}}, None),
        ({"level": {"v": 4, "t": 1}}, "wrong value"),
        ({}, "value does not exist"),
    ):
        result = sessions.validate_claims_in_jwt_payload("public", "ada", payload, override)
        reasons: list[Any] = [failure.reason for failure in result.invalid_claims]
        assert [found["message"] for found in reasons] == ([] if reason is None else [reason])
        assert result.access_token_payload_update is None
    assert seen == [([], "ada")] * 3
    assert sessions.validate_claims_in_jwt_payload("public", "ada", {}).invalid_claims == []


def test_a_claim_that_fetches_nothing_leaves_the_payload_alone() -> None:
    """FP-94: None leaves the payload alone, in hand and by handle."""
    claim = PrimitiveClaim[int]("level", lambda *_: None)
    session = made(payload={"level": {"v": 3, "t": 1}})
    token = session.get_access_token()
    session.sync_fetch_and_set_claim(claim)
    assert sessions.fetch_and_set_claim(session.get_handle(), claim) is True
    assert session.sync_get_claim_value(claim) == 3
    assert session.get_access_token() == token
    assert sessions.get_claim_value(session.get_handle(), claim) == GetClaimValueOkResult(3)


# -- both colours ----------------------------------------------------------------------------------


def test_syncio_has_every_function_of_asyncio() -> None:
    """Same names, same parameters."""
    assert sessions.__all__ == sessions_async.__all__
    for name in {*sessions.__all__} - {"SessionContainer", "SessionExplanation"}:
        twin, original = getattr(sessions, name), getattr(sessions_async, name)
        assert str(inspect.signature(twin)) == str(inspect.signature(original)), name
        assert inspect.iscoroutinefunction(original)
        assert not inspect.iscoroutinefunction(twin)


def test_every_async_method_has_a_blocking_one() -> None:
    """`sync_` in front, same parameters."""
    for name, method in inspect.getmembers(SessionContainer, inspect.iscoroutinefunction):
        if not name.startswith("_"):
            twin = getattr(SessionContainer, f"sync_{name}")
            assert str(inspect.signature(twin)) == str(inspect.signature(method)), name


def test_blocking_calls_inside_a_loop_say_what_to_await() -> None:
    """FP-50: functions and methods say what to await instead."""
    session = made()

    async def inside() -> list[str]:
        messages = []
        for call in (lambda: sessions.revoke_session("x"), lambda: session.sync_revoke_session()):
            try:
                call()
            except RuntimeError as error:
                messages.append(str(error))
        return messages

    function, method = asyncio.run(inside())
    assert function.startswith("revoke_session() would block the event loop")
    assert method.startswith("SessionContainer.revoke_session() would block the event loop")


async def test_awaited_functions_behave_the_same() -> None:
    """The same behaviour when awaited."""
    session = await sessions_async.create_new_session_without_request_response("public", "user-1", {"a": 1})
    await session.merge_into_access_token_payload({"b": 2})
    found = await sessions_async.get_session_without_request_response(session.get_access_token())
    assert found is not None
    assert found.get_access_token_payload()["b"] == 2
    assert await sessions_async.get_all_session_handles_for_user("user-1") == [session.get_handle()]
    await session.revoke_session()
    assert await sessions_async.get_session_information(session.get_handle()) is None


@pytest.mark.parametrize("native", [None, "request", {"headers": {}}, 5])
def test_a_request_of_no_framework_is_told_what_to_pass(native: Any) -> None:
    """The error says what to pass."""
    with pytest.raises(GeneralError, match="pass the request object that your view received"):
        sessions.get_session(native)


def test_user_contexts_reach_overrides(start: Start) -> None:
    """FP-50: the caller's own dict, to read and to write."""

    def functions(default: Any) -> Any:
        original = default.get_session_information

        async def information(handle: str, user_context: dict[str, Any]) -> Any:
            user_context["seen"] = handle
            return await original(handle, user_context)

        default.get_session_information = information
        return default

    start(override=InputOverrideConfig(functions=functions))
    context: dict[str, Any] = {"a": 1}
    handle = made().get_handle()
    sessions.get_session_information(handle, context)
    assert context == {"a": 1, "seen": handle}


def test_sessions_can_be_signed_with_the_static_key(start: Start) -> None:
    """FP-38: `use_dynamic_access_token_signing_key=False` signs with the static key."""
    start(use_dynamic_access_token_signing_key=False)
    token = parse_access_token(made().get_access_token())
    assert token is not None
    assert token.kid.startswith("s-")


def test_keys_are_loaded_again_after_a_while(start: Start, clock: Clock) -> None:
    """FP-40: after `jwks_refresh_interval_sec` keys are loaded again; failure keeps the old ones."""
    from supertokens_py.exceptions import EngineUnavailableError

    start(jwks_refresh_interval_sec=60)
    token = made().get_access_token()
    keys: Any = Supertokens.get_instance().engine.keys
    calls: list[str] = []

    def reload() -> Any:
        calls.append("reload")
        raise EngineUnavailableError("gone")

    verify = blocking(sessions_async.get_session_without_request_response)
    verify(token)
    keys.reload, keys.cooled = reload, lambda: None
    verify(token)
    assert calls == []
    clock.advance(s=61)
    verify(token)
    assert calls == ["reload"]
    del keys.reload, keys.cooled
    assert SessionRecipe.get_instance() is not None


@pytest.mark.postgres
def test_logging_out_everywhere_reaches_linked_login_methods(
    empty_postgres_database: TestDatabase,
) -> None:
    """In a database with users of an official core, by either login method; the flag of 0.25 opts out."""
    for statement in LINKED_USERS:
        empty_postgres_database.query(statement)
    Supertokens.reset()
    init(
        app_info=InputAppInfo("Tests", "http://api.example.com", website_domain="http://example.com"),
        supertokens_config=SupertokensConfig(empty_postgres_database.uri),
        recipe_list=[session_recipe.init()],
    )
    of_a, of_b, other = (made(user).get_handle() for user in ("a", "b", "c"))
    assert sorted(sessions.get_all_session_handles_for_user("b")) == sorted([of_b, of_a])
    assert sessions.get_all_session_handles_for_user("b", False) == [of_b]
    assert sessions.revoke_all_sessions_for_user("b", False) == [of_b]
    of_b = made("b").get_handle()
    assert sorted(sessions.revoke_all_sessions_for_user("a")) == sorted([of_a, of_b])
    assert sessions.get_all_session_handles_for_user("c") == [other]
