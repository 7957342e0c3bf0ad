"""What copied cookies of a bound session are good for, and what other pages can do to one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from supertokens_py.events import subscribe
from supertokens_py.recipe.session import DeviceBinding, Impersonation, PageSettings
from supertokens_py.testing.conformance.routes import Call
from tests.support.clock import Clock
from tests.support.device_browser import BOUND_COOKIE, DeviceBrowser, Kept

from .site import Site
from .test_device_states import COOKIE_S, said
from .test_impersonation import END

#: The core decides all of it.
ONE = pytest.mark.parametrize("bare_site", ["fastapi"], indirect=True)


def begin(view: Any) -> Any:
    """Act as another user."""
    actor = yield view.get_session(allow_guests=True)
    arguments = {"actor": actor, "reason": "ticket 7"}
    yield Call("create_impersonation_session", (view.request, "user-2"), arguments)


def switch(view: Any) -> Any:
    """Put a session in the place of another, without a log-in."""
    session = yield view.get_session()
    yield view.create(session.get_user_id(), replaces=session)


def thief_of(owner: DeviceBrowser) -> DeviceBrowser:
    """Return a thief's browser with a copy of the cookies, and a key of its own."""
    thief = DeviceBrowser(owner.site, owner.now_ms)
    thief.jar = for_ever(owner.jar)
    return thief


def for_ever(jar: dict[str, Kept]) -> dict[str, Kept]:
    """Return cookies with another lifetime than the server says."""
    return {name: replace(kept, expires_ms=float("inf")) for name, kept in jar.items() if kept.raw}


@ONE
@pytest.mark.parametrize("mode", ["cookie", "header"])
@pytest.mark.parametrize("steps", ["switch", "begin", "end", "begin end", "switch begin end switch"])
def test_sessions_out_of_copied_cookies(bare_site: Site, clock: Clock, steps: str, mode: str) -> None:
    """CP-29: whatever is made in the place of a bound session, or out of it, ends with its bound cookie."""
    impersonation = Impersonation(may=lambda *_: True, routes=True)
    site = bare_site.init(device_binding="auto", impersonation=impersonation)
    owner = DeviceBrowser(site, clock)
    owner.sign_in()
    assert owner.refresh().status == 200
    if steps == "end":
        assert owner.post("/open", do=begin).status == 200
    thief = thief_of(owner)
    clock.advance(s=500)
    names = steps.split()
    for number, step in enumerate(names, 1):
        # Of header mode only the last step can make use: what it is answered with goes into headers.
        lines = [("rid", "anti-csrf"), ("st-auth-mode", mode if number == len(names) else "cookie")]
        do = {"switch": switch, "begin": begin}.get(step)
        reply = thief.send("POST", "/open" if do else END, lines, do=do)
        thief.jar = for_ever(thief.jar)
        assert reply.status == 200
        assert reply.header("secure-session-registration") is None
    assert thief.registered is None
    access, refresh = reply.header("st-access-token"), reply.header("st-refresh-token")
    assert bool(access) is (mode == "header" and steps not in ("end", "begin end"))
    clock.advance(s=100)
    assert thief.get("/protected").status == 401
    assert thief.refresh().status == 401
    if access:
        cookies = [("cookie", f"{BOUND_COOKIE}={thief.jar[BOUND_COOKIE].raw}"), ("st-auth-mode", "header")]
        assert site.get("/protected", cookies, bearer=access).status == 401
        assert site.post("/auth/session/refresh", cookies, bearer=refresh).status == 401


def sent_by(origin: str | None, place: str | None, mode: str = "no-cors", dest: str = "empty") -> Any:
    """Return the headers by which a browser says what page made it send a request."""
    lines = [("sec-fetch-mode", mode), ("sec-fetch-dest", dest)]
    if origin is not None:
        lines.append(("origin", origin))
    return [*lines, ("sec-fetch-site", place)] if place is not None else lines


#: What sends a request, and whether a browser proves its device before.
ASKED_BY: dict[str, tuple[Any, bool]] = {
    "the API's own page": (sent_by("https://api.example.com", "same-origin", "cors"), True),
    "an address that was typed": (sent_by(None, "none", "navigate", "document"), True),
    "the website": (sent_by("https://example.com", "same-site", "cors"), True),
    "an initiator": (
        [*sent_by("https://admin.example.com", "same-site", "cors"), ("rid", "anti-csrf")],
        True,
    ),
    "an initiator without a header": (sent_by("https://admin.example.com", "same-site", "cors"), False),
    "no browser": ([], True),
    "an initiator without TLS": (sent_by("http://admin.example.com", "cross-site"), False),
    "another page on the site": (sent_by("https://blog.example.com", "same-site"), False),
    "an image on such a page": (sent_by(None, "same-site", "no-cors", "image"), False),
    "a page of another site": (sent_by("https://evil.test", "cross-site"), False),
    "an opaque origin": (sent_by("null", "cross-site"), False),
    "an origin that is none": (sent_by("https://[", "same-site"), False),
    "another page, in an older browser": (sent_by("https://blog.example.com", None), False),
}


@ONE
@pytest.mark.parametrize("asked_by", ASKED_BY)
def test_no_page_logs_out_the_owner_of_a_lapsed_session(
    bare_site: Site, clock: Clock, asked_by: str, request: pytest.FixtureRequest
) -> None:
    """CP-32: tokens go, and it is recorded, only where the browser would have proved its device."""
    headers, is_proven = ASKED_BY[asked_by]
    site = bare_site.init(device_binding=DeviceBinding(initiators=["admin.example.com"]))
    owner = DeviceBrowser(site, clock)
    owner.sign_in()
    assert owner.refresh().status == 200
    clock.advance(s=COOKIE_S)
    names: list[str] = []
    request.addfinalizer(subscribe(lambda event: names.append(event.name)))
    kept = owner.stolen()  # what the browser has, and no proof
    reply = kept.send("POST", "/auth/session/refresh", headers)
    assert said(reply) == (401, {"message": "unauthorised"})
    assert bool(reply.cookie_names) is is_proven
    assert bool(kept.cookie("sRefreshToken")) is not is_proven
    assert names.count("device.proof_missing") == int(is_proven)
    assert owner.refresh().status == 200


@ONE
def test_no_image_logs_out_the_visitor_of_a_page(bare_site: Site, clock: Clock) -> None:
    """CP-32: nor does one where the refresh is a page, too."""
    site = bare_site.init(
        info={"website_domain": "https://api.example.com"},
        pages=PageSettings(login_path="/login"),
        device_binding="auto",
    )
    owner = DeviceBrowser(site, clock)
    owner.sign_in()
    assert owner.refresh().status == 200
    clock.advance(s=COOKIE_S)
    for place in ("same-site", "cross-site"):
        reply = owner.send("GET", "/auth/session/refresh?next=/", sent_by(None, place, "no-cors", "image"))
        assert (reply.status, reply.cookie_names) == (401, [])
    assert owner.refresh().status == 200
