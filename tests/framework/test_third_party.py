"""A whole sign-in with a provider that speaks OpenID Connect, in every framework."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from supertokens_py.recipe import emailverification, thirdparty
from supertokens_py.recipe.emailverification import EmailDeliveryConfig, EmailDeliveryInterface
from supertokens_py.recipe.thirdparty import ProviderClientConfig, ProviderConfig, ProviderInput
from supertokens_py.testing.conformance import Reply
from supertokens_py.testing.conformance.visitor import Visitor
from tests.support.clock import Clock
from tests.support.openid import OpenIDProvider, python_provider

from .sign_in import FRAMEWORKS, also_on_postgres, site_with_users
from .site import ASGI_AND_WSGI, Site

BACK = "https://example.com/auth/callback/shop"
JSON = (("content-type", "application/json"), ("rid", "thirdparty"), ("fdi-version", "3.1,4.0,4.1,4.2"))


@pytest.fixture(scope="module")
def provider() -> Iterator[OpenIDProvider]:
    with python_provider() as running:
        running.know("ada", email="ada@example.com", email_verified=True)
        running.know("bob", email="bob@example.com", email_verified=False)
        yield running


@pytest.fixture(params=FRAMEWORKS)
def bare_site(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Site]:
    yield from site_with_users(request, clock)


class NoMails(EmailDeliveryInterface[Any]):
    """Nobody is to be asked."""

    async def send_email(self, template_vars: Any, user_context: dict[str, Any]) -> None:
        raise AssertionError("an e-mail was sent")


def served(bare_site: Site, provider: OpenIDProvider, *recipes: Any, **settings: Any) -> Site:
    clients = [ProviderClientConfig(provider.client_id, provider.client_secret, scope=["openid", "email"])]
    config = ProviderConfig("shop", "Shop", clients, oidc_discovery_endpoint=provider.document)
    feature = thirdparty.SignInAndUpFeature([ProviderInput(config)])
    return bare_site.init(recipes=[thirdparty.init(feature), *recipes], **settings)


def begun(visitor: Visitor) -> dict[str, Any]:
    """Ask where to go, as the page does before it sends the browser there."""
    query = urlencode({"thirdPartyId": "shop", "redirectURIOnProviderDashboard": BACK})
    answer = visitor.get(f"/auth/authorisationurl?{query}")
    assert (answer.status, answer.json["status"]) == (200, "OK"), answer.body
    return answer.json


def came_back(visitor: Visitor, begin: dict[str, Any], target: str) -> Reply:
    """Send what the browser came back with, as the page does."""
    assert target.startswith(BACK)
    info = {
        "redirectURIOnProviderDashboard": BACK,
        "redirectURIQueryParams": dict(parse_qsl(urlsplit(target).query)),
        "pkceCodeVerifier": begin["pkceCodeVerifier"],
    }
    body = json.dumps({"thirdPartyId": "shop", "redirectURIInfo": info})
    return visitor.post("/auth/signinup", headers=JSON, body=body.encode())


@also_on_postgres(FRAMEWORKS, "flask", "django_sync")
def test_a_whole_sign_in(bare_site: Site, mode: str, provider: OpenIDProvider) -> None:
    """SI-4: authorise, sign in at the provider, come back: a session that protected pages accept."""
    verification = emailverification.init("REQUIRED", EmailDeliveryConfig(NoMails()))
    site = served(bare_site, provider, verification)
    visitor = Visitor(site, mode)
    begin = begun(visitor)
    target = provider.sign_in(f"{begin['urlWithQueryParams']}&state=of-the-page", "ada")
    answer = came_back(visitor, begin, target)
    assert (answer.status, answer.json["status"]) == (200, "OK"), answer.body
    user = answer.json["user"]
    assert (answer.json["createdNewRecipeUser"], user["emails"]) == (True, ["ada@example.com"])
    assert user["thirdParty"] == [{"id": "shop", "userId": "ada"}]
    assert user["loginMethods"][0]["verified"] is True
    assert visitor.get("/protected").json == {"user": user["id"]}
    assert visitor.refresh().status == 200
    assert visitor.post("/auth/signout").json == {"status": "OK"}

    again = came_back(visitor, begin, target)
    assert again.json["status"] == "GENERAL_ERROR", "a code is used once"
    assert visitor.access is None
    begin = begun(visitor)
    second = came_back(visitor, begin, provider.sign_in(begin["urlWithQueryParams"], "ada"))
    assert (second.json["user"]["id"], second.json["createdNewRecipeUser"]) == (user["id"], False)


def test_an_address_that_the_provider_has_not_verified(bare_site: Site, provider: OpenIDProvider) -> None:
    site = served(bare_site, provider, emailverification.init("REQUIRED", EmailDeliveryConfig(NoMails())))
    visitor = Visitor(site, "header")
    begin = begun(visitor)
    answer = came_back(visitor, begin, provider.sign_in(begin["urlWithQueryParams"], "bob"))
    assert answer.json["user"]["loginMethods"][0]["verified"] is False
    refused = visitor.get("/protected")
    assert (refused.status, refused.json["claimValidationErrors"][0]["id"]) == (403, "st-ev")


@ASGI_AND_WSGI
def test_a_provider_proves_no_method(bare_site: Site, provider: OpenIDProvider) -> None:
    """With `step_up` the session says when its user signed in; what the provider asked for is its word."""
    visitor = Visitor(served(bare_site, provider, step_up=True), "cookie")
    begin = begun(visitor)
    answer = came_back(visitor, begin, provider.sign_in(begin["urlWithQueryParams"], "bob"))
    now_ms = bare_site.clock.now_ms
    said = answer.front["up"]["st-auth"]
    assert said == {"v": {"time": now_ms, "amr": [], "acr": None}, "t": now_ms}


def test_the_person_refuses(bare_site: Site, provider: OpenIDProvider) -> None:
    """SI-55."""
    visitor = Visitor(served(bare_site, provider), "cookie")
    begin = begun(visitor)
    answer = came_back(visitor, begin, provider.refuse(begin["urlWithQueryParams"]))
    assert (answer.status, answer.json) == (
        200,
        {"status": "GENERAL_ERROR", "message": "Sign in with Shop failed. Please try again."},
    )
    assert answer.set_cookies == []


@ASGI_AND_WSGI
def test_a_provider_that_is_away(bare_site: Site) -> None:
    """SI-55: before the browser is sent there, and after."""
    with socket.socket() as reserved:  # and nobody listens
        reserved.bind(("127.0.0.1", 0))
        _nobody_answers(bare_site, f"http://localhost:{reserved.getsockname()[1]}")


def _nobody_answers(bare_site: Site, issuer: str) -> None:
    gone = OpenIDProvider("python", issuer)
    visitor = Visitor(served(bare_site, gone), "cookie")
    query = urlencode({"thirdPartyId": "shop", "redirectURIOnProviderDashboard": BACK})
    message = {"status": "GENERAL_ERROR", "message": "Sign in with Shop failed. Please try again."}
    first = visitor.get(f"/auth/authorisationurl?{query}")
    assert (first.status, first.json) == (200, message)
    second = came_back(visitor, {"pkceCodeVerifier": "v" * 83}, f"{BACK}?code=c")
    assert (second.status, second.json) == (200, message)
    assert visitor.get("/auth/loginmethods").json["thirdParty"]["providers"] == [
        {"id": "shop", "name": "Shop"}
    ]


def test_apples_form(bare_site: Site, provider: OpenIDProvider) -> None:
    """SI-58: a form in every framework, and a 303."""
    site = served(bare_site, provider)
    state = "eyJmcm9udGVuZFJlZGlyZWN0VVJJIjoiaHR0cHM6Ly9leGFtcGxlLmNvbS9hdXRoL2NhbGxiYWNrL2FwcGxlIn0="
    form = urlencode({"code": "a b", "state": state}).encode()
    answer = site.post(
        "/auth/callback/apple", (("content-type", "application/x-www-form-urlencoded"),), body=form
    )
    assert (answer.status, answer.set_cookies) == (303, [])
    target = urlsplit(answer.header("location") or "")
    assert f"{target.scheme}://{target.netloc}{target.path}" == "https://example.com/auth/callback/apple"
    assert dict(parse_qsl(target.query)) == {"code": "a b", "state": state}


def test_malformed_requests_are_400_in_every_framework(bare_site: Site, provider: OpenIDProvider) -> None:
    """SI-10."""
    site = served(bare_site, provider)
    for body in (b"", b"{", b"[]", b"\xff", b'{"thirdPartyId": 1}'):
        reply = site.post("/auth/signinup", (("content-type", "application/json"),), body=body)
        assert (reply.status, set(reply.json)) == (400, {"message"}), body
    assert site.get("/auth/authorisationurl").status == 400
