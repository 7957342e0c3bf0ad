"""Users of the unmodified official Python SDK, kept by a core; run by its own interpreter.

Usage: python users.py <core address> <api key>. Fails by an exception; ends with one line "done: …".
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from supertokens_python import InputAppInfo, SupertokensConfig, init
from supertokens_python import asyncio as app
from supertokens_python.recipe import emailpassword, emailverification, session
from supertokens_python.recipe.emailpassword import asyncio as passwords
from supertokens_python.recipe.emailverification import asyncio as verification
from supertokens_python.recipe.multitenancy import asyncio as tenants
from supertokens_python.recipe.session import asyncio as sessions

try:
    from supertokens_python.types import RecipeUserId
    from supertokens_python.types.base import AccountInfoInput

    IS_NEW = True
except ImportError:  # before 0.25 a user was one login method
    from supertokens_python.recipe.multitenancy.interfaces import TenantConfig

    RecipeUserId = str
    AccountInfoInput = None
    IS_NEW = False

DONE: list[str] = []
ADDRESS, PASSWORD = "Ada@example.com", "correct horse 1"


def step(name: str) -> None:
    DONE.append(name)


def kind(result: Any) -> str:
    return type(result).__name__


async def sign_up_and_in() -> str:
    made = await passwords.sign_up("public", ADDRESS, PASSWORD)
    assert kind(made) == "SignUpOkResult", made
    user_id = made.user.id if IS_NEW else made.user.user_id
    assert (made.user.emails[0] if IS_NEW else made.user.email) == "ada@example.com"
    assert kind(await passwords.sign_up("public", "ada@example.com", "another 1")).endswith(
        "AlreadyExistsError"
    )
    step("sign-up")
    found = await passwords.sign_in("public", ADDRESS, PASSWORD)
    assert kind(found) == "SignInOkResult", found
    for email, password in ((ADDRESS, "wrong"), ("bob@example.com", PASSWORD)):
        assert kind(await passwords.sign_in("public", email, password)).endswith("WrongCredentialsError")
    step("sign-in")
    created = await sessions.create_new_session_without_request_response("public", RecipeUserId(user_id))
    assert created.get_user_id() == user_id
    step("session")
    return user_id


async def reset(user_id: str) -> None:
    async def token() -> str:
        who = (user_id, ADDRESS.lower()) if IS_NEW else (user_id,)
        made = await passwords.create_reset_password_token("public", *who)
        return made.token

    first, second = await token(), await token()
    done = await passwords.reset_password_using_token("public", second, "new password 2")
    assert "Ok" in kind(done), done
    for used in (first, second):
        again = await passwords.reset_password_using_token("public", used, "third password 3")
        assert "Invalid" in kind(again), again
    assert kind(await passwords.sign_in("public", ADDRESS, PASSWORD)).endswith("WrongCredentialsError")
    assert kind(await passwords.sign_in("public", ADDRESS, "new password 2")) == "SignInOkResult"
    step("reset")
    change = passwords.update_email_or_password
    weak = await change(RecipeUserId(user_id), password="weak")
    assert "Policy" in kind(weak), weak
    assert "Ok" in kind(await change(RecipeUserId(user_id), email="eve@example.com", password=PASSWORD))
    assert kind(await passwords.sign_in("public", "eve@example.com", PASSWORD)) == "SignInOkResult"
    unknown = await change(RecipeUserId("nobody"), email="x@example.com")
    assert "UnknownUserId" in kind(unknown), unknown
    step("change")


async def verify(user_id: str) -> None:
    who = RecipeUserId(user_id)
    assert not await verification.is_email_verified(who)
    made = await verification.create_email_verification_token("public", who)
    assert "Ok" in kind(await verification.verify_email_using_token("public", made.token))
    assert await verification.is_email_verified(who)
    assert "Invalid" in kind(await verification.verify_email_using_token("public", made.token))
    assert "Already" in kind(await verification.create_email_verification_token("public", who))
    await verification.unverify_email(who)
    assert not await verification.is_email_verified(who)
    await verification.revoke_email_verification_tokens("public", who)
    step("verification")


async def find(user_id: str) -> None:
    if IS_NEW:
        assert (await app.get_user(user_id)).id == user_id
        (found,) = await app.list_users_by_account_info("public", AccountInfoInput(email="eve@example.com"))
        assert found.id == user_id
    else:
        assert (await passwords.get_user_by_id(user_id)).user_id == user_id
        assert (await passwords.get_user_by_email("public", "eve@example.com")).user_id == user_id
        assert await passwords.get_user_by_email("public", "bob@example.com") is None
    others = [await passwords.sign_up("public", f"u{number}@example.com", PASSWORD) for number in range(4)]
    assert len(others) == 4
    seen: list[str] = []
    token = None
    while True:
        page = await app.get_users_oldest_first("public", limit=2, pagination_token=token)
        seen += [user.id if IS_NEW else user.user_id for user in page.users]
        token = page.next_pagination_token
        if token is None:
            break
    assert (seen[0], len(seen), len(set(seen))) == (user_id, 5, 5)
    newest = await app.get_users_newest_first("public", limit=1)
    assert (newest.users[0].emails[0] if IS_NEW else newest.users[0].email) == "u3@example.com"
    found = await app.get_users_newest_first("public", query={"email": "u2"})
    assert len(found.users) == 1
    assert await app.get_user_count() == 5
    step("list")


async def remove(user_id: str) -> None:
    await app.delete_user(user_id)
    assert await app.get_user_count() == 4
    assert await sessions.get_all_session_handles_for_user(user_id) == []
    gone = await passwords.sign_in("public", "eve@example.com", PASSWORD)
    assert kind(gone).endswith("WrongCredentialsError")
    step("delete")


async def map_an_id() -> None:
    made = await passwords.sign_up("public", "mapped@example.com", PASSWORD)
    own = made.user.id if IS_NEW else made.user.user_id
    assert "Ok" in kind(await app.create_user_id_mapping(own, "42", "note"))
    found = await app.get_user_id_mapping("42")
    assert (found.supertokens_user_id, found.external_user_info) == (own, "note")
    found = await passwords.sign_in("public", "mapped@example.com", PASSWORD)
    assert (found.user.id if IS_NEW else found.user.user_id) == "42"
    step("mapping")


async def join_and_leave() -> None:
    config = None if IS_NEW else TenantConfig(email_password_enabled=True)
    await tenants.create_or_update_tenant("members", config)
    made = await passwords.sign_up("public", "member@example.com", PASSWORD)
    own = RecipeUserId(made.user.id if IS_NEW else made.user.user_id)
    leave = tenants.disassociate_user_from_tenant if IS_NEW else tenants.dissociate_user_from_tenant
    for known in (False, True):
        added = await tenants.associate_user_to_tenant("members", own)
        assert (kind(added), added.was_already_associated) == ("AssociateUserToTenantOkResult", known)
    assert kind(await passwords.sign_in("members", "member@example.com", PASSWORD)) == "SignInOkResult"
    for was_there in (True, False):
        assert (await leave("members", own)).was_associated is was_there
    await passwords.sign_up("members", "member@example.com", PASSWORD)
    taken = await tenants.associate_user_to_tenant("members", own)
    assert kind(taken) == "AssociateUserToTenantEmailAlreadyExistsError", taken
    unknown = await tenants.associate_user_to_tenant("members", RecipeUserId("nobody"))
    assert kind(unknown) == "AssociateUserToTenantUnknownUserIdError", unknown
    step("members")


async def guess() -> None:
    for _ in range(12):
        wrong = await passwords.sign_in("public", "u1@example.com", "wrong")
        assert kind(wrong).endswith("WrongCredentialsError")
    refused = await passwords.sign_in("public", "u1@example.com", PASSWORD)
    assert kind(refused).endswith("WrongCredentialsError"), "until the wait is over"
    step("guesses")


async def main() -> None:
    user_id = await sign_up_and_in()
    await reset(user_id)
    await verify(user_id)
    await find(user_id)
    await remove(user_id)
    await map_an_id()
    await join_and_leave()
    await guess()


init(
    app_info=InputAppInfo(
        app_name="conversation", api_domain="http://localhost:3000", website_domain="http://localhost:3001"
    ),
    supertokens_config=SupertokensConfig(sys.argv[1], sys.argv[2]),
    framework="fastapi",
    recipe_list=[emailpassword.init(), emailverification.init(mode="OPTIONAL"), session.init()],
    telemetry=False,
)
asyncio.run(main())
sys.stdout.write(f"done: {', '.join(DONE)}\n")
