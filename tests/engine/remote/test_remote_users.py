"""Users over a core: what crosses the wire, and what an application gets beyond what a core does."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from supertokens_py import EngineConfig, InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.engine.code_records import PhoneNumberChangeNotAllowed
from supertokens_py.engine.factory import open_engine
from supertokens_py.engine.id_mapping import IdMappings
from supertokens_py.engine.interface import Tenants
from supertokens_py.engine.user_records import (
    ConsumedToken,
    EmailChangeNotAllowed,
    PasswordProof,
    UserPage,
    UserQuery,
)
from supertokens_py.engine.user_services import (
    EmailPassword,
    EmailVerification,
    HashImport,
    Passwordless,
    ThirdParty,
    Users,
)
from supertokens_py.exceptions import (
    BadInputError,
    EngineUnavailableError,
    TooManyAttemptsError,
)
from supertokens_py.framework.fastapi import get_middleware
from supertokens_py.recipe import emailpassword, emailverification, passwordless, session
from supertokens_py.recipe.emailpassword import syncio as passwords
from supertokens_py.recipe.emailverification import syncio as verification
from supertokens_py.recipe.passwordless import ContactEmailOrPhoneConfig
from supertokens_py.recipe.passwordless import syncio as codes
from supertokens_py.recipe.passwordless.interfaces import CreateNewCodeForDeviceOkResult
from supertokens_py.recipe.session import syncio as sessions
from supertokens_py.secret import masked
from supertokens_py.server import create_app
from supertokens_py.types.users import AccountInfo, ThirdPartyInfo
from tests.engine.remote.conftest import QUICK, Host
from tests.engine.remote.cores import Core, engine_over
from tests.security.test_frames import OURS, variables
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

METHOD = {
    "recipeId": "emailpassword",
    "recipeUserId": "own",
    "tenantIds": ["public"],
    "timeJoined": 5,
    "verified": True,
    "email": "ada@example.com",
}
GOOGLE = {
    "recipeId": "thirdparty",
    "recipeUserId": "at-google",
    "tenantIds": ["public", "t1"],
    "timeJoined": 3,
    "verified": True,
    "email": "ada@gmail.example",
    "thirdParty": {"id": "google", "userId": "1"},
}
LINKED = {
    "id": "primary",
    "isPrimaryUser": True,
    "tenantIds": ["public"],
    "timeJoined": 3,
    "emails": ["ada@example.com"],
    "phoneNumbers": [],
    "thirdParty": [],
    "webauthn": {"credentialIds": ["c"]},
    "loginMethods": [METHOD, GOOGLE],
}
OK = {"status": "OK"}
TOKENS = "/public/recipe/user/password/reset/token"


@pytest.mark.parametrize(
    "protocol",
    [Users, EmailPassword, EmailVerification, HashImport, IdMappings, Passwordless, ThirdParty, Tenants],
)
def test_nothing_is_missing_that_recipes_ask_for(protocol: type) -> None:
    """Recipes are tested with the embedded engine: what only that has would be missed by users first."""
    engine = engine_over(Core())
    services = {
        Users: engine.users,
        EmailPassword: engine.email_password,
        EmailVerification: engine.email_verification,
        HashImport: engine.hash_import,
        IdMappings: engine.id_mappings,
        Passwordless: engine.passwordless,
        ThirdParty: engine.third_party,
        Tenants: engine.tenants,
    }
    wanted = {
        name for name, member in vars(protocol).items() if inspect.isfunction(member) and name[0] != "_"
    }
    assert wanted
    assert engine.keeps_users is True
    assert [name for name in wanted if not callable(getattr(services[protocol], name, None))] == []


def test_linked_users_of_any_recipe_are_read() -> None:
    engine = engine_over(Core({"GET /user/id": {**OK, "user": LINKED}}))
    user = engine.users.find("at-google")
    assert user is not None
    assert (user.id, user.is_primary_user, user.time_joined) == ("primary", True, 3)
    assert user.emails == ["ada@example.com", "ada@gmail.example"]
    assert user.third_party == [ThirdPartyInfo("1", "google")]
    assert user.webauthn_credential_ids == ("c",)
    assert [str(method.recipe_user_id) for method in user.login_methods] == ["own", "at-google"]


def test_questions_are_asked_as_official_sdks_do() -> None:
    none = {**OK, "users": []}
    core = Core({"GET /t1/users": none, "GET /t1/users/by-accountinfo": none})
    users = engine_over(core).users
    query = UserQuery(limit=7, newest_first=True, token="abc", recipe_ids=["emailpassword"], email="a")
    assert users.page("T1", query).users == []
    assert dict(core.requests[-1].url.params) == {
        "limit": "7",
        "timeJoinedOrder": "DESC",
        "includeRecipeIds": "emailpassword",
        "paginationToken": "abc",
        "email": "a",
    }
    info = AccountInfo(email="a", phone_number="1", third_party=ThirdPartyInfo("u", "google"))
    assert users.by_account_info("t1", info, any_of=True) == []
    assert dict(core.requests[-1].url.params) == {
        "doUnionOfAccountInfo": "true",
        "email": "a",
        "phoneNumber": "1",
        "thirdPartyId": "google",
        "thirdPartyUserId": "u",
    }
    asked = len(core.requests)
    assert users.by_account_info("t1", AccountInfo()) == []
    assert len(core.requests) == asked


def test_a_bad_page_is_the_callers_mistake() -> None:
    core = Core({"GET /public/users": (400, "invalid pagination token")})
    users = engine_over(core).users
    with pytest.raises(BadInputError, match="invalid pagination token"):
        users.page("public", UserQuery(token="x"))
    with pytest.raises(BadInputError, match="limit"):
        users.page("public", UserQuery(limit=0))
    with pytest.raises(BadInputError, match="Unknown recipe"):
        users.count(tenant_id=None, recipe_ids=["session"])


@pytest.mark.parametrize("email", [None, " ADA@example.com"])
def test_a_reset_token_is_asked_for_by_login_method(email: str | None) -> None:
    core = Core({"GET /user/id": {**OK, "user": LINKED}, f"POST {TOKENS}": {**OK, "token": "t"}})
    assert engine_over(core).email_password.create_reset_token("public", "primary", email) == "t"
    assert core.body() == {"userId": "own", "email": "ada@example.com"}
    assert core.requests[-1].headers["rid"] == "emailpassword"


def test_a_core_is_asked_for_no_token_of_another_address() -> None:
    """It would make one, for whoever reads the mail of an address that is not the user's password login."""
    core = Core({"GET /user/id": {**OK, "user": LINKED}, f"POST {TOKENS}": {**OK, "token": "t"}})
    ask = engine_over(core).email_password.create_reset_token
    assert ask("public", "primary", "ada@gmail.example") is None
    assert f"POST {TOKENS}" not in core.asked


def test_a_reset_token_is_used_in_a_tenant_of_its_user() -> None:
    """Whose password rule the new one was checked with; an official core does not ask."""
    used = {**OK, "userId": "own", "email": "ada@example.com"}
    elsewhere = TOKENS.replace("public", "t1")
    paths = {f"POST {TOKENS}/consume": used, f"POST {elsewhere}/consume": used}
    made = {f"POST {elsewhere}": {**OK, "token": "t"}}
    core = Core({"GET /user/id": {**OK, "user": LINKED}, **paths, **made})
    store = engine_over(core).email_password
    assert store.consume_reset_token("public", "t") == ConsumedToken("own", "ada@example.com")
    assert store.consume_reset_token("t1", "t") is None
    assert store.create_reset_token("t1", "primary", None) is None
    core.answers["GET /user/id"] = {"status": "UNKNOWN_USER_ID_ERROR"}
    assert store.consume_reset_token("public", "t") is None


def test_sessions_end_after_the_password_is_new() -> None:
    core = Core(
        {"PUT /recipe/user": OK, "POST /public/recipe/session/remove": {**OK, "sessionHandlesRevoked": ["h"]}}
    )
    change = engine_over(core).email_password.update
    assert change("own", email=None, password="new 1", revoke_sessions=True) is None
    assert core.asked[-2:] == ["PUT /recipe/user", "POST /public/recipe/session/remove"]
    assert core.body(-2) == {"recipeUserId": "own", "password": "new 1"}
    assert change("own", email="b@example.com", password=None, revoke_sessions=True) is None
    assert core.asked[-1] == "PUT /recipe/user"


def test_a_core_may_forbid_another_contact() -> None:
    refused = {"status": "EMAIL_CHANGE_NOT_ALLOWED_ERROR", "reason": "linked"}
    asked = ("PUT /recipe/user", "POST /public/recipe/signinup")
    core = Core({**dict.fromkeys(asked, refused), "GET /user/id": {**OK, "user": LINKED}})
    engine, forbidden = engine_over(core), EmailChangeNotAllowed("linked")
    change = engine.email_password.update
    assert change("own", email="b@example.com", password=None, revoke_sessions=False) == forbidden
    assert engine.passwordless.update("own", email="b@example.com") == forbidden
    sign_in = engine.third_party.sign_in_up
    assert sign_in("public", "google", "1", email="b@example.com", is_verified=True) == forbidden
    core.answers["PUT /recipe/user"] = {**refused, "status": "PHONE_NUMBER_CHANGE_NOT_ALLOWED_ERROR"}
    forbidden_number = PhoneNumberChangeNotAllowed("linked")
    assert engine.passwordless.update("own", phone_number="+16502530000") == forbidden_number


def test_a_core_knows_who_is_linked_to_whom() -> None:
    core = Core({"GET /user/id": {**OK, "user": LINKED}})
    users = engine_over(core).users
    assert users.primary_id("at-google") == "primary"
    core.answers["GET /user/id"] = {"status": "UNKNOWN_USER_ID_ERROR"}
    assert users.primary_id("at-google") == "at-google"


def test_a_tenant_that_a_core_does_not_know_has_nothing() -> None:
    """Neither users, nor codes or tokens that could be ended."""
    unknown = (400, "AppId or tenantId not found => Tenant with the following connectionURIDomain...")
    asked = (
        "GET /t9/users",
        "POST /t9/recipe/signinup/codes/remove",
        "POST /t9/recipe/user/email/verify/token/remove",
    )
    core = Core(dict.fromkeys(asked, unknown))
    engine = engine_over(core)
    assert engine.users.page("t9", UserQuery()) == UserPage([], None)
    assert engine.passwordless.revoke_codes("t9", email="ada@example.com") is None
    assert engine.email_verification.revoke_tokens("t9", "own", "ada@example.com") is None
    assert [one for one in core.asked if "t9" in one] == list(asked)


def test_a_proof_ends_with_the_user_or_their_membership() -> None:
    core = Core({"GET /user/id": {**OK, "user": LINKED}})
    engine = engine_over(core)
    assert engine.email_password.is_current(PasswordProof("primary"))
    assert engine.email_password.is_current(PasswordProof("primary", tenant_id="t1"))
    assert not engine.email_password.is_current(PasswordProof("primary", tenant_id="t2"))
    core.answers["GET /user/id"] = {"status": "UNKNOWN_USER_ID_ERROR"}
    assert not engine.email_password.is_current(PasswordProof("primary"))


@pytest.mark.parametrize("status", ["NEW_ERROR", None])
@pytest.mark.parametrize("call", ["sign_up", "verify", "update", "update_contact", "consume_reset_token"])
def test_an_unknown_status_is_no_answer(call: str, status: str | None) -> None:
    asked = ("POST /public/recipe/signup", "POST /public/recipe/signin", "PUT /recipe/user")
    core = Core({path: {"status": status} for path in (*asked, f"POST {TOKENS}/consume")})
    core.answers["GET /user/id"] = {"status": "UNKNOWN_USER_ID_ERROR"}
    store, codes = engine_over(core).email_password, engine_over(core).passwordless
    calls: dict[str, Any] = {
        "sign_up": lambda: store.sign_up("public", "a@example.com", "p"),
        "verify": lambda: store.verify("public", "a@example.com", "p"),
        "update": lambda: store.update("u", email="a@example.com", password=None, revoke_sessions=False),
        "update_contact": lambda: codes.update("u", email="a@example.com"),
        "consume_reset_token": lambda: store.consume_reset_token("public", "t"),
    }
    with pytest.raises(EngineUnavailableError, match="unknown status"):
        calls[call]()


PLANTED = "PLANTED-password-0123456789"


@pytest.mark.parametrize("path", ["signup", "signin"])
def test_no_password_is_in_a_variable_of_a_request_that_fails(path: str) -> None:
    """Nor in the message of the error."""
    core = Core({f"POST /public/recipe/{path}": (500, "broken")})
    store = engine_over(core).email_password
    call = store.sign_up if path == "signup" else store.verify
    with pytest.raises(EngineUnavailableError) as caught:
        call("public", "a@example.com", masked(PLANTED))
    shown = variables(caught.value, of=OURS)
    assert "'password': '***'" in shown
    assert PLANTED not in shown + str(caught.value)


# -- a whole log-in over our own server ----------------------------------------------------------------


@pytest.fixture
def client(sqlite_database: TestDatabase, host: Host, clock: Clock) -> Iterator[TestClient]:
    """An application whose users are kept by a core, for which no time passes between two requests."""
    settings = EngineConfig(sign_in_free_failures=1, now_ms=clock, **QUICK).resolve({})
    behind = open_engine(sqlite_database.uri, settings, keeps_users=True)
    host.app = create_app(behind, allow_no_api_key=True, now_ms=clock)
    Supertokens.reset()
    init(
        InputAppInfo("Shop", "http://localhost:8000", website_domain="http://localhost:3000"),
        supertokens_config=SupertokensConfig(host.address),
        recipe_list=[
            session.init(get_token_transfer_method=lambda *_: "header"),
            emailpassword.init(),
            emailverification.init(mode="OPTIONAL"),
            passwordless.init(ContactEmailOrPhoneConfig(), "USER_INPUT_CODE_AND_MAGIC_LINK"),
        ],
    )
    app = FastAPI()
    app.add_middleware(get_middleware())
    with TestClient(app, base_url="http://localhost:8000") as client:
        yield client
    Supertokens.reset()
    behind.close()


def post(client: TestClient, path: str, **values: str) -> httpx2.Response:
    fields = [{"id": name, "value": value} for name, value in values.items()]
    return client.post(f"/auth{path}", json={"formFields": fields})


def test_users_sign_up_and_in_over_a_core(client: TestClient) -> None:
    """And are told what they would be told without one, also after too many wrong passwords."""
    who = {"email": "ada@example.com", "password": "correct horse 1"}
    made = post(client, "/signup", **who)
    assert (made.json()["status"], "st-access-token" in made.headers) == ("OK", True)
    assert post(client, "/signup", **who).json()["formFields"][0]["id"] == "email"
    signed_in = post(client, "/signin", **who)
    assert signed_in.json()["user"]["id"] == made.json()["user"]["id"]
    wrong = {**who, "password": "wrong"}
    assert post(client, "/signin", **wrong).json() == {"status": "WRONG_CREDENTIALS_ERROR"}
    refused = post(client, "/signin", **who)
    assert (refused.json()["status"], refused.headers["retry-after"]) == ("GENERAL_ERROR", "1")


def test_codes_and_links_sign_in_over_a_core(client: TestClient) -> None:
    """With the counts, ids and limits that there are without one."""
    consume = "/auth/signinup/code/consume"
    asked = client.post("/auth/signinup/code", json={"email": "Ada@example.com"}).json()
    device = {name: asked[name] for name in ("deviceId", "preAuthSessionId")}
    wrong = client.post(consume, json={**device, "userInputCode": "x"}).json()
    assert (wrong["status"], wrong["failedCodeInputAttemptCount"]) == ("INCORRECT_USER_INPUT_CODE_ERROR", 1)
    soon = client.post("/auth/signinup/code", json={"email": "ada@example.com"})
    assert (soon.json()["status"], soon.headers["retry-after"]) == ("GENERAL_ERROR", "15")
    mismatch = client.post(consume, json={**device, "preAuthSessionId": "A" * 43, "userInputCode": "x"})
    assert mismatch.json() == {"status": "RESTART_FLOW_ERROR"}

    more = codes.create_new_code_for_device("public", device["deviceId"], "123456")
    assert isinstance(more, CreateNewCodeForDeviceOkResult)
    into = client.post(consume, json={**device, "userInputCode": "123456"})
    user = into.json()["user"]
    assert (into.json()["createdNewRecipeUser"], user["emails"]) == (True, ["ada@example.com"])
    assert user["loginMethods"][0]["verified"] is True
    assert "st-access-token" in into.headers
    assert client.post("/auth/signinup/code/resend", json=device).json() == {"status": "RESTART_FLOW_ERROR"}

    made = codes.create_code("public", phone_number="+1 (650) 253-0000")
    body = {"preAuthSessionId": made.pre_auth_session_id, "linkCode": made.link_code}
    answers = [client.post(consume, json=body).json() for _ in range(2)]
    assert [answer["status"] for answer in answers] == ["OK", "RESTART_FLOW_ERROR"]
    assert answers[0]["user"]["phoneNumbers"] == ["+16502530000"]
    assert codes.update_user(user["id"], phone_number="+16502530000").status == (
        "PHONE_NUMBER_ALREADY_EXISTS_ERROR"
    )
    known = client.get("/auth/passwordless/phonenumber/exists", params={"phoneNumber": "+1 650 253 0000"})
    assert known.json() == {"status": "OK", "exists": True}


def test_a_password_is_reset_over_a_core(client: TestClient) -> None:
    """By a link that is used once; every session of the user ends."""
    who = {"email": "ada@example.com", "password": "correct horse 1"}
    user_id = post(client, "/signup", **who).json()["user"]["id"]
    made = passwords.create_reset_password_token("public", user_id)
    body = {
        "token": made.token,
        "method": "token",
        "formFields": [{"id": "password", "value": "another one 2"}],
    }
    assert client.post("/auth/user/password/reset", json=body).json() == {"status": "OK"}
    again = client.post("/auth/user/password/reset", json=body).json()
    assert again == {"status": "RESET_PASSWORD_INVALID_TOKEN_ERROR"}
    assert sessions.get_all_session_handles_for_user(user_id) == []
    assert post(client, "/signin", **{**who, "password": "another one 2"}).json()["status"] == "OK"


def test_an_address_is_verified_over_a_core(client: TestClient) -> None:
    """The session says so, and so does the user."""
    made = post(client, "/signup", email="ada@example.com", password="correct horse 1")
    user_id = made.json()["user"]["id"]
    signed_in = {"authorization": f"Bearer {made.headers['st-access-token']}"}
    shown = client.get("/auth/user/email/verify", headers=signed_in)
    assert shown.json() == {"status": "OK", "isVerified": False}
    token = verification.create_email_verification_token("public", user_id).token
    body = {"method": "token", "token": token}
    used = client.post("/auth/user/email/verify", json=body, headers=signed_in)
    assert used.json()["status"] == "OK"
    shown = client.get("/auth/user/email/verify", headers=signed_in)
    assert shown.json() == {"status": "OK", "isVerified": True}
    signed_in_again = post(client, "/signin", email="ada@example.com", password="correct horse 1").json()
    assert signed_in_again["user"]["loginMethods"][0]["verified"] is True


def test_a_hash_is_imported_by_the_core() -> None:
    path = "POST /public/recipe/user/passwordhash/import"
    core = Core({path: {**OK, "user": LINKED, "didUserAlreadyExist": True}})
    done = engine_over(core).hash_import.put("public", " ADA@example.com", "$2a$...")
    assert (done.user.id, done.existed) == ("primary", True)
    assert core.body() == {"email": "ada@example.com", "passwordHash": "$2a$..."}
    refused = engine_over(Core({path: (400, "Password hash is in invalid format")}))
    with pytest.raises(BadInputError, match="invalid format"):
        refused.hash_import.put("public", "ada@example.com", "x")


def test_a_wait_is_an_error_of_the_engine() -> None:
    wait = {"status": "WRONG_CREDENTIALS_ERROR", "retryAfterMs": 3000}
    store = engine_over(Core({"POST /public/recipe/signin": wait})).email_password
    with pytest.raises(TooManyAttemptsError) as caught:
        store.verify("public", "a@example.com", "p")
    assert caught.value.retry_after_ms == 3000
