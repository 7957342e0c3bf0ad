"""New sessions in the place of others, and authentication that must be fresh."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any

import pytest

from supertokens_py import Supertokens
from supertokens_py.exceptions import BadInputError, ConfigError, ProtectedClaimError
from supertokens_py.recipe.session import (
    AuthenticationClaim,
    InputOverrideConfig,
    SessionContainer,
    SessionLifetime,
    SessionLimit,
    SessionRecipe,
)
from supertokens_py.recipe.session import asyncio as sessions_async
from supertokens_py.recipe.session import syncio as sessions
from supertokens_py.recipe.session.exceptions import InvalidClaimsError, TokenTheftError, UnauthorisedError
from supertokens_py.recipe.session.interfaces import RecipeInterface
from tests.support.clock import Clock

from ..conftest import Start

DAY_MS = 86_400_000


def made(user_id: str = "user-1", payload: dict[str, Any] | None = None, **more: Any) -> SessionContainer:
    return sessions.create_new_session_without_request_response("public", user_id, payload, **more)


def refreshed(session: SessionContainer) -> SessionContainer:
    token = session.get_all_session_tokens_dangerously()["refreshToken"]
    assert token is not None
    return sessions.refresh_session_without_request_response(token)


def handles(user_id: str = "user-1") -> list[str]:
    return sessions.get_all_session_handles_for_user(user_id)


# -- replaces ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["session", "handle"])
def test_a_session_can_take_the_place_of_another(stored: Start, clock: Clock, by: str) -> None:
    """The former row is gone, its tokens are worth nothing, and nothing of it is copied."""
    stored()
    former, other = made(payload={"role": "editor"}), made()
    clock.advance(ms=1)  # the oldest comes first, and of one age either
    session = made(replaces=former if by == "session" else former.session_handle)
    assert handles() == [other.session_handle, session.session_handle]
    assert session.session_handle != former.session_handle
    assert session.get_access_token_payload().get("role") is None
    with pytest.raises(UnauthorisedError) as refused:
        refreshed(former)
    assert refused.value.code in ("session_gone", "refresh_token_invalid")
    assert refreshed(session).user_id == "user-1"


@pytest.mark.parametrize("by", ["session", "handle"])
@pytest.mark.parametrize(
    ("how", "user_id", "expected"),
    [
        ({}, "user-1", "former"),
        ({}, "user-2", None),
        ({"authenticated": False}, "user-1", None),
        ({"authenticated": True}, "user-1", [[], None]),
        ({"authenticated": True}, "user-2", [[], None]),
        ({"methods": ["otp"]}, "user-1", [["otp"], None]),
        ({"acr": "aal3"}, "user-2", [[], "aal3"]),
    ],
)
def test_a_session_in_the_place_of_another_is_as_fresh_as_is_said(
    start: Start, clock: Clock, by: str, how: dict[str, Any], user_id: str, expected: Any
) -> None:
    """CP-14: another payload is no authentication; who calls has to say that there was one."""
    start(step_up=True)
    former = made(methods=["pwd"], acr="aal2")
    told = former.get_access_token_payload()["st-auth"]
    clock.advance(minutes=30)
    session = made(user_id, replaces=former if by == "session" else former.session_handle, **how)
    if expected == "former":
        expected = told
    elif expected is not None:
        methods, acr = expected
        expected = {"v": {"time": clock.now_ms, "amr": methods, "acr": acr}, "t": clock.now_ms}
    assert session.get_access_token_payload().get("st-auth") == expected
    assert refreshed(session).get_access_token_payload().get("st-auth") == expected


def test_a_session_in_the_place_of_one_that_has_ended_is_not_fresh_by_that(start: Start) -> None:
    """Nothing says any more whose it was, nor how old its authentication."""
    start(step_up=True)
    former = made()
    sessions.revoke_session(former.session_handle)
    for gone in (former, former.session_handle, "nothing"):
        assert "st-auth" not in made(replaces=gone).get_access_token_payload()
    assert "st-auth" in made().get_access_token_payload()


def test_one_that_has_ended_already_is_replaced_by_an_ordinary_session(start: Start) -> None:
    """A log-in does not fail because the former session is over."""
    start()
    former = made()
    sessions.revoke_session(former.session_handle)
    session = made(replaces=former)
    assert handles() == [session.session_handle]
    assert made(replaces="nothing").user_id == "user-1"
    with pytest.raises(BadInputError, match="replaces must be a session or the handle of one, not 7"):
        made(replaces=7)


def test_a_replaced_function_that_bypasses_the_original_replaces_all_the_same(start: Start) -> None:
    """It creates the session by itself; the former one is revoked after that."""

    def override(original: RecipeInterface) -> RecipeInterface:
        async def create(*args: Any, **kwargs: Any) -> Any:
            return kept.pop() if kept else await unwrapped(*args, **kwargs)

        unwrapped = original.create_new_session
        original.create_new_session = create  # type: ignore[method-assign]
        return original

    kept: list[SessionContainer] = []
    start(override=InputOverrideConfig(functions=override))
    former, of_its_own = made(), made()
    kept.append(of_its_own)
    assert made(replaces=former) is of_its_own
    assert handles() == [of_its_own.session_handle]


def test_only_the_first_of_several_takes_the_place(start: Start) -> None:
    """A replaced function may create two sessions; the second one finds the place taken."""

    def override(original: RecipeInterface) -> RecipeInterface:
        create_new_session = original.create_new_session

        async def create(*args: Any, **kwargs: Any) -> Any:
            await create_new_session(*args, **kwargs)
            return await create_new_session(*args, **kwargs)

        original.create_new_session = create  # type: ignore[method-assign]
        return original

    start(override=InputOverrideConfig(functions=override))
    former = made()
    made("user-1", replaces=former)
    assert former.session_handle not in handles()
    assert len(handles()) == 3  # one of the first call, two of the second


# -- authentication ------------------------------------------------------------------------------------


def test_nothing_is_noted_of_an_authentication_unless_asked(start: Start) -> None:
    """Payloads are what they were; saying how a user authenticated needs the setting."""
    start()
    session = made(payload={"a": 1})
    assert set(session.get_access_token_payload()) - {"a"} == {
        "iat", "exp", "sub", "tId", "rsub", "sessionHandle", "refreshTokenHash1",
        "parentRefreshTokenHash1", "antiCsrfToken", "iss",
    }  # fmt: skip
    assert sessions.get_session_information(session.session_handle).custom_claims_in_access_token_payload == {  # type: ignore[union-attr]
        "a": 1,
        "iss": "https://api.example.com/auth",
    }
    with pytest.raises(ConfigError, match=r"session\.init\(step_up=True\)"):
        made(methods=["pwd"])
    with pytest.raises(ConfigError, match="step_up must be True, False or None"):
        start(step_up="yes")


def test_a_new_session_says_when_and_how_its_user_authenticated(start: Start, clock: Clock) -> None:
    """`st-auth` has the form of any claim, so that frontends can evaluate it."""
    start(step_up=True)
    session = made(methods=["pwd", "otp"], acr="aal2")
    value = {"time": clock.now_ms, "amr": ["pwd", "otp"], "acr": "aal2"}
    assert session.get_access_token_payload()["st-auth"] == {"v": value, "t": clock.now_ms}
    assert made().get_access_token_payload()["st-auth"]["v"] == {**value, "amr": [], "acr": None}
    assert "st-auth" not in made(authenticated=False).get_access_token_payload()
    clock.advance(minutes=1)
    assert refreshed(session).get_access_token_payload()["st-auth"]["v"] == value
    for wrong in ({"methods": "pwd"}, {"methods": [1]}, {"acr": 2}, {"acr": "a", "authenticated": False}):
        with pytest.raises(BadInputError):
            made(**wrong)  # type: ignore[arg-type]


def failures(session: SessionContainer, *validators: Any) -> tuple[str, list[Any]]:
    with pytest.raises(InvalidClaimsError) as refused:
        session.sync_assert_claims(list(validators))
    return refused.value.code, [failure.to_json() for failure in refused.value.payload]


def test_validators_of_an_authentication(start: Start, clock: Clock) -> None:
    """Age, class and method; what is not known fails."""
    start(step_up=True)
    validators, session = AuthenticationClaim.validators, made(methods=["pwd"], acr="aal1")
    clock.advance(s=300)
    session.sync_assert_claims(
        [validators.fresh(300), validators.acr("aal1"), validators.amr_includes("pwd")]
    )
    clock.advance(ms=500)
    too_old = {"message": "authentication too old", "ageInSeconds": 300.5, "maxAgeInSeconds": 300}
    assert failures(session, validators.fresh(300)) == (
        "authentication_not_fresh",
        [{"id": "st-auth", "reason": too_old}],
    )
    assert failures(session, validators.acr("aal2"), validators.amr_includes("mfa", "second")) == (
        "authentication_not_fresh",
        [
            {
                "id": "st-auth",
                "reason": {
                    "message": "authentication too weak",
                    "expectedAcr": "aal2",
                    "actualAcr": "aal1",
                },
            },
            {
                "id": "second",
                "reason": {
                    "message": "authentication too weak",
                    "expectedMethod": "mfa",
                    "actualMethods": ["pwd"],
                },
            },
        ],
    )
    unknown = made(authenticated=False)
    assert failures(unknown, validators.fresh(300))[1] == [
        {"id": "st-auth", "reason": {**too_old, "ageInSeconds": None}}
    ]
    for wrong in (0, -1, True, "300", None):
        with pytest.raises(ConfigError, match="max_age_in_seconds"):
            validators.fresh(wrong)  # type: ignore[arg-type]


def test_no_payload_of_the_application_makes_a_log_in_new(start: Start) -> None:
    """Merged, replaced, set as a claim or given at creation: the SDK alone writes what it reserves."""
    start(step_up=True)
    session = made()
    known, handle = session.get_access_token_payload()["st-auth"], session.session_handle
    for name in ("st-auth", "st-guest"):
        for value in ({"v": {"time": 1 << 50}, "t": 0}, None):
            with pytest.raises(ProtectedClaimError):
                session.sync_merge_into_access_token_payload({name: value})
            with pytest.raises(ProtectedClaimError):
                sessions.merge_into_access_token_payload(handle, {name: value})
        with pytest.raises(ProtectedClaimError):
            made(payload={name: {}})
    with pytest.raises(ProtectedClaimError):
        sessions.set_claim_value(handle, AuthenticationClaim, {"time": 1 << 50})
    with pytest.warns(DeprecationWarning, match="merge_into_access_token_payload"):
        session.sync_update_access_token_payload({"b": 2, "st-auth": "now", "st-guest": 1})
    assert session.get_access_token_payload()["st-auth"] == known
    assert "st-guest" not in session.get_access_token_payload()
    with pytest.warns(DeprecationWarning, match="merge_into_access_token_payload"):
        sessions.update_access_token_payload(handle, {"c": 3, "st-guest": 1})
    found = sessions.get_session_information(handle)
    assert found is not None
    assert found.custom_claims_in_access_token_payload == {
        "c": 3, "iss": "https://api.example.com/auth", "st-auth": known,
    }  # fmt: skip
    regenerate = SessionRecipe.get_instance().recipe_implementation.regenerate_access_token
    written: list[dict[str, Any]] = [
        {"d": 4},
        {"d": 4, "st-auth": "now", "st-guest": 1},
        OrderedDict({"d": 4, "st-auth": "now", "st-guest": 1}),
        OrderedDict({"d": 4}),
    ]
    for payload in written:
        result = asyncio.run(regenerate(session.access_token, payload, {}))
        assert result is not None
        assert result.session.user_data_in_jwt == {"d": 4, "st-auth": known}
    assert refreshed(session).get_access_token_payload()["st-auth"] == known


# -- re-authentication ---------------------------------------------------------------------------------


def test_reauthentication_replaces_the_session(stored: Start, clock: Clock) -> None:
    """CP-13: new handle and tokens, the same payload and data; the former ones are worth nothing."""
    stored(step_up=True)
    other = made()
    former = made(payload={"role": "editor"}, session_data_in_database={"cart": 3}, methods=["pwd"])
    clock.advance(minutes=10)
    session = sessions.reauthenticate(former, ["pwd", "otp"], "aal2")
    payload = session.get_access_token_payload()
    assert payload["role"] == "editor"
    assert payload["st-auth"]["v"] == {"time": clock.now_ms, "amr": ["pwd", "otp"], "acr": "aal2"}
    assert session.sync_get_session_data_from_database() == {"cart": 3}
    assert session.session_handle != former.session_handle
    assert handles() == [other.session_handle, session.session_handle]
    with pytest.raises((UnauthorisedError, TokenTheftError)) as refused:
        refreshed(former)
    assert refused.value.code == "session_gone"
    assert refreshed(session).session_handle == session.session_handle
    with pytest.raises(UnauthorisedError):
        sessions.reauthenticate(former, ["pwd"])  # twice: there is no second session from it
    assert len(handles()) == 2
    again = session.sync_reauthenticate(["pwd"])
    assert again.get_access_token_payload()["st-auth"]["v"]["amr"] == ["pwd"]


def test_reauthentication_restarts_both_limits_of_the_lifetime(stored: Start, clock: Clock) -> None:
    """CP-13: idle and absolute begin again, as the session had them; it stays as persistent as it was."""
    stored(lifetime=SessionLifetime(idle=3600, absolute=7200), step_up=True)
    former = made(lifetime=SessionLifetime(idle=1800, absolute=5400, persistent=False))
    for _ in range(2):
        clock.advance(minutes=25)
        former = refreshed(former)
    session = sessions.reauthenticate(former)
    details = Supertokens.get_instance().engine.sessions.details(session.session_handle)
    assert details is not None
    assert (details.idle_ms, details.persistent) == (1_800_000, False)
    assert details.absolute_at_ms == clock.now_ms + 5_400_000
    assert session.sync_get_expiry() == clock.now_ms + 1_800_000


def test_reauthentication_ends_no_other_session_of_a_full_limit(start: Start) -> None:
    """One goes and one comes."""
    start(limit=SessionLimit(max_sessions=2, when_reached="end_oldest"))
    oldest, former = made(), made()
    session = sessions.reauthenticate(former)
    assert handles() == [oldest.session_handle, session.session_handle]


def test_two_reauthentications_at_once_make_one_session(stored: Start) -> None:
    """The second one finds its session gone, and leaves nothing behind."""
    stored(step_up=True)
    former = made()

    async def both() -> list[Any]:
        calls = [sessions_async.reauthenticate(former) for _ in range(2)]
        return await asyncio.gather(*calls, return_exceptions=True)

    outcomes = asyncio.run(both())
    assert sorted(type(one).__name__ for one in outcomes) == ["SessionContainer", "UnauthorisedError"]
    assert len(handles()) == 1
