"""Rotation, theft and parallel visitors, told from the client's side on every framework."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.recipe.session import InputErrorHandlers
from supertokens_py.recipe.session.claims import PrimitiveArrayClaim
from supertokens_py.testing.conformance import Reply
from tests.framework.site import Site, Visitor

REFRESH = "/auth/session/refresh"


def copy_of(visitor: Visitor) -> Visitor:
    """Another client that holds the same tokens: a second tab, a restored backup, a thief."""
    twin = Visitor(visitor.site, visitor.mode)
    twin.access, twin.refresh_token, twin.handle = visitor.access, visitor.refresh_token, visitor.handle
    return twin


def merge(update: dict[str, Any]) -> Any:
    def script(view: Any) -> Any:
        yield view.merge(update)
        return {"user": view.session.get_user_id()}

    return script


def test_the_whole_conversation(site: Site, mode: str) -> None:
    """FP-64, FP-79: create, verify, merge, refresh, grace, reuse after it, theft, login, sign-out."""
    visitor = site.sign_in(mode)
    assert visitor.get("/protected").json == {"user": "user-1"}
    assert visitor.post("/protected", do=merge({"step": 1})).front["up"]["step"] == 1
    old = copy_of(visitor)
    site.clock.advance(hours=2)
    assert visitor.get("/protected").json == {"message": "try refresh token"}
    assert visitor.refresh().front["up"]["step"] == 1
    assert visitor.get("/protected").status == 200
    site.clock.advance(s=20)
    assert old.refresh().refresh == visitor.refresh_token  # a tab that lost the race ends with the same token
    site.clock.advance(s=20)
    thief = copy_of(site.sign_in(mode))
    thief.refresh_token, thief.handle = visitor.refresh_token, visitor.handle
    assert visitor.refresh().status == 200
    site.clock.advance(s=31)
    assert thief.refresh().json == {"message": "token theft detected"}
    assert visitor.get("/database").json == {"message": "unauthorised"}
    assert visitor.access is None
    again = site.sign_in(mode)
    assert again.post("/auth/signout").json == {"status": "OK"}
    assert again.get("/protected").json == {"message": "unauthorised"}


def test_a_thief_who_refreshes_first(site: Site, mode: str) -> None:
    """FP-64: whoever comes second with the stolen token after the grace window ends the session for both."""
    owner = site.sign_in(mode)
    thief = copy_of(owner)
    assert thief.refresh().status == 200
    site.clock.advance(hours=2)
    assert owner.get("/protected").json == {"message": "try refresh token"}
    assert owner.refresh().json == {"message": "token theft detected"}
    assert thief.refresh().json == {"message": "unauthorised"}
    assert thief.refresh_token is None


@pytest.mark.pairwise
@pytest.mark.parametrize("ago", ["one", "two"])
def test_the_theft_hook_learns_the_kind_of_reuse(bare_site: Site, ago: str, mode: str) -> None:
    """FP-65: the kind of reuse tells a lost response from an old copy."""
    reasons: list[str] = []

    def hook(request: Any, handle: str, user_id: str, recipe_user_id: str, response: Any, reason: str) -> Any:
        reasons.append(reason)
        response.set_status_code(401)
        return response

    visitor = bare_site.init(error_handlers=InputErrorHandlers(on_token_theft_detected=hook)).sign_in(mode)
    old = copy_of(visitor)
    visitor.refresh()
    if ago == "two":
        bare_site.clock.advance(s=31)
        visitor.refresh()
    bare_site.clock.advance(s=31)
    assert old.refresh().status == 401
    assert reasons == [{"one": "RECENT_PREV", "two": "STALE_LINEAGE"}[ago]]


def test_parallel_refreshes_of_one_token(site: Site, mode: str) -> None:
    """FP-110: many at once with the same token: all succeed, all with the same successor, and it lives on."""
    visitor = site.sign_in(mode)
    credentials = visitor.credentials(REFRESH)
    replies = site.client.together(("POST", REFRESH, credentials) for _ in range(8))
    assert [reply.status for reply in replies] == [200] * 8
    assert len({reply.refresh for reply in replies}) == 1
    visitor.remember(replies[-1])
    assert visitor.get("/database").status == 200
    assert visitor.refresh().status == 200
    for reply in replies:
        assert parse(site, mode, reply) == {"user": "user-1"}


def parse(site: Site, mode: str, reply: Reply) -> Any:
    visitor = Visitor(site, mode)
    visitor.access = reply.access
    return visitor.get("/protected").json


def test_two_users_in_parallel_never_meet(site: Site, mode: str) -> None:
    """FP-50, FP-93: requests of two users side by side: nobody sees, changes or gets the other's session."""
    people = {name: site.sign_in(mode, name, {"mine": name}) for name in ("ada", "bob")}

    def script(view: Any) -> Any:
        before = view.session.get_access_token_payload()["mine"]
        yield view.merge({"seen": view.session.get_user_id()})
        again = yield view.get_session()
        return {"user": view.session.get_user_id(), "mine": before, "again": again.get_user_id()}

    names = ["ada", "bob"] * 8
    requests = [("POST", site.target("/protected", script), people[name].credentials("/x")) for name in names]
    replies = site.client.together(requests)
    for name, reply in zip(names, replies, strict=True):
        assert reply.json == {"user": name, "mine": name, "again": name}
        assert reply.front["uid"] == name
        assert reply.front["up"]["seen"] == name
        assert reply.front["up"]["mine"] == name


def test_tokens_reach_the_right_client_in_parallel(site: Site, mode: str) -> None:
    """FP-93: refused and successful requests side by side: tokens reach the right client only."""

    def sign_in(view: Any) -> Any:
        yield view.create("ada")

    def fail(view: Any) -> Any:
        made = yield view.create("bob")
        yield view.revoke(made)
        return 400, {"no": "way"}

    auth = [("st-auth-mode", mode)]
    requests: list[Any] = []
    for _ in range(6):
        requests += [
            ("POST", site.target("/open", sign_in), auth),
            ("POST", site.target("/open", fail), auth),
            ("GET", "/optional", ()),
        ]
    replies = site.client.together(requests)
    for index in range(0, len(replies), 3):
        good, bad, nobody = replies[index : index + 3]
        assert good.front["uid"] == "ada"
        assert bad.header("front-token") == "remove"
        assert nobody.session_parts == []
    assert len(site.handles("ada")) == 6
    assert site.handles("bob") == []


def test_a_role_that_is_taken_away(site: Site, mode: str) -> None:
    """FP-97, FP-99: a validator with an age notices within that time, without a new login."""
    roles = ["admin"]
    claim = PrimitiveArrayClaim[str]("roles", lambda *_: list(roles))
    site.world.validators = lambda *_: [claim.validators.includes("admin", 300)]
    visitor = site.sign_in(mode)
    assert visitor.get("/claims").front["up"]["roles"]["v"] == ["admin"]
    roles.clear()
    assert visitor.get("/claims").status == 200
    site.clock.advance(s=301)
    reply = visitor.get("/claims")
    assert reply.status == 403
    reason = {"message": "wrong value", "expectedToInclude": "admin", "actualValue": []}
    assert reply.json["claimValidationErrors"] == [{"id": "roles", "reason": reason}]
    roles.append("admin")
    assert visitor.get("/claims").status == 200  # a 403 carries no token, so the client's value is still old
    assert visitor.refresh().front["up"]["roles"]["v"] == ["admin"]


def test_a_session_stays_in_its_transfer_method(site: Site) -> None:
    """FP-62: a session goes on in its method; a new sign-in switches and clears the other."""
    visitor = site.sign_in("cookie")
    access = visitor.access or ""

    def script(view: Any) -> Any:
        yield view.create("user-2")

    reply = site.post("/open", [("st-auth-mode", "header")], cookies=[("sAccessToken", access)], do=script)
    assert reply.front["uid"] == "user-2"
    assert reply.cookie("sAccessToken").is_cleared
    assert site.get("/protected", bearer=reply.header("st-access-token")).json == {"user": "user-2"}


def test_an_access_token_outlives_its_session_unless_the_store_is_asked(site: Site, mode: str) -> None:
    """FP-45, FP-63: an access token lives until it expires; `check_database` sees the end at once."""
    from supertokens_py.recipe.session import syncio as sessions

    visitor, asked = site.sign_in(mode), site.sign_in(mode)
    assert sorted(sessions.revoke_all_sessions_for_user("user-1")) == sorted([visitor.handle, asked.handle])
    assert visitor.get("/protected").status == 200
    assert asked.get("/database").status == 401
    site.clock.advance(hours=2)
    assert visitor.get("/protected").json == {"message": "try refresh token"}
    assert visitor.refresh().json == {"message": "unauthorised"}
    assert visitor.refresh_token is None
