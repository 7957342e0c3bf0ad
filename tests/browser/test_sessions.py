"""The life of a session with the official clients: made, read, changed, refreshed, ended."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.servers import Backend
from tests.browser.tab import REFRESH, Answer, Tab, Traffic

OpenTab = Callable[..., Tab]


def test_a_first_visit_asks_once_whether_there_is_a_session(
    open_tab: OpenTab, traffic: Traffic, client: str
) -> None:
    """FP-109: the first visit makes exactly one refresh call, then none, also after a reload."""
    tab = open_tab(client=client)
    assert tab.call("/public") == Answer(200, {"public": True})
    assert traffic.statuses(REFRESH) == [401]
    assert tab.exists() is False
    assert tab.call("/public").status == 200
    assert tab.call("/me") == Answer(401, {"message": "unauthorised"})
    tab.reload()
    assert tab.exists() is False
    assert tab.call("/optional") == Answer(200, {"user": None})
    assert len(traffic.to(REFRESH)) == 1
    assert "SESSION_CREATED" not in tab.take_actions()


def test_the_client_knows_the_session_after_create_merge_and_refresh(
    open_tab: OpenTab, traffic: Traffic, user: str, client: str
) -> None:
    """`doesSessionExist`, `getUserId` and the payload are right at once; the events tell what happened."""
    tab = open_tab(client=client)
    tab.sign_in(user, {"plan": "free", "limits": {"b": 1, "a": [2, None]}, "name": "Zoë 🐘"})
    assert tab.take_actions() == ["SESSION_CREATED"]
    assert (tab.exists(), tab.user_id()) == (True, user)
    created = tab.payload()
    assert created["name"] == "Zoë 🐘"
    assert created["sub"] == user
    assert tab.call("/me").body == {"user": user, "handle": created["sessionHandle"], "payload": created}

    assert tab.call("/merge", "POST", {"plan": "paid", "limits": None}).status == 200
    assert tab.take_actions() == ["ACCESS_TOKEN_PAYLOAD_UPDATED"]
    merged = tab.payload()
    assert merged["plan"] == "paid"
    assert "limits" not in merged
    assert (tab.exists(), tab.user_id()) == (True, user)

    traffic.clear()
    assert tab.refresh() is True
    assert traffic.statuses(REFRESH) == [200]
    assert "REFRESH_SESSION" in tab.take_actions()
    refreshed = tab.payload()
    assert refreshed["plan"] == "paid"
    assert refreshed["refreshTokenHash1"] != merged["refreshTokenHash1"]
    assert (tab.exists(), tab.user_id()) == (True, user)
    assert tab.call("/checked").body["payload"] == refreshed
    assert len(traffic.to(REFRESH)) == 1


def test_the_session_outlives_a_reload_and_is_seen_by_other_tabs(
    open_tab: OpenTab, traffic: Traffic, user: str
) -> None:
    tab = open_tab()
    tab.sign_in(user)
    tab.reload()
    other = open_tab(client="website")
    traffic.clear()
    for each in (tab, other):
        assert each.exists() is True
        assert each.call("/me").body["user"] == user
    other.sign_out()
    assert tab.exists() is False
    assert traffic.to(REFRESH) == []


def test_cookie_mode_leaves_no_token_where_scripts_can_read_it(
    open_tab: OpenTab, context: BrowserContext, traffic: Traffic, user: str
) -> None:
    tab = open_tab()
    tab.sign_in(user)
    assert set(tab.stored()) == {"sFrontToken", "st-last-access-token-update"}
    cookies = {cookie["name"]: cookie for cookie in context.cookies()}
    for name, path in (("sAccessToken", "/"), ("sRefreshToken", REFRESH)):
        assert cookies[name]["httpOnly"] is True
        assert cookies[name]["path"] == path
        assert cookies[name]["sameSite"] == "Lax"
    assert tab.call("/me").status == 200
    assert "authorization" not in traffic.to("/me")[-1].headers


def test_header_mode_from_sign_in_to_sign_out(
    open_tab: OpenTab, context: BrowserContext, traffic: Traffic, user: str, client: str
) -> None:
    """FP-112: header mode end to end; the server sets no cookie."""
    tab = open_tab(client=client, session={"tokenTransferMethod": "header"})
    tab.sign_in(user)
    assert all(not cookie["httpOnly"] for cookie in context.cookies())
    token = tab.access_token()
    assert token is not None
    assert tab.call("/me", "POST").body["user"] == user
    assert traffic.to("/me")[-1].headers["authorization"] == f"Bearer {token}"
    assert tab.call("/merge", "POST", {"step": 2}).body["payload"]["step"] == 2
    assert tab.payload()["step"] == 2
    assert tab.access_token() != token
    assert tab.refresh() is True
    assert traffic.to(REFRESH)[-1].headers["authorization"].startswith("Bearer ")
    assert tab.call("/checked").body["payload"] == tab.payload()
    tab.take_events()
    tab.sign_out()
    assert tab.take_actions() == ["SIGN_OUT"]
    assert tab.exists() is False
    assert set(tab.stored()) == {"st-last-access-token-update"}
    assert tab.call("/me").status == 401


@pytest.mark.parametrize(("first", "then"), [("cookie", "header"), ("header", "cookie")])
def test_a_new_sign_in_may_change_the_way_of_the_tokens(
    open_tab: OpenTab, context: BrowserContext, user: str, first: str, then: str
) -> None:
    """The tokens of the other way are cleared, so that one session is left."""
    tab = open_tab(session={"tokenTransferMethod": first})
    tab.sign_in(user)
    tab.page.close()
    tab = open_tab(session={"tokenTransferMethod": then})
    assert tab.exists() is True
    tab.sign_in(f"{user}-again")
    names = {cookie["name"] for cookie in context.cookies()}
    assert ("sAccessToken" in names, "st-access-token" in names) == (then == "cookie", then == "header")
    assert tab.refresh() is True
    assert tab.call("/checked").body["user"] == f"{user}-again"


def test_signing_out_ends_the_session_in_every_tab(
    open_tab: OpenTab, context: BrowserContext, traffic: Traffic, user: str, client: str
) -> None:
    tab = open_tab(client=client)
    tab.sign_in(user)
    tab.take_events()
    tab.sign_out()
    assert traffic.statuses("/auth/signout") == [200]
    assert tab.take_actions() == ["SIGN_OUT"]
    assert tab.exists() is False
    assert {cookie["name"] for cookie in context.cookies()} == {"st-last-access-token-update"}
    traffic.clear()
    assert tab.call("/me").status == 401
    assert traffic.to(REFRESH) == []
    tab.sign_in(user)
    assert tab.call("/me").body["user"] == user


def test_the_application_may_end_the_session_itself(open_tab: OpenTab, user: str) -> None:
    """`revoke_session()` in a view clears the tokens with its own answer, whatever its status."""
    tab = open_tab()
    tab.sign_in(user)
    tab.take_events()
    assert tab.call("/revoke-me", "POST").status == 200
    assert tab.take_actions() == ["SIGN_OUT"]
    assert tab.exists() is False


@pytest.mark.parametrize(("client", "found_by"), [("website", "check_database"), ("web-js", "refresh")])
def test_a_session_revoked_on_the_server_logs_the_client_out(
    open_tab: OpenTab, api: Backend, traffic: Traffic, user: str, client: str, found_by: str
) -> None:
    """A route that asks the database notices at once; the others when the token is refreshed."""
    tab = open_tab(client=client)
    tab.sign_in(user)
    assert api.post(f"/test/revoke?handle={tab.payload()['sessionHandle']}") == {"revoked": True}
    assert tab.call("/me").status == 200  # an access token is trusted until it expires
    tab.take_events()
    if found_by == "check_database":
        assert tab.call("/checked") == Answer(401, {"message": "unauthorised"})
        assert traffic.to(REFRESH)[1:] == []  # the first visit's was all
    else:
        assert tab.refresh() is False
    assert {"action": "UNAUTHORISED", "sessionExpiredOrRevoked": True} in tab.take_events()
    assert tab.exists() is False
    assert "sFrontToken" not in tab.stored()


def test_a_stolen_refresh_token_ends_the_session(
    open_tab: OpenTab, context: BrowserContext, traffic: Traffic, api: Backend, user: str
) -> None:
    """FP-114: the thief uses an old refresh token; the client ends with UNAUTHORISED(true)."""
    tab = open_tab(client="website")
    tab.sign_in(user)
    (stolen,) = [cookie for cookie in context.cookies() if cookie["name"] == "sRefreshToken"]
    assert tab.refresh() is True
    api.end_grace_period(user)
    thief = api.send("POST", REFRESH, {"cookie": f"sRefreshToken={stolen['value']}", "rid": "session"})
    assert (thief.status_code, thief.json()) == (401, {"message": "token theft detected"})
    assert thief.headers["front-token"] == "remove"
    tab.take_events()
    traffic.clear()
    assert tab.refresh() is False
    assert traffic.statuses(REFRESH) == [401]
    assert tab.take_events() == [{"action": "UNAUTHORISED", "sessionExpiredOrRevoked": True}]
    assert tab.exists() is False
    assert {cookie["name"] for cookie in context.cookies()} == {"st-last-access-token-update"}


def test_the_victim_of_a_theft_is_told(
    open_tab: OpenTab, context: BrowserContext, api: Backend, user: str
) -> None:
    """FP-114: here the browser itself comes second, with the token that the thief has used up."""
    tab = open_tab()
    tab.sign_in(user)
    (first,) = [cookie for cookie in context.cookies() if cookie["name"] == "sRefreshToken"]
    assert tab.refresh() is True
    api.end_grace_period(user)
    context.add_cookies([first])
    tab.take_events()
    assert tab.refresh() is False
    assert tab.take_events() == [{"action": "UNAUTHORISED", "sessionExpiredOrRevoked": True}]
    assert tab.exists() is False


def test_a_failed_claim_fires_its_event_and_can_be_fetched_again(
    open_tab: OpenTab, user: str, client: str
) -> None:
    """FP-113: a claim's 403 fires API_INVALID_CLAIM; the application's own empty 403 does not."""
    tab = open_tab(client=client)
    tab.sign_in(user)
    tab.take_events()
    assert tab.call("/forbidden") == Answer(403, "")
    assert tab.take_events() == []
    failed = tab.call("/second-factor")
    assert failed.status == 403
    assert failed.body["message"] == "invalid claim"
    (problem,) = failed.body["claimValidationErrors"]
    assert problem["id"] == "2fa-completed"
    assert problem["reason"]["expectedValue"] is True
    expected = {"action": "API_INVALID_CLAIM", "claimValidationErrors": [problem]}
    assert tab.take_events() == [expected]
    assert tab.exists() is True

    assert tab.call("/second-factor/complete", "POST").status == 200
    assert tab.page.evaluate("validateSecondFactor()") == []  # the client fetches the claim again first
    assert tab.page.evaluate("client.getClaimValue({claim: SecondFactorClaim})") is True
    assert tab.call("/second-factor").body["payload"]["2fa-completed"]["v"] is True


def test_the_role_and_permission_claims_of_the_official_client(open_tab: OpenTab, user: str) -> None:
    """`UserRoleClaim` and `PermissionClaim` of supertokens-web-js read what the roles recipe writes."""
    tab = open_tab()
    tab.sign_in(user)
    refused = tab.call("/admin")
    assert refused.status == 403
    assert [error["id"] for error in refused.body["claimValidationErrors"]] == ["st-role", "st-perm"]
    assert tab.call("/become-admin", "POST").status == 200
    assert tab.page.evaluate("client.getClaimValue({claim: UserRoleClaim})") == ["admin"]
    assert tab.page.evaluate("client.getClaimValue({claim: PermissionClaim})") == ["write"]
    script = (
        "([role, permission]) => client.validateClaims({overrideGlobalClaimValidators: validators => ["
        "...validators, UserRoleClaim.validators.includes(role),"
        " PermissionClaim.validators.includes(permission)]})"
    )
    assert tab.page.evaluate(script, ["admin", "write"]) == []
    failed = tab.page.evaluate(script, ["owner", "delete"])
    assert [error["id"] for error in failed] == ["st-role", "st-perm"]
    assert tab.call("/admin").status == 200


def test_the_script_tags_of_the_package(context: BrowserContext, api: Backend, user: str) -> None:
    """The bundles inside the supertokens-web-js package work as they are, without a build step."""
    page = context.new_page()
    page.goto(f"{api.origin}/pages/script-tags.html")
    sign_in = (
        "user => fetch('/login', {method: 'POST', headers: {'content-type': 'application/json'},"
        " body: JSON.stringify({user})}).then(answer => answer.status)"
    )
    assert page.evaluate("client.doesSessionExist()") is False
    assert page.evaluate(sign_in, user) == 200
    assert page.evaluate("client.getUserId()") == user
    assert page.evaluate("client.attemptRefreshingSession()") is True
    assert page.evaluate("fetch('/me').then(answer => answer.status)") == 200
    page.evaluate("client.signOut()")
    assert page.evaluate("events.map(event => event.action)")[-1] == "SIGN_OUT"


@pytest.mark.parametrize(
    ("client", "mode"), [("website", "cookie"), ("web-js", "header"), ("web-js", "cookie")]
)
def test_a_page_on_another_origin(
    open_tab: OpenTab, page_port: int, traffic: Traffic, user: str, client: str, mode: str
) -> None:
    """FP-111: across origins with CORS the client reads the exposed headers and logs in; both modes."""
    tab = open_tab(f"http://localhost:{page_port}", client=client, session={"tokenTransferMethod": mode})
    assert tab.exists() is False
    tab.sign_in(user)
    assert tab.take_actions() == ["SESSION_CREATED"]
    assert tab.user_id() == user
    assert tab.call("/merge", "POST", {"seen": "elsewhere"}).status == 200
    assert tab.payload()["seen"] == "elsewhere"
    assert tab.refresh() is True
    assert tab.call("/checked").body["payload"] == tab.payload()
    failed = tab.call("/second-factor")
    assert failed.body["claimValidationErrors"][0]["id"] == "2fa-completed"
    assert "API_INVALID_CLAIM" in tab.take_actions()
    tab.sign_out()
    assert tab.exists() is False
    assert tab.call("/me").status == 401
    assert [answer for answer in traffic.statuses(REFRESH) if answer != 200] == [401]


def test_the_form_of_another_site_carries_no_cookies(
    open_tab: OpenTab, forge: Callable[[str], int], api: Backend, user: str
) -> None:
    """The default for a website on the API's own site: SameSite=Lax, and no anti-CSRF token is needed."""
    tab = open_tab()
    tab.sign_in(user)
    assert forge(f"{api.origin}/form-without-check") == 401
    assert forge(f"{api.origin}/form") == 401
    assert forge(f"{api.origin}/auth/signout") == 401
    assert forge(f"{api.origin}{REFRESH}") == 401
    assert api.get("/test/accepted-posts").count(user) == 0
    assert tab.call("/form", "POST").status == 200
    assert tab.call("/checked").body["user"] == user
    assert tab.refresh() is True  # and none of them logged the visitor out
