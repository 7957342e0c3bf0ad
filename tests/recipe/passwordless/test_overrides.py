"""Applications change functions and APIs, in the form of 0.24 or of later releases."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.exceptions import ConfigError
from supertokens_py.recipe.passwordless import InputOverrideConfig
from supertokens_py.recipe.passwordless.asyncio import create_code, signinup, update_user
from supertokens_py.recipe.passwordless.interfaces import (
    ConsumeCodeOkResult,
    CreateCodeOkResult,
    CreateNewCodeForDeviceRestartFlowError,
    SignInUpPostNotAllowedResponse,
    UpdateUserOkResult,
)
from supertokens_py.types import GeneralErrorResponse, RecipeUserId
from tests.support.clock import Clock

from .conftest import ADDRESS, Browser, Outbox, Start

SESSION = {"preAuthSessionId": "a"}

seen: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    seen.clear()


def replacing(**hooks: Any) -> Any:
    """Return an override: each hook gets the original, and replaces it."""

    def override(original: Any) -> Any:
        for name, make in hooks.items():
            setattr(original, name, make(getattr(original, name)))
        return original

    return override


# -- functions ---------------------------------------------------------------------------------------


def create_of_0_24(original: Any) -> Any:
    async def create_code(
        email: Any, phone_number: Any, user_input_code: Any, tenant_id: str, user_context: Any
    ) -> Any:
        seen.append(("create", email, phone_number, tenant_id))
        return await original(email, phone_number, user_input_code, tenant_id, user_context)

    return create_code


def create_of_0_31(original: Any) -> Any:
    async def create_code(
        email: Any,
        phone_number: Any,
        user_input_code: Any,
        session: Any,
        should_try_linking_with_session_user: Any,
        tenant_id: str,
        user_context: Any,
    ) -> Any:
        seen.append(("create", email, phone_number, tenant_id))
        return await original(
            email,
            phone_number,
            user_input_code,
            session,
            should_try_linking_with_session_user,
            tenant_id,
            user_context,
        )

    return create_code


def consume_of_0_24(original: Any) -> Any:
    async def consume_code(
        pre_auth_session_id: str,
        user_input_code: Any,
        device_id: Any,
        link_code: Any,
        tenant_id: str,
        user_context: Any,
    ) -> Any:
        seen.append(("consume", user_input_code is None, tenant_id))
        return await original(
            pre_auth_session_id, user_input_code, device_id, link_code, tenant_id, user_context
        )

    return consume_code


def consume_of_0_31(original: Any) -> Any:
    def consume_code(
        pre_auth_session_id: str,
        user_input_code: Any,
        device_id: Any,
        link_code: Any,
        session: Any,
        should_try_linking_with_session_user: Any,
        tenant_id: str,
        user_context: Any,
    ) -> Any:  # forgets to be async
        seen.append(("consume", user_input_code is None, tenant_id))
        return original(
            pre_auth_session_id,
            user_input_code,
            device_id,
            link_code,
            session,
            should_try_linking_with_session_user,
            tenant_id,
            user_context,
        )

    return consume_code


@pytest.mark.parametrize(
    ("create", "consume"), [(create_of_0_24, consume_of_0_24), (create_of_0_31, consume_of_0_31)]
)
async def test_functions_in_either_form(
    start: Start, browser: Browser, outbox: Outbox, create: Any, consume: Any
) -> None:
    """SI-27: the routes call them, and so do `signinup` and its likes."""
    start(override=InputOverrideConfig(functions=replacing(create_code=create, consume_code=consume)))
    await browser.ask()
    assert (await browser.enter(outbox.code)).json()["status"] == "OK"
    assert seen == [("create", ADDRESS, None, "public"), ("consume", False, "public")]
    await signinup("public", ADDRESS)
    assert seen[2:] == [("create", ADDRESS, None, "public"), ("consume", True, "public")]


async def test_a_device_may_end_while_it_is_asked_for_another_code(
    start: Start, browser: Browser, outbox: Outbox, clock: Clock
) -> None:
    """Or an override says so: the frontend begins again, and nothing is sent."""

    def ended(_: Any) -> Any:
        async def create_new_code_for_device(**_: Any) -> Any:
            return CreateNewCodeForDeviceRestartFlowError()

        return create_new_code_for_device

    start(override=InputOverrideConfig(functions=replacing(create_new_code_for_device=ended)))
    await browser.ask()
    clock.advance(s=15)
    assert (await browser.again()).json() == {"status": "RESTART_FLOW_ERROR"}
    assert len(outbox.letters) == 1


async def test_originals_take_both_forms(start: Start) -> None:
    """SI-27."""
    originals: dict[str, Any] = {}

    def keep(original: Any) -> Any:
        originals.update({name: getattr(original, name) for name in dir(original)})
        return original

    start(override=InputOverrideConfig(functions=keep))
    for args in (
        (ADDRESS, None, None, "public", {}),
        (ADDRESS, None, None, None, None, "public", {}),
        (ADDRESS, None, "7", "public", None),
    ):
        made = await originals["create_code"](*args)
        assert isinstance(made, CreateCodeOkResult), args
    for rest in (("public", {}), (None, None, "public", {}), (None, False, "public", None)):
        made = await create_code("public", email=ADDRESS)
        used = await originals["consume_code"](made.pre_auth_session_id, None, None, made.link_code, *rest)
        assert isinstance(used, ConsumeCodeOkResult), rest
    user_id = used.user.id
    for first in (user_id, RecipeUserId(user_id)):
        assert isinstance(
            await originals["update_user"](first, "b@example.com", None, {}), UpdateUserOkResult
        )
    changed = await originals["update_user"](user_id=user_id, email="c@example.com")
    assert isinstance(changed, UpdateUserOkResult)
    with pytest.raises(TypeError, match="unexpected arguments: mail"):
        await originals["revoke_all_codes"](mail=ADDRESS)


def update_of_0_24(original: Any) -> Any:
    async def update_user(user_id: str, email: Any, phone_number: Any, user_context: Any) -> Any:
        seen.append((type(user_id), email))
        return await original(user_id, email, phone_number, user_context)

    return update_user


async def test_users_have_the_name_of_each_release(start: Start) -> None:
    """SI-27."""
    start(override=InputOverrideConfig(functions=replacing(update_user=update_of_0_24)))
    user = (await signinup("public", ADDRESS)).user
    assert isinstance(await update_user(RecipeUserId(user.id), email="b@example.com"), UpdateUserOkResult)
    assert seen == [(str, "b@example.com")]


async def test_a_function_that_wants_what_nobody_has_is_refused_at_init(start: Start) -> None:
    """SI-27."""

    def make(_: Any) -> Any:
        async def consume_code(pre_auth_session: str, user_context: Any) -> Any: ...

        return consume_code

    with pytest.raises(ConfigError, match=r"consume_code wants pre_auth_session; it is called with \(pre_"):
        start(override=InputOverrideConfig(functions=replacing(consume_code=make)))


async def test_an_application_may_let_somebody_in_without_a_code(
    start: Start, browser: Browser, outbox: Outbox
) -> None:
    """Such as the reviewers of an app store; their session is not taken back."""
    start()
    user = (await signinup("public", ADDRESS)).user

    def consume(original: Any) -> Any:
        async def consume_code(
            pre_auth_session_id: str, user_input_code: Any, tenant_id: str, user_context: Any, **rest: Any
        ) -> Any:
            if user_input_code == "000000":
                return ConsumeCodeOkResult(False, user)
            return await original(
                pre_auth_session_id=pre_auth_session_id,
                user_input_code=user_input_code,
                tenant_id=tenant_id,
                user_context=user_context,
                **rest,
            )

        return consume_code

    from supertokens_py import Supertokens

    Supertokens.reset()
    start(override=InputOverrideConfig(functions=replacing(consume_code=consume)))
    await browser.ask("review@example.com")
    assert (await browser.enter("000000")).json()["user"]["id"] == user.id
    assert (await browser.enter(outbox.code)).json()["user"]["emails"] == ["review@example.com"]


# -- APIs --------------------------------------------------------------------------------------------


def create_post_of_0_24(answer: Any) -> Any:
    def make(original: Any) -> Any:
        async def create_code_post(
            email: Any, phone_number: Any, tenant_id: str, api_options: Any, user_context: Any
        ) -> Any:
            seen.append((api_options.recipe_id, api_options.app_info.app_name))
            return answer or await original(email, phone_number, tenant_id, api_options, user_context)

        return create_code_post

    return make


def create_post_of_0_31(answer: Any) -> Any:
    def make(original: Any) -> Any:
        async def create_code_post(
            email: Any,
            phone_number: Any,
            session: Any,
            should_try_linking_with_session_user: Any,
            tenant_id: str,
            api_options: Any,
            user_context: Any,
        ) -> Any:
            seen.append((api_options.recipe_id, api_options.app_info.app_name))
            return answer or await original(
                email,
                phone_number,
                session,
                should_try_linking_with_session_user,
                tenant_id,
                api_options,
                user_context,
            )

        return create_code_post

    return make


def resend_post_of_0_24(original: Any) -> Any:
    async def resend_code_post(
        device_id: str, pre_auth_session_id: str, tenant_id: str, api_options: Any, user_context: Any
    ) -> Any:
        return await original(device_id, pre_auth_session_id, tenant_id, api_options, user_context)

    return resend_code_post


def consume_post_of_0_24(original: Any) -> Any:
    async def consume_code_post(
        pre_auth_session_id: str,
        user_input_code: Any,
        device_id: Any,
        link_code: Any,
        tenant_id: str,
        api_options: Any,
        user_context: Any,
    ) -> Any:
        result = await original(
            pre_auth_session_id, user_input_code, device_id, link_code, tenant_id, api_options, user_context
        )
        seen.append((result.created_new_user, result.user.user_id == result.session.get_user_id()))
        return result

    return consume_code_post


@pytest.mark.parametrize("make", [create_post_of_0_24, create_post_of_0_31])
async def test_apis_in_either_form(
    start: Start, browser: Browser, outbox: Outbox, clock: Any, make: Any
) -> None:
    """SI-27."""
    start(
        override=InputOverrideConfig(
            apis=replacing(
                create_code_post=make(None),
                resend_code_post=resend_post_of_0_24,
                consume_code_post=consume_post_of_0_24,
            )
        )
    )
    assert (await browser.ask()).json()["status"] == "OK"
    clock.advance(minutes=1)
    assert (await browser.again()).json() == {"status": "OK"}
    assert (await browser.enter(outbox.code)).json()["status"] == "OK"
    assert seen == [("passwordless", "Tests"), (True, True)]


@pytest.mark.parametrize("make", [create_post_of_0_24, create_post_of_0_31])
@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (GeneralErrorResponse("closed"), {"status": "GENERAL_ERROR", "message": "closed"}),
        (SignInUpPostNotAllowedResponse("no"), {"status": "SIGN_IN_UP_NOT_ALLOWED", "reason": "no"}),
    ],
)
async def test_what_an_api_answers_reaches_the_browser(
    start: Start, browser: Browser, outbox: Outbox, make: Any, answer: Any, body: Any
) -> None:
    """SI-9."""
    start(override=InputOverrideConfig(apis=replacing(create_code_post=make(answer))))
    reply = await browser.ask()
    assert (reply.status_code, reply.json()) == (200, body)
    assert outbox.letters == []


@pytest.mark.parametrize(
    ("name", "method", "path", "body"),
    [
        ("create_code_post", "POST", "/signinup/code", {"email": ADDRESS}),
        ("resend_code_post", "POST", "/signinup/code/resend", {**SESSION, "deviceId": "b"}),
        ("consume_code_post", "POST", "/signinup/code/consume", {**SESSION, "linkCode": "c"}),
        ("email_exists_get", "GET", f"/passwordless/email/exists?email={ADDRESS}", {}),
        ("phone_number_exists_get", "GET", "/passwordless/phonenumber/exists?phoneNumber=%2B16502530000", {}),
    ],
)
async def test_the_message_of_every_api_reaches_the_browser(
    start: Start, browser: Browser, outbox: Outbox, name: str, method: str, path: str, body: Any
) -> None:
    """SI-9."""

    async def refuse(*_: Any, **__: Any) -> GeneralErrorResponse:
        return GeneralErrorResponse("Not on Sundays")

    start(override=InputOverrideConfig(apis=replacing(**{name: lambda _: refuse})))
    reply = await browser.client.request(method, f"/auth{path}", json=body)
    said = {"status": "GENERAL_ERROR", "message": "Not on Sundays"}
    assert (reply.status_code, reply.json(), reply.headers.get("front-token")) == (200, said, None)
    assert [*outbox.letters, *outbox.messages] == []


async def test_an_api_that_answers_nothing_is_named(start: Start, browser: Browser) -> None:
    def forgetful(_: Any) -> Any:
        async def resend_code_post(device_id: str, tenant_id: str, user_context: Any) -> None: ...

        return resend_code_post

    start(override=InputOverrideConfig(apis=replacing(resend_code_post=forgetful)))
    browser.device = {"deviceId": "a", "preAuthSessionId": "b"}
    with pytest.raises(ConfigError, match=r"resend_code_post of passwordless\.init\(override=…apis\).*None"):
        await browser.again()
