"""GET {base}/sessions and POST {base}/sessions/revoke: a user sees their devices, and ends sessions there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from supertokens_py.recipe.session import DeviceSettings, Impersonation, InputOverrideConfig, SessionLimit
from supertokens_py.recipe.session.claims import BooleanClaim
from supertokens_py.types.response import GeneralErrorResponse

from .site import ASGI_AND_WSGI, Site, Visitor
from .test_impersonation import act_as
from .test_verify import TRY_REFRESH, UNAUTHORISED, assert_refused

LIST, REVOKE = "/auth/sessions", "/auth/sessions/revoke"
JSON = [("content-type", "application/json")]
ADA = "192.0.2.77"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Safari/604.1"
)


def started(site: Site, **settings: Any) -> Site:
    """With devices, whose addresses are those of a header that the test sends."""
    devices = DeviceSettings(client_ip=lambda request: request.get_header("x-client"))
    return site.init(**{"devices": devices, **settings})


def come_from(site: Site, address: str, agent: str, user_id: str = "ada", mode: str = "cookie") -> Visitor:
    """Sign in from somewhere."""
    visitor = Visitor(site, mode)

    def create(view: Any) -> Any:
        made = yield view.create(user_id, None)
        return {"handle": made.get_handle()}

    headers = [("x-client", address), ("user-agent", agent)]
    visitor.handle = visitor.post("/open", headers=headers, do=create).json["handle"]
    return visitor


def revoke(visitor: Visitor, body: Any, **more: Any) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return visitor.post(REVOKE, headers=JSON, body=content, **more)


def assert_gone(reply: Any) -> None:
    """Assert that the session is refused as one that has ended."""
    assert (reply.status, reply.json) == (401, UNAUTHORISED)
    reply.assert_cleared("cookie", "header")


def seen(visitor: Visitor) -> list[str]:
    """The handles that a visitor is shown."""
    return [one["handle"] for one in visitor.get(LIST).json["sessions"]]


def test_a_user_sees_their_devices_and_ends_one(bare_site: Site, mode: str) -> None:
    """CP-7: in every framework; the asking session is marked, another user's is not shown nor ended."""
    site = started(bare_site)
    phone = come_from(site, "2001:db8:1:2::5", IPHONE, mode=mode)
    created_ms = site.clock.now_ms
    site.clock.advance(minutes=5)
    desk = come_from(site, ADA, CHROME, mode=mode)
    mallory = come_from(site, "203.0.113.9", CHROME, "mallory", mode)
    reply = desk.get(LIST)
    assert (reply.status, reply.header("content-type")) == (200, "application/json; charset=utf-8")
    assert reply.json["status"] == "OK"
    assert "limit" not in reply.json
    assert [one["current"] for one in reply.json["sessions"]] == [True, False]
    assert reply.json["sessions"][1] == {
        "handle": phone.handle,
        "tenantId": "public",
        "current": False,
        "label": "Safari on iPhone",
        "userAgent": IPHONE,
        "ip": "2001:db8:1::",
        "createdIp": "2001:db8:1::",
        "timeCreated": created_ms,
        "lastSeen": created_ms,
        "expiry": created_ms + 100 * 86_400_000,
        "persistent": True,
        "impersonated": False,
        "bound": False,
    }
    foreign, dead = (
        revoke(desk, {"handles": [mallory.handle]}),
        revoke(desk, {"handles": ["no-such-session"]}),
    )
    assert foreign.body == dead.body == b'{"status":"OK","revoked":[]}'
    assert foreign.status == dead.status == 200
    assert foreign.headers == dead.headers
    answer = revoke(desk, {"handles": [mallory.handle, phone.handle, phone.handle]})
    assert answer.json == {"status": "OK", "revoked": [phone.handle]}
    assert answer.session_parts == []
    assert seen(desk) == [desk.handle]
    assert seen(mallory) == [mallory.handle]
    assert_gone(phone.get("/database"))


@ASGI_AND_WSGI
@pytest.mark.parametrize(
    ("setting", "kept"), [("off", None), ("truncated", "192.0.2.0"), ("full", "192.0.2.77")]
)
def test_what_is_kept_of_addresses(bare_site: Site, setting: Any, kept: str | None) -> None:
    """CP-5: in the list and in the database, at creation and at each refresh."""
    devices = DeviceSettings(ip=setting, client_ip=lambda request: request.get_header("x-client"))
    visitor = come_from(bare_site.init(devices=devices), ADA, CHROME)
    for _ in range(2):
        bare_site.clock.advance(minutes=5)
        assert visitor.refresh(headers=[("x-client", ADA), ("user-agent", CHROME)]).status == 200
        (listed,) = visitor.get(LIST).json["sessions"]
        assert (listed["ip"], listed["createdIp"], listed["label"]) == (kept, kept, "Chrome on Windows")
        details = bare_site.engine.sessions.details(visitor.handle)
        assert details is not None
        assert (details.ip, details.created_ip, details.agent) == (kept, kept, CHROME)


@ASGI_AND_WSGI
def test_the_others_are_ended(bare_site: Site, mode: str) -> None:
    """CP-7: exactly the asking session is left, also while another tab of it refreshes."""
    site = started(bare_site)
    others = [come_from(site, ADA, CHROME, mode=mode) for _ in range(3)]
    desk = come_from(site, ADA, CHROME, mode=mode)
    stranger = come_from(site, ADA, CHROME, "mallory", mode)
    tab = Visitor(site, mode)
    tab.access, tab.refresh_token = desk.access, desk.refresh_token
    assert tab.refresh().status == 200
    answer = revoke(desk, {"which": "others"})
    assert answer.status == 200
    assert sorted(answer.json["revoked"]) == sorted(one.handle for one in others)
    assert answer.session_parts == []
    assert desk.refresh().status == 200
    assert seen(desk) == [desk.handle]
    assert seen(stranger) == [stranger.handle]
    assert revoke(desk, {"which": "others"}).json == {"status": "OK", "revoked": []}


@ASGI_AND_WSGI
@pytest.mark.parametrize("by", ["all", "handle"])
def test_ending_ones_own_clears_the_tokens(bare_site: Site, mode: str, by: str) -> None:
    """All, or one's own by its handle: as signing out does."""
    site = started(bare_site)
    other, desk = come_from(site, ADA, IPHONE, mode=mode), come_from(site, ADA, CHROME, mode=mode)
    answer = revoke(desk, {"which": "all"} if by == "all" else {"handles": [desk.handle]})
    answer.assert_cleared(mode)
    ended = {desk.handle, other.handle} if by == "all" else {desk.handle}
    assert {*answer.json["revoked"]} == ended
    assert (site.stored(other.handle) is None) is (by == "all")
    assert site.stored(desk.handle) is None


@ASGI_AND_WSGI
def test_a_session_that_has_ended_lists_and_ends_nothing(bare_site: Site, mode: str) -> None:
    """Its access token is valid for a while: whoever holds it must not end the owner's sessions."""
    site = started(bare_site)
    thief, owner = come_from(site, ADA, CHROME, mode=mode), come_from(site, ADA, IPHONE, mode=mode)
    access = thief.access
    revoke(owner, {"handles": [thief.handle]})
    for ask in (lambda: thief.get(LIST), lambda: revoke(thief, {"which": "all"})):
        thief.access = access
        assert_gone(ask())
    assert site.stored(owner.handle) is not None


@ASGI_AND_WSGI
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        {},
        {"which": "mine"},
        {"which": ["others"]},
        {"handles": "h"},
        {"handles": [1]},
        {"handles": [None]},
        {"handles": ["h"], "which": "others"},
        {"handles": ["h"] * 1001},
    ],
)
def test_a_request_that_asks_for_nothing(bare_site: Site, body: Any) -> None:
    """400 that says what is missing; nothing is ended."""
    site = started(bare_site)
    visitor, other = come_from(site, ADA, CHROME), come_from(site, ADA, CHROME)
    reply = revoke(visitor, body)
    assert reply.status == 400
    assert "handles" in reply.json["message"]
    assert site.stored(other.handle) is not None


@ASGI_AND_WSGI
def test_handles_that_no_session_has(bare_site: Site) -> None:
    """Whatever they are made of, they are none of the user's."""
    site = started(bare_site)
    visitor = come_from(site, ADA, CHROME)
    odd = ["", "\x00", "\ud800", "' OR 1=1 --", "a" * 10_000, "x_\x00"]
    assert revoke(visitor, {"handles": odd}).json == {"status": "OK", "revoked": []}


@ASGI_AND_WSGI
def test_what_a_client_sends_is_stored_clean_or_not_at_all(bare_site: Site) -> None:
    """Long, odd and missing headers keep nobody from signing in, and forged addresses change nothing."""
    site = bare_site.init(devices=DeviceSettings(ip="full"))
    visitor = Visitor(site, "cookie")

    def create(view: Any) -> Any:
        yield view.create("ada", None)

    for agent in ("A" * 10_000, 'Shop/2.1 \x7f\x80"<script>alert(1)</script>', ""):
        headers = [("user-agent", agent), ("x-forwarded-for", "198.51.100.9")]
        assert visitor.post("/open", headers=headers, do=create).status == 200
    shown = visitor.get(LIST).json["sessions"]
    assert sorted(len(one["userAgent"] or "") for one in shown) == [0, 35, 512]
    assert 'Shop/2.1 "<script>alert(1)</script>' in [one["userAgent"] for one in shown]
    assert {one["ip"] for one in shown} <= {None, "127.0.0.1"}


@ASGI_AND_WSGI
def test_a_refresh_brings_a_device_up_to_date(bare_site: Site) -> None:
    """When and from where it was seen last; where it came from stays."""
    site = started(bare_site)
    visitor = come_from(site, ADA, CHROME)
    site.clock.advance(hours=1)
    visitor.refresh(headers=[("x-client", "198.51.100.9"), ("user-agent", IPHONE)])
    (device,) = visitor.get(LIST).json["sessions"]
    assert (device["lastSeen"], device["label"]) == (site.clock.now_ms, "Safari on iPhone")
    assert (device["ip"], device["createdIp"]) == ("198.51.100.0", "192.0.2.0")


@ASGI_AND_WSGI
@pytest.mark.parametrize(("anti_csrf", "proof"), [("VIA_CUSTOM_HEADER", "rid"), ("VIA_TOKEN", "anti-csrf")])
def test_ending_sessions_needs_the_anti_csrf_token(bare_site: Site, anti_csrf: Any, proof: str) -> None:
    """As any POST; a form of another website ends nothing either."""
    visitor = come_from(started(bare_site, anti_csrf=anti_csrf), ADA, CHROME)
    assert_refused(revoke(visitor, {"which": "all"}, without=[proof]), TRY_REFRESH)
    assert revoke(visitor, {"which": "all"}).status == 200


@ASGI_AND_WSGI
def test_a_form_of_another_website(bare_site: Site) -> None:
    visitor = come_from(started(bare_site), ADA, CHROME)
    headers = [
        ("content-type", "text/plain"),
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
    ]
    reply = visitor.post(REVOKE, headers=headers, body=b'{"which":"all","a":"="}')
    assert reply.status == 401
    assert bare_site.stored(visitor.handle) is not None


@ASGI_AND_WSGI
def test_failing_claims_do_not_block_it(bare_site: Site) -> None:
    """Whoever may sign out may do so elsewhere as well."""
    never = BooleanClaim("never", lambda *_: False)

    def functions(default: Any) -> Any:
        default.get_global_claim_validators = lambda *_: [never.validators.is_true()]
        return default

    site = started(bare_site, override=InputOverrideConfig(functions=functions))
    visitor = come_from(site, ADA, CHROME)
    assert visitor.get("/protected").status == 403
    assert seen(visitor) == [visitor.handle]
    assert revoke(visitor, {"which": "others"}).status == 200


@ASGI_AND_WSGI
def test_ending_sessions_may_need_a_fresh_authentication(bare_site: Site, mode: str) -> None:
    """With `require_fresh`: 403 that asks for a step-up, never 401; looking at the list needs none."""
    site = bare_site.init(devices=DeviceSettings(require_fresh=300))
    visitor = site.sign_in(mode)
    assert revoke(visitor, {"which": "others"}).status == 200
    site.clock.advance(s=301)
    refused = revoke(visitor, {"which": "others"})
    (failure,) = refused.json["claimValidationErrors"]
    assert (refused.status, failure["id"]) == (403, "st-auth")
    assert failure["reason"]["message"] == "authentication too old"
    assert refused.session_parts == []
    assert visitor.get(LIST).status == 200
    assert visitor.post("/auth/signout").json == {"status": "OK"}


@ASGI_AND_WSGI
def test_who_acts_as_a_user_ends_nothing(bare_site: Site, mode: str) -> None:
    """The user is shown that somebody does, and ends it; it counts in no limit."""
    may = Impersonation(may=lambda *_: True)
    site = started(bare_site, impersonation=may, limit=SessionLimit(max_sessions=3))
    user, support = come_from(site, ADA, IPHONE, mode=mode), come_from(site, ADA, CHROME, "boss", mode)
    acting = act_as(support, "ada").json["handle"]
    refused = revoke(support, {"which": "all"})
    assert (refused.status, refused.json["claimValidationErrors"][0]["id"]) == (403, "act")
    listed = user.get(LIST).json
    assert {one["handle"]: one["impersonated"] for one in listed["sessions"]} == {
        user.handle: False,
        acting: True,
    }
    assert listed["limit"] == {"used": 1, "max": 3}
    assert [one["handle"] for one in support.get(LIST).json["sessions"] if one["current"]] == [acting]
    assert revoke(user, {"handles": [acting]}).json["revoked"] == [acting]
    assert_gone(support.get("/database"))


@ASGI_AND_WSGI
@pytest.mark.parametrize("is_async", [False, True])
def test_overrides_of_either_colour_lose_no_visit(bare_site: Site, is_async: bool) -> None:
    """What is noted travels beside the arguments, through whatever an application puts in between."""

    def functions(default: Any) -> Any:
        create, refresh = default.create_new_session, default.refresh_session

        async def later(original: Any, *args: Any, **named: Any) -> Any:
            return await original(*args, **named)

        if is_async:
            default.create_new_session = lambda *args, **named: later(create, *args, **named)
            default.refresh_session = lambda *args, **named: later(refresh, *args, **named)
        else:
            default.create_new_session = lambda *args, **named: create(*args, **named)
            default.refresh_session = lambda *args, **named: refresh(*args, **named)
        return default

    site = started(bare_site, override=InputOverrideConfig(functions=functions))
    visitor = come_from(site, ADA, CHROME)
    (created,) = visitor.get(LIST).json["sessions"]
    assert (created["ip"], created["label"]) == ("192.0.2.0", "Chrome on Windows")
    site.clock.advance(hours=1)
    visitor.refresh(headers=[("x-client", "198.51.100.9"), ("user-agent", IPHONE)])
    (refreshed,) = visitor.get(LIST).json["sessions"]
    assert (refreshed["ip"], refreshed["label"]) == ("198.51.100.0", "Safari on iPhone")


@ASGI_AND_WSGI
def test_without_a_session(bare_site: Site) -> None:
    site = started(bare_site)
    assert_refused(site.get(LIST), UNAUTHORISED)
    assert_refused(site.post(REVOKE, JSON, body=b'{"which":"all"}'), UNAUTHORISED)


@ASGI_AND_WSGI
@pytest.mark.parametrize("devices", [None, DeviceSettings(routes=False)])
def test_the_paths_are_the_applications_unless_asked_for(bare_site: Site, devices: Any) -> None:
    site = bare_site.init(devices=devices)
    visitor = site.sign_in()
    assert [visitor.get(LIST).status, revoke(visitor, {"which": "all"}).status] == [404, 404]


@ASGI_AND_WSGI
def test_overrides_of_the_apis(bare_site: Site) -> None:
    """An application refuses, or leaves a path out."""

    def apis(default: Any) -> Any:
        default.disable_sessions_get = True
        default.sessions_revoke_post = lambda *_: GeneralErrorResponse("ask an administrator")
        return default

    site = started(bare_site, override=InputOverrideConfig(apis=apis))
    visitor = come_from(site, ADA, CHROME)
    assert visitor.get(LIST).status == 404
    reply = revoke(visitor, {"which": "all"})
    assert reply.json == {"status": "GENERAL_ERROR", "message": "ask an administrator"}


@ASGI_AND_WSGI
def test_overrides_of_the_functions(bare_site: Site) -> None:
    """The routes use them: an application writes down what is ended, say."""
    ended: list[str] = []

    def functions(default: Any) -> Any:
        revoke_others = default.revoke_other_sessions

        async def noted(handle: str, everywhere: bool, user_context: Any) -> list[str]:
            ended.extend(await revoke_others(handle, everywhere, user_context))
            return ended

        default.revoke_other_sessions = noted
        default.list_sessions = lambda *_: []
        return default

    site = started(bare_site, override=InputOverrideConfig(functions=functions))
    other, visitor = come_from(site, ADA, CHROME), come_from(site, ADA, CHROME)
    assert seen(visitor) == []
    assert revoke(visitor, {"which": "others"}).json["revoked"] == ended == [other.handle]


@ASGI_AND_WSGI
def test_the_limit_is_shown(bare_site: Site) -> None:
    """How many sessions count, and how many there may be."""
    site = started(bare_site, limit=SessionLimit(max_sessions=3))
    visitors = [come_from(site, ADA, CHROME) for _ in range(2)]
    assert visitors[0].get(LIST).json["limit"] == {"used": 2, "max": 3}


@ASGI_AND_WSGI
def test_a_path_below_a_tenant(bare_site: Site) -> None:
    """The session decides, not the path: the list is of all tenants."""
    visitor = come_from(started(bare_site), ADA, CHROME)
    assert visitor.get("/auth/t1/sessions").json["sessions"][0]["handle"] == visitor.handle
