"""Fixtures of the pytest plugin: real users through the API, and the messages that they would get."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from inspect import isawaitable
from typing import Any, TypeAlias

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from flask import Flask

from supertokens_py import InputAppInfo, Supertokens, init
from supertokens_py.exceptions import ConfigError
from supertokens_py.framework.fastapi import get_middleware
from supertokens_py.framework.flask import Middleware
from supertokens_py.recipe import (
    emailpassword,
    emailverification,
    passwordless,
    session,
    thirdparty,
    userroles,
)
from supertokens_py.recipe.emailpassword import InputFormField, InputSignUpFeature
from supertokens_py.recipe.passwordless.syncio import create_magic_link
from supertokens_py.recipe.thirdparty import ProviderClientConfig, ProviderConfig, ProviderInput
from supertokens_py.recipe.thirdparty.types import UserInfo, UserInfoEmail
from supertokens_py.recipe.userroles import UserRoleClaim
from supertokens_py.syncio import get_user
from supertokens_py.testing import Outbox, SignUp, SupertokensClock
from supertokens_py.testing.pytest_plugin.applications import under_test
from supertokens_py.testing.pytest_plugin.conversations import json_of
from supertokens_py.testing.pytest_plugin.outbox import collected

SignUpAs: TypeAlias = Callable[..., Any]
CLIENTS = ("fastapi", "async", "flask", "django", "django_async", "drf")
ADDRESS, NUMBER = "ada@example.com", "+16502530000"
GITHUB = ProviderInput(ProviderConfig("github", clients=[ProviderClientConfig("c", "secret of the client")]))


class Broken:
    """A delivery service that must not be asked."""

    async def send_email(self, template_vars: Any, user_context: Any) -> None:
        raise AssertionError("an e-mail was sent")

    send_sms = send_email


def _init(*recipes: Any, **settings: Any) -> None:
    init(
        app_info=InputAppInfo(
            "Shop", api_domain="https://api.example.com", website_domain="https://example.com"
        ),
        recipe_list=[session.init(**settings), userroles.init(), *recipes],
    )


def _passwordless(flow: Any = "USER_INPUT_CODE_AND_MAGIC_LINK") -> Any:
    broken: Any = Broken()
    return passwordless.init(
        passwordless.ContactEmailOrPhoneConfig(),
        flow,
        email_delivery=passwordless.EmailDeliveryConfig(broken),
        sms_delivery=passwordless.SMSDeliveryConfig(broken),
    )


def _passwords(**settings: Any) -> Any:
    broken: Any = Broken()
    return emailpassword.init(email_delivery=emailpassword.EmailDeliveryConfig(broken), **settings)


def _verification() -> Any:
    broken: Any = Broken()
    return emailverification.init("OPTIONAL", emailverification.EmailDeliveryConfig(broken))


def _everything(**settings: Any) -> None:
    _init(
        _passwords(),
        _passwordless(),
        thirdparty.init(thirdparty.SignInAndUpFeature([GITHUB])),
        _verification(),
        **settings,
    )


def _fastapi() -> FastAPI:
    app = FastAPI()
    app.add_middleware(get_middleware())
    return app


def _django(name: str) -> Any:
    import tests.framework.clients.django_settings  # noqa: F401  # pyright: ignore[reportUnusedImport]

    # isort: split
    from django.test import AsyncClient, Client
    from rest_framework.test import APIClient

    return {"django": Client, "django_async": AsyncClient, "drf": APIClient}[name]()


def _client(kind: str) -> Any:
    if kind.startswith("fastapi"):
        return TestClient(
            _fastapi(), base_url={"fastapi": "https://api.example.com"}.get(kind, "http://testserver")
        )
    if kind == "async":
        transport = httpx2.ASGITransport(app=_fastapi())
        return httpx2.AsyncClient(transport=transport, base_url="https://api.example.com")
    if kind == "flask":
        flask = Flask(__name__)
        Middleware(flask)
        return flask.test_client()
    return _django(kind)


def _done(answer: Any) -> Any:
    """Return what a client gives, awaited where it is async: each time in a loop of its own."""

    async def awaited(given: Coroutine[Any, Any, Any]) -> Any:
        return await given

    return asyncio.run(awaited(answer)) if isawaitable(answer) else answer  # type: ignore[arg-type]


def _is_verified(client: Any) -> Any:
    response = _done(client.get("/auth/user/email/verify"))
    return json_of(response).get("isVerified")


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize("mode", ["cookie", "header"])
def test_a_user_with_a_password(
    kind: str, mode: str, sign_up_as: SignUpAs, supertokens_outbox: Outbox, supertokens: Supertokens
) -> None:
    """CP-35: signed up, with roles, and verified in one line; the tokens of each answer are the client's."""
    _everything(anti_csrf="VIA_TOKEN")
    client = _client(kind)
    signed: SignUp = _done(sign_up_as(client, ADDRESS, roles=["editor"], mode=mode))
    assert (signed.user.emails, signed.session.get_user_id()) == ([ADDRESS], signed.user.id)
    assert signed.session.sync_get_claim_value(UserRoleClaim) == ["editor"]
    assert get_user(signed.user.id) == signed.user
    assert (_is_verified(client), len(supertokens_outbox)) == (False, 0)
    response = _done(supertokens_outbox.verify(signed))
    assert response.status_code == 200
    assert _is_verified(client) is True
    payload = signed.session.get_access_token_payload()
    assert (payload["st-ev"]["v"], payload["st-role"]["v"]) == (True, ["editor"])
    message = supertokens_outbox[0]
    assert (message.to, message.by, message.kind) == (ADDRESS, "email", "email_verification")
    assert (message.user_id, message.code, message.tenant) == (signed.user.id, None, "public")
    assert message.link == f"https://example.com/auth/verify-email?token={message.token}&tenantId=public"
    assert _done(signed.refresh()).status_code == 200


@pytest.mark.parametrize("kind", ["fastapi", "async", "flask", "django"])
def test_users_of_codes_and_providers(kind: str, sign_up_as: SignUpAs, supertokens_outbox: Outbox) -> None:
    """By a code to an address or a number, and from a provider that nobody asks."""
    _everything()
    client = _client(kind)
    by_code = _done(sign_up_as(client, ADDRESS, by="passwordless"))
    assert by_code.user.login_methods[0].recipe_id == "passwordless"
    assert _is_verified(client) is True
    by_phone = _done(sign_up_as(client, phone_number=NUMBER))
    assert by_phone.user.phone_numbers == [NUMBER]
    assert [(one.to, one.by) for one in supertokens_outbox] == [(ADDRESS, "email"), (NUMBER, "sms")]
    assert supertokens_outbox[1].user_id is None
    for verified in (False, True):
        client = _client(kind)
        signed = _done(sign_up_as(client, f"{verified}@example.com", provider="github", verified=verified))
        assert signed.user.third_party[0].to_json() == {"id": "github", "userId": f"{verified}@example.com"}
        assert _is_verified(client) is verified
    again = _done(sign_up_as(client, "True@example.com", provider="github", verified=True))
    assert again.user.id == signed.user.id


def test_a_client_on_http_is_signed_in_too(sign_up_as: SignUpAs, supertokens_outbox: Outbox) -> None:
    """Its own jar would keep the Secure cookies of an API on https to itself."""
    _everything()
    client = _client("fastapi_http")
    supertokens_outbox.verify(sign_up_as(client, ADDRESS))
    assert _is_verified(client) is True


def test_a_password_with_fields_and_verified_at_once(
    sign_up_as: SignUpAs, supertokens_outbox: Outbox
) -> None:
    feature = InputSignUpFeature([InputFormField("name")])
    _init(_passwords(sign_up_feature=feature), _verification())
    client = _client("fastapi")
    with pytest.raises(AssertionError, match=r"the sign-up was answered with .*Field is not optional"):
        sign_up_as(client, ADDRESS)
    sign_up_as(client, ADDRESS, fields={"name": "Ada"}, password="another horse 2", verified=True)
    assert _is_verified(client) is True
    login = {"email": ADDRESS, "password": "another horse 2"}
    form = [{"id": name, "value": value} for name, value in login.items()]
    assert client.post("/auth/signin", json={"formFields": form}).json()["status"] == "OK"


@pytest.mark.parametrize("flow", ["USER_INPUT_CODE", "MAGIC_LINK"])
def test_codes_alone_and_links_alone(flow: str, sign_up_as: SignUpAs, supertokens_outbox: Outbox) -> None:
    _init(_passwordless(flow))
    sign_up_as(_client("fastapi"))
    (message,) = supertokens_outbox
    has_code = flow == "USER_INPUT_CODE"
    assert (message.code is not None, message.link is None, message.token is None) == (has_code,) * 3
    assert create_magic_link("public", ADDRESS, None).startswith("https://example.com/auth/verify?")


def test_a_reset_of_a_password(sign_up_as: SignUpAs, supertokens_outbox: Outbox) -> None:
    """Its mail is sent after the answer: whoever looks waits for it, whatever the machine does."""
    _init(_passwords())
    client = _client("fastapi")
    sign_up_as(client, ADDRESS)
    for address in (ADDRESS, "nobody@example.com"):
        form = [{"id": "email", "value": address}]
        client.post("/auth/user/password/reset/token", json={"formFields": form})
    message = supertokens_outbox.last_to(ADDRESS)
    assert (message.kind, len(supertokens_outbox), repr(message) in repr(supertokens_outbox)) == (
        "password_reset",
        1,
        True,
    )
    body = {"token": message.token, "formFields": [{"id": "password", "value": "another horse 2"}]}
    assert client.post("/auth/user/password/reset", json=body).json() == {"status": "OK"}
    with pytest.raises(
        AssertionError, match=r"nothing was sent to eve@example\.com, but to: ada@example\.com"
    ):
        supertokens_outbox.last_to("eve@example.com")
    supertokens_outbox.clear()
    assert supertokens_outbox[:] == []
    with pytest.raises(AssertionError, match=r"nothing was sent to eve@example\.com, but to: nobody"):
        supertokens_outbox.last_to("eve@example.com")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "sign_up_as needs emailpassword or passwordless in recipe_list"),
        ({"provider": "github"}, "sign_up_as needs thirdparty in recipe_list"),
        ({"phone_number": NUMBER}, "sign_up_as needs passwordless in recipe_list"),
        ({"by": "emailpassword"}, "sign_up_as needs emailpassword in recipe_list"),
    ],
)
def test_a_recipe_that_is_missing_is_named(asked: dict[str, Any], message: str, sign_up_as: SignUpAs) -> None:
    _init()
    with pytest.raises(ConfigError, match=message):
        sign_up_as(_client("fastapi"), **asked)


def test_a_refusal_is_shown(sign_up_as: SignUpAs) -> None:
    """Bad input, and a provider that the application does not have."""
    _everything()
    with pytest.raises(AssertionError, match=r"answered with 400: .*the provider gitlab could not be found"):
        sign_up_as(_client("fastapi"), provider="gitlab")


@pytest.mark.parametrize("kind", CLIENTS)
def test_a_closed_route_is_named(kind: str, sign_up_as: SignUpAs) -> None:
    """Whoever has forms of their own has no route to sign up by; the answer may be no JSON."""
    _init(_passwords(routes=False))
    with pytest.raises(AssertionError, match=r"\(404\): init\(routes=False\) or a disable_ flag closes it"):
        _done(sign_up_as(_client(kind)))


async def test_two_sign_up_at_once(sign_up_as: SignUpAs, supertokens_outbox: Outbox) -> None:
    """Each from a provider; others that come with a code of their own are asked about, as ever."""
    asked: list[Any] = []

    def override(original: Any) -> Any:
        async def exchange(redirect: Any, user_context: Any) -> dict[str, Any]:
            asked.append(redirect.redirect_uri_query_params)
            return {"access_token": "real"}

        def get_user_info(tokens: Any, user_context: Any) -> Any:
            email = UserInfoEmail("real@example.com", True)
            return UserInfo(tokens["access_token"], email)

        original.exchange_auth_code_for_oauth_tokens = exchange
        original.get_user_info = get_user_info
        return original

    shop = ProviderConfig(
        "shop", clients=[ProviderClientConfig("c", "s")], authorization_endpoint="https://shop.example/a"
    )
    _init(thirdparty.init(thirdparty.SignInAndUpFeature([ProviderInput(shop, override=override)])))
    ada, bob = _client("async"), _client("async")
    both = await asyncio.gather(
        *(
            sign_up_as(one, f"{name}@example.com", provider="shop")
            for one, name in ((ada, "ada"), (bob, "bob"))
        )
    )
    assert [one.user.emails for one in both] == [["ada@example.com"], ["bob@example.com"]]
    back = {
        "redirectURIOnProviderDashboard": "https://example.com/auth",
        "redirectURIQueryParams": {"code": "a"},
    }
    real = await ada.post("/auth/signinup", json={"thirdPartyId": "shop", "redirectURIInfo": back})
    assert real.json()["user"]["emails"] == ["real@example.com"]
    assert asked == [{"code": "a"}]


def test_after_the_test_messages_are_sent_as_ever() -> None:
    """An app that was made while messages were collected keeps its own delivery service."""
    with under_test(SupertokensClock(), uri="sqlite://", engine={}):
        with collected():
            _init(_passwords())
        recipe: Any = emailpassword.recipe.EmailPasswordRecipe.get_instance()
        assert isinstance(recipe.email_delivery.ingredient_interface_impl, Broken)
