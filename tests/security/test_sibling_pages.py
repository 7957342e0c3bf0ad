"""Pages of another origin on the same site: what they cannot do to the session of a visitor.

`SameSite` keeps no cookie back from a subdomain, or from another port of the same host.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest

from supertokens_py.recipe import emailpassword, emailverification, passwordless, thirdparty
from supertokens_py.recipe.base import Recipe
from supertokens_py.recipe.emailverification.addresses import (
    EmailDoesNotExistError,
    EmailOfUser,
    GetEmailForUserIdOkResult,
)
from supertokens_py.recipe.session import DeviceSettings, GuestSettings, Impersonation, PageSettings
from supertokens_py.supertokens import Supertokens
from supertokens_py.testing.conformance import Reply
from supertokens_py.types import RecipeUserId
from tests.framework.sign_in import FRAMEWORKS, PASSWORD, QUICK, Outbox, form, site_with_users
from tests.framework.site import Site, Visitor
from tests.framework.test_guests import visit
from tests.framework.test_impersonation import act_as
from tests.framework.test_verify import UNAUTHORISED
from tests.recipe.thirdparty.site.conftest import Account, shop
from tests.support.clock import Clock

WEBSITE, API, OTHER = "https://example.com", "https://api.example.com", "https://shop.example.com"
ADA = "ada"
TEXT = ("content-type", "text/plain")

#: What browsers say of a script that asks nobody (`text/plain`, no header of its own), and of a form.
SIBLINGS: list[list[tuple[str, str]]] = [
    *(
        [("origin", origin), ("sec-fetch-site", "same-site"), ("sec-fetch-mode", mode), TEXT]
        for origin in ("https://blog.example.com", "https://api.example.com:8443")
        for mode in ("no-cors", "cors", "navigate")
    ),
    # browsers without Fetch Metadata
    [("origin", "https://blog.example.com"), TEXT],
    [("origin", "https://blog.example.com"), TEXT, ("accept", "text/html")],
]
#: What hides its origin, a sandboxed frame or a `data:` page, in browsers without Fetch Metadata.
OPAQUE: list[list[tuple[str, str]]] = [
    [("origin", "null"), TEXT],
    [("origin", "null"), TEXT, ("accept", "text/html")],
]
#: Ours: the website, the API's own pages and forms, a frontend that CORS let through, and no browser at all.
OWN: list[list[tuple[str, str]]] = [
    [("origin", WEBSITE), ("sec-fetch-site", "same-site"), ("sec-fetch-mode", "cors")],
    [("origin", WEBSITE)],
    [("origin", API), ("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")],
    [("origin", API), ("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "navigate")],
    [("origin", "null"), ("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "navigate")],
    [("origin", API)],
    [("origin", OTHER), ("sec-fetch-site", "same-site"), ("rid", "anti-csrf")],
    [("origin", OTHER), ("sec-fetch-site", "same-site"), ("st-auth-mode", "cookie")],
    [("sec-fetch-mode", "cors")],  # `fetch` of Node.js, which renders pages for frontends
    [],
]


@dataclass(frozen=True)
class Action:
    """A route that changes something of the session whose cookies come with a request."""

    path: str
    body: Any = None
    begins: bool = False  #: whether its session is one in which somebody acts for another


SIGN_OUT, REFRESH = Action("/signout"), Action("/session/refresh")
ACTIONS = [
    SIGN_OUT,
    REFRESH,
    Action("/sessions/revoke", {"which": "all"}),
    Action("/sessions/revoke", {"which": "others"}),
    Action("/impersonation/end", begins=True),
    Action("/user/email/verify/token", {}),
    Action("/user/email/verify", {"token": "somebody's"}),
]
#: Routes that look at no session in cookies, each with what protects it.
OTHERS = {
    **dict.fromkeys(("/signup", "/signin", "/signinup", "/signinup/code/consume"), "log-in CSRF"),
    **dict.fromkeys(("/signinup/code", "/signinup/code/resend"), "it sends a message, to whom the body says"),
    **dict.fromkeys(("/user/password/reset/token", "/user/password/reset"), "the secret of a link"),
    **dict.fromkeys(("/session/device/register", "/session/device/refresh"), "the signature of a device"),
    "/callback/apple": "it only redirects",
}


@pytest.fixture(params=FRAMEWORKS)
def bare_site(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Site]:
    yield from site_with_users(request, clock)


@dataclass
class Application:
    """One with every recipe and every route."""

    site: Site
    outbox: Outbox

    def visitor(self, action: Action) -> Visitor:
        """Return a browser of the user, who has another one as well, or one who acts as them."""
        self.site.sign_in(user_id=ADA)
        visitor = self.site.sign_in(user_id="boss" if action.begins else ADA)
        if action.begins:
            assert act_as(visitor, ADA).status == 200
        return visitor

    def send(self, visitor: Visitor, action: Action, headers: Sequence[tuple[str, str]]) -> Reply:
        """Send what an action is, with the cookies that a browser sends and just these headers."""
        cookies = [("sAccessToken", visitor.access or "")]
        if action.path == REFRESH.path:
            cookies.append(("sRefreshToken", quote(visitor.refresh_token or "", safe="")))
        cookies += [
            ("sImpersonation", token)
            for path, token in visitor.way_back.items()
            if path == f"/auth{action.path}"
        ]
        body = b"" if action.body is None else json.dumps(action.body).encode()
        return self.site.post(f"/auth{action.path}", headers, cookies=cookies, body=body)

    def stored(self) -> list[Any]:
        """Return all that is stored of sessions."""
        handles = [handle for user in ("boss", ADA) for handle in self.site.handles(user)]
        return [(handle, self.site.stored(handle)) for handle in handles]


def _may(actor: Any, user_id: str, context: Any) -> bool:
    return actor.get_user_id() == "boss"


def _address_of(user_id: RecipeUserId, context: Any) -> EmailOfUser:
    known = user_id.get_as_string() == ADA
    return GetEmailForUserIdOkResult("ada@example.com") if known else EmailDoesNotExistError()


def served(site: Site, **settings: Any) -> Application:
    outbox = Outbox()
    mails: Any = emailpassword.EmailDeliveryConfig(outbox)
    recipes = [
        emailpassword.init(email_delivery=mails),
        emailverification.init("OPTIONAL", mails, _address_of),
        passwordless.init(passwordless.ContactEmailOnlyConfig(), "USER_INPUT_CODE", email_delivery=mails),
        thirdparty.init(thirdparty.SignInAndUpFeature([shop(Account())])),
    ]
    features: dict[str, Any] = {
        "devices": DeviceSettings(),
        "impersonation": Impersonation(may=_may, routes=True),
        **settings,
    }
    return Application(site.init(engine=QUICK, recipes=recipes, **features), outbox)


@pytest.mark.parametrize(
    "settings",
    [{}, {"anti_csrf": "NONE"}, {"pages": PageSettings(login_path="/login")}],
    ids=["", "none", "pages"],
)
def test_no_page_of_a_subdomain_touches_a_session(bare_site: Site, settings: dict[str, Any]) -> None:
    """401 at every route of the SDK, nothing stored is changed, no cookie set, and no message sent."""
    application = served(bare_site, **settings)
    for action in ACTIONS:
        visitor = application.visitor(action)
        before = application.stored()
        for page in SIBLINGS:
            reply = application.send(visitor, action, page)
            assert (reply.status, reply.json) == (401, UNAUTHORISED), (action, page)
            assert (reply.set_cookies, reply.session_parts) == ([], []), (action, page)
        for page in OPAQUE:
            reply = application.send(visitor, action, page)
            assert reply.status == 401, (action, page)
            assert reply.json["message"] in (UNAUTHORISED["message"], "try refresh token"), (action, page)
            assert (reply.set_cookies, reply.session_parts) == ([], []), (action, page)
        assert (application.stored(), application.outbox.sent) == (before, []), action


@pytest.mark.parametrize("tossed", ["sAccessToken", "sIdRefreshToken"])
def test_no_cookie_of_a_subdomain_signs_out(bare_site: Site, tossed: str) -> None:
    """A subdomain can set one for every host of the site; it is refused before anti-CSRF is checked."""
    served(bare_site, pages=PageSettings(login_path="/login"))
    visitor = bare_site.sign_in(user_id=ADA)
    cookies = [("sAccessToken", visitor.access or ""), (tossed, "tossed")]
    for page in (*SIBLINGS, *OPAQUE):
        reply = bare_site.post("/auth/signout", page, cookies=cookies)
        assert (reply.status, reply.set_cookies, reply.session_parts) == (401, [], []), page
    form = [("origin", API), ("accept", "text/html")]
    reply = bare_site.post("/auth/signout", form, cookies=cookies)
    assert (reply.status, reply.header("location")) == (303, "/auth/session/refresh?next=/")


def test_no_page_of_a_subdomain_posts_to_a_view_of_a_server_that_renders_pages(bare_site: Site) -> None:
    """Its forms have no other proof; a view that has one, such as its framework's, can leave this out."""
    served(bare_site, pages=PageSettings(login_path="/login"))
    visitor = bare_site.sign_in(user_id=ADA)
    cookies = [("sAccessToken", visitor.access or "")]
    for page in SIBLINGS:
        for path in ("/protected", "/optional", "/csrf-on"):
            reply = bare_site.post(path, page, cookies=cookies)
            assert (reply.status, reply.set_cookies, reply.session_parts) == (401, [], []), (path, page)
        assert bare_site.post("/csrf-off", page, cookies=cookies).json["user"] == ADA, page
        assert bare_site.get("/protected", page, cookies=cookies).status == 200, page
    for page in OWN:
        assert bare_site.post("/protected", page, cookies=cookies).json["user"] == ADA, page


def kinds_of(kind: type[Any]) -> list[type[Any]]:
    """Return the recipes that there are, of this kind."""
    below = [one for child in kind.__subclasses__() for one in kinds_of(child)]
    return below or [kind]


def test_no_route_is_forgotten(bare_site: Site) -> None:
    """Whatever is not merely read either refuses such a page, or works on no session in cookies."""
    served(bare_site, device_binding="auto")
    app = Supertokens.get_instance()
    changing = {
        route.path
        for kind in kinds_of(Recipe)
        if app.has_recipe(kind.recipe_id)
        for route in app.recipe(kind).routes()
        if route.method != "GET"
    }
    assert changing == {action.path for action in ACTIONS} | set(OTHERS)


def test_own_pages_need_no_header(bare_site: Site) -> None:
    """The website, frontends, forms of pages that the API renders, servers and apps do as ever."""
    application = served(bare_site)
    for action in ACTIONS:
        for page in OWN if action in (SIGN_OUT, REFRESH) else OWN[:4:3]:
            visitor = application.visitor(action)
            before = application.stored()
            reply = application.send(visitor, action, page)
            assert reply.status == 200, (action, page, reply.body)
            assert (application.stored() == before) is ("verify" in action.path or action == REFRESH)


def test_a_website_of_an_origin_function_sends_the_header(bare_site: Site) -> None:
    """What such a function answers to a request opens nothing to that request, even if it is told to."""

    def echo(request: Any, user_context: dict[str, Any]) -> str:
        return (request and request.get_header("origin")) or WEBSITE

    info = {"website_domain": None, "origin": echo}
    application = served(bare_site, info=info, anti_csrf="NONE", cookie_same_site="lax")
    for action in ACTIONS:
        visitor = application.visitor(action)
        before = application.stored()
        for page in ([("origin", WEBSITE)], *SIBLINGS):
            assert application.send(visitor, action, page).status == 401, (action, page)
        assert application.stored() == before
        frontend = [("origin", OTHER), ("sec-fetch-site", "same-site"), ("rid", "anti-csrf")]
        assert application.send(visitor, action, frontend).status == 200, action


def test_a_subdomain_takes_over_no_guest(bare_site: Site) -> None:
    """Its page signs in as somebody else, by headers; the guest whose cookies come along stays a guest."""
    merged: list[Any] = []
    guests = GuestSettings(
        upgrade_at_sign_in=True, on_guest_upgraded=lambda guest, user: merged.append((guest, user))
    )
    served(bare_site, guests=guests)
    body = json.dumps(form(email="eve@example.com", password=PASSWORD)).encode()
    eve = bare_site.post("/auth/signup", body=body).json["user"]["id"]
    for page in SIBLINGS:
        visitor, guest_id = visit(bare_site)
        cookies = [("sAccessToken", visitor.access or "")]
        reply = bare_site.post("/auth/signin", page, cookies=cookies, body=body)
        assert (reply.status, reply.set_cookies) == (200, []), page
        assert (bare_site.handles(guest_id), merged) == ([visitor.handle], []), page
        assert visitor.post("/auth/signin", headers=OWN[0], body=body).status == 200
        assert merged.pop() == (guest_id, eve)
