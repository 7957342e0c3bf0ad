"""Replaced sessions, step-up and guests where a core keeps the sessions: several calls, in turn."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.types import Receive, Scope, Send

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.exceptions import ConfigError
from supertokens_py.recipe import session
from supertokens_py.recipe.session import AuthenticationClaim, GuestSettings, Impersonation
from supertokens_py.recipe.session import syncio as sessions
from supertokens_py.recipe.session.exceptions import InvalidClaimsError, UnauthorisedError
from supertokens_py.server import create_app
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

from .conftest import Host

INFO = InputAppInfo("Test", "https://api.example.com", website_domain="https://example.com")


@pytest.fixture
def behind(sqlite_database: TestDatabase, start: Opener, clock: Clock) -> Driver:
    return start(sqlite_database.uri, now_ms=clock)


@pytest.fixture
def server(behind: Driver, clock: Clock, host: Host) -> Iterator[str]:
    """The address of our CDI server."""
    host.app = create_app(behind.engine, allow_no_api_key=True, now_ms=clock)
    Supertokens.reset()
    yield host.address
    Supertokens.reset()


def test_step_up_over_a_core(server: str, clock: Clock) -> None:
    """The claim and the replaced session are there; a session that has ended is not replaced."""
    init(INFO, supertokens_config=SupertokensConfig(server), recipe_list=[session.init(step_up=True)])
    former = sessions.create_new_session_without_request_response(
        "public", "ada", {"role": "editor"}, {"cart": 3}, methods=["pwd"]
    )
    renewed = sessions.reauthenticate(former, ["pwd", "otp"])
    payload = renewed.get_access_token_payload()
    assert (payload["role"], payload["st-auth"]["v"]["amr"]) == ("editor", ["pwd", "otp"])
    assert renewed.sync_get_session_data_from_database() == {"cart": 3}
    assert sessions.get_all_session_handles_for_user("ada") == [renewed.session_handle]
    renewed.sync_assert_claims([AuthenticationClaim.validators.amr_includes("otp")])
    with pytest.raises(UnauthorisedError) as refused:
        sessions.reauthenticate(former)
    assert refused.value.code == "session_gone"


def test_a_session_that_ends_while_it_is_replaced_over_a_core_leaves_none(
    server: str, host: Host, behind: Driver
) -> None:
    """All of the user's were ended, between the look at it and the creation of the new one."""
    init(INFO, supertokens_config=SupertokensConfig(server), recipe_list=[session.init(step_up=True)])
    former = sessions.create_new_session_without_request_response("public", "ada")
    served, ended = host.app, list[str]()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST" and scope["path"].endswith("/recipe/session") and not ended:
            ended.extend(behind.sessions.revoke_user("ada", tenant_id=None))
        await served(scope, receive, send)

    host.app = app
    with pytest.raises(UnauthorisedError) as refused:
        sessions.reauthenticate(former)
    assert refused.value.code == "session_gone"
    assert ended == [former.session_handle]
    assert sessions.get_all_session_handles_for_user("ada") == []


def test_guests_over_a_core(server: str) -> None:
    """They are refused by themselves, and a log-in ends their sessions."""
    told: list[tuple[str, str]] = []
    guests = GuestSettings(on_guest_upgraded=lambda *ids: told.append(ids))
    recipe = session.init(guests=guests)
    init(INFO, supertokens_config=SupertokensConfig(server), recipe_list=[recipe])
    with session.SessionRecipe.get_instance().replacements.creating_for_guest():
        made = [sessions.create_new_session_without_request_response("public", "guest_1") for _ in range(2)]
    with pytest.raises(InvalidClaimsError) as refused:
        sessions.get_session_without_request_response(made[0].access_token)
    assert refused.value.code == "guest_not_allowed"
    user = sessions.create_new_session_without_request_response("public", "ada", replaces=made[0])
    assert sessions.get_all_session_handles_for_user("guest_1") == []
    assert sessions.get_all_session_handles_for_user("ada") == [user.session_handle]
    assert told == [("guest_1", "ada")]


def test_nobody_acts_as_another_over_a_core() -> None:
    """It is said at the start: a core has no place for an end that no refresh moves."""
    Supertokens.reset()
    with pytest.raises(ConfigError, match=r"a SuperTokens core cannot do what .*impersonation"):
        init(
            INFO,
            supertokens_config=SupertokensConfig("http://localhost:1"),
            recipe_list=[session.init(impersonation=Impersonation(may=lambda *_: True))],
        )
    Supertokens.reset()
