"""Device-bound sessions from log-in to the end, as a browser with the feature and one without see them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from supertokens_py.events import subscribe
from supertokens_py.recipe.session import DeviceBinding
from supertokens_py.testing.conformance import Reply
from tests.support.clock import Clock
from tests.support.device_browser import BOUND_COOKIE, DeviceBrowser
from tests.support.device_proofs import REGISTER, challenge_in
from tests.support.units import refused_units

from .site import ASGI_AND_WSGI, Site

#: How long a bound cookie is good for, how long browsers keep it, and the life of the first access token.
COOKIE_S, KEPT_S, FIRST_TOKEN_S = 600, 570, 300
TRY_REFRESH = (401, {"message": "try refresh token"})
UNAUTHORISED = (401, {"message": "unauthorised"})
UNAVAILABLE = (503, {"message": "session store unavailable"})


def said(reply: Reply) -> tuple[int, Any]:
    return reply.status, reply.json


@pytest.fixture
def site(bare_site: Site) -> Site:
    """An application that binds sessions to devices."""
    return bare_site.init(device_binding="auto")


@pytest.fixture
def browser(site: Site, clock: Clock) -> DeviceBrowser:
    """A browser that can bind sessions."""
    return DeviceBrowser(site, clock)


@pytest.fixture
def bound(browser: DeviceBrowser) -> DeviceBrowser:
    """A browser with a bound session, whose access token says so."""
    browser.sign_in()
    assert list(browser.sessions)
    assert browser.refresh().status == 200
    assert set(payload(browser)["cnf"]) == {"jkt"}
    return browser


def payload(browser: DeviceBrowser) -> dict[str, Any]:
    """Return the claims that a view sees."""

    def show(view: Any) -> Any:
        return view.session.get_access_token_payload()

    reply = browser.get("/protected", do=show)
    assert reply.status == 200, reply.body
    return reply.json


@ASGI_AND_WSGI
def test_unbound_without_the_setting(bare_site: Site, clock: Clock) -> None:
    """CP-33: nothing is offered, and neither endpoint exists."""
    browser = DeviceBrowser(bare_site.init(), clock)
    assert browser.sign_in().header("secure-session-registration") is None
    for name in ("register", "refresh"):
        assert browser.send_proof(f"/auth/session/device/{name}", "a.b.c", "id").status == 404


@ASGI_AND_WSGI
def test_offered_and_never_registered(site: Site, clock: Clock) -> None:
    """CP-33: a browser without the feature keeps a session like any other, also after ten minutes."""
    browser = DeviceBrowser(site, clock, has_keys=False)
    offer = browser.sign_in()
    assert offer.header("secure-session-registration") is not None
    assert offer.front["ate"] == clock() // 1000 * 1000 + FIRST_TOKEN_S * 1000
    assert BOUND_COOKIE not in browser.jar
    clock.advance(s=FIRST_TOKEN_S)
    assert said(browser.get("/protected")) == TRY_REFRESH
    renewed = browser.refresh()
    assert renewed.status == 200
    assert renewed.front["ate"] == clock() // 1000 * 1000 + 3_600_000
    assert renewed.header("secure-session-registration") is None
    clock.advance(s=COOKIE_S)
    assert "cnf" not in payload(browser)


@ASGI_AND_WSGI
@pytest.mark.parametrize("path", ["/protected", "/auth/session/refresh", "/auth/signout"])
def test_nothing_but_a_log_in_offers(site: Site, clock: Clock, path: str) -> None:
    """CP-33: a thief with the cookies of an unbound session cannot bind it to a key of his own."""
    browser = DeviceBrowser(site, clock, has_keys=False)
    browser.sign_in()
    assert browser.post(path).header("secure-session-registration") is None


@ASGI_AND_WSGI
def test_header_mode_is_offered_nothing(site: Site) -> None:
    """CP-33: there are no cookies to bind."""
    visitor = site.sign_in("header")
    assert visitor.first.header("secure-session-registration") is None
    assert visitor.first.front["ate"] == site.clock() // 1000 * 1000 + 3_600_000


@ASGI_AND_WSGI
def test_registered(site: Site, browser: DeviceBrowser) -> None:
    """CP-31: the answer is what browsers ask for; the first access token is as it was."""
    browser.sign_in()
    [reply] = browser.device_replies
    assert (reply.status, reply.header("content-type")) == (200, "application/json; charset=utf-8")
    assert reply.json == {
        "session_identifier": browser.session.identifier,
        "refresh_url": browser.session.refresh_url,
        "scope": {
            "origin": "https://api.example.com",
            "include_site": False,
            "scope_specification": [],
        },
        "credentials": [
            {"type": "cookie", "name": BOUND_COOKIE, "attributes": "Path=/; Secure; HttpOnly; SameSite=Lax"}
        ],
        "allowed_refresh_initiators": ["example.com"],
    }
    assert browser.session.challenge
    attributes = reply.cookie(BOUND_COOKIE).attributes
    assert (attributes["path"], attributes["samesite"].lower()) == ("/", "lax")
    assert {"secure", "httponly"} <= set(attributes)
    assert "domain" not in attributes
    assert browser.jar[BOUND_COOKIE].expires_ms == pytest.approx(site.clock() + KEPT_S * 1000, abs=1000)
    assert "cnf" not in payload(browser)


@ASGI_AND_WSGI
def test_settings_of_an_application(bare_site: Site, clock: Clock) -> None:
    """CP-31: paths that are never held, hosts of pages, a life that is half a minute less in the browser."""
    binding = DeviceBinding(
        initiators=["admin.example.com"], excluded_paths=["/static", "/health"], cookie_lifetime=60
    )
    browser = DeviceBrowser(bare_site.init(device_binding=binding), clock)
    browser.sign_in()
    [reply] = browser.device_replies
    assert reply.json["scope"]["scope_specification"] == [
        {"type": "exclude", "domain": "*", "path": "/static"},
        {"type": "exclude", "domain": "*", "path": "/health"},
    ]
    assert reply.json["allowed_refresh_initiators"] == ["example.com", "admin.example.com"]
    assert browser.refresh().status == 200
    assert browser.jar[BOUND_COOKIE].expires_ms == pytest.approx(clock() + 30_000, abs=1000)
    thief = browser.stolen()
    thief.jar[BOUND_COOKIE] = replace(thief.jar[BOUND_COOKIE], expires_ms=float("inf"))
    clock.advance(s=60, ms=-1)
    assert thief.get("/protected").status == 200
    clock.advance(ms=1)
    assert said(thief.get("/protected")) == TRY_REFRESH
    assert browser.get("/protected").status == 200


@ASGI_AND_WSGI
def test_bound_and_renewed(bound: DeviceBrowser, clock: Clock) -> None:
    """CP-31: each expiry takes one proof, and no request of the page fails."""
    for count in range(2, 5):
        clock.advance(s=COOKIE_S)
        assert bound.get("/protected").status == 200
        assert len(bound.device_replies) == count
        assert bound.device_replies[-1].status == 200
    values = [reply.cookie(BOUND_COOKIE).raw for reply in bound.device_replies]
    assert len(set(values)) == len(values)


@ASGI_AND_WSGI
def test_a_browser_that_has_lost_its_challenge_is_given_one(bound: DeviceBrowser, clock: Clock) -> None:
    """CP-28: after a restart browsers have none; they ask without proof and are answered 403 with one."""
    bound.restart()
    clock.advance(s=COOKIE_S)
    assert bound.get("/protected").status == 200
    assert [reply.status for reply in bound.device_replies] == [200, 403, 200]


@ASGI_AND_WSGI
def test_lapsed_and_lost(bound: DeviceBrowser, clock: Clock) -> None:
    """CP-31, CP-32: a browser that has lost its key has lost the session; the row stays for its owner."""
    bound.sessions.clear()
    clock.advance(s=COOKIE_S)
    assert said(bound.get("/protected")) == TRY_REFRESH
    refused = bound.refresh()
    assert said(refused) == UNAUTHORISED
    refused.assert_cleared("cookie", "header")
    assert bound.site.stored(bound.handle) is not None


@ASGI_AND_WSGI
@pytest.mark.parametrize("reason", ["unreachable", "server_error", "quota_exceeded"])
def test_lapsed_for_want_of_a_server(bound: DeviceBrowser, clock: Clock, reason: str) -> None:
    """CP-28: a browser that says why it could not prove keeps its tokens and comes again."""
    kept, bound.sessions = bound.sessions, {}
    skipped = [("secure-session-skipped", f'{reason};session_identifier="{next(iter(kept))}"')]
    clock.advance(s=COOKIE_S)
    assert said(bound.get("/protected", headers=skipped)) == TRY_REFRESH
    delayed = bound.refresh(headers=skipped)
    assert (delayed.status, delayed.header("retry-after")) == (503, "5")
    assert delayed.set_cookies == []
    bound.sessions = kept
    assert bound.refresh().status == 200
    assert bound.get("/protected").status == 200


@ASGI_AND_WSGI
def test_signed_out(bound: DeviceBrowser) -> None:
    """CP-28: the bound cookie goes with the others, and the browser is told that the session is over."""
    reply = bound.post("/auth/signout")
    assert reply.status == 200
    assert bound.cookie(BOUND_COOKIE) is None
    assert bound.get("/protected").status == 401
    assert said(bound.device_replies[-1]) == (200, {"continue": False})
    assert not bound.sessions


@ASGI_AND_WSGI
def test_revoked_on_the_server(bound: DeviceBrowser, clock: Clock) -> None:
    """CP-28: the next refresh of the bound cookie says so."""
    bound.site.engine.sessions.revoke([bound.handle])
    clock.advance(s=COOKIE_S)
    assert said(bound.get("/protected")) == TRY_REFRESH
    assert said(bound.device_replies[-1]) == (200, {"continue": False})
    assert said(bound.refresh()) == UNAUTHORISED


@ASGI_AND_WSGI
def test_logged_in_again_without_signing_out(bound: DeviceBrowser, clock: Clock) -> None:
    """CP-31: the browser renews the older one first; told that it is over, it proves for the other."""
    former, first = bound.handle, bound.session.identifier
    bound.sign_in("user-2")
    assert list(bound.sessions) == [first, bound.session.identifier]
    assert bound.refresh().status == 200
    for _ in range(2):
        clock.advance(s=COOKIE_S)
        assert bound.get("/protected").json == {"user": "user-2"}
        assert first not in bound.sessions
    assert bound.site.stored(former) is not None


@ASGI_AND_WSGI
def test_an_answer_that_was_lost(bound: DeviceBrowser, clock: Clock) -> None:
    """CP-28: a proof over the challenge before the present one is good for a new one: the key is there."""
    before = dict(bound.sessions)
    clock.advance(s=COOKIE_S)
    assert bound.get("/protected").status == 200
    bound.sessions = before  # the answer to that proof never reached the browser
    clock.advance(s=COOKIE_S)
    assert bound.get("/protected").status == 200
    assert [reply.status for reply in bound.device_replies] == [200, 200, 403, 200]
    assert bound.sessions


@ASGI_AND_WSGI
def test_a_browser_that_may_not_sign_for_now(bound: DeviceBrowser, clock: Clock) -> None:
    """CP-31: a browser that may not sign for now comes again with what it has, and so does the client."""
    bound.quota = 0
    clock.advance(s=COOKIE_S)
    assert said(bound.get("/protected")) == TRY_REFRESH
    assert bound.refresh().status == 503
    bound.quota = None
    assert bound.refresh().status == 200
    assert bound.get("/protected").status == 200


@ASGI_AND_WSGI
def test_a_store_that_is_out_of_reach(bound: DeviceBrowser, clock: Clock) -> None:
    """CP-28: 503 for the proof, and the session is kept; once the store is back, so is the session."""
    clock.advance(s=COOKIE_S)
    with refused_units(bound.site.engine.database, "the database is down"):
        assert said(bound.get("/protected")) == TRY_REFRESH
    assert said(bound.device_replies[-1]) == UNAVAILABLE
    assert bound.device_replies[-1].set_cookies == []
    assert bound.get("/protected").status == 200
    assert [reply.status for reply in bound.device_replies] == [200, 503, 200]


@ASGI_AND_WSGI
def test_a_registration_while_the_store_is_out_of_reach(browser: DeviceBrowser) -> None:
    """CP-28: 503, and the offer still holds."""
    browser.quota = 0
    offer = challenge_in(browser.sign_in().header("secure-session-registration"))
    browser.quota = None
    with refused_units(browser.site.engine.database, "the database is down"):
        browser.register(REGISTER, offer)
    assert said(browser.device_replies[-1]) == UNAVAILABLE
    assert browser.device_replies[-1].set_cookies == []
    browser.register(REGISTER, offer)
    assert browser.refresh().status == 200
    assert set(payload(browser)["cnf"]) == {"jkt"}


@ASGI_AND_WSGI
def test_only_a_refresh_that_ought_to_have_a_proof_is_noted(
    bound: DeviceBrowser, clock: Clock, request: pytest.FixtureRequest
) -> None:
    """Browsers say every day that they could not prove for now."""
    events: list[str] = []
    request.addfinalizer(subscribe(lambda event: events.append(event.name)))
    bound.sessions.clear()
    clock.advance(s=COOKIE_S)
    assert bound.refresh(headers=[("secure-session-skipped", "unreachable")]).status == 503
    assert "device.proof_missing" not in events
    assert bound.refresh().status == 401
    assert events.count("device.proof_missing") == 1
