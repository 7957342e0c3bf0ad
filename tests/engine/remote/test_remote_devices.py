"""Lists of sessions where a core keeps them: one call for each, and nothing is known of their devices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.exceptions import ConfigError
from supertokens_py.recipe import session
from supertokens_py.recipe.session import DeviceSettings
from supertokens_py.recipe.session.interfaces import Device
from supertokens_py.recipe.session.syncio import (
    create_new_session_without_request_response,
    list_sessions,
    revoke_other_sessions,
)
from supertokens_py.server import create_app
from tests.engine.conftest import Opener
from tests.engine.remote.cores import Core, engine_over, stored_session
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

from .conftest import Host

HANDLES, GET = "GET /public/recipe/session/user", "GET /recipe/session"
INFO = InputAppInfo("Test", "https://api.example.com", website_domain="https://example.com")


def test_a_core_is_asked_for_a_hundred_sessions_at_most() -> None:
    """The last ones, the newest first; a session that ended meanwhile is left out."""
    handles = [f"h{number}" for number in range(150)]

    def one(request: Any) -> dict[str, Any]:
        handle = request.url.params["sessionHandle"]
        if handle == "h149":
            return {"status": "UNAUTHORISED", "message": "gone"}
        created_ms = int(handle.removeprefix("h"))
        return stored_session() | {"sessionHandle": handle, "timeCreated": created_ms}

    core = Core({HANDLES: {"status": "OK", "sessionHandles": handles}, GET: one})
    found = engine_over(core).sessions.listed("user", tenant_id=None)
    assert [one.handle for one in found] == [f"h{number}" for number in range(148, 49, -1)]
    assert {one.details for one in found} == {None}
    assert core.asked.count(GET) == 100


@pytest.fixture
def server(sqlite_database: TestDatabase, start: Opener, clock: Clock, host: Host) -> Iterator[str]:
    """The address of our CDI server."""
    behind = start(sqlite_database.uri, now_ms=clock)
    host.app = create_app(behind.engine, allow_no_api_key=True, now_ms=clock)
    Supertokens.reset()
    yield host.address
    Supertokens.reset()


def test_sessions_of_a_core_are_listed_with_empty_devices(server: str, clock: Clock) -> None:
    """CP-3: through our CDI server, as through an official core: where they are used is not known."""
    nothing_kept = DeviceSettings(ip="off", user_agent="off")
    init(INFO, supertokens_config=SupertokensConfig(server), recipe_list=[session.init(devices=nothing_kept)])
    first = create_new_session_without_request_response("public", "ada")
    clock.advance(minutes=1)
    own = create_new_session_without_request_response("public", "ada", {"role": "admin"})
    stranger = create_new_session_without_request_response("public", "mallory")
    found = own.sync_list_sessions()
    assert [one.session_handle for one in found] == [own.get_handle(), first.get_handle()]
    assert [one.device for one in found] == [Device(current=True), Device()]
    assert found[0].custom_claims_in_access_token_payload["role"] == "admin"
    assert own.sync_revoke_one(stranger.get_handle()) is False
    assert revoke_other_sessions(own) == [first.get_handle()]
    assert [one.session_handle for one in list_sessions("mallory")] == [stranger.get_handle()]


def test_a_core_keeps_no_devices() -> None:
    """It is said at the start, with what to do, and not when the first user signs in."""
    with pytest.raises(ConfigError, match="a SuperTokens core cannot do what devices"):
        init(
            INFO,
            supertokens_config=SupertokensConfig("http://core.test:3567"),
            recipe_list=[session.init(devices=DeviceSettings())],
        )
    assert Supertokens.current() is None
