"""One-time codes and links over the wire: shapes of each version, statuses, refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.server.test_server_users import LINK_ALL
from tests.server.wire import Wire
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

CODE, CODES = "/recipe/signinup/code", "/recipe/signinup/codes"
ADDRESS, NUMBER = "ada@example.com", "+16502530000"
RESTART = {"status": "RESTART_FLOW_ERROR"}
OK = {"status": "OK"}
RID = {"rid": "passwordless"}


def code_for(wire: Wire, **body: str) -> dict[str, Any]:
    return wire.post(CODE, body or {"email": " Ada@Example.com"})


def by_code(made: dict[str, Any], code: str | None = None) -> dict[str, str]:
    names = ("preAuthSessionId", "deviceId", "userInputCode")
    return {name: made[name] for name in names} | ({} if code is None else {"userInputCode": code})


def by_link(made: dict[str, Any]) -> dict[str, str]:
    return {name: made[name] for name in ("preAuthSessionId", "linkCode")}


def wrong(failed: int, status: str = "INCORRECT_USER_INPUT_CODE_ERROR") -> dict[str, Any]:
    return {"status": status, "failedCodeInputAttemptCount": failed, "maximumCodeInputAttempts": 5}


def of_recipe(wire: Wire, method: str, body: dict[str, Any]) -> dict[str, Any]:
    """Ask on the path that recipes share, as a client of this one."""
    options = {"params": body} if method == "GET" else {"json": body}
    return wire.raw(method, "/recipe/user", headers=RID, **options).json()


@pytest.mark.parametrize("version", ["3.0", "3.1", "4.0", "5.0", "5.4", "5.6"])
def test_a_code_signs_in(users: Wire, clock: Clock, version: str) -> None:
    """Users of an older version are one login method; from 5.0 on the answer names the device."""
    wire = users.at(version)
    made = code_for(wire)
    assert made == {
        "status": "OK",
        **{
            name: made[name]
            for name in ("preAuthSessionId", "codeId", "deviceId", "userInputCode", "linkCode")
        },
        "timeCreated": clock.now_ms,
        "codeLifetime": 600_000,
    }
    used = wire.post(f"{CODE}/consume", by_code(made))
    assert (used["status"], used["createdNewUser"]) == ("OK", True)
    device = {
        "preAuthSessionId": made["preAuthSessionId"],
        "failedCodeInputAttemptCount": 0,
        "email": ADDRESS,
    }
    expected = {"status", "createdNewUser", "user"}
    if version >= "4.0":
        expected.add("recipeUserId")
        assert used["user"]["id"] == used["recipeUserId"]
        (method,) = used["user"]["loginMethods"]
        assert (method["recipeId"], method["email"], method["verified"]) == ("passwordless", ADDRESS, True)
    else:
        assert used["user"] == {
            "id": used["user"]["id"],
            "email": ADDRESS,
            "timeJoined": clock.now_ms,
            "tenantIds": ["public"],
        }
    if version >= "5.0":
        expected.add("consumedDevice")
        assert used["consumedDevice"] == device
    assert set(used) == expected
    assert wire.post(f"{CODE}/consume", by_link(made)) == RESTART
    again = wire.post(f"{CODE}/consume", by_link(code_for(wire)))
    assert (again["createdNewUser"], again["user"]) == (False, used["user"])
    found = of_recipe(wire, "GET", {"email": "ADA@example.com"})
    assert found == of_recipe(wire, "GET", {"userId": used["user"]["id"]}) == {**OK, "user": used["user"]}


def test_wrong_and_late_codes(users: Wire, clock: Clock) -> None:
    """SI-39, SI-40."""
    made = code_for(users)
    for failed in (1, 2):
        assert users.post(f"{CODE}/consume", by_code(made, "x")) == wrong(failed)
    assert users.post(f"{CODE}/check", by_code(made, "x")) == wrong(3)
    checked = users.post(f"{CODE}/check", by_code(made))
    assert checked["consumedDevice"]["failedCodeInputAttemptCount"] == 3
    clock.advance(ms=600_001)
    expired = users.post(f"{CODE}/consume", by_code(made))
    assert expired == wrong(4, "EXPIRED_USER_INPUT_CODE_ERROR")
    assert users.post(f"{CODE}/consume", by_link(made)) == RESTART
    assert users.post(f"{CODE}/consume", by_code(made)) == RESTART
    assert users.post(CODE, {"deviceId": made["deviceId"]}) == RESTART


def test_who_guesses_too_often_is_told_so(start: Callable[..., Wire]) -> None:
    """SI-50. Official clients read it as another wrong code; ours read the time beside it."""
    wire = start(engine={"passwordless_wrong_codes_per_hour": 2}, keeps_users=True)
    made = code_for(wire)
    assert [wire.post(f"{CODE}/consume", by_code(made, "x")) for _ in range(2)] == [wrong(1), wrong(2)]
    for path in ("consume", "check"):
        assert wire.post(f"{CODE}/{path}", by_code(made)) == {**wrong(2), "retryAfterMs": 1_800_000}
    assert wire.post(f"{CODE}/consume", by_link(made))["status"] == "OK"


@pytest.mark.parametrize(
    ("clients", "are_one"),
    [
        (("192.0.2.1", "192.0.2.2"), False),
        (("2001:db8::/64", "2001:db8:0:1::/64"), False),
        (("2001:db8::/64", "2001:db8::1"), True),
        (("nobody knows", ""), True),
    ],
)
def test_wrong_codes_are_counted_by_the_client_that_an_sdk_names(
    start: Callable[..., Wire], clients: tuple[str, str], are_one: bool
) -> None:
    """In a header beyond the interface, from whoever has shown an API key; other texts are nobody's."""
    wire = start(engine={"passwordless_wrong_codes_per_hour": 1}, keeps_users=True)
    made = code_for(wire)

    def refused(client: str) -> bool:
        headers = {"st-client": client}
        return (
            "retryAfterMs"
            in wire.raw("POST", f"{CODE}/check", json=by_code(made, "x"), headers=headers).json()
        )

    one, other = clients
    assert [refused(client) for client in (one, one, other)] == [False, True, are_one]


def test_codes_are_sent_again_shown_and_ended(users: Wire) -> None:
    made = code_for(users)
    again = users.post(CODE, {"deviceId": made["deviceId"], "userInputCode": "my code"})
    assert again["userInputCode"] == "my code"
    used = users.post(CODE, {"deviceId": made["deviceId"], "userInputCode": "my code"})
    assert used == {"status": "USER_INPUT_CODE_ALREADY_USED_ERROR"}
    device = {
        "preAuthSessionId": made["preAuthSessionId"],
        "failedCodeInputAttemptCount": 0,
        "email": ADDRESS,
        "codes": sorted(
            (
                {name: one[name] for name in ("codeId", "timeCreated", "codeLifetime")}
                for one in (made, again)
            ),
            key=lambda code: code["codeId"],
        ),
    }
    names = ("deviceId", "preAuthSessionId")
    for query in ({"email": ADDRESS}, *({name: made[name]} for name in names)):
        assert users.get(CODES, query) == {**OK, "devices": [device]}
    assert users.post(f"{CODE}/remove", {"codeId": made["codeId"]}) == OK
    assert users.post(f"{CODE}/consume", by_link(made)) == RESTART
    assert users.post(f"{CODE}/remove", {"preAuthSessionId": made["preAuthSessionId"]}) == OK
    assert users.get(CODES, {"email": ADDRESS}) == {**OK, "devices": []}
    phone = code_for(users, phoneNumber=NUMBER)
    assert users.get(CODES, {"phoneNumber": NUMBER})["devices"][0]["phoneNumber"] == NUMBER
    assert users.post(f"{CODES}/remove", {"phoneNumber": NUMBER}) == OK
    assert users.post(f"{CODE}/consume", by_link(phone)) == RESTART


def test_contacts_are_changed(users: Wire) -> None:
    ada, bob = (
        users.post(f"{CODE}/consume", by_code(code_for(users, email=email)))["recipeUserId"]
        for email in (ADDRESS, "bob@example.com")
    )
    users.post(f"{CODE}/consume", by_code(code_for(users, phoneNumber=NUMBER)))

    def change(user_id: str, **contacts: str | None) -> str:
        return of_recipe(users, "PUT", {"recipeUserId": user_id, **contacts})["status"]

    assert change("nobody", email="x@example.com") == "UNKNOWN_USER_ID_ERROR"
    assert change(bob, email=ADDRESS) == "EMAIL_ALREADY_EXISTS_ERROR"
    assert change(bob, phoneNumber=NUMBER) == "PHONE_NUMBER_ALREADY_EXISTS_ERROR"
    assert change(ada, email=None, phoneNumber="+1") == change(bob, phoneNumber=None) == "OK"
    found = of_recipe(users, "GET", {"phoneNumber": "+1"})["user"]
    assert (found["id"], found["emails"], found["phoneNumbers"]) == (ada, [], ["+1"])
    assert of_recipe(users, "GET", {"email": ADDRESS}) == {"status": "UNKNOWN_EMAIL_ERROR"}
    assert of_recipe(users, "GET", {"phoneNumber": "+2"}) == {"status": "UNKNOWN_PHONE_NUMBER_ERROR"}
    assert of_recipe(users, "GET", {"userId": "x"}) == {"status": "UNKNOWN_USER_ID_ERROR"}
    refused = users.refusal("PUT", "/recipe/user", {"recipeUserId": bob, "email": None}, headers=RID)
    assert refused == (400, "You cannot clear both email and phone number of a user")
    old = users.at("3.1").raw(
        "PUT", "/recipe/user", json={"userId": ada, "email": "c@example.com"}, headers=RID
    )
    assert old.json() == OK


def test_contacts_of_users_whom_an_official_core_has_linked_stay(
    users: Wire, sqlite_database: TestDatabase
) -> None:
    """Whether linked users may change them is for a core to know."""
    ada = users.post(f"{CODE}/consume", by_code(code_for(users)))["recipeUserId"]
    for statement in LINK_ALL:
        sqlite_database.query(statement)
    for contact, status, name in (
        ({"email": "new@example.com"}, "EMAIL_CHANGE_NOT_ALLOWED_ERROR", "email"),
        ({"phoneNumber": NUMBER}, "PHONE_NUMBER_CHANGE_NOT_ALLOWED_ERROR", "phone number"),
    ):
        assert of_recipe(users, "PUT", {"recipeUserId": ada, **contact}) == {
            "status": status,
            "reason": f"New {name} cannot be applied to a user with linked accounts: change it through the "
            "SuperTokens core",
        }


def test_users_of_two_recipes_share_an_address_and_a_path(users: Wire) -> None:
    """SI-17."""
    with_code = users.post(f"{CODE}/consume", by_code(code_for(users)))["recipeUserId"]
    signed_up = users.post("/recipe/signup", {"email": ADDRESS, "password": "correct horse 1"})
    assert of_recipe(users, "GET", {"email": ADDRESS})["user"]["id"] == with_code
    assert users.get("/recipe/user", {"email": ADDRESS})["user"]["id"] == signed_up["recipeUserId"]
    assert users.get("/recipe/user", {"userId": with_code}) == {"status": "UNKNOWN_USER_ID_ERROR"}
    own = of_recipe(users, "GET", {"userId": signed_up["recipeUserId"]})
    assert own == {"status": "UNKNOWN_USER_ID_ERROR"}
    listed = users.get("/users", {"includeRecipeIds": "passwordless"})["users"]
    assert [user["id"] for user in listed] == [with_code]
    assert users.get("/users", {"phone": "+1"})["users"] == []


def test_requests_that_are_none(users: Wire) -> None:
    made, other = code_for(users), code_for(users, email="bob@example.com")
    one_of_three = "Please provide exactly one of email, phoneNumber or deviceId"
    one_way = "Please provide exactly one of linkCode or deviceId+userInputCode"
    mismatch = "preAuthSessionId and deviceId doesn't match"
    foreign = {"preAuthSessionId": other["preAuthSessionId"]}
    for path, body, text in (
        (CODE, {}, one_of_three),
        (CODE, {"email": ADDRESS, "phoneNumber": NUMBER}, one_of_three),
        (CODE, {"email": ADDRESS, "userInputCode": ""}, "userInputCode cannot be an empty string."),
        (CODE, {"deviceId": "no base64!"}, "Input encoding error in deviceId"),
        (f"{CODE}/consume", foreign, one_way),
        (f"{CODE}/consume", {**by_link(made), **by_code(made)}, one_way),
        (f"{CODE}/consume", {**by_code(made), **foreign}, mismatch),
        (f"{CODE}/check", {**by_link(made), **foreign}, mismatch),
        (f"{CODE}/consume", {**by_link(made), "linkCode": "!"}, "Input encoding error in linkCode"),
        (f"{CODE}/remove", {}, "Please provide either 'codeId' or 'preAuthSessionId'"),
        (f"{CODES}/remove", {}, "Please provide exactly one of email or phoneNumber"),
    ):
        assert users.refusal("POST", path, body) == (400, text), path
    text = "Please provide exactly one of email, phoneNumber, deviceId, preAuthSessionId"
    assert users.refusal("GET", CODES, params={}) == (400, text)
    assert users.refusal("GET", "/recipe/user", headers=RID)[0] == 400
    old = users.at("4.0")
    assert old.refusal("POST", f"{CODE}/check", by_link(made)) == (404, "Not found")
    assert old.refusal("POST", f"{CODE}/remove", foreign)[0] == 400
    assert users.refusal("POST", f"/nowhere{CODE}", {"email": ADDRESS})[0] == 400


def test_a_server_of_sessions_alone_has_no_codes(wire: Wire) -> None:
    refused = (403, "this server keeps sessions, and no users who sign in")
    assert wire.refusal("POST", CODE, {"email": ADDRESS}) == refused
    presented = {"preAuthSessionId": "x", "linkCode": "AAAA"}
    assert wire.refusal("POST", f"{CODE}/consume", presented) == refused
    assert wire.get(CODES, {"email": ADDRESS}) == {**OK, "devices": []}
    assert of_recipe(wire, "GET", {"email": ADDRESS}) == {"status": "UNKNOWN_EMAIL_ERROR"}


def test_tenants_are_apart(users: Wire) -> None:
    """SI-42."""
    users.put("/recipe/multitenancy/tenant/v2", {"tenantId": "t1"})
    here, there = code_for(users), users.post(f"/t1{CODE}", {"email": ADDRESS})
    assert users.post(f"/t1{CODE}/consume", by_link(here)) == RESTART
    assert users.post(f"{CODE}/consume", by_link(here))["status"] == "OK"
    used = users.post(f"/t1{CODE}/consume", by_code(there))
    assert (used["createdNewUser"], used["user"]["tenantIds"]) == (True, ["t1"])
