"""`explain_session` as applications call and override it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from supertokens_py.recipe.session import (
    DeviceSettings,
    EventSettings,
    InputOverrideConfig,
    SessionLifetime,
    SessionLimit,
    revoked_by,
)
from supertokens_py.recipe.session import asyncio as sessions_async
from supertokens_py.recipe.session import syncio as sessions
from supertokens_py.recipe.session.interfaces import RecipeInterface, SessionExplanation
from supertokens_py.syncio import delete_user
from tests.framework.site import Site, Visitor
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

from .conftest import Start


def test_a_session_is_explained(start: Start) -> None:
    """CP-26: by either function, while it lives and after its end."""
    start(events=EventSettings())
    session = sessions.create_new_session_without_request_response("public", "user-1")
    handle = session.get_handle()
    assert sessions.explain_session(handle).state == "live"
    session.sync_revoke_session()
    found = asyncio.run(sessions_async.explain_session(handle))
    assert (found.state, found.user_id, found.event is not None) == ("ended", "user-1", True)
    assert found == sessions.explain_session(handle)


def test_it_can_be_overridden(start: Start) -> None:
    """An application may know more."""

    def functions(original: RecipeInterface) -> RecipeInterface:
        explain = original.explain_session

        async def explained(session_handle: str, user_context: dict[str, Any]) -> SessionExplanation:
            found = await explain(session_handle, user_context)
            return SessionExplanation(handle=found.handle, state=found.state, text=f"{found.text}!")

        original.explain_session = explained  # type: ignore[method-assign]
        return original

    start(events=EventSettings(), override=InputOverrideConfig(functions=functions))
    session = sessions.create_new_session_without_request_response("public", "user-1")
    assert sessions.explain_session(session.get_handle()).text.endswith(" unless it is refreshed before!")


def _signed_out(site: Site, visitor: Visitor, clock: Clock) -> None:
    assert visitor.post("/auth/signout").status == 200


def _from_a_list(site: Site, visitor: Visitor, clock: Clock) -> None:
    other = site.sign_in("header")
    body = json.dumps({"handles": [visitor.handle]}).encode()
    revoked = other.post("/auth/sessions/revoke", headers=[("content-type", "application/json")], body=body)
    assert revoked.json["revoked"] == [visitor.handle]


def _by_an_administrator(site: Site, visitor: Visitor, clock: Clock) -> None:
    with revoked_by("boss"):
        assert sessions.revoke_session(visitor.handle)


def _by_the_limit(site: Site, visitor: Visitor, clock: Clock) -> None:
    for _ in range(2):
        clock.advance(s=1)
        site.sign_in()


def _by_reuse(site: Site, visitor: Visitor, clock: Clock) -> None:
    stolen = visitor.refresh_token
    visitor.refresh()
    clock.advance(minutes=2)
    visitor.refresh_token = stolen
    assert visitor.refresh().status == 401


def _unused(site: Site, visitor: Visitor, clock: Clock) -> None:
    clock.advance(minutes=31)
    site.engine.clean_up()


def _at_its_end(site: Site, visitor: Visitor, clock: Clock) -> None:
    for _ in range(7):
        assert visitor.refresh().status == 200
        clock.advance(minutes=29)
    site.engine.clean_up()


def _replaced(site: Site, visitor: Visitor, clock: Clock) -> None:
    sessions.create_new_session_without_request_response("public", "user-1", replaces=visitor.handle)


def _without_user(site: Site, visitor: Visitor, clock: Clock) -> None:
    delete_user("user-1")


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (_signed_out, "signout"),
        (_from_a_list, "user"),
        (_by_an_administrator, "admin"),
        (_by_the_limit, "limit"),
        (_by_reuse, "reuse"),
        (_unused, "idle"),
        (_at_its_end, "absolute"),
        (_replaced, "replaced"),
        (_without_user, "user_removed"),
    ],
)
def test_whatever_ends_a_session_is_its_reason(
    sqlite_database: TestDatabase, clock: Clock, end: Callable[[Site, Visitor, Clock], None], reason: str
) -> None:
    """CP-26: of a whole application, by HTTP and by functions."""
    site = Site("flask", sqlite_database.uri, clock).init(
        events=EventSettings(),
        devices=DeviceSettings(),
        lifetime=SessionLifetime(idle=timedelta(minutes=30), absolute=timedelta(hours=3)),
        limit=SessionLimit(max_sessions=2),
    )
    visitor = site.sign_in("header")
    end(site, visitor, clock)
    found = sessions.explain_session(visitor.handle)
    site.close()
    assert (found.state, found.reason) == ("ended", reason)
    assert found.actor_id == ("boss" if reason == "admin" else None)
