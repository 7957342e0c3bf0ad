"""Sessions of visitors who have not signed in."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.recipe import emailpassword
from supertokens_py.recipe.session import (
    GuestSettings,
    InputErrorHandlers,
    InputOverrideConfig,
    PageSettings,
)
from supertokens_py.testing.conformance.routes import Call
from tests.support.clock import Clock
from tests.support.deferred_work import finish_before_answers

from .site import ASGI_AND_WSGI, Site, Visitor
from .test_email_password import PASSWORD, QUICK, AsyncOutbox, send
from .test_pages import NAVIGATES

NOT_ALLOWED = {
    "message": "invalid claim",
    "claimValidationErrors": [{"id": "st-guest", "reason": {"message": "guests are not allowed"}}],
}


def with_passwords() -> Any:
    """Return a sign-in recipe."""
    return emailpassword.init(email_delivery=emailpassword.EmailDeliveryConfig(AsyncOutbox()))


def visit(site: Site, mode: str = "cookie", **more: Any) -> tuple[Visitor, str]:
    """Return a visitor with the session of a guest, and the id."""
    visitor = Visitor(site, mode)

    def begin(view: Any) -> Any:
        session = yield Call("create_guest_session", (view.request,), more)
        return {"user": session.get_user_id(), "handle": session.get_handle(), "guest": session.is_guest}

    reply = visitor.post("/open", do=begin)
    assert reply.status == 200, reply.body
    assert reply.json["guest"] is True
    visitor.handle = reply.json["handle"]
    return visitor, reply.json["user"]


def sign_in(visitor: Visitor, user_id: str = "user-1", **more: Any) -> str:
    """Upgrade the guest whose session a request comes with; return the new handle."""

    def upgrade(view: Any) -> Any:
        guest = yield view.get_session(allow_guests=True)
        session = yield view.create(user_id, replaces=guest, **more)
        return {"handle": session.get_handle(), "guest": session.is_guest}

    reply = visitor.post("/open", do=upgrade)
    assert reply.status == 200, reply.body
    assert reply.json["guest"] is False
    return reply.json["handle"]


def _copy_of(visitor: Visitor) -> Visitor:
    copy = Visitor(visitor.site, visitor.mode)  # type: ignore[arg-type]
    copy.access, copy.refresh_token, copy.anti_csrf = visitor.access, visitor.refresh_token, visitor.anti_csrf
    return copy


def test_a_guest_passes_only_where_a_route_says_so(bare_site: Site, mode: str) -> None:
    """CP-24: to every other route a guest has no session, and keeps the tokens."""
    site = bare_site.init()
    visitor, guest_id = visit(site, mode)
    assert guest_id.startswith("guest_")
    for _ in range(2):  # known tokens, too
        for path in ("/protected", "/database", "/csrf-off", "/claims", "/context"):
            refused = visitor.get(path)
            assert (path, refused.status, refused.json) == (path, 403, NOT_ALLOWED)
            assert not refused.set_cookies
        for path in ("/optional", "/users", "/shared"):
            assert (path, visitor.get(path).json) == (path, {"user": None})
        assert visitor.get("/guests").json == {"user": guest_id}
    assert visitor.refresh().status == 200
    assert visitor.get("/protected").status == 403
    assert visitor.get("/guests").json == {"user": guest_id}

    def looked_up(view: Any) -> Any:
        found = yield view.get_session(session_required=False)
        return {"found": found is not None}

    assert visitor.get("/open", do=looked_up).json == {"found": False}
    assert visitor.get("/open", do=lambda view: (yield view.get_session())).status == 403
    user = site.sign_in(mode)
    assert user.get("/guests").json == {"user": "user-1"}
    assert visitor.post("/auth/signout").status == 200
    assert site.handles(guest_id) == []


@ASGI_AND_WSGI
def test_an_application_can_let_guests_pass_everywhere(bare_site: Site) -> None:
    """A route may still keep them out."""
    site = bare_site.init(guests=GuestSettings(allow=True))
    visitor, guest_id = visit(site)
    for path in ("/protected", "/database", "/optional", "/guests"):
        assert (path, visitor.get(path).json) == (path, {"user": guest_id})
    assert visitor.get("/users").json == {"user": None}


@ASGI_AND_WSGI
@pytest.mark.parametrize("replaced", ["get_session", "verify_session"])
def test_replaced_functions_and_apis_keep_guests_out_as_well(bare_site: Site, replaced: str) -> None:
    """Also where the application's own code stands between."""

    def override(original: Any) -> Any:
        unchanged = getattr(original, replaced)

        async def own(*args: Any, **kwargs: Any) -> Any:
            return await unchanged(*args, **kwargs)

        setattr(original, replaced, own)
        return original

    key = "functions" if replaced == "get_session" else "apis"
    site = bare_site.init(override=InputOverrideConfig(**{key: override}))  # type: ignore[arg-type]
    visitor, guest_id = visit(site)
    assert visitor.get("/protected").json == NOT_ALLOWED
    assert visitor.get("/optional").json == {"user": None}
    assert visitor.get("/guests").json == {"user": guest_id}


@ASGI_AND_WSGI
def test_guests_of_earlier_settings_stay_guests(bare_site: Site) -> None:
    """Tokens say it, not the settings: an application without guests refuses those that it had."""
    site = bare_site.init(guests=GuestSettings(allow=True))
    visitor, _ = visit(site)
    site.init()
    assert visitor.get("/protected").status == 403
    assert visitor.refresh().status == 200
    assert visitor.get("/protected").status == 403


@ASGI_AND_WSGI
def test_the_hook_for_claims_answers(bare_site: Site) -> None:
    """A page can send the guest to its log-in."""

    def to_login(request: Any, failures: Any, response: Any) -> Any:
        response.set_status_code(303)
        response.set_header("Location", f"/login?because={failures[0].id}")
        return response

    site = bare_site.init(error_handlers=InputErrorHandlers(on_invalid_claim=to_login))
    visitor, _ = visit(site)
    refused = visitor.get("/protected")
    assert (refused.status, refused.header("location")) == (303, "/login?because=st-guest")


def test_a_planted_guest_is_of_no_use_once_the_victim_signs_in(bare_site: Site, mode: str) -> None:
    """CP-24: the attacker's copy of every session of the guest is refused, at once with the store asked."""
    site = bare_site.init()
    attacker, guest_id = visit(site, mode)
    victim = _copy_of(attacker)
    handle = sign_in(victim)
    assert site.handles(guest_id) == []
    assert victim.get("/protected").json == {"user": "user-1"}
    assert victim.refresh().status == 200
    assert attacker.get("/database").status == 403
    assert attacker.get("/guests").json == {"user": guest_id}  # no other than before, until it expires
    assert attacker.refresh().status == 401
    assert site.handles() == [handle]


def test_a_second_tab_signs_in_a_moment_later(site: Site) -> None:
    """It shares the cookies, and is the user as well; one that still sent the guest's is refreshed away."""
    first, _ = visit(site)
    second = _copy_of(first)
    sign_in(first)
    assert second.refresh().status == 401
    second.access, second.refresh_token = first.access, first.refresh_token
    assert second.get("/protected").json == {"user": "user-1"}


@ASGI_AND_WSGI
def test_the_session_of_a_guest_is_a_short_one_that_counts_nowhere(bare_site: Site, clock: Clock) -> None:
    """Seven days without a refresh end it, where lifetimes can be kept."""
    from supertokens_py.recipe.session import SessionLifetime

    site = bare_site.init(lifetime=SessionLifetime())
    visitor, guest_id = visit(site)
    assert site.stored(visitor.handle).expires_ms == clock.now_ms + 7 * 86_400_000
    assert site.stored(visitor.handle).payload["st-guest"]["v"] is True
    clock.advance(days=7, ms=1)
    assert visitor.refresh().status == 401
    assert site.handles(guest_id) == []


@ASGI_AND_WSGI
def test_a_sign_in_recipe_puts_the_user_in_the_place_of_the_guest(
    bare_site: Site, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    """CP-24: if the application says so; a token that is no use any more is no obstacle to signing in."""
    finish_before_answers(monkeypatch)
    merged: list[tuple[str, str]] = []
    guests = GuestSettings(upgrade_at_sign_in=True, on_guest_upgraded=lambda *ids: merged.append(ids))
    site = bare_site.init(guests=guests, engine=QUICK, recipes=[with_passwords()])
    visitor, guest_id = visit(site)
    copy = _copy_of(visitor)
    up = send(visitor, "/signup", email="ada@example.com", password=PASSWORD)
    assert up.json["status"] == "OK"
    user_id = up.json["user"]["id"]
    assert merged == [(guest_id, user_id)]
    assert (site.handles(guest_id), len(site.handles(user_id))) == ([], 1)
    assert visitor.get("/protected").json == {"user": user_id}
    assert copy.refresh().status == 401
    late, late_id = visit(site)
    clock.advance(hours=2)
    assert send(late, "/signin", email="ada@example.com", password=PASSWORD).json["status"] == "OK"
    assert late.get("/protected").json == {"user": user_id}
    assert len(site.handles(late_id)) == 1  # an expired token proves nothing
    assert merged == [(guest_id, user_id)]
    early, early_id = visit(site)
    clock.advance(hours=2)
    assert early.refresh().status == 200  # as `doesSessionExist` of the frontend does
    assert send(early, "/signin", email="ada@example.com", password=PASSWORD).json["status"] == "OK"
    assert (site.handles(early_id), merged) == ([], [(guest_id, user_id), (early_id, user_id)])


@ASGI_AND_WSGI
def test_a_sign_in_leaves_guests_alone_by_default(bare_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guest's session stays, and the client has the user's."""
    finish_before_answers(monkeypatch)
    site = bare_site.init(engine=QUICK, recipes=[with_passwords()])
    visitor, guest_id = visit(site)
    up = send(visitor, "/signup", email="ada@example.com", password=PASSWORD)
    assert up.json["status"] == "OK"
    assert len(site.handles(guest_id)) == 1
    assert visitor.get("/protected").json == {"user": up.json["user"]["id"]}


def _fill_cart(view: Any) -> Any:
    """Do as the documentation says: the session of the request, or else that of a new guest."""
    found = yield view.get_session(session_required=False, allow_guests=True, anti_csrf_check=False)
    session = found or (yield Call("create_guest_session", (view.request,)))
    return {"user": session.get_user_id()}


def _begin_anew(view: Any) -> Any:
    """Ask for a guest without having looked for a session."""
    session = yield Call("create_guest_session", (view.request,))
    return {"user": session.get_user_id()}


@ASGI_AND_WSGI
@pytest.mark.parametrize("cart", [_fill_cart, _begin_anew])
@pytest.mark.parametrize("with_pages", [False, True])
def test_no_guest_takes_the_place_of_who_only_has_to_refresh(
    bare_site: Site, cart: Any, *, with_pages: bool
) -> None:
    """The tokens of the user, or of an earlier guest, would be lost: also for a form of a page."""
    pages = PageSettings(login_path="/login") if with_pages else None
    site = bare_site.init(info={"website_domain": "https://api.example.com"}, pages=pages)
    for begin in (lambda: (site.sign_in(), "user-1"), lambda: visit(site)):
        visitor, name = begin()
        assert visitor.post("/open", do=_fill_cart).json == {"user": name}
        site.clock.advance(hours=2)
        for headers in ([], NAVIGATES):
            refused = visitor.post("/open", do=cart, headers=headers)
            assert (refused.status, refused.set_cookies) == (401, [])
        assert site.handles(name) == [visitor.handle]
        assert visitor.refresh().status == 200
        assert visitor.post("/open", do=_fill_cart).json == {"user": name}


@ASGI_AND_WSGI
def test_a_guest_is_no_user_whose_session_lives(bare_site: Site, mode: str) -> None:
    """Who is signed in keeps the session; once it has ended, even in this request, a guest begins."""
    site = bare_site.init()
    visitor = site.sign_in(mode)
    kept = visitor.post("/open", do=_begin_anew)
    assert (kept.json, kept.set_cookies) == ({"user": "user-1"}, [])

    def leave(view: Any) -> Any:
        session = yield view.get_session()
        yield view.revoke(session)
        guest = yield Call("create_guest_session", (view.request,))
        return {"user": guest.get_user_id()}

    guest_id = visitor.post("/open", do=leave).json["user"]
    assert guest_id.startswith("guest_")
    assert visitor.get("/guests").json == {"user": guest_id}
    site.engine.sessions.revoke(site.handles(guest_id))
    again = visitor.post("/open", do=_begin_anew).json["user"]
    assert again.startswith("guest_")
    assert again != guest_id


@ASGI_AND_WSGI
def test_a_guest_who_follows_a_link_to_a_page_for_users_is_sent_to_the_login(bare_site: Site) -> None:
    """As a stranger is; scripts, forms and the log-in page itself get the 403."""
    site = bare_site.init(
        info={"website_domain": "https://api.example.com"}, pages=PageSettings(login_path="/database")
    )
    visitor, guest_id = visit(site)
    sent = visitor.get("/protected?tab=2", headers=NAVIGATES)
    assert (sent.status, sent.header("location")) == (303, "/database?next=/protected%3Ftab%3D2")
    assert sent.set_cookies == []
    for refused in (
        visitor.get("/protected"),
        visitor.post("/protected", headers=NAVIGATES),
        visitor.get("/database", headers=NAVIGATES),
    ):
        assert (refused.status, refused.json) == (403, NOT_ALLOWED)
    assert visitor.get("/guests", headers=NAVIGATES).json == {"user": guest_id}


@ASGI_AND_WSGI
def test_a_guest_who_comes_to_the_login_late_is_upgraded_where_its_page_looks_for_the_session(
    bare_site: Site,
) -> None:
    """The page refreshes first; without that, an expired access token is no guest's."""
    upgraded: list[tuple[str, str]] = []
    site = bare_site.init(
        info={"website_domain": "https://api.example.com"},
        pages=PageSettings(login_path="/guests"),
        guests=GuestSettings(
            upgrade_at_sign_in=True, on_guest_upgraded=lambda *names: upgraded.append(names)
        ),
    )

    def login(view: Any) -> Any:
        yield view.create("ada")

    late, _ = visit(site)
    site.clock.advance(hours=2)
    assert late.post("/open", do=login, headers=NAVIGATES).status == 200
    assert upgraded == []
    visitor, guest_id = visit(site)
    site.clock.advance(hours=2)
    sent = visitor.get("/guests", headers=NAVIGATES)
    assert sent.header("location") == "/auth/session/refresh?next=/guests"
    assert visitor.get("/auth/session/refresh?next=/guests", headers=NAVIGATES).status == 303
    assert visitor.get("/guests", headers=NAVIGATES).json == {"user": guest_id}
    assert visitor.post("/open", do=login, headers=NAVIGATES).status == 200
    assert upgraded == [(guest_id, "ada")]
