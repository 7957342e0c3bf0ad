"""One-time codes and links of the unmodified official Python SDK, kept by a core; run by its own interpreter.

Usage: python codes.py <core address> <api key>. Fails by an exception; ends with one line "done: …".
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from supertokens_python import InputAppInfo, SupertokensConfig, init
from supertokens_python import asyncio as app
from supertokens_python.recipe import passwordless, session
from supertokens_python.recipe.passwordless import ContactEmailOrPhoneConfig
from supertokens_python.recipe.passwordless import asyncio as codes

try:
    from supertokens_python.types import RecipeUserId

    IS_NEW = True
except ImportError:  # before 0.25 a user was one login method
    RecipeUserId = str
    IS_NEW = False

DONE: list[str] = []
ADDRESS, NUMBER = "Ada@example.com", "+16502530000"


def step(name: str) -> None:
    DONE.append(name)


def kind(result: Any) -> str:
    return type(result).__name__


def id_of(user: Any) -> str:
    return user.id if IS_NEW else user.user_id


async def consume(made: Any, code: str | None = None, *, by_link: bool = False) -> Any:
    way: dict[str, Any] = (
        {"link_code": made.link_code}
        if by_link
        else {"user_input_code": code or made.user_input_code, "device_id": made.device_id}
    )
    return await codes.consume_code(tenant_id="public", pre_auth_session_id=made.pre_auth_session_id, **way)


async def create(**contact: Any) -> Any:
    made = await codes.create_code(tenant_id="public", **contact)
    assert "Ok" in kind(made), made
    return made


async def sign_in() -> str:
    made = await create(email=ADDRESS)
    first = await consume(made)
    assert "Ok" in kind(first), first
    assert "Restart" in kind(await consume(made)), "used up"
    again = await consume(await create(email="ada@example.com"), by_link=True)
    assert id_of(again.user) == id_of(first.user)
    created = "created_new_recipe_user" if IS_NEW else "created_new_user"
    assert (getattr(first, created), getattr(again, created)) == (True, False)
    assert (first.user.emails[0] if IS_NEW else first.user.email) == "ada@example.com"
    step("e-mail")
    phone = await consume(await create(phone_number=NUMBER))
    assert (phone.user.phone_numbers[0] if IS_NEW else phone.user.phone_number) == NUMBER
    step("phone")
    return id_of(first.user)


async def guess() -> None:
    made = await create(email="bob@example.com")
    for count in (1, 2, 3, 4):
        wrong = await consume(made, "x")
        assert "IncorrectUserInputCode" in kind(wrong), wrong
        assert (wrong.failed_code_input_attempt_count, wrong.maximum_code_input_attempts) == (count, 5)
    assert "Restart" in kind(await consume(made, "x"))
    step("wrong codes")


async def send_again() -> None:
    made = await create(email="bob@example.com")
    again = await codes.create_new_code_for_device(tenant_id="public", device_id=made.device_id)
    assert again.pre_auth_session_id == made.pre_auth_session_id
    assert "Ok" in kind(await consume(made))
    gone = await codes.create_new_code_for_device(tenant_id="public", device_id=made.device_id)
    assert "Restart" in kind(gone), gone
    step("resend")


async def show_and_revoke() -> None:
    # This SDK leaves out the codes of a device, whatever the core answers; that of Node shows them.
    made = await create(email="eve@example.com", user_input_code="mine")
    (device,) = await codes.list_codes_by_email(tenant_id="public", email="eve@example.com")
    assert (device.pre_auth_session_id, device.email) == (made.pre_auth_session_id, "eve@example.com")
    found = await codes.list_codes_by_device_id(tenant_id="public", device_id=made.device_id)
    assert found.pre_auth_session_id == made.pre_auth_session_id
    await codes.revoke_code(tenant_id="public", code_id=made.code_id)
    assert await codes.list_codes_by_email(tenant_id="public", email="eve@example.com") == []
    made = await create(email="eve@example.com")
    await codes.revoke_all_codes(tenant_id="public", email="eve@example.com")
    assert "Restart" in kind(await consume(made))
    step("devices")


async def change(user_id: str) -> None:
    who: dict[str, Any] = {"recipe_user_id": RecipeUserId(user_id)} if IS_NEW else {"user_id": user_id}
    taken = await codes.update_user(**who, phone_number=NUMBER)
    assert "PhoneNumberAlreadyExists" in kind(taken), taken
    assert "Ok" in kind(await codes.update_user(**who, email="new@example.com"))
    changed = await consume(await create(email="new@example.com"))
    assert id_of(changed.user) == user_id
    await app.delete_user(user_id)
    assert id_of((await consume(await create(email="new@example.com"))).user) != user_id
    step("change")


async def main() -> None:
    user_id = await sign_in()
    await guess()
    await send_again()
    await show_and_revoke()
    await change(user_id)


init(
    app_info=InputAppInfo(
        app_name="conversation", api_domain="http://localhost:3000", website_domain="http://localhost:3001"
    ),
    supertokens_config=SupertokensConfig(sys.argv[1], sys.argv[2]),
    framework="fastapi",
    recipe_list=[
        passwordless.init(
            contact_config=ContactEmailOrPhoneConfig(), flow_type="USER_INPUT_CODE_AND_MAGIC_LINK"
        ),
        session.init(),
    ],
    telemetry=False,
)
asyncio.run(main())
sys.stdout.write(f"done: {', '.join(DONE)}\n")
