"""Which requests the routes of the sign-in recipes take, and what overrides answer, in every framework."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from supertokens_py.recipe.emailpassword.interfaces import SignUpOkResult
from supertokens_py.recipe.emailpassword.syncio import sign_up
from supertokens_py.testing.conformance import Reply
from supertokens_py.testing.conformance.visitor import Visitor
from supertokens_py.types.response import GeneralErrorResponse
from tests.support.clock import Clock
from tests.support.databases import sorted_rows
from tests.support.deferred_work import finish_before_answers

from .sign_in import PAGE, PAIRS, Shop, database_of, form, opened, send, site_with_users
from .site import Site

AUTHORISE = f"/authorisationurl?{urlencode({'thirdPartyId': 'shop', 'redirectURIOnProviderDashboard': PAGE})}"
DEVICE = {"deviceId": "d", "preAuthSessionId": "p"}
#: recipe -> method, path and a body that is well-formed
ROUTES: dict[str, list[tuple[str, str, Any]]] = {
    "emailpassword": [
        ("POST", "/signup", form(email="ada@example.com", password="correct horse 1")),
        ("POST", "/signin", form(email="ada@example.com", password="correct horse 1")),
        ("GET", "/signup/email/exists?email=ada@example.com", None),
        ("GET", "/emailpassword/email/exists?email=ada@example.com", None),
        ("POST", "/user/password/reset/token", form(email="ada@example.com")),
        ("POST", "/user/password/reset", {**form(password="another horse 2"), "token": "t"}),
    ],
    "emailverification": [
        ("POST", "/user/email/verify/token", {}),
        ("POST", "/user/email/verify", {"method": "token", "token": "t"}),
        ("GET", "/user/email/verify", None),
    ],
    "passwordless": [
        ("POST", "/signinup/code", {"email": "ada@example.com"}),
        ("POST", "/signinup/code/resend", DEVICE),
        ("POST", "/signinup/code/consume", {**DEVICE, "userInputCode": "1"}),
        ("GET", "/passwordless/email/exists?email=ada@example.com", None),
        ("GET", "/signup/phonenumber/exists?phoneNumber=%2B16502530000", None),
        ("GET", "/passwordless/phonenumber/exists?phoneNumber=%2B16502530000", None),
    ],
    "thirdparty": [
        ("GET", AUTHORISE, None),
        (
            "POST",
            "/signinup",
            {
                "thirdPartyId": "shop",
                "redirectURIInfo": {
                    "redirectURIOnProviderDashboard": PAGE,
                    "redirectURIQueryParams": {"code": "c"},
                },
            },
        ),
        ("POST", "/callback/apple", {}),
    ],
}
VERIFIED = "emailverification_verified_emails"
#: What the routes write to.
CHANGED = (
    "all_auth_recipe_users",
    "emailpassword_users",
    "emailpassword_pswd_reset_tokens",
    "emailverification_tokens",
    VERIFIED,
    "passwordless_devices",
    "passwordless_codes",
    "thirdparty_users",
)
each_recipe = pytest.mark.parametrize("recipe", ROUTES)


@pytest.fixture(params=PAIRS)
def bare_site(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Site]:
    yield from site_with_users(request, clock)


@pytest.fixture(autouse=True)
def _everything_is_sent_before_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    finish_before_answers(monkeypatch)


def seen(reply: Reply) -> tuple[int, bytes, list[str]]:
    """Return what tells an answer of the application from one of the SDK."""
    return reply.status, reply.body, reply.session_parts


@each_recipe
def test_a_disabled_route_is_the_applications(bare_site: Site, recipe: str) -> None:
    """SI-8: its own answer to an unknown page, body and all."""

    def disabled(apis: Any) -> Any:
        vars(apis).update(dict.fromkeys((name for name in vars(apis) if name.startswith("disable_")), True))
        return apis

    visitor = Visitor(Shop(bare_site, apis=disabled).site)
    for method, path, body in ROUTES[recipe]:
        unknown = send(visitor, "/no-such-page", body, method)
        assert unknown.status == 404
        assert seen(send(visitor, path, body, method)) == seen(unknown), path


@each_recipe
def test_the_message_of_an_override_reaches_the_browser(bare_site: Site, recipe: str) -> None:
    """SI-9: from every route whose answer is JSON."""

    def refusing(apis: Any) -> Any:
        async def refuse(*_: Any, **__: Any) -> GeneralErrorResponse:
            return GeneralErrorResponse("Not on Sundays – möglich?")

        for name in dir(apis):
            if name.endswith(("_post", "_get")) and not name.startswith(("disable_", "apple_")):
                setattr(apis, name, refuse)
        return apis

    shop = Shop(bare_site, apis=refusing)
    made = sign_up("public", "old@example.com", "correct horse 1")
    assert isinstance(made, SignUpOkResult)
    visitor = shop.site.sign_in(user_id=made.user.id)
    for method, path, body in ROUTES[recipe]:
        if path == "/callback/apple":
            continue
        reply = send(visitor, path, body, method)
        assert (reply.status, reply.header("content-type")) == (200, "application/json; charset=utf-8"), path
        assert reply.json == {"status": "GENERAL_ERROR", "message": "Not on Sundays – möglich?"}
        assert reply.session_parts == []


@each_recipe
def test_no_cache_keeps_what_a_route_answers(bare_site: Site, recipe: str) -> None:
    """It may be the secret of one browser's sign-in, or false a moment later; errors are no different."""
    visitor = Visitor(Shop(bare_site).site)
    for method, path, body in ROUTES[recipe]:
        for where, sent in ((path, body), (path.partition("?")[0], None)):
            reply = send(visitor, where, sent, method)
            assert reply.all("cache-control") == ["private, no-store"], (reply.status, method, where)


def test_no_get_changes_anything(bare_site: Site) -> None:
    """SI-49: scanners open links and follow addresses, with whatever is in them."""
    shop = Shop(bare_site)
    visitor, user_id = shop.new_user()
    send(visitor, "/user/email/verify/token", {})
    send(Visitor(bare_site), "/user/password/reset/token", form(email="old@example.com"))
    device = shop.ask_for_code()
    verify_mail, reset_mail, code_mail = shop.outbox.sent
    to_verify, to_reset = token_of(verify_mail.email_verify_link), token_of(reset_mail.password_reset_link)
    link = opened(code_mail.url_with_link_code)
    every = {
        "method": "token",
        "email": "ada@example.com",
        "thirdPartyId": "shop",
        "redirectURIOnProviderDashboard": PAGE,
        "code": "c",
        "userInputCode": code_mail.user_input_code,
        **device,
        **link,
    }
    before = rows(bare_site)
    assert all(before[table] for table in CHANGED if table not in ("thirdparty_users", VERIFIED))
    unknown = {method: seen(send(visitor, "/no-such-page", None, method)) for method in ("GET", "HEAD")}
    gets = {
        path.partition("?")[0] for routes in ROUTES.values() for method, path, _ in routes if method == "GET"
    }
    for path in {path.partition("?")[0] for routes in ROUTES.values() for _, path, _ in routes}:
        for method, token in (("GET", to_verify), ("GET", to_reset), ("HEAD", to_verify)):
            reply = send(visitor, f"{path}?{urlencode({**every, 'token': token})}", None, method)
            if method == "HEAD" or path not in gets:
                assert seen(reply) == unknown[method], (method, path)
            else:
                assert reply.status in (200, 400), path
    assert rows(bare_site) == before
    assert (len(shop.outbox.sent), shop.account.asked) == (3, [])
    assert len(bare_site.handles(user_id)) == 1
    used = [
        send(visitor, "/user/email/verify", {"method": "token", "token": to_verify}),
        send(visitor, "/user/password/reset", {**form(password="another horse 2"), "token": to_reset}),
        send(Visitor(bare_site), "/signinup/code/consume", link),
    ]
    assert [reply.json for reply in used[:2]] == [{"status": "OK"}] * 2
    assert used[2].json["status"] == "OK"


def token_of(link: str) -> str:
    return link.partition("token=")[2].partition("&")[0]


def rows(site: Site) -> dict[str, list[Any]]:
    """Return what is in the tables that the routes write to."""
    query = database_of(site).query
    return {table: sorted_rows(query(f"SELECT * FROM {table}")) for table in CHANGED}


def test_one_link_in_fifteen_seconds(bare_site: Site) -> None:
    """SI-29: a second request is answered OK and sends nothing; a later one sends another link."""
    shop = Shop(bare_site)
    visitor, _ = shop.new_user()
    for waited_s, sent in ((0, 1), (0, 1), (14, 1), (1, 2)):
        bare_site.clock.advance(s=waited_s)
        reply = send(visitor, "/user/email/verify/token", {})
        assert (reply.status, reply.json) == (200, {"status": "OK"})
        assert len(shop.outbox.sent) == sent


def test_a_tenant_has_codes_or_links(bare_site: Site) -> None:
    """SI-46: no link where codes are the only factor; where links are, a code is refused with 401."""
    shop = Shop(bare_site)
    shop.add_tenant("codes", ["otp-email"])
    shop.add_tenant("links", ["link-email"])
    asked = send(Visitor(bare_site), "/codes/signinup/code", {"email": "ada@example.com"})
    assert (asked.json["status"], asked.json["flowType"]) == ("OK", "USER_INPUT_CODE")
    assert shop.outbox.sent[-1].url_with_link_code is None
    device = {name: asked.json[name] for name in ("deviceId", "preAuthSessionId")}
    code = {**device, "userInputCode": shop.outbox.sent[-1].user_input_code}
    assert send(Visitor(bare_site), "/codes/signinup/code/consume", code).json["status"] == "OK"

    device = shop.ask_for_code("/links", "bob@example.com")
    assert shop.outbox.sent[-1].user_input_code is None
    visitor = Visitor(bare_site)
    refused = send(visitor, "/links/signinup/code/consume", {**device, "userInputCode": "123456"})
    assert (refused.status, refused.json) == (401, {"message": "unauthorised"})
    link = opened(str(shop.outbox.sent[-1].url_with_link_code))
    assert send(visitor, "/links/signinup/code/consume", link).json["status"] == "OK"
