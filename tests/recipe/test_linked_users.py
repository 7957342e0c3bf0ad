"""Users whose login methods an official core has linked, each of which has an address of its own."""

from __future__ import annotations

import asyncio
from queue import SimpleQueue
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from supertokens_py.exceptions import GeneralError
from supertokens_py.recipe import emailpassword, passwordless, session, thirdparty
from supertokens_py.recipe.emailpassword import asyncio as passwords
from supertokens_py.recipe.emailpassword.results import SignUpOkResult
from supertokens_py.recipe.passwordless import asyncio as codes
from supertokens_py.recipe.thirdparty import asyncio as providers
from tests.support.databases import TestDatabase

from .conftest import Start

PASSWORD = "correct horse 1"
OWN = {"password": "a@example.com", "google": "b@example.com", "code": "c@example.com"}


class Outbox(emailpassword.EmailDeliveryInterface[Any]):
    """Keeps what is sent, which is after the answer."""

    def __init__(self) -> None:
        self.sent: SimpleQueue[Any] = SimpleQueue()

    async def send_email(self, template_vars: Any, user_context: dict[str, Any]) -> None:
        self.sent.put(template_vars)


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest_asyncio.fixture
async def linked(start: Start, sqlite_database: TestDatabase, outbox: Outbox) -> str:
    """The id of a user with a password, an account at a provider, and codes, for three addresses."""
    mails: Any = emailpassword.EmailDeliveryConfig(outbox)
    start(
        session.init(),
        emailpassword.init(email_delivery=mails),
        passwordless.init(passwordless.ContactEmailOnlyConfig(), "USER_INPUT_CODE", email_delivery=mails),
        thirdparty.init(),
    )
    made = await passwords.sign_up("public", OWN["password"], PASSWORD)
    assert isinstance(made, SignUpOkResult)
    await providers.manually_create_or_update_user("public", "google", "7", OWN["google"], True)
    await codes.signinup("public", email=OWN["code"], phone_number=None)
    for table in ("app_id_to_user_id", "all_auth_recipe_users"):
        sqlite_database.query(
            f"UPDATE {table} SET primary_or_recipe_user_id = %s, is_linked_or_is_a_primary_user = TRUE",
            made.user.id,
        )
    return made.user.id


async def _found(email: str, tenant_id: str = "public") -> dict[str, list[str]]:
    by_password = await passwords.get_user_by_email(tenant_id, email)
    by_code = await codes.get_user_by_email(tenant_id, email)
    by_google = await providers.get_users_by_email(tenant_id, email)
    users = {
        "password": [by_password] if by_password else [],
        "code": [by_code] if by_code else [],
        "google": by_google,
    }
    return {way: [user.id for user in found] for way, found in users.items() if found}


async def test_each_recipe_knows_a_user_by_its_own_address_only(
    linked: str, client: httpx2.AsyncClient
) -> None:
    """SI: what another login method of the same user has says nothing."""
    for way, email in OWN.items():
        assert await _found(email) == {way: [linked]}
        assert await _found(email.upper()) == {way: [linked]}
        for path, own in (("emailpassword", "password"), ("passwordless", "code")):
            told = (await client.get(f"/auth/{path}/email/exists", params={"email": email})).json()
            assert told == {"status": "OK", "exists": own == way}
    user = await providers.get_user_by_third_party_info("public", "google", "7")
    assert user is not None
    assert user.id == linked


@pytest.mark.parametrize("tenant_id", ["Public", " public ", ""])
async def test_a_tenant_is_the_same_however_its_id_is_written(linked: str, tenant_id: str) -> None:
    for way, email in OWN.items():
        assert await _found(email, tenant_id) == {way: [linked]}
    user = await providers.get_user_by_third_party_info(tenant_id, "google", "7")
    assert user is not None
    assert user.id == linked


async def test_the_contacts_of_a_linked_user_change_in_the_core_only(
    linked: str, sqlite_database: TestDatabase
) -> None:
    """Others who are linked to the user may not have them; an address of a provider is looked up."""
    sqlite_database.query("UPDATE passwordless_users SET phone_number = %s", "+16502530000")
    user = await codes.get_user_by_email("public", OWN["code"])
    assert user is not None
    (own,) = [one.recipe_user_id for one in user.login_methods if one.recipe_id == "passwordless"]
    for what, change in (
        ("email", {"email": "new@example.com"}),
        ("phone number", {"phone_number": "+16502530001"}),
    ):
        refused: Any = await codes.update_user(own, **change)
        assert refused.to_json() == {
            "status": f"{what.upper().replace(' ', '_')}_CHANGE_NOT_ALLOWED_ERROR",
            "reason": f"New {what} cannot be applied to a user with linked accounts: "
            "change it through the SuperTokens core",
        }
    with pytest.raises(GeneralError, match=r"^nothing can be deleted: EMAIL_CHANGE_NOT_ALLOWED_ERROR$"):
        await codes.delete_email_for_user(own)

    await providers.manually_create_or_update_user("public", "google", "8", "other@example.com", True)
    for table in ("app_id_to_user_id", "all_auth_recipe_users"):
        sqlite_database.query(f"UPDATE {table} SET is_linked_or_is_a_primary_user = TRUE")
    refused = await providers.manually_create_or_update_user("public", "google", "7", "other@example.com")
    assert refused.to_json() == {
        "status": "EMAIL_CHANGE_NOT_ALLOWED_ERROR",
        "reason": "Email already associated with another primary user.",
    }
    assert await _found(OWN["google"]) == {"google": [linked]}


@pytest.mark.parametrize("way", ["google", "code"])
async def test_who_signs_up_with_an_address_that_another_has_elsewhere_can_reset_the_password(
    linked: str, way: str, client: httpx2.AsyncClient, outbox: Outbox
) -> None:
    made = await passwords.sign_up("public", OWN[way], PASSWORD)
    assert isinstance(made, SignUpOkResult)
    assert (await _found(OWN[way]))["password"] == [made.user.id]
    asked = {"formFields": [{"id": "email", "value": OWN[way]}]}
    assert (await client.post("/auth/user/password/reset/token", json=asked)).json() == {"status": "OK"}
    sent = await asyncio.to_thread(outbox.sent.get, timeout=60)
    assert (sent.user.id, sent.user.email) == (made.user.id, OWN[way])
