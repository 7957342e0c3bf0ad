"""Sessions that are bound to devices, together with everything else that a session can be."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest

from supertokens_py.engine.records import Unauthorised
from supertokens_py.events import Event, SessionCreated, subscribe
from supertokens_py.recipe.session import Impersonation, InputOverrideConfig, PageSettings
from supertokens_py.testing.conformance import Reply
from supertokens_py.testing.conformance.routes import Call
from tests.support.clock import Clock
from tests.support.device_browser import DeviceBrowser
from tests.support.device_proofs import REGISTER, challenge_in, new_key, proof
from tests.support.units import refused_units

from .script import Answer
from .site import ASGI_AND_WSGI, EVERY_ADAPTER, Site, Visitor
from .test_impersonation import END, act_as
from .test_pages import FROM_ELSEWHERE, NAVIGATES
from .test_verify import TRY_REFRESH, UNAUTHORISED

OFFER = "secure-session-registration"
COOKIE = "__Host-sDevice"
KEY_LIFE_H = 168  #: after which the next key of access tokens is made
NOT_BOUND = {
    "message": "invalid claim",
    "claimValidationErrors": [
        {"id": "st-bound", "reason": {"message": "the session is not bound to a device"}}
    ],
}


class Device(Visitor):
    """A visitor whose browser binds the sessions that it is offered to."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.key = new_key()
        self.bound: str | None = None
        self.registered: dict[str, Any] = {}

    def credentials(self, path: str) -> list[tuple[str, str]]:
        lines = super().credentials(path)
        if self.bound is None:
            return lines
        cookies = [value for name, value in lines if name == "cookie"]
        others = [line for line in lines if line[0] != "cookie"]
        return [*others, ("cookie", "; ".join([*cookies, f"{COOKIE}={self.bound}"]))]

    def remember(self, reply: Reply) -> None:
        super().remember(reply)
        for cookie in reply.set_cookies:
            if cookie.name == COOKIE:
                self.bound = cookie.value or None

    def sign_in(self, user_id: str = "user-1", do: Any = None) -> Reply:
        """Create a session, and register."""

        def create(view: Any) -> Any:
            yield view.create(user_id)

        return self.register(self.post("/open", do=do or create))

    def register(self, reply: Reply) -> Reply:
        """Accept the offer of a response."""
        answer = proof(self.key, challenge_in(reply.header(OFFER)), with_key=True)
        registered = self.post(REGISTER, headers=[("secure-session-response", answer)])
        assert registered.status == 200, registered.body
        self.registered = registered.json
        return reply

    def prove(self) -> Reply:
        """Ask for a new bound cookie, as browsers do without the page."""
        name = ("sec-secure-session-id", f'"{self.registered["session_identifier"]}"')
        path = self.registered["refresh_url"]
        wanted = self.post(path, headers=[name])
        assert said(wanted) == (403, {"message": "sign this challenge"})
        given = str(wanted.header("secure-session-challenge")).partition('"')[2].partition('"')[0]
        return self.post(path, headers=[name, ("secure-session-response", proof(self.key, given))])

    def bind(self, user_id: str = "user-1") -> Device:
        """Sign in, and have the access token say that the session is bound."""
        self.sign_in(user_id)
        assert self.refresh().status == 200
        return self


def said(reply: Reply) -> tuple[int, Any]:
    return reply.status, reply.json


@pytest.fixture
def site(bare_site: Site) -> Site:
    return bare_site.init(device_binding="auto")


@EVERY_ADAPTER
def test_routes_for_bound_sessions_only(site: Site) -> None:
    """CP-29: 403 before the first refresh, and for whoever does not register; later by proof of the key."""
    device = Device(site)
    device.sign_in()
    assert said(device.get("/bound")) == (403, NOT_BOUND)
    assert device.refresh().status == 200
    assert said(device.get("/bound")) == (200, {"user": "user-1"})
    assert said(site.sign_in().get("/bound")) == (403, NOT_BOUND)
    assert said(site.get("/bound")) == (401, UNAUTHORISED)
    site.clock.advance(minutes=10)
    for path in ("/bound", "/protected"):
        assert said(device.get(path)) == (401, TRY_REFRESH)
    assert device.prove().status == 200
    assert said(device.get("/bound")) == (200, {"user": "user-1"})
    device.bound = None
    assert said(device.get("/bound")) == (401, TRY_REFRESH)
    assert said(device.refresh()) == (401, UNAUTHORISED)


@EVERY_ADAPTER
def test_functions_and_optional_routes_in_each_framework(site: Site) -> None:
    """Without the cookie it is no visitor without a session, but one who has to refresh."""

    def ask(view: Any) -> Any:
        found = yield view.get_session(require_bound=True)
        return {"user": found.get_user_id()}

    unbound = site.sign_in()
    assert said(unbound.get("/open", do=ask)) == (403, NOT_BOUND)
    device = Device(site).bind()
    assert said(device.get("/open", do=ask)) == (200, {"user": "user-1"})
    assert said(device.get("/optional")) == (200, {"user": "user-1"})
    device.bound = None
    for path in ("/optional", "/database", "/protected"):
        assert said(device.get(path)) == (401, TRY_REFRESH)


@ASGI_AND_WSGI
def test_replaced_functions_do_not_let_anybody_pass(bare_site: Site) -> None:
    """Neither `get_session` nor the API `verify_session` of an application is told of devices."""

    def functions(given: Any) -> Any:
        original = given.get_session

        async def get_session(*args: Any, **kwargs: Any) -> Any:
            return await original(*args, **kwargs)

        given.get_session = get_session
        return given

    def apis(given: Any) -> Any:
        original = given.verify_session

        async def verify_session(*args: Any) -> Any:
            return await original(*args)

        given.verify_session = verify_session
        return given

    for override in (InputOverrideConfig(functions=functions), InputOverrideConfig(apis=apis)):
        site = bare_site.init(device_binding="auto", override=override)
        assert said(site.sign_in().get("/bound")) == (403, NOT_BOUND)
        device = Device(site).bind()
        assert said(device.get("/bound")) == (200, {"user": "user-1"})
        device.bound = None
        assert said(device.get("/protected")) == (401, TRY_REFRESH)


@ASGI_AND_WSGI
def test_a_session_after_another_authentication_goes_on_with_the_key(bare_site: Site, clock: Clock) -> None:
    """Its tokens and its cookie are new; the cookie lives no longer than the former one would."""
    site = bare_site.init(device_binding="auto", step_up=True)
    device = Device(site).bind()
    clock.advance(s=100)

    def again(view: Any) -> Any:
        session = yield view.get_session()
        yield Call("reauthenticate", (session,))

    former = device.bound
    reply = device.post("/open", do=again)
    assert (reply.status, reply.header(OFFER)) == (200, None)
    assert device.bound != former
    assert said(device.get("/bound")) == (200, {"user": "user-1"})
    present, device.bound = device.bound, former
    assert said(device.get("/protected")) == (401, TRY_REFRESH)
    device.bound = present
    clock.advance(s=499, ms=999)
    assert said(device.get("/bound")) == (200, {"user": "user-1"})
    clock.advance(ms=1)
    assert said(device.get("/bound")) == (401, TRY_REFRESH)
    assert said(device.refresh()) == (401, UNAUTHORISED)


@ASGI_AND_WSGI
@pytest.mark.parametrize(
    ("how", "is_offered"),
    [
        ({}, False),
        ({"authenticated": False}, False),
        ({"methods": ["pwd"]}, True),
        ({"authenticated": True}, True),
    ],
)
def test_a_session_in_the_place_of_a_bound_one(
    bare_site: Site, how: dict[str, Any], is_offered: bool
) -> None:
    """Only where the application says how its user has just authenticated is it a log-in like others."""
    site = bare_site.init(device_binding="auto", step_up=True)

    def with_session(view: Any) -> Any:
        session = yield view.get_session()
        yield view.create("user-1", replaces=session, **how)

    def with_handle(view: Any) -> Any:
        session = yield view.get_session()
        yield view.create("user-1", replaces=session.get_handle())

    device = Device(site).bind()
    reply = device.post("/open", do=with_session)
    assert (reply.status, reply.header(OFFER) is not None) == (200, is_offered)
    if not is_offered:
        assert said(device.get("/bound")) == (200, {"user": "user-1"})
        reply = device.post("/open", do=with_handle)
        assert (reply.status, reply.header(OFFER)) == (200, None)
        assert said(device.get("/bound")) == (200, {"user": "user-1"})


@ASGI_AND_WSGI
def test_a_bound_cookie_is_carried_over_while_it_proves(bare_site: Site, clock: Clock) -> None:
    """The one of several that does; one that has lapsed is dropped, so that the browser proves."""
    device = Device(bare_site.init(device_binding="auto")).bind()

    def switch(view: Any) -> Any:
        (handle,) = bare_site.handles()
        yield view.create("user-1", replaces=handle)

    device.bound = f"v1.9999999999999.a.b; {COOKIE}={device.bound}"
    reply = device.post("/open", do=switch)
    assert (reply.status, reply.header(OFFER), reply.cookie(COOKIE).is_cleared) == (200, None, False)
    assert said(device.get("/bound")) == (200, {"user": "user-1"})
    clock.advance(s=600)
    reply = device.post("/open", do=switch)
    assert (reply.status, reply.header(OFFER), reply.cookie(COOKIE).is_cleared) == (200, None, True)
    assert said(device.get("/bound")) == (401, TRY_REFRESH)
    assert device.prove().status == 200
    assert said(device.get("/bound")) == (200, {"user": "user-1"})


@ASGI_AND_WSGI
def test_a_bound_session_that_is_replaced_without_its_cookie_stays_bound(bare_site: Site) -> None:
    """There is nothing that the browser would have to drop; it proves first."""
    device = Device(bare_site.init(device_binding="auto")).bind()

    def switch(view: Any) -> Any:
        (handle,) = bare_site.handles()
        yield view.create("user-1", replaces=handle)

    device.bound = None
    reply = device.post("/open", do=switch)
    assert (reply.status, reply.header(OFFER), COOKIE in [one.name for one in reply.set_cookies]) == (
        200,
        None,
        False,
    )
    assert said(device.get("/bound")) == (401, TRY_REFRESH)
    assert device.prove().status == 200
    assert said(device.get("/bound")) == (200, {"user": "user-1"})


@ASGI_AND_WSGI
def test_a_log_in_just_before_the_store_goes_away_is_offered_nothing(
    bare_site: Site, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """The session is made, and stays unbound."""
    site = bare_site.init(device_binding="auto")
    with ExitStack() as stack:

        def goes_away(event: Event) -> None:
            if isinstance(event, SessionCreated):
                clock.advance(hours=KEY_LIFE_H)  # so that it is asked for the next key
                stack.enter_context(refused_units(site.engine.database, "the database is down"))

        stack.callback(subscribe(goes_away))
        first = site.sign_in().first
    assert first.header(OFFER) is None
    assert "a session is not offered to be bound: the database is down" in caplog.messages


@ASGI_AND_WSGI
@pytest.mark.parametrize("by_handle", [False, True])
@pytest.mark.parametrize(
    ("how", "is_offered"),
    [
        ({}, False),
        ({"authenticated": False}, False),
        ({"authenticated": True}, True),
        ({"methods": ["pwd"]}, True),
        ({"acr": "aal2"}, True),
    ],
)
def test_a_session_in_the_place_of_one_that_is_not_bound(
    bare_site: Site, how: dict[str, Any], is_offered: bool, by_handle: bool
) -> None:
    """CP-29: whoever copied the cookies of a browser without keys binds nothing to a key of their own."""
    site = bare_site.init(device_binding="auto", step_up=True)
    owner = site.sign_in()
    assert owner.refresh().status == 200
    thief = Device(site)
    thief.access = owner.access

    def switch(view: Any) -> Any:
        session = yield view.get_session()
        yield view.create("user-1", replaces=session.get_handle() if by_handle else session, **how)

    reply = thief.post("/open", do=switch)
    assert (reply.status, reply.header(OFFER) is not None) == (200, is_offered)


@ASGI_AND_WSGI
def test_a_refresh_token_that_could_not_be_asked_about_is_not_refreshed(bare_site: Site) -> None:
    """CP-29: a renewed master key, which is read a moment later, would open it, whatever it is bound to."""
    opened: list[str] = []

    def override(original: Any) -> Any:
        async def refresh_session(refresh_token: str, *more: Any, **kwargs: Any) -> Any:
            opened.append(refresh_token)
            return await refresh(owner.refresh_token, *more, **kwargs)

        refresh, original.refresh_session = original.refresh_session, refresh_session
        return original

    site = bare_site.init(device_binding="auto", override=InputOverrideConfig(functions=override))
    owner = site.sign_in("header")
    thief = Visitor(site, "header")
    strange = thief.refresh_token = f"{'QUJD' * 40}.{'0' * 64}.V2"
    reply = thief.refresh()
    assert (said(reply), opened) == ((401, UNAUTHORISED), [])
    assert (reply.header("st-refresh-token"), reply.header("front-token")) == ("", "remove")
    assert site.engine.device_keys.of_refresh_token(strange) == Unauthorised(
        "Invalid refresh token", "refresh_token_invalid"
    )


@ASGI_AND_WSGI
def test_a_log_in_that_proves_nothing_is_offered_nothing(bare_site: Site) -> None:
    site = bare_site.init(device_binding="auto", step_up=True)
    assert site.sign_in(authenticated=False).first.header(OFFER) is None
    assert site.sign_in(authenticated=True).first.header(OFFER) is not None


@ASGI_AND_WSGI
def test_a_guest_who_logs_in_is_offered_it(bare_site: Site) -> None:
    site = bare_site.init(device_binding="auto")

    def log_in(view: Any) -> Any:
        guest = yield view.get_session(allow_guests=True)
        yield view.create("user-1", replaces=guest)

    def visit(view: Any) -> Any:
        yield Call("create_guest_session", (view.request,))

    guest = Visitor(site)
    assert guest.post("/open", do=visit).header(OFFER) is None
    assert guest.post("/open", do=log_in).header(OFFER) is not None


@ASGI_AND_WSGI
def test_a_log_in_on_another_device_is_offered(site: Site) -> None:
    """It may end a session of the user on this one, of which its own request knows nothing."""
    device = Device(site)
    device.bind()
    (handle,) = site.handles("user-1")

    def elsewhere(view: Any) -> Any:
        yield view.create("user-1", replaces=handle)

    other = Device(site)
    other.sign_in(do=elsewhere)
    assert other.refresh().status == 200
    assert said(other.get("/bound")) == (200, {"user": "user-1"})
    assert said(device.refresh()) == (401, UNAUTHORISED)


@ASGI_AND_WSGI
def test_a_session_in_the_place_of_one_that_has_ended_is_refused(site: Site) -> None:
    """Whoever copied the tokens ends it, and has its access token for a while: nothing is to be bound to."""
    device = Device(site).bind()

    def switch(view: Any) -> Any:
        session = yield view.get_session()
        yield view.create("user-1", replaces=session)

    site.engine.sessions.revoke(site.handles("user-1"))
    assert said(device.post("/open", do=switch)) == (401, UNAUTHORISED)
    assert site.handles("user-1") == []


@ASGI_AND_WSGI
def test_guests_and_failed_log_ins_are_offered_nothing(site: Site) -> None:
    def visit(view: Any) -> Any:
        yield Call("create_guest_session", (view.request,))

    def fail(view: Any) -> Any:
        yield view.create("user-1")
        return Answer({}, 500)

    guest = Visitor(site)
    reply = guest.post("/open", do=visit)
    assert (reply.status, reply.header(OFFER)) == (200, None)
    assert reply.front["ate"] == site.clock() // 1000 * 1000 + 3_600_000
    failed = site.post("/open", [("st-auth-mode", "cookie")], do=fail)
    assert (failed.status, failed.header(OFFER)) == (500, None)


@ASGI_AND_WSGI
def test_the_offer_is_not_for_scripts(site: Site) -> None:
    """A script of another origin that may read the response cannot register a key of its own."""
    first = site.sign_in().first
    assert first.header(OFFER) is not None
    assert OFFER not in first.exposed
    assert first.header("cache-control") == "private, no-store"


@pytest.fixture
def acting(bare_site: Site) -> Site:
    """An application in which anybody may act as anybody."""
    return bare_site.init(
        device_binding="auto", impersonation=Impersonation(may=lambda *_: True, routes=True)
    )


@ASGI_AND_WSGI
def test_an_impersonation_has_the_device_of_its_actor(acting: Site, clock: Clock) -> None:
    """Nobody is offered anything; the browser proves for it with the key that it has, and on the way back."""
    boss = DeviceBrowser(acting, clock)
    boss.sign_in("boss")
    assert boss.refresh().status == 200
    first = boss.registered
    assert act_as(boss).header(OFFER) is None
    for user_id in ("user-1", "boss"):
        for _ in range(2):
            assert said(boss.get("/bound")) == (200, {"user": user_id})
            clock.advance(s=600)
            assert said(boss.stolen().get("/bound")) == (401, TRY_REFRESH)
            assert said(boss.stolen().refresh()) == (401, UNAUTHORISED)
            assert boss.refresh().status == 200
        if user_id == "user-1":
            assert said(boss.post(END)) == (200, {"status": "OK", "restored": True})
    assert (list(boss.sessions), boss.registered) == ([first], first)


@ASGI_AND_WSGI
def test_back_from_an_impersonation_without_proof(acting: Site) -> None:
    """An impersonation that is not bound leads back to no session that is by now: the user is signed out."""
    boss = Device(acting)

    def create(view: Any) -> Any:
        yield view.create("boss")

    offer = boss.post("/open", do=create)
    assert act_as(boss).header(OFFER) is None
    boss.register(offer)
    reply = boss.post(END)
    assert said(reply) == (200, {"status": "OK", "restored": False})
    assert reply.header(OFFER) is None


@ASGI_AND_WSGI
def test_an_actor_whose_session_is_not_bound(acting: Site) -> None:
    """Neither the impersonation nor the session that is restored is offered to be bound."""
    boss = acting.sign_in(user_id="boss")
    assert act_as(boss).header(OFFER) is None
    reply = boss.post(END)
    assert said(reply) == (200, {"status": "OK", "restored": True})
    assert reply.header(OFFER) is None


@pytest.fixture
def pages(bare_site: Site) -> Site:
    return bare_site.init(
        info={"website_domain": "https://api.example.com"},
        pages=PageSettings(login_path="/login"),
        device_binding="auto",
    )


@ASGI_AND_WSGI
def test_a_link_on_another_site_to_a_page(pages: Site, clock: Clock) -> None:
    """Browsers prove nothing for it: the page is asked for once more, from here, and nobody is signed out."""
    device = Device(pages).bind()
    cookie, device.bound = device.bound, None
    for _ in range(2):
        reply = device.get("/protected", headers=FROM_ELSEWHERE)
        assert reply.status == 200
        assert b'http-equiv="refresh" content="0;url=/protected"' in reply.body
        clock.advance(s=3600)  # the second time the access token has expired, too
        sent = device.get("/auth/session/refresh?next=/protected", headers=FROM_ELSEWHERE)
        assert (sent.status, sent.cookie_names) == (200, [])
        assert b'content="0;url=/protected"' in sent.body
        clock.advance(s=-3600)
    assert device.refresh_token
    device.bound = cookie
    assert device.get("/protected", headers=NAVIGATES).status == 200


@ASGI_AND_WSGI
def test_a_device_that_is_gone_is_sent_to_the_login_page(pages: Site) -> None:
    """By way of the refresh, which clears the tokens and comes back, and without a loop."""
    device = Device(pages).bind()
    device.bound = None
    first = device.get("/protected", headers=NAVIGATES)
    assert (first.status, first.header("location")) == (303, "/auth/session/refresh?next=/protected")
    second = device.get(str(first.header("location")), headers=NAVIGATES)
    assert (second.status, second.header("location")) == (303, "/protected")
    assert device.refresh_token is None
    third = device.get("/protected", headers=NAVIGATES)
    assert (third.status, third.header("location")) == (303, "/login?next=/protected")
