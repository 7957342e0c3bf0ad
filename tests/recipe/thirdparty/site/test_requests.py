"""The HTTP APIs of the recipe, as frontends meet them."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from supertokens_py.events import subscribe
from supertokens_py.recipe import emailpassword, multitenancy, thirdparty
from supertokens_py.recipe.multitenancy.asyncio import create_or_update_tenant
from supertokens_py.recipe.multitenancy.interfaces import TenantConfigCreateOrUpdate
from supertokens_py.recipe.thirdparty.exceptions import ProviderError
from supertokens_py.recipe.thirdparty.interfaces import APIInterface
from supertokens_py.recipe.thirdparty.provider import ProviderClientConfig, ProviderConfig, ProviderInput
from supertokens_py.types.response import GeneralErrorResponse
from tests.support.clock import Clock

from .conftest import ADDRESS, PAGE, TOKENS, Account, Browser, Start, apple_state, payload_of, query_of, shop


async def users() -> int:
    from supertokens_py.asyncio import get_user_count as count

    return await count()


async def test_signing_up_and_in_again(start: Start, browser: Browser, clock: Clock) -> None:
    """SI-2 SI-3 SI-4: the answer has the full user, whether it is new, and one session."""
    start()
    up = await browser.sign_in_up()
    user = up.json()["user"]
    assert up.json() == {"status": "OK", "user": user, "createdNewRecipeUser": True}
    assert user["thirdParty"] == [{"id": "shop", "userId": "ada-at-shop"}]
    assert user["emails"] == [ADDRESS]
    assert user["timeJoined"] == user["loginMethods"][0]["timeJoined"] == clock()
    assert "time_joined" not in up.text
    payload = payload_of(up)
    assert payload is not None
    assert (payload["sub"], payload["rsub"], payload["tId"]) == (user["id"], user["id"], "public")
    again = await browser.sign_in_up()
    assert again.json() == {"status": "OK", "user": user, "createdNewRecipeUser": False}
    assert await users() == 1


@pytest.mark.parametrize(
    ("fdi", "created", "is_full"),
    [
        ("1.17,2.0", "createdNewUser", False),
        ("1.18", "createdNewRecipeUser", True),
        ("2.0", "createdNewUser", False),
        ("3.0", "createdNewRecipeUser", True),
        ("3.1,4.0,4.1,4.2", "createdNewRecipeUser", True),
    ],
)
async def test_every_frontend_gets_the_shape_it_knows(
    start: Start, browser: Browser, fdi: str, created: str, is_full: bool
) -> None:
    """SI-2."""
    start()
    answer = (await browser.sign_in_up(fdi=fdi)).json()
    assert {*answer} == {"status", "user", created}
    assert ("loginMethods" in answer["user"]) == is_full
    if not is_full:
        assert {*answer["user"]} == {"id", "email", "timeJoined", "thirdParty"}
        assert answer["user"]["thirdParty"] == {"id": "shop", "userId": "ada-at-shop"}


async def test_tokens_of_the_provider_are_the_applications_only(
    start: Start, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    """SI-73: the application's API gets them; no answer and no log has them."""
    seen: list[Any] = []

    def apis(original: APIInterface) -> APIInterface:
        post = original.sign_in_up_post

        async def sign_in_up_post(*args: Any, **kwargs: Any) -> Any:
            result = await post(*args, **kwargs)
            seen.append((result.oauth_tokens, result.raw_user_info_from_provider))
            return result

        original.sign_in_up_post = sign_in_up_post  # type: ignore[method-assign]
        return original

    start(override=thirdparty.InputOverrideConfig(apis=apis))
    with caplog.at_level(logging.DEBUG):
        answer = await browser.sign_in_up()
    ((tokens, raw),) = seen
    assert tokens == TOKENS
    assert raw.from_id_token_payload == {"sub": "ada-at-shop"}
    assert raw.from_user_info_api == {"picture": "a provider's picture"}
    for secret in ("a provider's", "a code", "the client's secret", "v" * 43):
        assert secret not in answer.text
        assert secret not in caplog.text


async def test_the_address_to_send_the_browser_to(start: Start, browser: Browser) -> None:
    """SI-51."""
    start()
    answer = (await browser.authorise()).json()
    assert {*answer} == {"status", "urlWithQueryParams", "pkceCodeVerifier"}
    assert answer["urlWithQueryParams"].startswith("https://shop.example.org/authorize?")
    query = query_of(answer["urlWithQueryParams"])
    assert {"client_id", "redirect_uri", "response_type", "scope", "code_challenge"} <= {*query}
    assert (query["client_id"], query["redirect_uri"]) == ("the-client", PAGE)
    assert query["code_challenge_method"] == "S256"
    assert "state" not in query


async def test_what_is_missing_or_of_another_kind_is_400(start: Start, browser: Browser) -> None:
    """SI-10: nothing that a request can say is a 500, and nobody is asked about it."""
    start()
    info = {"redirectURIOnProviderDashboard": PAGE, "redirectURIQueryParams": {"code": "c"}}
    either = "Please provide one of redirectURIInfo or oAuthTokens in the request body"
    for body, message in [
        ({}, "Please provide the thirdPartyId in request body"),
        ({"thirdPartyId": "shop"}, either),
        ({"thirdPartyId": 1, "redirectURIInfo": info}, None),
        ({"thirdPartyId": "x" * 29, "redirectURIInfo": info}, None),
        (
            {"thirdPartyId": "other", "redirectURIInfo": info},
            "the provider other could not be found in the configuration",
        ),
        ({"thirdPartyId": "shop", "redirectURIInfo": []}, None),
        (
            {"thirdPartyId": "shop", "redirectURIInfo": {}},
            "Please provide the redirectURIOnProviderDashboard in request body",
        ),
        ({"thirdPartyId": "shop", "redirectURIInfo": {**info, "redirectURIQueryParams": None}}, None),
        ({"thirdPartyId": "shop", "redirectURIInfo": {**info, "redirectURIQueryParams": {"code": []}}}, None),
        ({"thirdPartyId": "shop", "redirectURIInfo": {**info, "pkceCodeVerifier": {}}}, None),
        ({"thirdPartyId": "shop", "redirectURIInfo": info, "clientType": 1}, None),
        (
            {"thirdPartyId": "shop", "redirectURIInfo": info, "clientType": "ios"},
            "Could not find client config for clientType: ios",
        ),
        ({"thirdPartyId": "shop", "oAuthTokens": "token"}, None),
        ({"thirdPartyId": "shop", "oAuthTokens": {"access_token": {}}}, None),
        ({"thirdPartyId": "shop", "oAuthTokens": {"id_token": "\ud800.a.b"}}, None),
        (
            {"thirdPartyId": "shop", "oAuthTokens": {str(number): "x" for number in range(65)}},
            "oAuthTokens must have at most 64 members",
        ),
        ({"thirdPartyId": "\ud800", "redirectURIInfo": info}, None),
        ({"thirdPartyId": "shop", "redirectURIInfo": info, "clientType": "\ud800"}, None),
        ({"thirdPartyId": "shop", "redirectURIInfo": {**info, "pkceCodeVerifier": "\ud800"}}, None),
        (
            {"thirdPartyId": "shop", "redirectURIInfo": {**info, "redirectURIOnProviderDashboard": "\ud800"}},
            None,
        ),
        (
            {
                "thirdPartyId": "shop",
                "redirectURIInfo": {**info, "redirectURIQueryParams": {"code": "\ud800"}},
            },
            None,
        ),
    ]:
        answer = await browser.post("/signinup", json.dumps(body).encode())
        assert (answer.status_code, {*answer.json()}) == (400, {"message"}), body
        assert message in (None, answer.json()["message"])
    for content in (b"", b"{", b"[]", b"\xff", b"1", b"null"):
        answer = await browser.post("/signinup", content)
        assert (answer.status_code, answer.json()) == (400, {"message": "Please provide a JSON input"})


async def test_what_the_address_needs_is_400(start: Start, browser: Browser) -> None:
    """SI-10."""
    start()
    for changes, message in [
        ({"thirdPartyId": None}, "Please provide the thirdPartyId as a GET param"),
        (
            {"redirectURIOnProviderDashboard": None},
            "Please provide the redirectURIOnProviderDashboard as a GET param",
        ),
        ({"thirdPartyId": "other"}, "the provider other could not be found in the configuration"),
        ({"clientType": "ios"}, "Could not find client config for clientType: ios"),
    ]:
        answer = await browser.authorise(**changes)
        assert (answer.status_code, answer.json()) == (400, {"message": message})


FOREIGN = [
    "https://evil.example/auth/callback/shop",
    "http://example.com.evil.example/auth/callback/shop",
    "http://example.com@evil.example/",
    "http://evil.example\\@example.com/",
    "http://example.com\\.evil.example/",
    "//example.com/auth",
    "/auth/callback/shop",
    "javascript:alert(1)",
    "data:text/html,x",
    "http://example.com:8080/auth/callback/shop",
    "https://example.com/auth/callback/shop",
    "http://example.com/auth#fragment",
    "http://sub.example.com/",
    " http://example.com/",
    "http://example.com/\r\nx",
    "http://%65xample.com/",
    "http:///example.com/",
]


@pytest.mark.parametrize("address", FOREIGN)
async def test_foreign_addresses_are_400(
    start: Start, browser: Browser, account: Account, address: str
) -> None:
    """SI-58: neither provider nor Apple's callback sends a browser to another place than the website."""
    start()
    assert (await browser.authorise(redirectURIOnProviderDashboard=address)).status_code == 400
    form = {"code": "c", "state": apple_state(address)}
    answer = await browser.client.post("/auth/callback/apple", data=form)
    assert (answer.status_code, answer.headers.get("location")) == (400, None)


async def test_listed_addresses_are_allowed_as_they_are(start: Start, browser: Browser) -> None:
    """SI-58."""
    start(allowed_redirect_uris=["com.example.shop:/oauth", "https://other.example/in"])
    for address in ("com.example.shop:/oauth", "https://other.example/in", f"{PAGE}?a=b"):
        assert (await browser.authorise(redirectURIOnProviderDashboard=address)).status_code == 200
    for address in ("com.example.shop:/oauth/x", "https://other.example/in/", "https://other.example/"):
        assert (await browser.authorise(redirectURIOnProviderDashboard=address)).status_code == 400


async def test_apples_form_goes_on_to_the_website(start: Start, browser: Browser) -> None:
    """SI-58: a 303 with every field of the form; the name of the user comes once, in `user`."""
    start()
    state = apple_state("http://example.com/auth/callback/apple?tenantId=t1")
    form = {"code": "c&d=é", "state": state, "user": '{"name":{"firstName":"Ada"}}'}
    answer = await browser.client.post("/auth/callback/apple", data=form)
    assert answer.status_code == 303
    target = answer.headers["location"]
    assert target.startswith("http://example.com/auth/callback/apple?tenantId=t1&code=")
    assert query_of(target) == {"tenantId": "t1", **form}
    assert payload_of(answer) is None


@pytest.mark.parametrize(
    "state", ["", "!", "bm8=", "W10=", apple_state(None), apple_state(1), "e30=" * 4000, "x" * 9000]
)
async def test_apples_form_without_an_address_is_400(start: Start, browser: Browser, state: str) -> None:
    """SI-10."""
    start()
    answer = await browser.client.post("/auth/callback/apple", data={"code": "c", "state": state})
    assert (answer.status_code, {*answer.json()}) == (400, {"message"})
    assert (await browser.client.get("/auth/callback/apple")).status_code in (404, 405)


async def test_apples_form_that_fits_into_no_address_is_400(start: Start, browser: Browser) -> None:
    """SI-10: the website would answer it with an error of its server."""
    start()
    form = {"code": "c" * 8192, "state": apple_state("http://example.com/auth/callback/apple")}
    answer = await browser.client.post("/auth/callback/apple", data=form)
    assert (answer.status_code, answer.json()) == (400, {"message": "the form is too long"})


#: Of a code that a library got: nobody was redirected.
NO_REDIRECT = {"redirectURIOnProviderDashboard": "", "redirectURIQueryParams": {"code": "a code"}}


async def test_codes_of_native_apps(start: Start, browser: Browser) -> None:
    """The provider's client says whether a code without an address will do."""
    start()
    assert (await browser.sign_in_up(more={"redirectURIInfo": NO_REDIRECT})).json()["status"] == "OK"


async def test_a_client_of_a_website_needs_an_address(start: Start, browser: Browser) -> None:
    start(providers=[ProviderInput(ProviderConfig("shop", clients=[ProviderClientConfig("c")]))])
    answer = await browser.sign_in_up(more={"redirectURIInfo": NO_REDIRECT})
    assert (answer.status_code, {*answer.json()}) == (400, {"message"})


async def test_tokens_of_native_apps(start: Start, browser: Browser, account: Account) -> None:
    """SI-59: an access token alone says nothing about whom it was issued to."""
    start()
    tokens = {"access_token": "a token"}
    answer = await browser.sign_in_up(more={"redirectURIInfo": None, "oAuthTokens": tokens})
    assert (answer.status_code, {*answer.json()}) == (400, {"message"})
    assert account.asked == []
    more = {"redirectURIInfo": None, "oAuthTokens": {**tokens, "id_token": "a token"}}
    assert (await browser.sign_in_up(more=more)).json()["status"] == "OK"
    assert account.asked == ["user"]


async def test_access_tokens_that_the_application_looks_at(
    start: Start, browser: Browser, account: Account
) -> None:
    """SI-59."""

    async def of_our_client(access_token: str, config: Any, user_context: dict[str, Any]) -> None:
        raise AssertionError("the provider of this test asks nobody")

    start(providers=[shop(account, validate_access_token=of_our_client)])
    more = {"redirectURIInfo": None, "oAuthTokens": {"access_token": "a token"}}
    assert (await browser.sign_in_up(more=more)).json()["status"] == "OK"


async def test_what_goes_wrong_at_the_provider_is_a_message(
    start: Start, browser: Browser, account: Account
) -> None:
    """SI-1 SI-55: a 200 that people can read; no user, no session; the audit log has it."""
    start()
    seen: list[Any] = []
    stop = subscribe(seen.append)
    account.error = ProviderError("the provider answered error=access_denied", provider_name="Shop")
    answer = await browser.sign_in_up(error="access_denied")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "GENERAL_ERROR", "message": "Sign in with Shop failed. Please try again."},
    )
    assert payload_of(answer) is None
    assert await users() == 0
    stop()
    (failed,) = seen
    assert (failed.name, failed.user_id, failed.recipe_id) == ("user.sign_in_failed", None, "thirdparty")


async def test_no_address(start: Start, browser: Browser, account: Account) -> None:
    """SI-56."""
    account.email = None
    start()
    answer = await browser.sign_in_up()
    assert answer.json() == {"status": "NO_EMAIL_GIVEN_BY_PROVIDER"}
    assert payload_of(answer) is None
    assert await users() == 0


async def test_an_address_is_made_up_where_none_is_needed(
    start: Start, browser: Browser, account: Account
) -> None:
    """SI-56: it is verified, so that verification does not keep anybody out."""
    account.email = None
    start(providers=[shop(account, require_email=False)])
    (method,) = (await browser.sign_in_up()).json()["user"]["loginMethods"]
    assert method["email"] == "ada-at-shop.shop@stfakeemail.supertokens.com"
    assert method["verified"] is True
    account.user_id = "bob <b@example.com>"
    (other,) = (await browser.sign_in_up()).json()["user"]["loginMethods"]
    assert other["email"].endswith("@stfakeemail.supertokens.com")
    assert len(other["email"].partition("@")[0]) == 64


async def test_the_application_makes_up_the_address(start: Start, browser: Browser, account: Account) -> None:
    """SI-56."""
    account.email = None

    def generate_fake_email(tenant_id: str, third_party_user_id: str, user_context: dict[str, Any]) -> str:
        return f"{third_party_user_id}@{tenant_id}.example.com"

    start(providers=[shop(account, require_email=False, generate_fake_email=generate_fake_email)])
    answer = await browser.sign_in_up()
    assert answer.json()["user"]["emails"] == ["ada-at-shop@public.example.com"]


@pytest.mark.parametrize(
    ("user_id", "email"),
    [
        ("", ADDRESS),
        ("x" * 257, ADDRESS),
        ("x\ud800", ADDRESS),
        ("x\0", ADDRESS),
        ("x", "\ud800@example.com"),
        ("x", "a" * 257),
        ("x", "a\n"),
        ("x", "a"),
        ("x", "eve <victim@example.com>"),
        ("x", "eve@example.com, victim@example.com"),
        ("x", "mi\u212ae@example.com"),
        ("x", '"victim"@example.com'),
    ],
)
async def test_what_cannot_be_stored_is_the_providers_failure(
    start: Start, browser: Browser, account: Account, user_id: str, email: str
) -> None:
    """SI-55."""
    account.user_id, account.email = user_id, email
    start()
    answer = await browser.sign_in_up()
    assert (answer.status_code, answer.json()["status"]) == (200, "GENERAL_ERROR")
    assert await users() == 0


@pytest.mark.parametrize("email", ["ada@intranet", "ada@bücher.example", '"ada x"@example.com'])
async def test_addresses_that_forms_do_not_know(
    start: Start, browser: Browser, account: Account, email: str
) -> None:
    """Who has one cannot choose another one for their account at the provider."""
    account.email = email
    start()
    assert (await browser.sign_in_up()).json()["user"]["emails"] == [email]


async def test_an_address_that_changed_at_the_provider_changes_here(
    start: Start, browser: Browser, account: Account
) -> None:
    """SI-57: and is as verified as the provider says."""
    start()
    first = (await browser.sign_in_up()).json()["user"]
    account.email, account.is_verified = "Countess@Example.com", False
    second = (await browser.sign_in_up()).json()
    assert (second["user"]["id"], second["createdNewRecipeUser"]) == (first["id"], False)
    (method,) = second["user"]["loginMethods"]
    assert (method["email"], method["verified"]) == ("countess@example.com", False)


async def test_the_same_address_in_two_recipes_is_two_users(start: Start, browser: Browser) -> None:
    """Who waits for the owner of an address with an account of their own gets nothing of the owner's."""
    start(
        emailpassword.init(),
        info={"website_domain": "http://localhost:3000", "api_domain": "http://localhost"},
    )
    browser.client.base_url = "http://localhost"
    fields = [{"id": "email", "value": ADDRESS}, {"id": "password", "value": "correct horse 1"}]
    up = await browser.client.post("/auth/signup", json={"formFields": fields})
    info = {
        "redirectURIOnProviderDashboard": "http://localhost:3000/cb",
        "redirectURIQueryParams": {"code": "c"},
    }
    own = await browser.sign_in_up(more={"redirectURIInfo": info})
    assert own.json()["createdNewRecipeUser"] is True
    assert own.json()["user"]["id"] != up.json()["user"]["id"]
    assert len(own.json()["user"]["loginMethods"]) == 1
    found = await browser.client.get(f"/auth/emailpassword/email/exists?email={ADDRESS}")
    assert found.json()["exists"] is True


@pytest.mark.parametrize(
    ("flag", "method", "path"),
    [
        ("disable_authorisation_url_get", "GET", "/auth/authorisationurl"),
        ("disable_sign_in_up_post", "POST", "/auth/signinup"),
        ("disable_apple_redirect_handler_post", "POST", "/auth/callback/apple"),
    ],
)
async def test_disabled_routes_are_the_applications(
    start: Start, browser: Browser, flag: str, method: str, path: str
) -> None:
    """SI-8."""

    def apis(original: APIInterface) -> APIInterface:
        setattr(original, flag, True)
        return original

    start(override=thirdparty.InputOverrideConfig(apis=apis))
    assert (await browser.client.request(method, path)).status_code == 404


async def test_a_message_of_an_override_reaches_the_browser(start: Start, browser: Browser) -> None:
    """SI-9."""

    def apis(original: APIInterface) -> APIInterface:
        async def refuse(*_: Any, **__: Any) -> GeneralErrorResponse:
            return GeneralErrorResponse("Not on Sundays")

        original.sign_in_up_post = original.authorisation_url_get = refuse  # type: ignore[method-assign]
        return original

    start(override=thirdparty.InputOverrideConfig(apis=apis))
    for answer in (await browser.sign_in_up(), await browser.authorise()):
        assert answer.json() == {"status": "GENERAL_ERROR", "message": "Not on Sundays"}


async def test_linking_is_refused(start: Start, browser: Browser, account: Account) -> None:
    """SI-5 SI-6: and nobody is asked for the code."""
    start()
    first = await browser.sign_in_up(more={"shouldTryLinkingWithSessionUser": False})
    second = await browser.sign_in_up(more={"shouldTryLinkingWithSessionUser": False})
    assert first.json()["user"] == second.json()["user"]
    account.asked.clear()
    browser.client.headers["authorization"] = f"Bearer {first.headers['st-access-token']}"
    linked = await browser.sign_in_up(more={"shouldTryLinkingWithSessionUser": True})
    assert (linked.status_code, {*linked.json()}) == (400, {"message"})
    del browser.client.headers["authorization"]
    assert (await browser.sign_in_up(more={"shouldTryLinkingWithSessionUser": True})).status_code == 401
    assert account.asked == []


async def test_users_belong_to_their_tenant(start: Start, browser: Browser) -> None:
    """SI-7."""
    multitenant = multitenancy.init()
    start(multitenant, providers=[_everywhere(shop(Account()))])
    await create_or_update_tenant("t1", TenantConfigCreateOrUpdate(first_factors=["thirdparty"]))
    own = (await browser.sign_in_up(tenant="/t1")).json()
    other = (await browser.sign_in_up()).json()
    assert own["user"]["tenantIds"] == ["t1"]
    assert other["user"]["tenantIds"] == ["public"]
    assert own["user"]["id"] != other["user"]["id"]
    assert (await browser.sign_in_up(tenant="/t2")).status_code == 400


async def test_a_tenant_without_providers_signs_nobody_in(
    start: Start, browser: Browser, account: Account
) -> None:
    start(multitenancy.init(), providers=[_everywhere(shop(account))])
    await create_or_update_tenant("t1", TenantConfigCreateOrUpdate(first_factors=["emailpassword"]))
    assert (await browser.sign_in_up(tenant="/t1")).status_code == 401
    assert account.asked == []


async def test_a_client_that_fails_too_often_has_to_wait(
    start: Start, browser: Browser, account: Account
) -> None:
    """Failures of a client are counted with those of passwords; what succeeds is not."""
    start(
        client_ip=lambda request: request.get_header("x-real-ip"),
        engine={"sign_in_failures_per_client_and_hour": 3},
    )
    for _ in range(5):
        assert (await browser.sign_in_up(client="192.0.2.1")).json()["status"] == "OK"
    account.error = ProviderError("no", provider_name="Shop")
    for _ in range(3):
        assert "failed" in (await browser.sign_in_up(client="192.0.2.1")).json()["message"]
    account.asked.clear()
    refused = await browser.sign_in_up(client="192.0.2.1")
    assert (refused.status_code, refused.json()["status"]) == (200, "GENERAL_ERROR")
    assert "retry-after" in refused.headers
    assert account.asked == []
    account.error = None
    assert (await browser.sign_in_up(client="192.0.2.2")).json()["status"] == "OK"


async def test_a_client_makes_so_many_users(start: Start, browser: Browser, account: Account) -> None:
    """Users who are known sign in all the same."""
    start(
        client_ip=lambda request: request.get_header("x-real-ip"), engine={"sign_ups_per_client_and_hour": 2}
    )

    async def answer(user_id: str, client: str) -> str:
        account.user_id, account.email = user_id, f"{user_id}@example.com"
        return str((await browser.sign_in_up(client=client)).json()["status"])

    made = [await answer(user_id, "192.0.2.1") for user_id in ("ada", "bob", "eve", "ada")]
    assert made == ["OK", "OK", "GENERAL_ERROR", "OK"]
    assert await answer("eve", "192.0.2.2") == "OK"
    assert await answer("joe", "") == "OK"


async def test_a_client_asks_for_so_many_addresses_of_providers(start: Start, browser: Browser) -> None:
    start(client_ip=lambda _: "192.0.2.1", engine={"lookups_per_client_and_hour": 2})
    answers = [(await browser.authorise()).json()["status"] for _ in range(3)]
    assert answers == ["OK", "OK", "GENERAL_ERROR"]


async def test_a_proof_that_is_no_longer_true_counts_as_a_failure(
    start: Start, browser: Browser, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user was deleted while they signed in: as with a password that was changed meanwhile."""
    app = start(client_ip=lambda _: "192.0.2.1", engine={"sign_in_failures_per_client_and_hour": 1})
    monkeypatch.setattr(app.engine.third_party, "is_current", lambda _: False)
    assert "changed meanwhile" in (await browser.sign_in_up()).json()["message"]
    monkeypatch.undo()
    account.asked.clear()
    assert (await browser.sign_in_up()).json()["status"] == "GENERAL_ERROR"
    assert account.asked == []


def _everywhere(provider: Any) -> Any:
    provider.include_in_non_public_tenants_by_default = True
    return provider
