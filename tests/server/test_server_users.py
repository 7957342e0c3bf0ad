"""Users and passwords over the wire: shapes of each version, statuses, refusals (engine: Users over CDI)."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

import bcrypt
import pytest
from starlette.testclient import TestClient

from supertokens_py.engine import call
from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded.signin.passwords import Passwords
from supertokens_py.engine.factory import open_engine
from supertokens_py.runtime.dedicated_pools import DedicatedPool
from supertokens_py.server import create_app
from tests.security.test_frames import OURS, variables
from tests.server.conftest import QUICK
from tests.server.wire import Wire
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

V2 = "/recipe/multitenancy/tenant/v2"
WHO = {"email": "Ada@Example.com", "password": "correct horse 1"}
ADDRESS, WRONG = "ada@example.com", {"email": "ada@example.com", "password": "wrong"}
TOKENS = "/recipe/user/password/reset/token"
VERIFY = "/recipe/user/email/verify"
MAP = "/recipe/userid/map"
UNKNOWN_USER = {"status": "UNKNOWN_USER_ID_ERROR"}


def signed_up(wire: Wire, email: str = ADDRESS, tenant: str = "") -> dict[str, Any]:
    return wire.post(f"{tenant}/recipe/signup", {**WHO, "email": email})["user"]


def newest(user_id: str, joined_ms: int, *, webauthn: bool = True) -> dict[str, Any]:
    method = {
        "recipeId": "emailpassword",
        "recipeUserId": user_id,
        "tenantIds": ["public"],
        "timeJoined": joined_ms,
        "verified": False,
        "email": ADDRESS,
    }
    return {
        "id": user_id,
        "isPrimaryUser": False,
        "tenantIds": ["public"],
        "timeJoined": joined_ms,
        "emails": [ADDRESS],
        "phoneNumbers": [],
        "thirdParty": [],
        **({"webauthn": {"credentialIds": []}} if webauthn else {}),
        "loginMethods": [method],
    }


def before_4(user_id: str, joined_ms: int) -> dict[str, Any]:
    return {"id": user_id, "email": ADDRESS, "timeJoined": joined_ms, "tenantIds": ["public"]}


# -- shapes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["3.0", "3.1"])
def test_below_4_a_user_is_one_login_method(users: Wire, clock: Clock, version: str) -> None:
    wire = users.at(version)
    made = wire.post("/recipe/signup", WHO)
    user_id = made["user"]["id"]
    shape = before_4(user_id, clock.now_ms)
    assert made == {"status": "OK", "user": shape}
    assert wire.post("/recipe/signin", WHO) == {"status": "OK", "user": shape}
    for query in ({"userId": user_id}, {"email": " ADA@example.com"}):
        assert wire.get("/recipe/user", query) == {"status": "OK", "user": shape}
    listed = [{"recipeId": "emailpassword", "user": shape}]
    assert wire.get("/users") == {"status": "OK", "users": listed}
    assert wire.post(TOKENS, {"userId": user_id})["status"] == "OK"
    assert wire.put("/recipe/user", {"userId": user_id, "email": "b@example.com"}) == {"status": "OK"}
    assert wire.get("/users")["users"][0]["user"]["email"] == "b@example.com"


@pytest.mark.parametrize("version", ["4.0", "5.0", "5.2", "5.3", "5.4", "5.6"])
def test_from_4_a_user_has_login_methods(users: Wire, clock: Clock, version: str) -> None:
    """And from 5.3 passkeys, of which there are none."""
    wire = users.at(version)
    made = wire.post("/recipe/signup", WHO)
    user_id = made["recipeUserId"]
    shape = newest(user_id, clock.now_ms, webauthn=version >= "5.3")
    assert made == {"status": "OK", "user": shape, "recipeUserId": user_id}
    assert wire.post("/recipe/signin", WHO) == made
    assert wire.get("/user/id", {"userId": user_id}) == {"status": "OK", "user": shape}
    assert wire.get("/recipe/user", {"userId": user_id}) == {"status": "OK", "user": shape}
    assert wire.get("/users") == {"status": "OK", "users": [shape]}
    found = wire.get("/users/by-accountinfo", {"email": ADDRESS, "doUnionOfAccountInfo": "true"})
    assert found == {"status": "OK", "users": [shape]}
    assert wire.refusal("POST", TOKENS, {"userId": user_id})[0] == 400  # the address is needed


# -- sign-up and sign-in -----------------------------------------------------------------------------


def test_who_cannot_sign_up_or_in(users: Wire) -> None:
    signed_up(users)
    assert users.post("/recipe/signup", WHO) == {"status": "EMAIL_ALREADY_EXISTS_ERROR"}
    for body in (WRONG, {**WHO, "email": "bob@example.com"}, {**WHO, "password": ""}):
        assert users.post("/recipe/signin", body) == {"status": "WRONG_CREDENTIALS_ERROR"}
    empty = (400, "Password cannot be an empty string")
    assert users.refusal("POST", "/recipe/signup", {**WHO, "password": ""}) == empty
    bob = {**WHO, "email": "bob@example.com"}
    for body in ({**WHO, "email": " "}, {**bob, "password": "x" * 1025}, {**bob, "password": "\ud800"}):
        assert users.refusal("POST", "/recipe/signup", body)[0] == 400


def test_after_too_many_wrong_passwords_the_right_one_is_wrong_too(
    start: Callable[..., Wire], clock: Clock
) -> None:
    """In the one answer that every SDK knows; beside it, for those who read it, how long that lasts."""
    wire = start(engine={**QUICK, "sign_in_free_failures": 1}, keeps_users=True)
    signed_up(wire)
    assert wire.post("/recipe/signin", WRONG) == {"status": "WRONG_CREDENTIALS_ERROR"}
    refused = {"status": "WRONG_CREDENTIALS_ERROR", "retryAfterMs": 1000}
    assert wire.post("/recipe/signin", WHO) == refused
    clock.advance(ms=1000)
    assert wire.post("/recipe/signin", WHO)["status"] == "OK"


def test_a_storm_of_sign_ins_is_no_wrong_password(
    start: Callable[..., Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An SDK says that the store is unavailable."""
    wire = start(engine={**QUICK, "argon2_hashing_queue_size": 1}, keeps_users=True)
    signed_up(wire)
    pool = DedicatedPool("passwords", 1)
    monkeypatch.setattr(call, "_HASHING", pool)
    served, gone = threading.Event(), threading.Event()

    def serve() -> bool:
        served.set()
        return gone.wait(30)

    somebody = threading.Thread(target=lambda: asyncio.run(pool.offload(serve)))
    somebody.start()
    assert served.wait(30)
    for path in ("/recipe/signin", "/recipe/signup"):
        assert wire.refusal("POST", path, WHO)[0] == 503
    gone.set()
    somebody.join()
    assert wire.post("/recipe/signin", WHO)["status"] == "OK"


def test_users_belong_to_tenants(users: Wire) -> None:
    users.put(V2, {"tenantId": "t1"})
    here, there = signed_up(users), signed_up(users, tenant="/t1")
    assert there["tenantIds"] == ["t1"]
    assert users.post("/t1/recipe/signin", WHO)["user"] == there
    assert [user["id"] for user in users.get("/t1/users")["users"]] == [there["id"]]
    assert users.get("/t1/recipe/user", {"email": ADDRESS})["user"] == there
    counts = [users.get(path)["count"] for path in ("/users/count", "/t1/users/count")]
    assert (counts, users.get("/users/count", {"includeAllTenants": "true"})["count"]) == ([1, 1], 2)
    app_only = (403, "Only public tenantId can call this app specific API")
    everywhere = {"includeAllTenants": "true"}
    assert users.refusal("GET", "/t1/users/count", params=everywhere) == app_only
    assert users.refusal("GET", "/t1/recipe/user", params={"userId": here["id"]}) == app_only
    assert users.refusal("POST", "/t9/recipe/signup", WHO)[0] == 400


# -- reset tokens and changes ------------------------------------------------------------------------


def token_for(wire: Wire, user_id: str) -> str:
    return wire.post(TOKENS, {"userId": user_id, "email": ADDRESS})["token"]


def test_a_password_is_reset_in_two_steps(users: Wire) -> None:
    """No session ends by it, as with a core: that is for the SDK to decide."""
    user_id = signed_up(users)["id"]
    session = users.create(user_id)["session"]
    token = token_for(users, user_id)
    used = users.post(f"{TOKENS}/consume", {"token": token})
    assert used == {"status": "OK", "userId": user_id, "email": ADDRESS}
    again = users.post(f"{TOKENS}/consume", {"token": token})
    assert again == {"status": "RESET_PASSWORD_INVALID_TOKEN_ERROR"}
    assert users.put("/recipe/user", {"recipeUserId": user_id, "password": "new 1"}) == {"status": "OK"}
    assert users.post("/recipe/signin", {**WHO, "password": "new 1"})["status"] == "OK"
    handles = users.get("/recipe/session/user", {"userId": user_id})["sessionHandles"]
    assert handles == [session["handle"]]


def test_a_password_is_reset_in_one_step(users: Wire) -> None:
    """By the older call. One that cannot be kept uses up no token."""
    user_id = signed_up(users)["id"]
    body = {"method": "token", "token": token_for(users, user_id), "newPassword": "new 1"}
    path = "/recipe/user/password/reset"
    odd = (400, "Unsupported method for password reset")
    assert users.refusal("POST", path, {**body, "method": "code"}) == odd
    assert users.refusal("POST", path, {**body, "newPassword": ""})[0] == 400
    assert users.post(path, body) == {"status": "OK", "userId": user_id}
    assert users.post(path, body) == {"status": "RESET_PASSWORD_INVALID_TOKEN_ERROR"}
    assert users.post("/recipe/signin", {**WHO, "password": "new 1"})["status"] == "OK"


IMPORT = "/recipe/user/passwordhash/import"


def test_a_hash_is_imported(users: Wire) -> None:
    """For a new user, or over the password of one, whose links to reset it end."""
    bcrypted = bcrypt.hashpw(b"old password 1", bcrypt.gensalt(4)).decode()
    body = {"email": WHO["email"], "passwordHash": bcrypted, "hashingAlgorithm": "bcrypt"}
    made = users.post(IMPORT, body)
    user = made["user"]
    assert made == {"status": "OK", "user": user, "didUserAlreadyExist": False}
    old = {**WHO, "password": "old password 1"}
    assert users.post("/recipe/signin", old)["user"] == user
    users.put("/recipe/user", {"recipeUserId": user["id"], "password": WHO["password"]})
    token = token_for(users, user["id"])
    assert users.at("3.1").post(IMPORT, body) == {
        "status": "OK",
        "user": before_4(user["id"], user["timeJoined"]),
        "didUserAlreadyExist": True,
    }
    assert users.post("/recipe/signin", old)["status"] == "OK"
    assert users.post("/recipe/signin", WHO)["status"] == "WRONG_CREDENTIALS_ERROR"
    used = users.post(f"{TOKENS}/consume", {"token": token})
    assert used == {"status": "RESET_PASSWORD_INVALID_TOKEN_ERROR"}
    assert users.refusal("POST", f"/t9{IMPORT}", body)[0] == 400


@pytest.mark.parametrize(
    ("stored", "algorithm", "text"),
    [
        ("x", "MD5", "Unsupported password hashing algorithm"),
        ("x", "ARGON2", "Password hash is in invalid format"),
        ("$2b$04$short", "ARGON2", "Password hash is in invalid format"),
        ("$f_scrypt$h$s$m=1$r=1$s=x", "FIREBASE_SCRYPT", "hashes of Firebase are not supported"),
        ("$2b$04$short", None, "the password hash has none of the supported forms"),
    ],
)
def test_a_hash_that_could_never_be_verified_is_refused(
    users: Wire, stored: str, algorithm: str | None, text: str
) -> None:
    body = {"email": ADDRESS, "passwordHash": stored}
    if algorithm is not None:
        body["hashingAlgorithm"] = algorithm
    status, said = users.refusal("POST", IMPORT, body)
    assert (status, said.startswith(text)) == (400, True)
    assert users.get("/users/count")["count"] == 0


def test_changes_and_tokens_of_nobody(users: Wire) -> None:
    user_id, bob = signed_up(users)["id"], signed_up(users, "bob@example.com")["id"]
    taken = users.put("/recipe/user", {"recipeUserId": bob, "email": ADDRESS})
    assert taken == {"status": "EMAIL_ALREADY_EXISTS_ERROR"}
    assert users.put("/recipe/user", {"recipeUserId": "nobody", "email": "x@example.com"}) == UNKNOWN_USER
    nothing = (400, "You need to provide either email or password.")
    assert users.refusal("PUT", "/recipe/user", {"recipeUserId": user_id}) == nothing
    for body in ({"userId": "nobody", "email": ADDRESS}, {"userId": bob, "email": ADDRESS}):
        assert users.post(TOKENS, body) == UNKNOWN_USER


# -- questions ---------------------------------------------------------------------------------------


def test_a_user_is_found_by_one_thing(users: Wire) -> None:
    signed_up(users)
    assert users.get("/recipe/user", {"userId": "nobody"}) == UNKNOWN_USER
    assert users.get("/user/id", {"userId": "nobody"}) == UNKNOWN_USER
    assert users.get("/recipe/user", {"email": "bob@example.com"}) == {"status": "UNKNOWN_EMAIL_ERROR"}
    exactly = (400, "Please provide exactly one of userId or email")
    for query in ({}, {"userId": "a", "email": "b"}):
        assert users.refusal("GET", "/recipe/user", params=query) == exactly


def test_other_recipes_share_a_path(users: Wire) -> None:
    """Their clients would take a user of this one for theirs."""
    user_id, headers = signed_up(users)["id"], {"rid": "ThirdParty"}
    asked = users.raw("GET", "/recipe/user", params={"userId": user_id}, headers=headers)
    assert asked.json() == UNKNOWN_USER
    change = {"recipeUserId": user_id, "email": "x@example.com"}
    assert users.refusal("PUT", "/recipe/user", change, headers=headers) == (404, "Not found")


def test_pages_of_users(users: Wire, clock: Clock) -> None:
    """Oldest first, unless the other order is asked for; with an address it is a search."""
    ids: list[str] = []
    for number in range(5):
        ids.append(signed_up(users, f"user{number}@example.com")["id"])
        clock.advance(ms=1)
    found: list[str] = []
    query = {"limit": "2", "timeJoinedOrder": "desc", "includeRecipeIds": "emailpassword,thirdparty"}
    while True:
        page = users.get("/users", query)
        found += [user["id"] for user in page["users"]]
        if "nextPaginationToken" not in page:
            break
        query["paginationToken"] = page["nextPaginationToken"]
    assert found == ids[::-1]
    assert [user["id"] for user in users.get("/users", {"email": "user3"})["users"]] == [ids[3]]
    for name in ("phone", "provider"):
        assert users.get("/users", {name: "user"})["users"] == []
    assert users.get("/users/count", {"includeRecipeIds": "passwordless"})["count"] == 0


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"limit": "x"}, "Field name 'limit' must be an int in the GET request"),
        ({"limit": "1_0"}, "Field name 'limit' must be an int in the GET request"),
        ({"limit": "\u0661"}, "Field name 'limit' must be an int in the GET request"),
        ({"limit": "0"}, "limit must be a whole number from 1 to 500"),
        ({"limit": "501"}, "limit must be a whole number from 1 to 500"),
        ({"timeJoinedOrder": "UP"}, "timeJoinedOrder can be either ASC OR DESC"),
        ({"paginationToken": "x"}, "invalid pagination token"),
        ({"includeRecipeIds": "session"}, "Unknown recipe ID: session"),
    ],
)
def test_questions_that_are_none(users: Wire, query: dict[str, str], text: str) -> None:
    assert users.refusal("GET", "/users", params=query) == (400, text)


def test_accounts_of_recipes_that_are_not_here_are_nobodys(users: Wire) -> None:
    signed_up(users)
    path, third_party = "/users/by-accountinfo", {"thirdPartyId": "google", "thirdPartyUserId": "1"}
    assert users.get(path, {"email": ADDRESS, **third_party})["users"] == []
    assert users.get(path, {"email": ADDRESS, "webauthnCredentialId": "x"})["users"] == []
    either = {"email": ADDRESS, "doUnionOfAccountInfo": "true", **third_party}
    assert len(users.get(path, either)["users"]) == 1
    assert users.refusal("GET", path, params={"thirdPartyId": "google"})[0] == 400


def test_a_removed_user_is_gone(users: Wire) -> None:
    user_id = signed_up(users)["id"]
    session = users.create(user_id)
    assert users.post("/user/remove", {"userId": user_id}) == {"status": "OK"}
    assert users.get("/user/id", {"userId": user_id}) == UNKNOWN_USER
    assert users.get("/recipe/session/user", {"userId": user_id})["sessionHandles"] == []
    assert session["session"]["userId"] == user_id
    assert users.post("/recipe/signin", WHO)["status"] == "WRONG_CREDENTIALS_ERROR"
    assert users.post("/user/remove", {"userId": user_id}) == {"status": "OK"}


# -- a server of sessions alone ----------------------------------------------------------------------


def test_a_server_of_sessions_alone_has_no_users(wire: Wire) -> None:
    """SDKs ask for them on their way to a session."""
    assert wire.get("/user/id", {"userId": "u"}) == UNKNOWN_USER
    assert wire.get("/recipe/user", {"userId": "u"}) == UNKNOWN_USER
    assert wire.get("/recipe/user", {"email": "u"}) == {"status": "UNKNOWN_EMAIL_ERROR"}
    assert wire.get("/users/by-accountinfo", {"email": "u"}) == {"status": "OK", "users": []}
    assert wire.get("/users") == {"status": "OK", "users": []}
    for query in ({}, {"includeAllTenants": "true"}):
        assert wire.get("/users/count", query) == {"status": "OK", "count": 0}
    none = (403, "this server keeps sessions, and no users who sign in")
    assert wire.refusal("POST", "/recipe/signup", WHO) == none
    assert wire.refusal("POST", "/recipe/signin", WHO) == none
    assert wire.refusal("PUT", "/recipe/user", {"recipeUserId": "u", "password": "p"}) == none
    assert wire.refusal("POST", TOKENS, {"userId": "u", "email": "u"}) == none
    assert wire.get(VERIFY, {"userId": "u", "email": "u"}) == {"status": "OK", "isVerified": False}
    assert wire.refusal("POST", f"{VERIFY}/token", {"userId": "u", "email": "u"}) == none
    assert wire.refusal("POST", IMPORT, {"email": "u", "passwordHash": "x"}) == none
    assert wire.get(MAP, {"userId": "u"}) == {"status": "UNKNOWN_MAPPING_ERROR"}
    assert wire.refusal("POST", f"{MAP}/remove", {"userId": "u"}) == none


# -- passwords are shown to nobody -------------------------------------------------------------------

PLANTED = "PLANTED-password-0123456789"
CARRIERS: dict[str, tuple[str, str, dict[str, str]]] = {
    "sign-up": ("POST", "/recipe/signup", {"email": "a@example.com", "password": PLANTED}),
    "sign-in": ("POST", "/recipe/signin", {"email": "a@example.com", "password": PLANTED}),
    "change": ("PUT", "/recipe/user", {"recipeUserId": "u", "password": PLANTED}),
    "reset": (
        "POST",
        "/recipe/user/password/reset",
        {"method": "token", "token": PLANTED, "newPassword": PLANTED},
    ),
    "token": ("POST", f"{TOKENS}/consume", {"token": PLANTED}),
}


FAILURES = [(fault, carrier) for fault in ("database", "hash") for carrier in CARRIERS]
FAILURES.remove(("hash", "token"))
FAILURES.remove(("hash", "reset"))


@pytest.mark.parametrize(("fault", "carrier"), FAILURES)
def test_no_password_is_logged_or_in_a_variable(
    sqlite_database: TestDatabase,
    fault: str,
    carrier: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of any frame of a request that fails by a defect, which an error tracker would send."""
    engine: Any = open_engine(sqlite_database.uri, EngineConfig(**QUICK).resolve({}), keeps_users=True)
    engine.users.count(tenant_id=None)
    parts = {"database": (engine.database, ("read", "write", "single")), "hash": (Passwords, ("_slowly",))}
    for name in parts[fault][1]:
        monkeypatch.setattr(parts[fault][0], name, lambda *_, **__: 1 // 0)
    method, path, body = CARRIERS[carrier]
    wire = Wire(TestClient(create_app(engine, allow_no_api_key=True), base_url="http://core"))
    with caplog.at_level(logging.DEBUG):
        assert wire.refusal(method, path, body) == (500, "Internal error")
    engine.close()
    (error,) = [record.exc_info[1] for record in caplog.records if record.exc_info]
    assert isinstance(error, ZeroDivisionError)
    assert PLANTED not in caplog.text
    shown = variables(error, of=OURS)
    assert "'***'" in shown
    assert PLANTED not in shown


# -- verified addresses --------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["3.0", "5.6"])
def test_an_address_is_verified_by_a_token(users: Wire, version: str) -> None:
    """Of a user of the application's own, too; each token once, in its tenant; then it shows in the user."""
    wire = users.at(version)
    users.put(V2, {"tenantId": "t1"})
    for user_id in (signed_up(users)["id"], "somebody"):
        pair, is_verified = {"userId": user_id, "email": ADDRESS}, {"userId": user_id, "email": WHO["email"]}
        token = wire.post(f"{VERIFY}/token", {**pair, "email": " Ada@example.com"})["token"]
        use = {"method": "token", "token": token}
        assert wire.get(VERIFY, is_verified) == {"status": "OK", "isVerified": False}
        invalid = {"status": "EMAIL_VERIFICATION_INVALID_TOKEN_ERROR"}
        assert wire.post(f"/t1{VERIFY}", use) == invalid
        assert wire.post(VERIFY, use) == {"status": "OK", **pair}
        assert wire.post(VERIFY, use) == invalid
        assert wire.get(VERIFY, is_verified) == {"status": "OK", "isVerified": True}
        assert wire.post(f"{VERIFY}/token", pair) == {"status": "EMAIL_ALREADY_VERIFIED_ERROR"}
    assert users.get("/users")["users"][0]["loginMethods"][0]["verified"] is True


def test_an_address_is_unverified_and_tokens_are_revoked(users: Wire) -> None:
    pair = {"userId": "somebody", "email": ADDRESS}
    token = users.post(f"{VERIFY}/token", pair)["token"]
    assert users.post(f"{VERIFY}/token/remove", pair) == {"status": "OK"}
    use = {"method": "token", "token": token}
    assert users.post(VERIFY, use)["status"] == "EMAIL_VERIFICATION_INVALID_TOKEN_ERROR"
    users.post(VERIFY, {**use, "token": users.post(f"{VERIFY}/token", pair)["token"]})
    assert users.post(f"{VERIFY}/remove", pair) == {"status": "OK"}
    assert users.get(VERIFY, pair)["isVerified"] is False
    odd = (400, "Unsupported method for email verification")
    assert users.refusal("POST", VERIFY, {**use, "method": "code"}) == odd


# -- user-id mappings ----------------------------------------------------------------------------------


def test_an_application_knows_a_user_by_an_id_of_its_own(users: Wire) -> None:
    user_id = signed_up(users)["id"]
    made = {"superTokensUserId": user_id, "externalUserId": "42", "externalUserIdInfo": "from the shop"}
    assert users.post(MAP, made) == {"status": "OK"}
    assert users.post(MAP, {**made, "externalUserId": "43"}) == {
        "status": "USER_ID_MAPPING_ALREADY_EXISTS_ERROR",
        "doesSuperTokensUserIdExist": True,
        "doesExternalUserIdExist": False,
    }
    unknown = {"superTokensUserId": "nobody", "externalUserId": "44"}
    assert users.post(MAP, unknown) == {"status": "UNKNOWN_SUPERTOKENS_USER_ID_ERROR"}
    for query in ({"userId": user_id}, {"userId": "42", "userIdType": "EXTERNAL"}):
        assert users.get(MAP, query) == {"status": "OK", **made}
    assert users.get(MAP, {"userId": "42", "userIdType": "SUPERTOKENS"}) == {
        "status": "UNKNOWN_MAPPING_ERROR"
    }
    signed_in = users.post("/recipe/signin", WHO)
    assert (signed_in["user"]["id"], signed_in["recipeUserId"]) == ("42", "42")
    assert users.at("3.0").get("/recipe/user", {"userId": user_id})["user"]["id"] == "42"
    info = {"userId": "42", "externalUserIdInfo": None}
    assert users.put("/recipe/userid/external-user-id-info", info) == {"status": "OK"}
    assert "externalUserIdInfo" not in users.get(MAP, {"userId": "42"})
    odd = (400, "Field name 'userIdType' should be one of 'SUPERTOKENS', 'EXTERNAL' or 'ANY'")
    assert users.refusal("GET", MAP, params={"userId": "42", "userIdType": "ours"}) == odd
    assert users.post(f"{MAP}/remove", {"userId": "42"}) == {"status": "OK", "didMappingExist": True}
    assert users.post(f"{MAP}/remove", {"userId": "42"})["didMappingExist"] is False


def test_users_join_and_leave_tenants(users: Wire) -> None:
    """By `recipeUserId`, below CDI 4.0 by `userId`; without surrounding white space."""
    member, remove = "/recipe/multitenancy/tenant/user", "/recipe/multitenancy/tenant/user/remove"
    users.put(V2, {"tenantId": "t1"})
    ada, bob = signed_up(users)["id"], signed_up(users, "bob@example.com")["id"]
    other = signed_up(users, tenant="/t1")["id"]
    added = {"status": "OK", "wasAlreadyAssociated": False}
    assert users.post(f"/t1{member}", {"recipeUserId": f" {bob} "}) == added
    assert users.at("3.0").post(f"/t1{member}", {"userId": bob}) == {**added, "wasAlreadyAssociated": True}
    assert users.post(f"/t1{member}", {"recipeUserId": ada}) == {"status": "EMAIL_ALREADY_EXISTS_ERROR"}
    assert users.post(f"/t1{remove}", {"recipeUserId": other}) == {"status": "OK", "wasAssociated": True}
    assert users.at("3.0").post(f"/t1{remove}", {"userId": other}) == {"status": "OK", "wasAssociated": False}
    assert users.post(f"/t1{member}", {"recipeUserId": ada}) == added
    assert users.get("/user/id", {"userId": ada})["user"]["tenantIds"] == ["public", "t1"]
    for path in (member, remove):
        assert users.post(path, {"recipeUserId": "nobody"}) == UNKNOWN_USER
        assert users.refusal("POST", path, {"recipeUserId": " "})[0] == 400
        assert users.refusal("POST", f"/nowhere{path}", {"recipeUserId": ada})[0] == 400


LINK_ALL = [
    f"UPDATE {table} SET is_linked_or_is_a_primary_user = TRUE"
    for table in ("app_id_to_user_id", "all_auth_recipe_users")
]


def test_users_whom_an_official_core_has_linked_keep_address_and_tenants(
    users: Wire, sqlite_database: TestDatabase
) -> None:
    """Whether linked users may change them is for a core to know; a password changes nothing of that."""
    users.put(V2, {"tenantId": "t1"})
    ada = signed_up(users)["id"]
    for statement in LINK_ALL:
        sqlite_database.query(statement)
    assert users.put("/recipe/user", {"recipeUserId": ada, "email": "new@example.com"}) == {
        "status": "EMAIL_CHANGE_NOT_ALLOWED_ERROR",
        "reason": "New email cannot be applied to a user with linked accounts: change it through the "
        "SuperTokens core",
    }
    assert users.put("/recipe/user", {"recipeUserId": ada, "password": "a new one 1"}) == {"status": "OK"}
    assert users.post("/t1/recipe/multitenancy/tenant/user", {"recipeUserId": ada}) == {
        "status": "ASSOCIATION_NOT_ALLOWED_ERROR",
        "reason": "the user is linked to others: let the SuperTokens core do it",
    }
