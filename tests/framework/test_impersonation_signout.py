"""Signing out while acting as another user ends the actor's own session too, and nobody else's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from supertokens_py import events
from supertokens_py.recipe.session import EventSettings, PageSettings
from supertokens_py.recipe.session import syncio as sessions

from .site import ASGI_AND_WSGI, Site, Visitor
from .test_impersonation import END, SETTINGS, act_as
from .test_pages import NAVIGATES

SIGN_OUT = "/auth/signout"
CLEARED = {"sImpersonation": (END, ""), "sImpersonationSignOut": (SIGN_OUT, "")}


@pytest.fixture
def site(bare_site: Site) -> Site:
    return bare_site.init(**SETTINGS)


def said_of_cookies(reply: Any) -> dict[str, tuple[str, str]]:
    """Return path and value of what a response says of the cookies of an impersonation."""
    found = [one for one in reply.set_cookies if one.name.startswith("sImpersonation")]
    return {one.name: (one.attributes["path"], one.value) for one in found}


def acting(site: Site, mode: str = "cookie") -> Visitor:
    actor = site.sign_in(mode, "boss")
    assert act_as(actor).status == 200
    return actor


def with_tokens_of(actor: Visitor, mode: str = "cookie") -> Visitor:
    """Return somebody who has the access token of an impersonation, and not what leads back."""
    thief = Visitor(actor.site, mode)
    thief.access = actor.access
    return thief


@ASGI_AND_WSGI
def test_both_sessions_end_and_the_cookies_go(site: Site) -> None:
    elsewhere, user, actor = site.sign_in(user_id="boss"), site.sign_in(), site.sign_in(user_id="boss")
    begun = act_as(actor)
    assert begun.cookie("sImpersonationSignOut").attributes == {
        "path": SIGN_OUT,
        "httponly": "",
        "secure": "",
        "samesite": "Lax",
    }
    assert actor.way_out[SIGN_OUT] != actor.way_back[END]
    signed_out = actor.post(SIGN_OUT)
    assert (signed_out.status, signed_out.json) == (200, {"status": "OK"})
    assert said_of_cookies(signed_out) == CLEARED
    assert (actor.access, actor.refresh_token) == (None, None)
    assert site.handles("boss") == [elsewhere.handle]
    assert site.handles("user-1") == [user.handle]


@ASGI_AND_WSGI
@pytest.mark.parametrize("thief_mode", ["cookie", "header"])
def test_the_tokens_of_an_impersonation_end_no_session_of_the_actor(site: Site, thief_mode: str) -> None:
    """As where a client in header mode signs out, which has no cookies."""
    actor = acting(site)
    thief = with_tokens_of(actor, thief_mode)
    assert thief.post(SIGN_OUT).json == {"status": "OK"}
    assert (site.handles("boss"), site.handles("user-1")) == ([actor.handle], [])
    late = actor.post(SIGN_OUT)  # the access token is still good, but nothing says any more who acted
    assert (late.status, site.handles("boss")) == (200, [actor.handle])
    assert said_of_cookies(late) == CLEARED


@ASGI_AND_WSGI
def test_what_ends_the_session_of_an_actor_is_of_one_impersonation(site: Site) -> None:
    """That of another one, or what leads back, is as good as none, also of the same actor."""
    victim, earlier = acting(site), acting(site)
    guesses = [one for other in (earlier, victim) for one in (other.way_out[SIGN_OUT], other.way_back[END])]
    assert earlier.post(END).json["restored"] is True
    for secret in (*guesses, "x" * 43, "", None):
        actor = acting(site)
        actor.way_out = {SIGN_OUT: actor.way_back[END] if secret is None else secret}
        assert actor.post(SIGN_OUT).json == {"status": "OK"}
        assert {victim.handle, actor.handle} <= set(site.handles("boss"))
        assert len(site.handles("user-1")) == 1  # that of the victim


@ASGI_AND_WSGI
def test_what_ends_the_session_of_an_actor_leads_nowhere(site: Site) -> None:
    """Whoever has a copy of it and of the tokens can sign the actor out, and is nobody then."""
    for as_cookie in (True, False):
        actor = acting(site)
        secret = actor.way_out[SIGN_OUT]
        thief = with_tokens_of(actor)
        thief.way_back = {END: secret} if as_cookie else {}
        ended = thief.post(END, body=b"" if as_cookie else json.dumps({"returnToken": secret}).encode())
        assert ended.json == {"status": "OK", "restored": False}
        assert (thief.access, thief.refresh_token) == (None, None)
        assert actor.handle in site.handles("boss")


@ASGI_AND_WSGI
def test_nobody_ends_it_from_a_session_of_their_own(site: Site) -> None:
    """The user who was acted as, or a stranger, with a copy of the secret; another site, with a form."""
    actor = acting(site)
    for user_id in ("user-1", "stranger"):
        other = site.sign_in(user_id=user_id)
        other.way_out = dict(actor.way_out)
        signed_out = other.post(SIGN_OUT)
        assert (signed_out.status, said_of_cookies(signed_out)) == (200, {})
        assert site.handles("boss") == [actor.handle]
    nobody = Visitor(site)
    nobody.way_out = dict(actor.way_out)
    assert nobody.post(SIGN_OUT).status == 401
    foreign = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")]
    assert actor.post(SIGN_OUT, without=["rid", "st-auth-mode"], headers=foreign).status == 401
    assert site.handles("boss") == [actor.handle]
    assert len(site.handles("user-1")) == 1


@ASGI_AND_WSGI
def test_a_route_of_ones_own_that_ends_the_session_clears_the_cookies(site: Site) -> None:
    """Browsers send them elsewhere only, so that the actor's session stays."""
    actor = acting(site)
    ended = actor.post("/protected", do=lambda view: (yield view.revoke()))
    assert said_of_cookies(ended) == CLEARED
    assert (site.handles("boss"), site.handles("user-1")) == ([actor.handle], [])


@ASGI_AND_WSGI
def test_a_sign_out_form_ends_both_as_well(bare_site: Site) -> None:
    site = bare_site.init(
        **SETTINGS,
        info={"website_domain": "https://api.example.com"},
        pages=PageSettings(login_path="/login"),
    )
    actor = acting(site)
    signed_out = actor.post(SIGN_OUT, headers=NAVIGATES)
    assert (signed_out.status, said_of_cookies(signed_out)) == (303, CLEARED)
    assert site.handles("boss") == site.handles("user-1") == []


@ASGI_AND_WSGI
def test_a_claim_of_the_applications_own_named_act_is_no_actor(bare_site: Site) -> None:
    """Without the setting nothing is looked for, and no cookie is cleared."""
    site = bare_site.init()
    visitor = site.sign_in(payload={"act": {"sub": "boss"}})
    visitor.way_out = {SIGN_OUT: "x"}
    assert said_of_cookies(visitor.post(SIGN_OUT)) == {}
    assert site.handles() == []


@ASGI_AND_WSGI
@pytest.mark.parametrize("path", [SIGN_OUT, END])
def test_an_auditor_sees_who_acted_and_that_it_has_ended(
    bare_site: Site, path: str, seen: list[events.Event]
) -> None:
    """At a sign-out as on the way back, where nothing shows that it is the actor who goes it."""
    site = bare_site.init(**SETTINGS, events=EventSettings())
    actor = site.sign_in(user_id="boss")
    handle = act_as(actor).json["handle"]
    actor.way_back, actor.way_out = {}, {}
    assert actor.post(path).status == 200
    explained = sessions.explain_session(handle)
    assert (explained.reason, explained.actor_id) == ("signout", "boss")
    assert [type(one).__name__ for one in seen] == ["ImpersonationStarted", "ImpersonationEnded"]
    assert vars(seen[1]) == {
        "handle": handle,
        "user_id": "user-1",
        "tenant_id": "public",
        "actor_id": "boss",
        "restored_handle": None,
    }


@ASGI_AND_WSGI
def test_the_sign_out_of_the_actors_own_session_is_the_actors(bare_site: Site) -> None:
    site = bare_site.init(**SETTINGS, events=EventSettings())
    actor = acting(site)
    assert actor.post(SIGN_OUT).status == 200
    explained = sessions.explain_session(actor.handle)
    assert (explained.reason, explained.actor_id) == ("signout", None)
