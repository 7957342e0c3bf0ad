"""Who may see which page of the admin page, and change what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from supertokens_py.admin import AdminAction, create_admin
from supertokens_py.admin.application import PAGES
from supertokens_py.admin.forms import FORM_FIELD, PURPOSE, form_token
from supertokens_py.app import Supertokens
from supertokens_py.exceptions import ConfigError
from supertokens_py.framework.asgi import SuperTokensMiddleware
from supertokens_py.recipe.session import GuestSettings, InputOverrideConfig, PageSettings, SessionContainer
from supertokens_py.recipe.session.interfaces import APIInterface
from supertokens_py.recipe.session.syncio import revoke_all_sessions_for_user
from tests.admin.conftest import HERE, Site, authorize

#: What the address of a page has to say besides its path.
QUERIES = {
    "/user": "?id=ada",
    "/session": "?handle={handle}",
    "/tenant": "?id=public",
    "/revoke": "?handle={handle}",
    "/sessions": "?tenant=public",
    "/end": "?tenant=public&handle={handle}",
    "/rotate": "",
}
READ = [("GET", page.path + QUERIES.get(page.path, "")) for page in PAGES if page.action == "read"]
ASK = [("GET", page.path + QUERIES[page.path]) for page in PAGES if page.submit]
DO = [("POST", page.path + QUERIES[page.path]) for page in PAGES if page.submit]
PAYLOAD = [("GET", "/session?handle={handle}&payload=1")]


def nobody(site: Site) -> TestClient:
    return site.client()


def user(site: Site) -> TestClient:
    return site.signed_in("ada")


def guest(site: Site) -> TestClient:
    client = site.client()
    assert client.post("/visit", headers={"st-auth-mode": "cookie"}).status_code == 200
    return client


def stale(site: Site) -> TestClient:
    client = site.signed_in("writer-1")
    site.clock.advance("15m")
    site.clock.advance(1)
    return client


def never_fresh(site: Site) -> TestClient:
    return site.signed_in("writer-1", fresh=False)


def impersonated(site: Site) -> TestClient:
    client = site.signed_in("writer-1")
    assert client.post("/act-as", headers={"rid": "session", "st-auth-mode": "cookie"}).status_code == 200
    return client


def revoked(site: Site) -> TestClient:
    client = site.signed_in("writer-1")
    revoke_all_sessions_for_user("writer-1")
    return client


def reader(site: Site) -> TestClient:
    return site.signed_in("reader-1")


def writer(site: Site) -> TestClient:
    return site.signed_in("writer-1")


#: Statuses: of a page, of a payload, of asking for a change, of the change itself.
MATRIX = {
    nobody: (401, 401, 401, 401),
    user: (403, 403, 403, 403),
    guest: (403, 403, 403, 403),
    stale: (200, 200, 403, 403),
    never_fresh: (200, 200, 403, 403),
    impersonated: (403, 403, 403, 403),
    revoked: (401, 401, 401, 401),
    reader: (200, 403, 403, 403),
    writer: (200, 200, 200, 303),
}


def token_of(client: TestClient) -> str:
    """Return the token that the forms of a client's session have, as if a page had shown it."""
    secret = Supertokens.get_instance().engine.keys.shared_secrets(PURPOSE)[0]
    from supertokens_py.tokens.access_token import parse_access_token

    parsed = parse_access_token(client.cookies.get("sAccessToken") or "")
    return form_token(secret, parsed.handle if parsed else "")


@pytest.mark.parametrize("who", MATRIX, ids=lambda who: who.__name__)
def test_who_may_do_what(site: Site, who: Callable[[Site], TestClient]) -> None:
    """CP-38: every route, for everybody; a form with the right token and origin helps nobody."""
    client = who(site)
    for kind, expected in zip((READ, PAYLOAD, ASK, DO), MATRIX[who], strict=True):
        for method, path in kind:
            handle = site.session_of("ada")
            address = "/admin" + path.format(handle=handle)
            form = {FORM_FIELD: token_of(client), "word": "rotate"}
            answer = client.get(address) if method == "GET" else client.post(address, data=form, headers=HERE)
            assert (answer.status_code, path) == (expected, path)
            if expected in (401, 403):
                assert "<h1>" in answer.text
                assert "ada" not in answer.text


def test_without_writes_nothing_can_be_changed(make_site: Callable[..., Site]) -> None:
    """`authorize` is not even asked, and no page offers it."""
    asked: list[AdminAction] = []

    def authorize(session: SessionContainer, action: AdminAction) -> bool:
        asked.append(action)
        return True

    site = make_site({"authorize": authorize, "writes": False})
    client, handle = site.signed_in("writer-1"), site.session_of("ada")
    for page in (f"session?handle={handle}", "user?id=ada", "keys"):
        shown = client.get(f"/admin/{page}")
        assert shown.status_code == 200
        assert "revoke" not in shown.text
        assert "rotate?" not in shown.text
        assert 'href="rotate"' not in shown.text
    for page in (f"revoke?handle={handle}", "rotate"):
        assert client.get(f"/admin/{page}").status_code == 403
        assert client.post(f"/admin/{page}", headers=HERE).status_code == 403
    assert set(asked) == {"read", "read_payload"}


@pytest.mark.parametrize("answer", [None, 1, "yes", False])
def test_only_true_lets_in(make_site: Callable[..., Site], answer: Any) -> None:
    """Whatever else a function returns is a no."""
    site = make_site({"authorize": lambda *_: answer})
    assert site.signed_in("writer-1").get("/admin/").status_code == 403


def test_an_override_that_finds_no_session_lets_nobody_in(make_site: Callable[..., Site]) -> None:
    """It may return None for visitors of its own choice."""

    def apis(original: APIInterface) -> APIInterface:
        async def verify_session(*args: Any, **kwargs: Any) -> None:
            pass

        original.verify_session = verify_session
        return original

    site = make_site(override=InputOverrideConfig(apis=apis))
    answer = site.signed_in("writer-1").get("/admin/")
    assert answer.status_code == 401
    assert "You are not signed in, or your session has expired." in answer.text


def test_authorize_may_be_async(make_site: Callable[..., Site]) -> None:
    """It may ask a database."""

    async def authorize(session: SessionContainer, action: AdminAction) -> bool:
        return action == "read"

    site = make_site({"authorize": authorize})
    client = site.signed_in("anybody")
    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/rotate").status_code == 403


def test_authorize_has_to_be_a_function(make_site: Callable[..., Site]) -> None:
    """Not a name or a role."""
    with pytest.raises(ConfigError, match="authorize must be a function"):
        make_site({"authorize": "admin"})


def test_who_is_not_signed_in_gets_a_link_to_where_they_can(make_site: Callable[..., Site]) -> None:
    """And so does who has to sign in again."""
    site = make_site({"sign_in": "/log-in?a=1&b=2"})
    link = '<a class="button" href="/log-in?a=1&amp;b=2">Sign in</a>'
    assert link in site.client().get("/admin/").text
    client = site.signed_in("writer-1", fresh=False)
    assert link in client.get("/admin/rotate").text
    assert link not in site.signed_in("ada").get("/admin/").text


def test_pages_of_the_application_are_refreshed_or_signed_in(make_site: Callable[..., Site]) -> None:
    """With `PageSettings`, a browser is sent where every page of the application sends it."""
    site = make_site(pages=PageSettings(login_path="/log-in"), step_up=True)
    browser = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    answer = site.client().get("/admin/user?id=ada", headers=browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/log-in?next=/admin/user%3Fid%3Dada")
    client = site.signed_in("writer-1")
    site.clock.advance("2h")
    answer = client.get("/admin/user?id=ada", headers=browser)
    assert answer.headers["location"] == "/auth/session/refresh?next=/admin/user%3Fid%3Dada"


def test_it_works_where_forms_could_not_send_the_header(make_site: Callable[..., Site]) -> None:
    """An application with `anti_csrf="VIA_CUSTOM_HEADER"`: the page has a check of its own."""
    site = make_site(anti_csrf="VIA_CUSTOM_HEADER", step_up=True)
    client, handle = site.signed_in("writer-1"), site.session_of("ada")
    assert site.send(client, f"/admin/revoke?handle={handle}").status_code == 303


def test_it_runs_beside_an_application_of_another_framework(make_site: Callable[..., Site]) -> None:
    """In a process of its own, with the middleware for any ASGI application around it."""
    site = make_site()
    site.app = SuperTokensMiddleware(create_admin(authorize=authorize, writes=True))
    client, handle = site.signed_in("writer-1"), site.session_of("ada")
    assert site.client().get("/").status_code == 401
    assert site.signed_in("ada").get("/").status_code == 403
    assert site.send(client, f"/revoke?handle={handle}").status_code == 303


def test_a_guest_is_never_let_in(make_site: Callable[..., Site]) -> None:
    """Whatever `authorize` says, and where the routes of the application take guests."""
    asked: list[str] = []

    def everybody(session: SessionContainer, action: AdminAction) -> bool:
        asked.append(action)
        return True

    site = make_site(admin={"authorize": everybody}, guests=GuestSettings(allow=True))
    answer = guest(site).get("/admin/")
    assert (answer.status_code, asked) == (403, [])
    assert "Not with this session" in answer.text


def test_a_page_that_goes_on_by_itself_is_passed_on(make_site: Callable[..., Site]) -> None:
    """Strict cookies do not come with a link of another site: the page is asked for once more from here."""
    site = make_site(pages=PageSettings(login_path="/login"), cookie_same_site="strict")
    led = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    answer = site.client().get("/admin/", headers=led)
    assert (answer.status_code, "Sign in" in answer.text) == (200, False)
    assert 'http-equiv="refresh"' in answer.text or "refresh" in answer.headers


def test_no_other_site_makes_an_administrator_look(make_site: Callable[..., Site]) -> None:
    """A payload that was looked at is an event: a link of another site shows the page without it."""
    site = make_site()
    handle = site.session_of("ada", access_token_payload={"plan": "pro"})
    client = writer(site)
    address = f"/admin/session?handle={handle}&payload=1"
    for place in ("cross-site", "same-site"):
        shown = client.get(address, headers={"sec-fetch-site": place})
        assert (shown.status_code, "Access token payload" in shown.text) == (200, False)
    for place in ("same-origin", "none"):
        assert "Access token payload" in client.get(address, headers={"sec-fetch-site": place}).text
