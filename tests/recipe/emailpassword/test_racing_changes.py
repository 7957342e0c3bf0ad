"""A password changes, or its user is deleted, while a sign-in that knew it is under way."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from supertokens_py.asyncio import delete_user
from supertokens_py.recipe.emailpassword import InputOverrideConfig
from supertokens_py.recipe.emailpassword.asyncio import update_email_or_password
from supertokens_py.recipe.emailpassword.interfaces import SignInPostOkResult, SignUpPostOkResult
from supertokens_py.recipe.multitenancy.asyncio import (
    associate_user_to_tenant,
    create_or_update_tenant,
    dissociate_user_from_tenant,
)
from supertokens_py.recipe.multitenancy.interfaces import TenantConfig
from supertokens_py.recipe.session.asyncio import (
    create_new_session,
    get_all_session_handles_for_user,
    revoke_all_sessions_for_user,
)
from tests.support.databases import TestDatabase

from .conftest import ADDRESS, PASSWORD, Browser, Outbox, Start

WRONG = {"status": "WRONG_CREDENTIALS_ERROR"}
HEADER = {"st-auth-mode": "header"}
Change = Callable[[Browser, Outbox, str], Awaitable[Any]]


async def reset(browser: Browser, outbox: Outbox, user_id: str) -> None:
    """The owner uses a link."""
    await browser.ask_for_reset()
    assert (await browser.reset(outbox.token)).json() == {"status": "OK"}


async def change(browser: Browser, outbox: Outbox, user_id: str) -> None:
    """The owner changes the password, and ends every session."""
    await update_email_or_password(user_id, password="another horse 2")
    await revoke_all_sessions_for_user(user_id)


async def delete(browser: Browser, outbox: Outbox, user_id: str) -> None:
    """The user is deleted."""
    await delete_user(user_id)


async def leave(browser: Browser, outbox: Outbox, user_id: str) -> None:
    """The user is taken out of the tenant."""
    await dissociate_user_from_tenant("public", user_id)


class Between:
    """Does something as another request would, once, after a password was verified."""

    def __init__(self) -> None:
        self.work: Callable[[], Awaitable[Any]] | None = None

    async def __call__(self) -> None:
        if (work := self.work) is not None:
            self.work = None

            async def elsewhere() -> None:
                await work()

            await asyncio.get_running_loop().create_task(elsewhere(), context=contextvars.Context())


def sign_in_of_0_24(between: Between) -> InputOverrideConfig:
    def functions(original: Any) -> Any:
        sign_in = original.sign_in

        async def own(email: str, password: str, tenant_id: str, user_context: dict[str, Any]) -> Any:
            result = await sign_in(email, password, tenant_id, user_context)
            await between()
            return result

        original.sign_in = own
        return original

    return InputOverrideConfig(functions=functions)


def post_of_0_24(between: Between) -> InputOverrideConfig:
    """It creates the session by itself."""

    def apis(original: Any) -> Any:
        async def sign_in_post(form_fields: Any, tenant_id: str, api_options: Any, user_context: Any) -> Any:
            fields = {field.id: field.value for field in form_fields}
            functions = api_options.recipe_implementation
            result = await functions.sign_in(fields["email"], fields["password"], tenant_id, user_context)
            if result.status != "OK":
                return result
            await between()
            session = await create_new_session(
                api_options.request, tenant_id, result.user.id, {}, {}, user_context
            )
            return SignInPostOkResult(result.user, session)

        original.sign_in_post = sign_in_post
        return original

    return InputOverrideConfig(apis=apis)


def post_of_0_31(between: Between) -> InputOverrideConfig:
    """The change comes after the session, and before the answer."""

    def apis(original: Any) -> Any:
        sign_in_post = original.sign_in_post

        async def own(*args: Any, **kwargs: Any) -> Any:
            result = await sign_in_post(*args, **kwargs)
            await between()
            return result

        original.sign_in_post = own
        return original

    return InputOverrideConfig(apis=apis)


OVERRIDES = [sign_in_of_0_24, post_of_0_24, post_of_0_31]


@pytest.mark.parametrize("happens", [reset, change, delete, leave])
@pytest.mark.parametrize("override", OVERRIDES)
async def test_no_session_outlives_what_its_sign_in_knew(
    start: Start, browser: Browser, outbox: Outbox, happens: Change, override: Any
) -> None:
    """The answer is that of a wrong password, and has no tokens."""
    between = Between()
    start(override=override(between))
    browser.client.headers.update(HEADER)
    user_id = (await browser.sign_up()).json()["user"]["id"]
    assert (await browser.sign_in()).json()["status"] == "OK"
    between.work = lambda: happens(browser, outbox, user_id)
    reply = await browser.sign_in()
    assert (reply.status_code, reply.json()) == (200, WRONG)
    assert [reply.headers.get(f"st-{kind}-token", "") for kind in ("access", "refresh")] == ["", ""]
    assert await get_all_session_handles_for_user(user_id) == []


async def test_it_is_so_on_every_database_and_with_cookies(
    start: Start, browser: Browser, outbox: Outbox, each_database: TestDatabase
) -> None:
    between = Between()
    start(uri=each_database.uri, override=sign_in_of_0_24(between))
    browser.client.headers["st-auth-mode"] = "cookie"
    up = await browser.sign_up()
    user_id = up.json()["user"]["id"]
    assert {*up.cookies} == {"sAccessToken", "sRefreshToken"}
    between.work = lambda: reset(browser, outbox, user_id)
    reply = await browser.sign_in()
    assert (reply.json(), dict(reply.cookies)) == (WRONG, {})
    assert await get_all_session_handles_for_user(user_id) == []


async def test_a_user_deleted_while_signing_up_has_no_session(start: Start, browser: Browser) -> None:
    between, made = Between(), list[str]()

    def functions(original: Any) -> Any:
        sign_up = original.sign_up

        async def own(*args: Any, **kwargs: Any) -> Any:
            result = await sign_up(*args, **kwargs)
            made.append(result.user.id)
            between.work = lambda: delete_user(result.user.id)
            await between()
            return result

        original.sign_up = own
        return original

    start(override=InputOverrideConfig(functions=functions))
    reply = await browser.sign_up()
    message = "This account was changed meanwhile. Please sign in."
    assert reply.json() == {"status": "GENERAL_ERROR", "message": message}
    assert [reply.headers.get(f"st-{kind}-token", "") for kind in ("access", "refresh")] == ["", ""]
    assert await get_all_session_handles_for_user(made[0]) == []


async def test_a_sign_up_may_move_the_user_to_another_tenant(start: Start, browser: Browser) -> None:
    """As an override does that knows the tenant by the address: the session is one of that tenant."""

    def functions(original: Any) -> Any:
        sign_up = original.sign_up

        async def own(email: str, password: str, tenant_id: str, user_context: dict[str, Any]) -> Any:
            result = await sign_up(email, password, tenant_id, user_context)
            await associate_user_to_tenant("t1", result.user.id)
            await dissociate_user_from_tenant("public", result.user.id)
            return result

        original.sign_up = own
        return original

    def apis(original: Any) -> Any:
        async def sign_up_post(form_fields: Any, tenant_id: str, api_options: Any, user_context: Any) -> Any:
            fields = {field.id: field.value for field in form_fields}
            made = await api_options.recipe_implementation.sign_up(
                email=fields["email"],
                password=fields["password"],
                tenant_id=tenant_id,
                user_context=user_context,
            )
            session = await create_new_session(api_options.request, "t1", made.user.id, {}, {}, user_context)
            return SignUpPostOkResult(made.user, session)

        original.sign_up_post = sign_up_post
        return original

    start(override=InputOverrideConfig(functions=functions, apis=apis))
    await create_or_update_tenant("t1", TenantConfig(email_password_enabled=True))
    reply = await browser.sign_up()
    assert reply.json()["status"] == "OK"
    assert len(await get_all_session_handles_for_user(reply.json()["user"]["id"])) == 1


async def test_a_sign_in_may_change_the_password_by_itself(start: Start, browser: Browser) -> None:
    """As an override does that moves passwords to another form."""

    def functions(original: Any) -> Any:
        sign_in = original.sign_in

        async def own(email: str, password: str, tenant_id: str, user_context: dict[str, Any]) -> Any:
            result = await sign_in(email, password, tenant_id, user_context)
            if result.status == "OK":
                await original.update_email_or_password(
                    result.user.id, None, PASSWORD, False, tenant_id, user_context
                )
            return result

        original.sign_in = own
        return original

    start(override=InputOverrideConfig(functions=functions))
    await browser.sign_up()
    assert (await browser.sign_in(ADDRESS)).json()["status"] == "OK"
