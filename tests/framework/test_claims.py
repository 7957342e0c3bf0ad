"""Claims over HTTP: refetching, refusing, overriding (protocol: Claims)."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from supertokens_py.recipe.session import InputOverrideConfig
from supertokens_py.recipe.session.claims import BooleanClaim, PrimitiveArrayClaim, PrimitiveClaim
from supertokens_py.recipe.session.interfaces import ClaimValidationResult, SessionClaimValidator

from .site import ASGI_AND_WSGI, Site
from .test_refresh import as_async

ROLES = PrimitiveArrayClaim("st-role", lambda *_: ["user"])


def globally(*validators: Any) -> InputOverrideConfig:
    def functions(default: Any) -> Any:
        default.get_global_claim_validators = lambda *_: list(validators)
        return default

    return InputOverrideConfig(functions=functions)


def test_a_403_lists_every_failure_in_order(site: Site, mode: str) -> None:
    """FP-95: the example of 14.3, byte by byte; several failures in order."""
    visitor = site.sign_in(mode, payload={"st-role": {"v": ["user"], "t": 1}})
    site.world.validators = lambda *_: [ROLES.validators.includes("admin")]
    reply = visitor.get("/claims")
    reason = '{"message":"wrong value","expectedToInclude":"admin","actualValue":["user"]}'
    expected = f'{{"message":"invalid claim","claimValidationErrors":[{{"id":"st-role","reason":{reason}}}]}}'
    assert (reply.status, reply.body.decode()) == (403, expected)
    assert reply.header("content-type") == "application/json; charset=utf-8"
    assert reply.session_parts == []
    level = PrimitiveClaim[int]("level", lambda *_: None)
    site.world.validators = lambda *_: [
        ROLES.validators.excludes("user", id_="first"),
        level.validators.has_value(3),
        ROLES.validators.includes("user"),
        ROLES.validators.includes_all(["user", "x"], id_="last"),
    ]
    failures = visitor.get("/claims").json["claimValidationErrors"]
    assert [failure["id"] for failure in failures] == ["first", "level", "last"]
    assert failures[1]["reason"] == {"message": "value does not exist", "expectedValue": 3}


@pytest.mark.pairwise
@pytest.mark.parametrize("is_async", [False, True])
def test_the_routes_validators_replace_the_global_ones(bare_site: Site, is_async: bool, mode: str) -> None:
    """FP-100: it receives the global list, the session and the context, and its answer replaces the list."""
    first = BooleanClaim("first", lambda *_: False)
    second = BooleanClaim("second", lambda *_: False)
    seen: list[Any] = []

    def override(given: Any, session: Any, context: Any) -> Any:
        seen.append(([item.id for item in given], session.get_user_id(), "_default" in context))
        given.clear()  # the list is this request's own
        return [second.validators.is_true()]

    bare_site.init(override=globally(first.validators.is_true()))
    bare_site.world.validators = as_async(override) if is_async and bare_site.client.is_async else override
    visitor = bare_site.sign_in(mode)
    for _ in range(2):
        failures = visitor.get("/claims").json["claimValidationErrors"]
        assert [failure["id"] for failure in failures] == ["second"]
    assert seen == [(["first"], "user-1", True)] * 2
    assert [item["id"] for item in visitor.get("/protected").json["claimValidationErrors"]] == ["first"]
    bare_site.world.validators = lambda *_: []
    assert visitor.get("/claims").status == 200


def no_return(given: list[Any], session: Any, context: Any) -> None:
    given.append(ROLES.validators.includes("admin"))


@ASGI_AND_WSGI
@pytest.mark.parametrize(
    "override", [no_return, lambda *_: ROLES.validators.includes("admin"), lambda *_: [ROLES]]
)
def test_an_override_that_returns_no_validators_opens_nothing(site: Site, override: Any, mode: str) -> None:
    """A forgotten `return`, a validator without its list, a claim: the route stays closed."""
    visitor = site.sign_in(mode)
    runs = site.world.runs
    site.world.validators = override
    assert visitor.get("/claims").status == 500
    site.world.validators = lambda *_: []

    def functions(default: Any) -> Any:
        default.get_global_claim_validators = lambda *args: override(list(args[2]), *args[:2])
        return default

    site.init(override=InputOverrideConfig(functions=functions))
    assert visitor.get("/protected").status == 500
    assert site.world.runs == runs


def test_refetching_delivers_a_token_only_when_something_changed(site: Site, mode: str) -> None:
    """FP-99: a missing claim is fetched, stored and delivered; the next request brings nothing."""
    claim = BooleanClaim("ok", lambda *_: True)
    site.world.validators = lambda *_: [claim.validators.is_true()]
    visitor = site.sign_in(mode)
    reply = visitor.get("/claims")
    assert reply.status == 200
    assert reply.front["up"]["ok"] == {"v": True, "t": site.clock.now_ms}
    assert reply.session_parts == ["front-token", "sAccessToken" if mode == "cookie" else "st-access-token"]
    assert visitor.get("/claims").session_parts == []
    assert site.stored(visitor.handle).payload["ok"] == {"v": True, "t": site.clock.now_ms}


def test_a_403_after_a_refetch_carries_no_tokens(site: Site, mode: str) -> None:
    """FP-99: what was fetched is stored, and the client gets it with its next refresh."""
    claim = BooleanClaim("ok", lambda *_: False)
    site.world.validators = lambda *_: [claim.validators.is_true()]
    visitor = site.sign_in(mode)
    reply = visitor.get("/claims")
    assert (reply.status, reply.session_parts) == (403, [])
    assert site.stored(visitor.handle).payload["ok"]["v"] is False
    assert visitor.refresh().front["up"]["ok"]["v"] is False


def test_a_max_age_of_zero_fetches_every_time(site: Site, mode: str) -> None:
    """FP-97: `max_age=0` fetches every time (once the clock has moved) and passes."""
    count = itertools.count(1)
    claim = BooleanClaim("ok", lambda *_: bool(next(count)))
    site.world.validators = lambda *_: [claim.validators.is_true(max_age=0)]
    visitor = site.sign_in(mode)
    for _ in range(3):
        site.clock.advance(ms=1)
        assert visitor.get("/claims").status == 200
    assert next(count) == 4


def test_what_a_fetch_is_given(site: Site, mode: str) -> None:
    """FP-99: user, recipe user, tenant, payload and this request's context; sync or async."""
    seen: list[Any] = []

    async def fetch(user_id: str, recipe_user: str, tenant: str, payload: Any, context: Any) -> Any:
        seen.append((user_id, recipe_user, tenant, payload["sub"], context["_default"]["request"].get_path()))
        return "x"

    claim = PrimitiveClaim[str]("word", fetch)
    site.world.validators = lambda *_: [claim.validators.has_value("x")]
    visitor = site.sign_in(mode)
    assert visitor.get("/claims").status == 200
    assert seen == [("user-1", "user-1", "public", "user-1", "/claims")]


class Own(SessionClaimValidator):
    """A validator that an application wrote, with async methods."""

    def __init__(self, answer: ClaimValidationResult) -> None:
        super().__init__("own")
        self.answer = answer
        self.claim = BooleanClaim("own", lambda *_: True)
        self.asked = 0

    async def should_refetch(self, payload: Any, user_context: Any) -> bool:
        self.asked += 1
        return False

    async def validate(self, payload: Any, user_context: Any) -> ClaimValidationResult:
        return self.answer


@ASGI_AND_WSGI
@pytest.mark.parametrize("reason", ["words", {"a": 1}, None])
def test_an_async_should_refetch_is_believed(site: Site, reason: Any, mode: str) -> None:
    """FP-95: an async `should_refetch` that says no is believed; a reason of None is left out."""
    own = Own(ClaimValidationResult(False, reason))
    site.world.validators = lambda *_: [own]
    visitor = site.sign_in(mode)
    reply = visitor.get("/claims")
    expected = {"id": "own"} if reason is None else {"id": "own", "reason": reason}
    assert reply.json["claimValidationErrors"] == [expected]
    assert own.asked == 1
    assert "own" not in site.stored(visitor.handle).payload


def test_a_validator_that_changes_what_it_judges(site: Site, mode: str) -> None:
    """A payload is remembered with its token: nothing that one request does to it reaches the next."""
    seen: list[Any] = []

    class Careless(SessionClaimValidator):
        async def validate(self, payload: dict[str, Any], user_context: dict[str, Any]) -> Any:
            seen.append(payload["plan"]["v"])
            payload["plan"]["v"] = "free"
            return ClaimValidationResult(True)

    plan = PrimitiveClaim[str]("plan", lambda *_: "pro")
    visitor = site.sign_in(mode, payload={"plan": {"v": "pro", "t": 1}})
    site.world.validators = lambda *_: [plan.validators.has_value("pro"), Careless("careless")]
    assert [visitor.get("/claims").status for _ in range(3)] == [200, 200, 200]
    assert seen == ["pro", "pro", "pro"]


def test_a_session_revoked_while_a_claim_is_fetched(site: Site, mode: str) -> None:
    """FP-99: storing the fetched value finds no session: 401 with everything cleared."""
    claim = BooleanClaim("ok", lambda *_: True)
    site.world.validators = lambda *_: [claim.validators.is_true()]
    visitor = site.sign_in(mode)
    site.sign_in(mode).site.post("/open", do=lambda view: _revoke(visitor.handle))
    reply = visitor.get("/claims")
    assert reply.status == 401
    reply.assert_cleared("cookie", "header")


def _revoke(handle: str) -> Any:
    from .script import Call

    yield Call("revoke_session", (handle,))


def test_assert_claims_in_a_view(site: Site, mode: str) -> None:
    """FP-88: a view may assert claims itself: 403, and what it fetched is delivered."""
    from .script import Call

    claim = BooleanClaim("ok", lambda *_: False)

    def script(view: Any) -> Any:
        yield Call("assert_claims", ([claim.validators.is_true()],), target=view.session)

    reply = site.sign_in(mode).post("/protected", do=script)
    assert reply.status == 403
    assert reply.front["up"]["ok"]["v"] is False


def test_changes_of_claims_reach_the_client_at_once(site: Site, mode: str) -> None:
    """FP-94: set, get, fetch and remove on an attached session, each visible to the client at once."""
    from .script import Call

    claim = PrimitiveClaim[int]("level", lambda *_: 7)

    def script(view: Any) -> Any:
        session, seen = view.session, []
        yield Call("set_claim_value", (claim, 3), target=session)
        seen.append((yield Call("get_claim_value", (claim,), target=session)))
        yield Call("fetch_and_set_claim", (claim,), target=session)
        seen.append((yield Call("get_claim_value", (claim,), target=session)))
        return {"seen": seen, "t": session.get_access_token_payload()["level"]["t"]}

    visitor = site.sign_in(mode)
    reply = visitor.post("/protected", do=script)
    assert reply.json == {"seen": [3, 7], "t": site.clock.now_ms}
    assert reply.front["up"]["level"] == {"v": 7, "t": site.clock.now_ms}

    def remove(view: Any) -> Any:
        yield Call("remove_claim", (claim,), target=view.session)
        return {"left": (yield Call("get_claim_value", (claim,), target=view.session))}

    reply = visitor.post("/protected", do=remove)
    assert reply.json == {"left": None}
    assert "level" not in reply.front["up"]


def test_roles_and_permissions_come_with_new_sessions(bare_site: Site, mode: str) -> None:
    """FP-94, FP-102: role and permission claims of new sessions, and the flags that leave them out."""
    from supertokens_py.recipe import userroles
    from supertokens_py.recipe.userroles import syncio as roles

    bare_site.init(recipes=[userroles.init()])
    roles.create_new_role_or_add_permissions("admin", ["read", "write"])
    roles.add_role_to_user("public", "user-1", "admin")
    up = bare_site.sign_in(mode).first.front["up"]
    now = bare_site.clock.now_ms
    assert up["st-role"] == {"v": ["admin"], "t": now}
    assert up["st-perm"] == {"v": ["read", "write"], "t": now}
    bare_site.init(recipes=[userroles.init(skip_adding_roles_to_access_token=True)])
    assert [key for key in bare_site.sign_in(mode).first.front["up"] if key.startswith("st-")] == ["st-perm"]
    bare_site.init(recipes=[userroles.init(skip_adding_permissions_to_access_token=True)])
    assert [key for key in bare_site.sign_in(mode).first.front["up"] if key.startswith("st-")] == ["st-role"]
