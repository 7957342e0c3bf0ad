"""Acting as another user, as clients see it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from supertokens_py import events
from supertokens_py.exceptions import ConfigError
from supertokens_py.recipe.session import (
    AuthenticationClaim,
    Impersonation,
    InputOverrideConfig,
    SessionLimit,
)
from supertokens_py.recipe.session import syncio as sessions
from supertokens_py.recipe.session.claims import NotImpersonated
from supertokens_py.testing.conformance.routes import Call
from supertokens_py.tokens.access_token import parse_access_token
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

from .site import ASGI_AND_WSGI, Site, Visitor


def _may(actor: Any, user_id: str, context: Any) -> bool:
    return actor.get_user_id() == "boss" and user_id != "root"


SETTINGS: dict[str, Any] = {"impersonation": Impersonation(may=_may, routes=True)}
END = "/auth/impersonation/end"


def act_as(visitor: Visitor, user_id: str = "user-1", **more: Any) -> Any:
    """Ask to act as a user, and return the answer."""

    def begin(view: Any) -> Any:
        actor = yield view.get_session(allow_guests=True)
        arguments = {"actor": actor, "reason": "ticket 7", **more}
        session = yield Call("create_impersonation_session", (view.request, user_id), arguments)
        token = session.return_token
        told = {} if token is None else {"returnToken": token}
        return {
            "user": session.get_user_id(),
            "by": session.impersonator,
            **told,
            "handle": session.get_handle(),
        }

    return visitor.post("/open", do=begin)


def end(visitor: Visitor, begun: Any = None, **more: Any) -> Any:
    """Ask to go back to one's own session as the client does that began; `begun` is the answer to that."""
    token = None if begun is None else begun.json.get("returnToken")
    return visitor.post(
        END, body=b"" if token is None else json.dumps({"returnToken": token}).encode(), **more
    )


def _visit(view: Any) -> Any:
    yield Call("create_guest_session", (view.request,))


def _who(view: Any) -> Any:
    return {"user": view.session.get_user_id(), "by": view.session.impersonator}


def why(reply: Any) -> tuple[int, Any]:
    return reply.status, [one["reason"]["message"] for one in reply.json["claimValidationErrors"]]


def test_an_actor_becomes_the_user_and_comes_back(
    bare_site: Site, clock: Clock, mode: str, seen: list[events.Event]
) -> None:
    """CP-22, CP-23: `act` says who, nothing of the actor's tokens is left, and `end` makes new ones."""
    site = bare_site.init(**SETTINGS)
    actor = site.sign_in(mode, "boss", {"role": "support"}, session_data_in_database={"desk": 4})
    own = (actor.access, actor.refresh_token)
    before = site.stored(actor.handle)
    reply = act_as(actor)
    assert (reply.status, reply.json["user"], reply.json["by"]) == (200, "user-1", "boss")
    handle = reply.json["handle"]
    # Of the tokens that the client was sent, and so of those that it has, none is the actor's.
    carried = [*(cookie.value for cookie in reply.set_cookies), *(value for _, value in reply.headers)]
    assert not any(token and token in value for token in own for value in carried)
    assert own[0] != actor.access
    assert own[1] != actor.refresh_token
    token = parse_access_token(actor.access or "")
    assert token is not None
    assert token.payload["act"] == {"sub": "boss"}
    assert "st-auth" not in token.payload
    assert "role" not in token.payload
    assert actor.get("/protected", do=_who).json == {"user": "user-1", "by": "boss"}
    assert site.stored(actor.handle) == before
    clock.advance(minutes=10)
    assert actor.refresh().status == 200
    assert actor.get("/protected", do=_who).json == {"user": "user-1", "by": "boss"}
    acted = (actor.access, actor.refresh_token)
    ended = end(actor, reply)
    assert (ended.status, ended.json) == (200, {"status": "OK", "restored": True})
    assert actor.get("/protected", do=_who).json == {"user": "boss", "by": None}
    (restored,) = site.handles("boss")
    assert restored not in (actor.handle, handle)
    assert site.handles("user-1") == []
    stored = site.stored(restored)
    assert (stored.payload, stored.data, stored.expires_ms >= before.expires_ms) == (
        before.payload,
        before.data,
        True,
    )
    for tokens in (own, acted):
        thief = Visitor(site, mode)
        thief.access, thief.refresh_token = tokens
        assert thief.refresh().status == 401
        assert thief.get("/database").status == 401
        assert end(thief, reply).status in (400, 401)
    assert site.handles("boss") == [restored]
    assert [type(one).__name__ for one in seen] == ["ImpersonationStarted", "ImpersonationEnded"]
    assert vars(seen[0]) == {
        "handle": handle,
        "user_id": "user-1",
        "tenant_id": "public",
        "actor_id": "boss",
        "actor_handle": actor.handle,
        "reason": "ticket 7",
    }
    assert vars(seen[1])["restored_handle"] == restored


def test_it_ends_at_its_time_whatever_is_refreshed(bare_site: Site, clock: Clock) -> None:
    """CP-22: no refresh moves the end, and no access token lies beyond it."""
    site = bare_site.init(**SETTINGS, engine={"access_token_validity": 600})
    actor = site.sign_in(user_id="boss")
    end_ms = clock.now_ms + 1_500_000
    assert act_as(actor, max_age=1500).status == 200
    for _ in range(3):
        clock.advance(minutes=8)
        assert actor.refresh().status == 200
        token = parse_access_token(actor.access or "")
        assert token is not None
        assert token.expires_ms <= end_ms
        assert site.stored(token.handle).expires_ms == end_ms
    clock.advance(minutes=1)
    refused = actor.refresh()
    assert refused.status == 401
    assert actor.access is None
    assert site.handles("user-1") == []


def test_the_end_with_an_expired_access_token(bare_site: Site, clock: Clock, mode: str) -> None:
    """The client is asked to refresh first, as everywhere, and comes back to end it."""
    site = bare_site.init(**SETTINGS, engine={"access_token_validity": 300})
    actor = site.sign_in(mode, "boss")
    begun = act_as(actor)
    clock.advance(minutes=6)
    assert (end(actor, begun).status, actor.refresh().status) == (401, 200)
    assert end(actor, begun).json == {"status": "OK", "restored": True}
    assert actor.get("/protected").json == {"user": "boss"}


def test_who_may_not(bare_site: Site, clock: Clock) -> None:
    """CP-22: neither others, nor guests, nor from an old log-in, nor while acting; each is 403."""
    site = bare_site.init(**SETTINGS)
    nobody, actor = site.sign_in(user_id="nobody"), site.sign_in(user_id="boss")
    assert why(act_as(nobody)) == (403, ["not allowed to act as this user"])
    assert why(act_as(actor, "root")) == (403, ["not allowed to act as this user"])
    guest = Visitor(site)
    assert guest.post("/open", do=_visit).status == 200
    assert why(act_as(guest)) == (403, ["guests are not allowed"])
    for wrong in ({"reason": " "}, {"reason": "x" * 501}, {"reason": 1}, {"max_age": 1801}, {"max_age": 0}):
        assert (act_as(actor, **wrong).status, site.handles("user-1")) == (400, [])  # type: ignore[arg-type]
    assert act_as(actor, "boss").status == 400
    clock.advance(minutes=16)
    stale = act_as(actor)
    assert why(stale) == (403, ["authentication too old"])
    assert stale.header("www-authenticate") == (
        'Bearer error="insufficient_user_authentication", max_age="900"'
    )
    fresh = site.sign_in(user_id="boss")
    assert act_as(fresh).status == 200
    assert why(act_as(fresh, "user-2")) == (403, ["not allowed while acting as another user"])
    assert site.handles("user-2") == []
    gone = site.sign_in(user_id="boss")
    site.engine.sessions.revoke([gone.handle])
    assert act_as(gone).status == 401
    assert actor.post(END).status == 400


def test_what_is_refused_while_somebody_acts(bare_site: Site) -> None:
    """CP-22: every step-up, `NotImpersonated`, and a new authentication of the user's."""
    site = bare_site.init(**SETTINGS)
    actor = site.sign_in(user_id="boss")
    site.world.validators = lambda given, session, context: [*given, NotImpersonated()]
    assert actor.get("/claims").status == 200
    assert act_as(actor).status == 200
    assert why(actor.get("/claims")) == (403, ["not allowed while acting as another user"])
    fresh = AuthenticationClaim.validators.fresh(86_400)
    site.world.validators = lambda given, session, context: [*given, fresh]
    assert why(actor.get("/claims")) == (403, ["authentication too old"])

    def reauthenticate(view: Any) -> Any:
        yield Call("reauthenticate", (["pwd"],), target=view.session)

    def write(view: Any) -> Any:
        yield view.merge({"act": None})

    assert why(actor.post("/protected", do=reauthenticate)) == (
        403,
        ["not allowed while acting as another user"],
    )
    assert actor.post("/protected", do=write).status == 500
    assert actor.get("/protected", do=_who).json == {"user": "user-1", "by": "boss"}


@ASGI_AND_WSGI
def test_it_evicts_nobody_and_is_listed_as_what_it_is(bare_site: Site) -> None:
    """CP-22: the user's own sessions all stay, and the user can see and end it."""
    limit = SessionLimit(max_sessions=1, when_reached="end_oldest")
    site = bare_site.init(**SETTINGS, limit=limit)
    user, actor = site.sign_in(), site.sign_in(user_id="boss")
    handle = act_as(actor).json["handle"]
    assert site.handles() == [user.handle, handle]

    def listed(view: Any) -> Any:
        found = yield Call("list_sessions", target=view.session)
        return {"found": {one.session_handle: one.device.impersonated for one in found}}

    assert user.get("/protected", do=listed).json["found"] == {user.handle: False, handle: True}

    def end_others(view: Any) -> Any:
        return {"ended": (yield Call("revoke_others", target=view.session))}

    assert user.post("/protected", do=end_others).json == {"ended": [handle]}
    assert actor.get("/database").status == 401


def test_the_actor_is_signed_out_where_their_session_has_ended(
    bare_site: Site, mode: str, seen: list[events.Event]
) -> None:
    """CP-22: ended meanwhile, as by an administrator; nothing of it comes back."""
    site = bare_site.init(**SETTINGS)
    actor = site.sign_in(mode, "boss")
    begun = act_as(actor)
    site.engine.sessions.revoke([actor.handle])
    ended = end(actor, begun)
    assert (ended.status, ended.json) == (200, {"status": "OK", "restored": False})
    assert (actor.access, actor.refresh_token) == (None, None)
    assert site.handles("boss") == site.handles("user-1") == []
    assert vars(seen[-1])["restored_handle"] is None


@ASGI_AND_WSGI
@pytest.mark.parametrize("own_route", [False, True])
@pytest.mark.parametrize("tokens", ["access", "all"])
def test_the_tokens_of_an_impersonation_lead_to_no_session_of_the_actor(
    bare_site: Site, mode: str, own_route: bool, tokens: str, seen: list[events.Event]
) -> None:
    """CP-22: whoever has a copy of them, however they present it, signs the actor out and gets nothing."""
    where: dict[str, Any] = {"end_path": "/open"} if own_route else {"routes": True}
    site = bare_site.init(impersonation=Impersonation(may=_may, **where), step_up=True)

    def end_it(view: Any) -> Any:
        restored = yield Call("end_impersonation", (view.request,), given)
        return {"restored": restored is not None}

    for given in ({}, {"return_token": ""}, {"return_token": "x" * 43}):
        for thief_mode in ("cookie", "header"):
            actor = site.sign_in(mode, "boss")
            assert act_as(actor).status == 200
            thief = Visitor(site, thief_mode)
            thief.access = actor.access
            if tokens == "all":
                thief.refresh_token = actor.refresh_token
                assert thief.refresh().status == 200
            body = json.dumps({"returnToken": given.get("return_token")}).encode()
            ended = thief.post("/open", do=end_it) if own_route else thief.post(END, body=body)
            assert (ended.status, ended.json["restored"]) == (200, False)
            assert (thief.access, thief.refresh_token) == (None, None)
            assert "boss" not in str(ended.headers)
            assert site.handles("boss") == [actor.handle]
            assert vars(seen[-1])["restored_handle"] is None
            site.engine.sessions.revoke([actor.handle])


@ASGI_AND_WSGI
def test_what_leads_back_is_of_one_impersonation(bare_site: Site, mode: str) -> None:
    """CP-22: that of another actor, or of the same one before, is as good as none."""
    site = bare_site.init(**SETTINGS)
    other = site.sign_in(mode, "boss")
    earlier = act_as(other)
    actor = site.sign_in(mode, "boss")
    assert act_as(actor).status == 200
    actor.way_back = other.way_back
    assert end(actor, earlier).json == {"status": "OK", "restored": False}
    assert end(other, earlier).json == {"status": "OK", "restored": True}


@ASGI_AND_WSGI
def test_the_cookie_that_leads_back_goes_to_the_way_back_only(bare_site: Site) -> None:
    """CP-23: no script reads it, no other request carries it, the body does not tell it, and it goes."""
    site = bare_site.init(**SETTINGS)
    actor = site.sign_in(user_id="boss")
    begun = act_as(actor)
    assert "returnToken" not in begun.json
    cookie = begun.cookie("sImpersonation")
    assert cookie.attributes == {"path": END, "httponly": "", "secure": "", "samesite": "Lax"}
    assert end(actor).cookie("sImpersonation").is_cleared
    header = act_as(site.sign_in("header", "boss"))
    assert (len(header.json["returnToken"]), header.set_cookies) == (43, [])


def _end_at_own_route(view: Any) -> Any:
    restored = yield Call("end_impersonation", (view.request,))
    return {"user": restored and restored.get_user_id()}


@ASGI_AND_WSGI
@pytest.mark.parametrize("end_path", ["/open", "/open/"])
def test_a_route_of_ones_own_leads_back_with_or_without_the_last_slash(
    bare_site: Site, end_path: str
) -> None:
    """Paths of Django end in one; a cookie for the path without goes to both (RFC 6265, 5.1.4)."""
    site = bare_site.init(impersonation=Impersonation(may=_may, end_path=end_path))
    actor = site.sign_in(user_id="boss")
    assert act_as(actor).cookie("sImpersonation").attributes["path"] == "/open"
    ended = actor.post("/open", do=_end_at_own_route)
    assert ended.json == {"user": "boss"}
    assert ended.cookie("sImpersonation").attributes["path"] == "/open"


_WARNING = (
    "end_impersonation was called at '/open', but browsers send its cookie to {} only, so the actor "
    "was signed out: say where your route is, Impersonation(end_path=...)"
)


@ASGI_AND_WSGI
@pytest.mark.parametrize(
    ("end_path", "cookie_path"),
    [
        (None, END),
        ("/stop", "/stop"),
        ("/ope", "/ope"),
        ("/open", None),
        ("/open/", None),
        ("/gw/open", None),
    ],
)
def test_the_log_names_the_setting_where_no_browser_could_lead_back(
    bare_site: Site,
    mode: str,
    end_path: str | None,
    cookie_path: str | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """At another path than that of the cookie everybody is signed out, always."""
    settings = Impersonation(may=_may, end_path=end_path)
    site = bare_site.init(impersonation=settings, info={"api_gateway_path": "/gw"})
    if cookie_path == END:
        cookie_path = f"/gw{END}"
    actor = site.sign_in(mode, "boss")
    assert act_as(actor).status == 200
    actor.way_back.clear()
    assert actor.post("/open", do=_end_at_own_route).json == {"user": None}
    told = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    expected = [] if cookie_path is None or mode == "header" else [_WARNING.format(cookie_path)]
    assert told == expected


@ASGI_AND_WSGI
def test_no_traceback_shows_what_leads_back(bare_site: Site) -> None:
    site = bare_site.init(**SETTINGS)
    actor = site.sign_in("header", "boss")

    def begin(view: Any) -> Any:
        own = yield view.get_session()
        arguments = {"actor": own, "reason": "ticket 7"}
        session = yield Call("create_impersonation_session", (view.request, "user-1"), arguments)
        return {"length": len(session.return_token), "shown": repr(session.return_token)}

    assert actor.post("/open", do=begin).json == {"length": 43, "shown": "'***'"}


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"end_path": "/open//"}, "must be the path of one route"),
        ({"end_path": "//"}, "must be the path of one route"),
        ({"end_path": "/"}, "must be the path of one route"),
        ({"end_path": "stop"}, "must be the path of one route"),
        ({"end_path": "/stop;x"}, "must be the path of one route"),
        ({"end_path": 1}, "must be the path of one route"),
        ({"end_path": "/stop", "routes": True}, "either routes or end_path"),
    ],
)
def test_a_way_back_that_no_cookie_is_for(given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        Impersonation(may=_may, **given)


@ASGI_AND_WSGI
def test_the_route_is_there_only_if_it_is_asked_for(bare_site: Site) -> None:
    """And nobody acts as anybody without the setting."""
    site = bare_site.init(impersonation=Impersonation(may=_may, end_path="/open"))
    actor = site.sign_in(user_id="boss")
    assert act_as(actor).status == 200
    assert actor.post(END).status == 404

    # A page of a subdomain, which counts as the application's own at its own routes.
    subdomain = [
        ("origin", "https://admin.example.com"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-mode", "cors"),
    ]
    ended = actor.post("/open", do=_end_at_own_route, without=["rid", "st-auth-mode"], headers=subdomain)
    assert ended.json == {"user": "boss"}
    site.init()
    assert act_as(site.sign_in(user_id="boss")).status == 500


@pytest.mark.parametrize("bare_site", ["fastapi"], indirect=True)
def test_the_same_on_postgresql(bare_site: Site, postgres_database: TestDatabase, clock: Clock) -> None:
    """CP-22: begun, kept to its end, ended; the end of the actor's own session stays where it was."""
    from supertokens_py.recipe.session import SessionLifetime

    bare_site.uri = postgres_database.uri
    site = bare_site.init(**SETTINGS, lifetime=SessionLifetime(absolute=7200))
    actor = site.sign_in(user_id="boss")
    end_ms = clock.now_ms + 7_200_000
    clock.advance(minutes=10)
    handle = act_as(actor).json["handle"]
    clock.advance(minutes=29)
    assert actor.refresh().status == 200
    assert site.stored(handle).expires_ms == clock.now_ms + 60_000
    assert actor.post(END).json["restored"] is True
    (restored,) = site.handles("boss")
    assert site.stored(restored).expires_ms == end_ms
    assert site.handles("user-1") == []


def _before_each_creation(act: Callable[[list[Any]], Any]) -> InputOverrideConfig:
    """Return an override that does something before each session is created; None goes on."""

    def override(original: Any) -> Any:
        unchanged = original.create_new_session

        async def create(*args: Any, **kwargs: Any) -> Any:
            return act([*args]) or await unchanged(*args, **kwargs)

        original.create_new_session = create
        return original

    return InputOverrideConfig(functions=override)


@ASGI_AND_WSGI
def test_the_session_of_the_actor_ends_at_the_last_moment(bare_site: Site) -> None:
    """CP-22: nothing is created in its place, and the impersonation ends all the same."""
    ending: list[str] = []

    def revoke(_: list[Any]) -> None:
        site.engine.sessions.revoke(ending)

    site = bare_site.init(**SETTINGS, override=_before_each_creation(revoke))
    actor = site.sign_in(user_id="boss")
    assert act_as(actor).status == 200
    ending.append(actor.handle)
    assert actor.post(END).status == 401
    assert actor.access is None
    assert site.handles("boss") == site.handles("user-1") == []


@ASGI_AND_WSGI
def test_a_function_that_bypasses_the_original_makes_no_user_of_an_actor_or_a_guest(
    bare_site: Site,
) -> None:
    """CP-22, CP-24: its session would say neither who acts nor that it is a guest's."""
    own: list[Any] = []

    def bypass(arguments: list[Any]) -> Any:
        return own.pop() if own else None

    site = bare_site.init(**SETTINGS, override=_before_each_creation(bypass))
    actor = site.sign_in(user_id="boss")
    for attempt in (lambda: act_as(actor), lambda: Visitor(site).post("/open", do=_visit)):
        own.append(sessions.create_new_session_without_request_response("public", "user-1"))
        refused = attempt()
        assert refused.status == 500
        assert refused.session_parts == []
        assert site.handles("user-1") == []
    assert len(site.handles("boss")) == 1
