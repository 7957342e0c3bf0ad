"""OpenAPI documents: the routes of sign-in recipes, and what they really take and answer."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator
from typing import Any, get_args
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI

from supertokens_py import Supertokens
from supertokens_py.framework.fastapi import document_routes
from supertokens_py.ingredients.emaildelivery.types import EmailDeliveryInterface
from supertokens_py.ingredients.smsdelivery.types import SMSDeliveryInterface
from supertokens_py.recipe import (
    emailpassword,
    emailverification,
    multitenancy,
    passwordless,
    thirdparty,
)
from supertokens_py.recipe.emailpassword.recipe import EmailPasswordRecipe
from supertokens_py.recipe.emailverification.recipe import EmailVerificationRecipe
from supertokens_py.recipe.multitenancy.recipe import MultitenancyRecipe
from supertokens_py.recipe.passwordless.recipe import PasswordlessRecipe
from supertokens_py.recipe.session import SessionLimit
from supertokens_py.recipe.thirdparty.recipe import ThirdPartyRecipe
from supertokens_py.testing.conformance import Reply
from supertokens_py.testing.conformance.visitor import Visitor
from tests.recipe.thirdparty.site.conftest import Account, apple_state, shop
from tests.support.clock import Clock
from tests.support.databases import Sqlite
from tests.support.deferred_work import finish_before_answers

from .site import Site

BACK = "https://example.com/auth/callback/shop"
PASSWORD = "correct horse 1"
TAGS = {"EmailPassword", "EmailVerification", "Passwordless", "ThirdParty", "Multitenancy"}
#: Older names of routes, which documents leave out.
OLDER = {("GET", "/signup/email/exists"), ("GET", "/signup/phonenumber/exists")}


class Outbox(EmailDeliveryInterface[Any], SMSDeliveryInterface[Any]):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    async def send_email(self, template_vars: Any, user_context: dict[str, Any]) -> None:
        self.sent.append(template_vars)

    async def send_sms(self, template_vars: Any, user_context: dict[str, Any]) -> None:
        self.sent.append(template_vars)


class Documented:
    """A site with every sign-in recipe, whose answers are compared with what its document says."""

    def __init__(self, site: Site) -> None:
        self.outbox, self.account, self.site = Outbox(), Account(), site
        mails = emailpassword.EmailDeliveryConfig(self.outbox)
        site.init(
            info={"website_base_path": "/auth"},
            engine={"argon2_memory_kb": 1024, "argon2_parallelism": 1},
            limit=SessionLimit(max_sessions=1, when_reached="refuse"),
            recipes=[
                emailpassword.init(email_delivery=mails),
                emailverification.init("OPTIONAL", mails),
                passwordless.init(
                    passwordless.ContactEmailOrPhoneConfig(),
                    "USER_INPUT_CODE_AND_MAGIC_LINK",
                    email_delivery=mails,
                    sms_delivery=passwordless.SMSDeliveryConfig(self.outbox),
                ),
                thirdparty.init(thirdparty.SignInAndUpFeature([shop(self.account)])),
            ],
        )
        app = FastAPI()
        document_routes(app)
        self.document = app.openapi()
        self.seen: set[tuple[str, str]] = set()  # (path, what was answered)

    def operation(self, method: str, path: str) -> dict[str, Any]:
        found: dict[str, Any] = self.document["paths"][f"/auth{path}"][method]
        return found

    def errors(self, schema: dict[str, Any], value: Any) -> list[str]:
        from jsonschema import Draft202012Validator  # reads a grammar, for a second, in every worker

        validator = Draft202012Validator({**schema, "components": self.document["components"]})
        return [error.message for error in validator.iter_errors(value)]

    def post(self, visitor: Visitor, path: str, body: dict[str, Any]) -> Reply:
        """Post what the document allows; what it does not allow has to be refused as bad input."""
        headers = (("content-type", "application/json"), ("fdi-version", "4.1"))
        reply = visitor.post(f"/auth{path}", headers=headers, body=json.dumps(body).encode())
        wanted = self.operation("post", path).get("requestBody")
        schema = wanted["content"]["application/json"]["schema"] if wanted else {}
        assert bool(self.errors(schema, body)) is (reply.status == 400), reply.body
        return self._checked(reply, "post", path)

    def get(self, visitor: Visitor, path: str, **query: str) -> Reply:
        reply = visitor.get(f"/auth{path}{'?' if query else ''}{urlencode(query)}")
        return self._checked(reply, "get", path)

    def _checked(self, reply: Reply, method: str, path: str) -> Reply:
        answer = self.operation(method, path)["responses"][str(reply.status)]
        assert self.errors(answer["content"]["application/json"]["schema"], reply.json) == []
        known = {name.lower() for name in answer.get("headers", {})}
        sent = {name.lower() for name, _ in reply.headers}
        ours = {"set-cookie", "front-token", "st-access-token", "st-refresh-token"}
        ours |= {"anti-csrf", "retry-after", "www-authenticate"}
        assert sent & ours <= known, (path, sent)
        self.seen.add((path, reply.json["status"] if reply.status == 200 else str(reply.status)))
        return reply


@pytest.fixture
def documented(sqlite_files: Sqlite, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Documented]:
    finish_before_answers(monkeypatch)
    site = Site("fastapi", sqlite_files.create().uri, clock)
    yield Documented(site)
    site.close()


def _form(**fields: Any) -> dict[str, Any]:
    return {"formFields": [{"id": name, "value": value} for name, value in fields.items()]}


def _token(link: str) -> str:
    return link.partition("token=")[2].partition("&")[0]


def test_passwords_and_addresses(documented: Documented, mode: str) -> None:
    """Sign-up, sign-in, both links; what is refused besides."""
    site, outbox = documented, documented.outbox
    ada, other = Visitor(documented.site, mode), Visitor(documented.site, mode)
    form = _form(email="ada@example.com", password=PASSWORD)
    assert site.post(ada, "/signup", {}).status == 400
    site.post(ada, "/signup", _form(email="no address", password=PASSWORD))
    site.post(ada, "/signup", {**form, "shouldTryLinkingWithSessionUser": False})
    site.post(other, "/signup", form)
    site.post(other, "/signin", _form(email="ada@example.com", password="wrong"))
    assert site.post(other, "/signin", form).json["message"].startswith("You are signed in on as many")
    assert site.get(other, "/emailpassword/email/exists").status == 400
    site.get(other, "/emailpassword/email/exists", email="ada@example.com")

    assert site.post(other, "/user/email/verify/token", {}).status == 401
    site.post(ada, "/user/email/verify/token", {})
    token = _token(outbox.sent[-1].email_verify_link)
    site.get(ada, "/user/email/verify")
    assert site.post(other, "/user/email/verify", {"method": "token"}).status == 400
    for _ in range(2):
        site.post(other, "/user/email/verify", {"method": "token", "token": token})
    site.post(ada, "/user/email/verify/token", {})

    site.post(other, "/user/password/reset/token", _form(email="ada@example.com"))
    token = _token(outbox.sent[-1].password_reset_link)
    site.post(other, "/user/password/reset", {**_form(password="short"), "token": token})
    for _ in range(2):
        site.post(other, "/user/password/reset", {**_form(password="correct horse 2"), "token": token})
    again = _form(email="ada@example.com", password="correct horse 2")
    assert site.post(other, "/signin", again).json["status"] == "OK"
    assert site.post(other, "/signout", {}).status == 200
    assert site.seen >= {
        ("/signup", "400"), ("/signup", "FIELD_ERROR"), ("/signup", "OK"), ("/signin", "OK"),
        ("/signin", "GENERAL_ERROR"), ("/signin", "WRONG_CREDENTIALS_ERROR"), ("/signout", "OK"),
        ("/emailpassword/email/exists", "OK"), ("/emailpassword/email/exists", "400"),
        ("/user/email/verify/token", "OK"), ("/user/email/verify/token", "EMAIL_ALREADY_VERIFIED_ERROR"),
        ("/user/email/verify", "OK"), ("/user/email/verify", "EMAIL_VERIFICATION_INVALID_TOKEN_ERROR"),
        ("/user/password/reset/token", "OK"), ("/user/password/reset", "OK"),
        ("/user/password/reset", "FIELD_ERROR"),
        ("/user/password/reset", "RESET_PASSWORD_INVALID_TOKEN_ERROR"),
    }  # fmt: skip


def test_codes_and_links(documented: Documented, mode: str, clock: Clock) -> None:
    """By e-mail and text message; wrong, expired and used codes."""
    site, outbox = documented, documented.outbox
    ada = Visitor(documented.site, mode)
    assert site.post(ada, "/signinup/code", {"email": "ada@example.com", "phoneNumber": "+1"}).status == 400
    site.post(ada, "/signinup/code", {"phoneNumber": "not a number"})
    begun = site.post(ada, "/signinup/code", {"phoneNumber": "+16502530000"}).json
    device = {name: begun[name] for name in ("deviceId", "preAuthSessionId")}
    code = outbox.sent[-1].user_input_code
    clock.advance(s=60)
    site.post(ada, "/signinup/code/resend", device)
    wrong = "000000" if code != "000000" else "111111"
    site.post(ada, "/signinup/code/consume", {**device, "userInputCode": wrong})
    site.post(ada, "/signinup/code/consume", {**device, "userInputCode": code})
    site.post(ada, "/signinup/code/consume", {**device, "userInputCode": code})
    site.post(ada, "/signinup/code/resend", device)
    assert site.post(ada, "/signinup/code/consume", {"preAuthSessionId": "a"}).status == 400
    link = {"preAuthSessionId": "a", "linkCode": "b"}
    site.post(ada, "/signinup/code/consume", link)
    begun = site.post(ada, "/signinup/code", {"email": "ada@example.com"}).json
    clock.advance(hours=1)
    device = {name: begun[name] for name in ("deviceId", "preAuthSessionId")}
    code = outbox.sent[-1].user_input_code
    site.post(ada, "/signinup/code/consume", {**device, "userInputCode": code})
    site.get(ada, "/passwordless/email/exists", email="ada@example.com")
    site.get(ada, "/passwordless/phonenumber/exists", phoneNumber="+16502530000")
    assert site.seen >= {
        ("/signinup/code", "400"), ("/signinup/code", "GENERAL_ERROR"), ("/signinup/code", "OK"),
        ("/signinup/code/resend", "OK"), ("/signinup/code/resend", "RESTART_FLOW_ERROR"),
        ("/signinup/code/consume", "INCORRECT_USER_INPUT_CODE_ERROR"), ("/signinup/code/consume", "OK"),
        ("/signinup/code/consume", "EXPIRED_USER_INPUT_CODE_ERROR"), ("/signinup/code/consume", "400"),
        ("/signinup/code/consume", "RESTART_FLOW_ERROR"), ("/passwordless/email/exists", "OK"),
        ("/passwordless/phonenumber/exists", "OK"),
    }  # fmt: skip


def test_providers(documented: Documented, mode: str) -> None:
    """The way there and back; tokens of native apps; Apple's form."""
    site, account = documented, documented.account
    ada = Visitor(documented.site, mode)
    there = {"thirdPartyId": "shop", "redirectURIOnProviderDashboard": BACK}
    site.get(ada, "/authorisationurl", **there)
    assert site.get(ada, "/authorisationurl").status == 400
    back = {"redirectURIOnProviderDashboard": BACK, "redirectURIQueryParams": {"code": "a code"}}
    body = {"thirdPartyId": "shop", "redirectURIInfo": back}
    site.post(ada, "/signinup", body)
    assert site.post(ada, "/signinup", {"thirdPartyId": "shop"}).status == 400
    account.user_id, account.email = "eve-at-shop", None
    site.post(ada, "/signinup", body)
    account.error = thirdparty.exceptions.ProviderError("no answer", provider_name="Shop")
    site.post(ada, "/signinup", body)
    assert site.seen >= {
        ("/authorisationurl", "OK"), ("/authorisationurl", "400"), ("/signinup", "OK"), ("/signinup", "400"),
        ("/signinup", "NO_EMAIL_GIVEN_BY_PROVIDER"), ("/signinup", "GENERAL_ERROR"),
    }  # fmt: skip
    form = (("content-type", "application/x-www-form-urlencoded"),)
    posted = urlencode({"state": apple_state(BACK), "code": "c"}).encode()
    apple = documented.site.post("/auth/callback/apple", form, body=posted)
    answer = documented.operation("post", "/callback/apple")["responses"][str(apple.status)]
    assert [*answer["headers"]] == ["Location"]
    assert apple.header("location").startswith(f"{BACK}?state=")


def test_the_ways_to_sign_in(documented: Documented) -> None:
    """What the log-in page of a frontend asks first."""
    ada = Visitor(documented.site, "cookie")
    everybody = documented.get(ada, "/loginmethods").json
    assert everybody["thirdParty"] == {"enabled": True, "providers": [{"id": "shop", "name": "Shop"}]}
    assert documented.get(ada, "/loginmethods", clientType="none").json["status"] == "OK"


def test_every_route_and_status_is_documented(documented: Documented) -> None:
    """Each route of the five recipes; at each, the statuses of every result that its API may have."""
    paths = documented.document["paths"]
    found = {
        (method.upper(), path.removeprefix("/auth")): operation
        for path, operations in paths.items()
        for method, operation in operations.items()
        if TAGS & {*operation["tags"]}
    }
    app = Supertokens.get_instance()
    signing_in = (EmailPasswordRecipe, EmailVerificationRecipe, PasswordlessRecipe, ThirdPartyRecipe)
    recipes = (*signing_in, MultitenancyRecipe)
    routes = {(one.method, one.path) for kind in recipes for one in app.recipe(kind).routes()}
    assert {*found} == routes - OLDER
    ids = [one["operationId"] for operations in paths.values() for one in operations.values()]
    assert len(ids) == len({*ids})
    for path, apis, name, more in (
        ("POST /signup", emailpassword, "sign_up_post", {"FIELD_ERROR"}),
        ("POST /signin", emailpassword, "sign_in_post", {"FIELD_ERROR"}),
        ("GET /emailpassword/email/exists", emailpassword, "email_exists_get", set[str]()),
        (
            "POST /user/password/reset/token",
            emailpassword,
            "generate_password_reset_token_post",
            {"FIELD_ERROR"},
        ),
        ("POST /user/password/reset", emailpassword, "password_reset_post", {"FIELD_ERROR"}),
        (
            "POST /user/email/verify/token",
            emailverification,
            "generate_email_verify_token_post",
            set[str](),
        ),
        ("POST /user/email/verify", emailverification, "email_verify_post", set[str]()),
        ("GET /user/email/verify", emailverification, "is_email_verified_get", set[str]()),
        ("POST /signinup/code", passwordless, "create_code_post", set[str]()),
        ("POST /signinup/code/resend", passwordless, "resend_code_post", set[str]()),
        ("POST /signinup/code/consume", passwordless, "consume_code_post", set[str]()),
        ("GET /passwordless/email/exists", passwordless, "email_exists_get", set[str]()),
        ("GET /passwordless/phonenumber/exists", passwordless, "phone_number_exists_get", set[str]()),
        ("GET /authorisationurl", thirdparty, "authorisation_url_get", set[str]()),
        ("POST /signinup", thirdparty, "sign_in_up_post", set[str]()),
        ("GET /loginmethods", multitenancy, "login_methods_get", set[str]()),
    ):
        method, _, below = path.partition(" ")
        assert _statuses(documented, found[method, below]) == _results(apis, name) | more, path


def _statuses(documented: Documented, operation: dict[str, Any]) -> set[str]:
    schemas = documented.document["components"]["schemas"]
    answers = operation["responses"]["200"]["content"]["application/json"]["schema"]["oneOf"]
    whole = [schemas[one["$ref"].rpartition("/")[2]] if "$ref" in one else one for one in answers]
    return {status for one in whole for status in one["properties"]["status"]["enum"]}


#: Results of an API that its route answers as FIELD_ERROR.
AS_FIELD_ERRORS = {"EMAIL_ALREADY_EXISTS_ERROR", "PASSWORD_POLICY_VIOLATED_ERROR"}


def _results(recipe: Any, name: str) -> set[str]:
    homes = (f"{recipe.__name__}.{module}" for module in ("api", "interfaces"))
    api = next(sys.modules[home] for home in homes if home in sys.modules)
    method = inspect.unwrap(getattr(api.APIInterface, name))
    union = eval(method.__annotations__["return"], vars(api))
    return {one.status for one in get_args(union)} - AS_FIELD_ERRORS


def test_without_sign_in_recipes_nothing_of_them_is_documented(sqlite_files: Sqlite, clock: Clock) -> None:
    """Nor with a single one what belongs to the others, or what was switched off."""
    site = Site("fastapi", sqlite_files.create().uri, clock).init()
    try:
        app = FastAPI()
        document_routes(app)
        names = {"SuperTokensRefusal", "SuperTokensInvalidClaims"}
        assert {*app.openapi()["components"]["schemas"]} == names

        def without_exists(original: Any) -> Any:
            original.disable_email_exists_get = True
            return original

        override = emailpassword.InputOverrideConfig(apis=without_exists)
        delivery = emailpassword.EmailDeliveryConfig(Outbox())
        site.init(recipes=[emailpassword.init(override=override, email_delivery=delivery)])
        app = FastAPI()
        document_routes(app)
        paths = {path: {*one} for path, one in app.openapi()["paths"].items()}
        assert paths == {
            "/auth/session/refresh": {"post"},
            "/auth/signout": {"post"},
            "/auth/loginmethods": {"get"},
            "/auth/signup": {"post"},
            "/auth/signin": {"post"},
            "/auth/user/password/reset/token": {"post"},
            "/auth/user/password/reset": {"post"},
        }
    finally:
        site.close()
