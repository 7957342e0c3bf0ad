"""Sessions of guests, and what becomes of them, without a framework."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from supertokens_py import Supertokens
from supertokens_py.engine.records import NewSession
from supertokens_py.exceptions import ConfigError, ProtectedClaimError
from supertokens_py.recipe.session import GuestSettings, InputOverrideConfig, SessionContainer
from supertokens_py.recipe.session import asyncio as sessions_async
from supertokens_py.recipe.session import syncio as sessions
from supertokens_py.recipe.session.exceptions import InvalidClaimsError
from supertokens_py.recipe.session.features.guests import guest_claims, new_guest_id
from supertokens_py.recipe.session.interfaces import RecipeInterface
from tests.support.clock import Clock

from ..conftest import Start


def visit(guest_id: str | None = None) -> SessionContainer:
    """Create the session of a guest as the engine has it, and verify it."""
    new = NewSession(
        user_id=guest_id or new_guest_id(),
        tenant_id="public",
        payload={"iss": "https://api.example.com/auth", **guest_claims(0)},
        data={"cart": 1},
        anti_csrf=False,
        dynamic_key=True,
    )
    issued: Any = Supertokens.get_instance().engine.sessions.create(new)
    found = sessions.get_session_without_request_response(issued.access_token.text, allow_guests=True)
    assert found is not None
    assert found.is_guest
    return found


def made(user_id: str = "user-1", **more: Any) -> SessionContainer:
    return sessions.create_new_session_without_request_response("public", user_id, **more)


def handles(user_id: str = "user-1") -> list[str]:
    return sessions.get_all_session_handles_for_user(user_id)


@pytest.fixture
def merged() -> list[tuple[str, str]]:
    """What the hook was called with."""
    return []


def settings(merged: list[tuple[str, str]], **more: Any) -> GuestSettings:
    return GuestSettings(on_guest_upgraded=lambda *ids: merged.append(ids), **more)


@pytest.mark.parametrize("by", ["session", "handle"])
def test_a_log_in_ends_every_session_of_the_guest(
    stored: Start, by: str, merged: list[tuple[str, str]]
) -> None:
    """CP-24: in one transaction, and the application is told once."""
    stored(guests=settings(merged))
    guest = visit()
    for _ in range(2):
        visit(guest.user_id)
    somebody_else = visit()
    session = made(replaces=guest if by == "session" else guest.session_handle)
    assert handles(guest.user_id) == []
    assert handles() == [session.session_handle]
    assert handles(somebody_else.user_id) == [somebody_else.session_handle]
    assert (session.is_guest, merged) == (False, [(guest.user_id, "user-1")])
    assert session.sync_get_session_data_from_database() == {}


def test_a_guest_who_keeps_the_id_is_a_user_in_one_session_only(
    stored: Start, merged: list[tuple[str, str]]
) -> None:
    """CP-24: promotion with three sessions of the guest: whoever has the others does not inherit the user."""
    stored(guests=settings(merged))
    guest = visit()
    others = [visit(guest.user_id) for _ in range(2)]
    session = made(guest.user_id, replaces=guest)
    assert handles(guest.user_id) == [session.session_handle]
    assert session.is_guest is False
    assert merged == [(guest.user_id, guest.user_id)]
    for other in others:
        information = sessions.get_session_information(other.session_handle)
        assert information is None


def test_two_log_ins_at_once(stored: Start, merged: list[tuple[str, str]]) -> None:
    """CP-24: one takes the place of the guest, the other is an ordinary session; the hook is called once."""
    stored(guests=settings(merged))
    guest = visit()

    async def both() -> list[SessionContainer]:
        calls = [
            sessions_async.create_new_session_without_request_response("public", f"u{n}", replaces=guest)
            for n in range(2)
        ]
        return await asyncio.gather(*calls)

    found = asyncio.run(both())
    assert [one.user_id for one in found] == ["u0", "u1"]
    assert [len(handles(one)) for one in ("u0", "u1", guest.user_id)] == [1, 1, 0]
    assert len(merged) == 1


def test_a_hook_that_fails_does_not_end_the_log_in(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, with its error."""

    async def broken(guest_id: str, user_id: str) -> None:
        raise LookupError(guest_id)

    start(guests=GuestSettings(on_guest_upgraded=broken))
    guest = visit()
    with caplog.at_level(logging.ERROR):
        assert made(replaces=guest).user_id == "user-1"
    assert [record.getMessage() for record in caplog.records] == [
        "GuestSettings.on_guest_upgraded failed; the sign-in goes on"
    ]


def test_a_function_that_bypasses_the_original_ends_the_guest_as_well(
    start: Start, merged: list[tuple[str, str]]
) -> None:
    """Every session of the guest is revoked after the new one was created."""
    own: list[SessionContainer] = []

    def override(original: RecipeInterface) -> RecipeInterface:
        unchanged = original.create_new_session

        async def create(*args: Any, **kwargs: Any) -> Any:
            return own.pop() if own else await unchanged(*args, **kwargs)

        original.create_new_session = create  # type: ignore[method-assign]
        return original

    start(guests=settings(merged), override=InputOverrideConfig(functions=override))
    guest = visit()
    visit(guest.user_id)
    own.append(made())
    session = made(replaces=guest)
    assert (handles(), handles(guest.user_id)) == ([session.session_handle], [])
    assert merged == [(guest.user_id, "user-1")]


def test_tokens_of_guests_outside_of_requests(start: Start) -> None:
    """They are refused unless the call says otherwise, however often they were seen."""
    start()
    guest = visit()
    for _ in range(2):
        with pytest.raises(InvalidClaimsError) as refused:
            sessions.get_session_without_request_response(guest.access_token)
        assert refused.value.code == "guest_not_allowed"
        found = sessions.get_session_without_request_response(guest.access_token, session_required=False)
        assert found is None
    with pytest.raises(InvalidClaimsError):
        guest.sync_reauthenticate(["pwd"])
    assert len(handles(guest.user_id)) == 1


def test_nothing_makes_a_user_of_a_guest_but_a_log_in(start: Start, clock: Clock) -> None:
    """Nor a guest of a user: the claim is reserved, and a refresh keeps it."""
    start()
    guest = visit()
    with pytest.raises(ProtectedClaimError):
        sessions.merge_into_access_token_payload(guest.session_handle, {"st-guest": None})
    with pytest.raises(ProtectedClaimError):
        guest.sync_merge_into_access_token_payload({"st-guest": None})
    with pytest.warns(DeprecationWarning, match="merge_into_access_token_payload"):
        sessions.update_access_token_payload(guest.session_handle, {})
    with pytest.warns(DeprecationWarning, match="merge_into_access_token_payload"):
        guest.sync_update_access_token_payload({})
    assert guest.is_guest
    found = sessions.get_session_information(guest.session_handle)
    assert found is not None
    assert "st-guest" in found.custom_claims_in_access_token_payload
    with pytest.raises(ProtectedClaimError):
        made(access_token_payload={"st-guest": {"v": False}})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"allow": "yes"}, "allow must be True or False"),
        ({"upgrade_at_sign_in": 1}, "upgrade_at_sign_in must be True or False"),
        ({"idle": 0}, "idle must be a whole number of seconds, not 0"),
        ({"on_guest_upgraded": "log"}, "on_guest_upgraded must be a function"),
    ],
)
def test_settings_that_cannot_work(wrong: dict[str, Any], message: str) -> None:
    """They are refused where they are written."""
    with pytest.raises(ConfigError, match=message):
        GuestSettings(**wrong)


def test_guests_is_a_settings_object(start: Start) -> None:
    """And nothing else."""
    with pytest.raises(ConfigError, match="guests must be a GuestSettings or None"):
        start(guests=True)
