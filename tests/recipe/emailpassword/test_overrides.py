"""Applications change functions and APIs, in the form of 0.24 or of later releases."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.exceptions import ConfigError
from supertokens_py.recipe.emailpassword import InputOverrideConfig
from supertokens_py.recipe.emailpassword.asyncio import (
    create_reset_password_token,
    reset_password_using_token,
    sign_in,
    sign_up,
    update_email_or_password,
)
from supertokens_py.recipe.emailpassword.interfaces import (
    CreateResetPasswordOkResult,
    EmailAlreadyExistsError,
    SignInOkResult,
    SignInPostNotAllowedResponse,
    SignUpOkResult,
    SignUpPostNotAllowedResponse,
    UpdateEmailOrPasswordOkResult,
    WrongCredentialsError,
)
from supertokens_py.types import GeneralErrorResponse, RecipeUserId

from .conftest import ADDRESS, PASSWORD, Browser, Outbox, Start, tokens_of


def replacing(**hooks: Any) -> Any:
    """Return an override: each hook gets the original and its arguments as they are passed."""

    def override(original: Any) -> Any:
        for name, make in hooks.items():
            setattr(original, name, make(getattr(original, name)))
        return original

    return override


def form(**fields: str) -> dict[str, Any]:
    return {"formFields": [{"id": name, "value": value} for name, value in fields.items()]}


CREDENTIALS, ADDRESS_ONLY = form(email=ADDRESS, password=PASSWORD), form(email=ADDRESS)
PASSWORD_ONLY = form(password=PASSWORD)

seen: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    seen.clear()


def sign_up_of_0_24(original: Any) -> Any:
    async def sign_up(email: str, password: str, tenant_id: str, user_context: dict[str, Any]) -> Any:
        seen.append((email, tenant_id, user_context))
        return await original(email, password, tenant_id, user_context)

    return sign_up


def sign_up_of_0_31(original: Any) -> Any:
    async def sign_up(
        email: str,
        password: str,
        tenant_id: str,
        session: Any,
        should_try_linking_with_session_user: Any,
        user_context: dict[str, Any],
    ) -> Any:
        seen.append((email, tenant_id, user_context))
        return await original(
            email, password, tenant_id, session, should_try_linking_with_session_user, user_context
        )

    return sign_up


def renamed(original: Any) -> Any:
    async def sign_up(_email: str, _password: str, _tenant: str, _context: dict[str, Any]) -> Any:
        seen.append((_email, _tenant, _context))
        return await original(_email, _password, _tenant, user_context=_context)

    return sign_up


def anything(original: Any) -> Any:
    async def sign_up(*args: Any, **kwargs: Any) -> Any:
        seen.append((kwargs["email"], kwargs["tenant_id"], kwargs["user_context"]))
        return await original(*args, **kwargs)

    return sign_up


def by_position(original: Any) -> Any:
    async def sign_up(*args: Any) -> Any:
        seen.append((args[0], args[2], args[5]))
        return await original(*args)

    return sign_up


def blocking(original: Any) -> Any:
    def sign_up(email: str, tenant_id: str, password: str, user_context: Any, session: Any = None) -> Any:
        seen.append((email, tenant_id, user_context))
        return original(email=email, password=password, tenant_id=tenant_id, user_context=user_context)

    return sign_up


@pytest.mark.parametrize("make", [sign_up_of_0_24, sign_up_of_0_31, renamed, anything, by_position, blocking])
async def test_a_function_in_any_form(start: Start, browser: Browser, make: Any) -> None:
    """SI-27."""
    start(override=InputOverrideConfig(functions=replacing(sign_up=make)))
    assert (await browser.sign_up()).json()["status"] == "OK"
    ((email, tenant_id, user_context),) = seen
    assert (email, tenant_id) == (ADDRESS, "public")
    assert user_context["_default"]["request"] is not None
    context = {"mine": 1}
    assert isinstance(await sign_up("public", "eve@example.com", PASSWORD, None, context), SignUpOkResult)
    assert seen[1] == ("eve@example.com", "public", context)
    assert seen[1][2] is context
    assert isinstance(await sign_up("public", ADDRESS, PASSWORD, context), EmailAlreadyExistsError)


async def test_a_function_that_wants_what_nobody_has_is_refused_at_init(start: Start) -> None:
    """SI-27."""

    def make(_: Any) -> Any:
        async def sign_in(email: str, pasword: str, user_context: Any) -> Any: ...

        return sign_in

    with pytest.raises(ConfigError, match=r"sign_in wants pasword; it is called with \(email, password, "):
        start(override=InputOverrideConfig(functions=replacing(sign_in=make)))


async def test_later_functions_are_called_by_earlier_ones(start: Start, browser: Browser) -> None:
    """0.31 has people hook where 0.24 had no function."""

    def create(original: Any) -> Any:
        async def create_new_recipe_user(email: str, password: str, tenant_id: str, user_context: Any) -> Any:
            seen.append("create_new_recipe_user")
            return await original(email, password, tenant_id, user_context)

        return create_new_recipe_user

    def verify(original: Any) -> Any:
        async def verify_credentials(email: str, password: str, tenant_id: str, user_context: Any) -> Any:
            seen.append("verify_credentials")
            if password == "let me in":
                return await original(email, PASSWORD, tenant_id, user_context)
            return WrongCredentialsError()

        return verify_credentials

    start(
        override=InputOverrideConfig(
            functions=replacing(create_new_recipe_user=create, verify_credentials=verify)
        )
    )
    await browser.sign_up()
    assert isinstance(await sign_in("public", ADDRESS, PASSWORD), WrongCredentialsError)
    assert isinstance(await sign_in("public", ADDRESS, "let me in"), SignInOkResult)
    assert seen == ["create_new_recipe_user", "verify_credentials", "verify_credentials"]


def reset_of_0_24(original: Any) -> Any:
    async def reset_password_using_token(
        token: str, new_password: str, tenant_id: str, user_context: Any
    ) -> Any:
        seen.append(new_password)
        return await original(token, new_password, tenant_id, user_context)

    return reset_password_using_token


def update_of_0_24(original: Any) -> Any:
    async def update_email_or_password(
        user_id: str,
        email: Any,
        password: Any,
        apply_password_policy: Any,
        tenant_id_for_password_policy: str,
        user_context: Any,
    ) -> Any:
        seen.append((type(user_id), password))
        return await original(
            user_id, email, password, apply_password_policy, tenant_id_for_password_policy, user_context
        )

    return update_email_or_password


def token_of_0_24(original: Any) -> Any:
    async def create_reset_password_token(user_id: str, tenant_id: str, user_context: Any) -> Any:
        seen.append(tenant_id)
        return await original(user_id, tenant_id, user_context)

    return create_reset_password_token


def consume_of_0_31(original: Any) -> Any:
    async def consume_password_reset_token(token: str, tenant_id: str, user_context: Any) -> Any:
        used = await original(token=token, tenant_id=tenant_id, user_context=user_context)
        seen.append(used.email)
        return used

    return consume_password_reset_token


async def test_every_step_of_a_reset_may_be_replaced(start: Start, browser: Browser, outbox: Outbox) -> None:
    start(
        override=InputOverrideConfig(
            functions=replacing(
                create_reset_password_token=token_of_0_24,
                reset_password_using_token=reset_of_0_24,
                consume_password_reset_token=consume_of_0_31,
                update_email_or_password=update_of_0_24,
            )
        )
    )
    await browser.sign_up()
    await browser.ask_for_reset()
    assert (await browser.reset(outbox.token)).json() == {"status": "OK"}
    assert seen == ["public", "another horse 2", ADDRESS, (str, "another horse 2")]


async def test_originals_take_both_forms(start: Start) -> None:
    originals: dict[str, Any] = {}

    def keep(original: Any) -> Any:
        originals.update({name: getattr(original, name) for name in dir(original)})
        return original

    start(override=InputOverrideConfig(functions=keep))
    made = await sign_up("public", ADDRESS, PASSWORD)
    assert isinstance(made, SignUpOkResult)
    user_id, context = made.user.id, {}
    for args in (
        (user_id, "public", context),
        (user_id, None, "public", context),
        (user_id, ADDRESS, "public", context),
    ):
        token = await originals["create_reset_password_token"](*args)
        assert isinstance(token, CreateResetPasswordOkResult), args
    for args in (
        (ADDRESS, PASSWORD, "public", context),
        (ADDRESS, PASSWORD, "public", None, None, context),
        (ADDRESS, PASSWORD, "public", None),
    ):
        assert isinstance(await originals["sign_in"](*args), SignInOkResult), args
    changed = await originals["update_email_or_password"](
        user_id=user_id, email=None, password="third horse 3", apply_password_policy=True
    )
    assert isinstance(changed, UpdateEmailOrPasswordOkResult)
    changed = await originals["update_email_or_password"](
        RecipeUserId(user_id), None, "fourth horse 4", None, None, context
    )
    assert isinstance(changed, UpdateEmailOrPasswordOkResult)
    changed = await update_email_or_password(RecipeUserId(user_id), password=PASSWORD)
    assert isinstance(changed, UpdateEmailOrPasswordOkResult)
    assert isinstance(
        await create_reset_password_token("public", user_id, context), CreateResetPasswordOkResult
    )
    reset = await reset_password_using_token("public", token.token, "fourth horse 4")
    assert reset.status == "RESET_PASSWORD_INVALID_TOKEN_ERROR"
    with pytest.raises(TypeError, match="unexpected arguments: mail"):
        await originals["verify_credentials"](mail=ADDRESS)
    with pytest.raises(TypeError, match="takes 4 arguments"):
        await originals["verify_credentials"](ADDRESS, PASSWORD, "public", context, 1)


# -- APIs --------------------------------------------------------------------------------------------


def post_of_0_24(answer: Any) -> Any:
    def make(original: Any) -> Any:
        async def post(form_fields: Any, tenant_id: str, api_options: Any, user_context: Any) -> Any:
            seen.append((api_options.app_info.app_name, api_options.recipe_id))
            return answer or await original(form_fields, tenant_id, api_options, user_context)

        return post

    return make


def post_of_0_31(answer: Any) -> Any:
    def make(original: Any) -> Any:
        async def post(
            form_fields: Any,
            tenant_id: str,
            session: Any,
            should_try_linking_with_session_user: Any,
            api_options: Any,
            user_context: Any,
        ) -> Any:
            seen.append((api_options.app_info.app_name, api_options.recipe_id))
            return answer or await original(
                form_fields,
                tenant_id,
                session,
                should_try_linking_with_session_user,
                api_options,
                user_context,
            )

        return post

    return make


@pytest.mark.parametrize("make", [post_of_0_24, post_of_0_31])
async def test_an_api_in_either_form(start: Start, browser: Browser, make: Any) -> None:
    """SI-27."""
    start(override=InputOverrideConfig(apis=replacing(sign_up_post=make(None), sign_in_post=make(None))))
    assert (await browser.sign_up()).json()["status"] == "OK"
    assert (await browser.sign_in()).json()["status"] == "OK"
    assert seen == [("Tests", "emailpassword")] * 2


@pytest.mark.parametrize(
    ("name", "answer", "body"),
    [
        ("sign_up_post", GeneralErrorResponse("closed"), {"status": "GENERAL_ERROR", "message": "closed"}),
        ("sign_in_post", GeneralErrorResponse("closed"), {"status": "GENERAL_ERROR", "message": "closed"}),
        (
            "sign_up_post",
            SignUpPostNotAllowedResponse("no"),
            {"status": "SIGN_UP_NOT_ALLOWED", "reason": "no"},
        ),
        (
            "sign_in_post",
            SignInPostNotAllowedResponse("no"),
            {"status": "SIGN_IN_NOT_ALLOWED", "reason": "no"},
        ),
        ("sign_in_post", WrongCredentialsError(), {"status": "WRONG_CREDENTIALS_ERROR"}),
    ],
)
async def test_what_an_api_answers_reaches_the_browser(
    start: Start, browser: Browser, name: str, answer: Any, body: Any
) -> None:
    """SI-9."""
    start(override=InputOverrideConfig(apis=replacing(**{name: post_of_0_24(answer)})))
    reply = await browser.form("/signup" if "up" in name else "/signin", email=ADDRESS, password=PASSWORD)
    assert (reply.status_code, reply.json()) == (200, body)
    assert tokens_of(reply) == []


@pytest.mark.parametrize(
    ("name", "method", "path", "body"),
    [
        ("sign_up_post", "POST", "/signup", CREDENTIALS),
        ("sign_in_post", "POST", "/signin", CREDENTIALS),
        ("email_exists_get", "GET", f"/emailpassword/email/exists?email={ADDRESS}", {}),
        ("generate_password_reset_token_post", "POST", "/user/password/reset/token", ADDRESS_ONLY),
        ("password_reset_post", "POST", "/user/password/reset", {**PASSWORD_ONLY, "token": "t"}),
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
    assert (reply.status_code, reply.json(), tokens_of(reply)) == (200, said, [])
    assert outbox.sent == []


async def test_an_api_that_answers_nothing_is_named(start: Start, browser: Browser) -> None:
    def forgetful(_: Any) -> Any:
        async def post(form_fields: Any, tenant_id: str, api_options: Any, user_context: Any) -> None: ...

        return post

    start(override=InputOverrideConfig(apis=replacing(sign_in_post=forgetful)))
    with pytest.raises(ConfigError, match=r"sign_in_post of emailpassword\.init\(override=…apis\).*None"):
        await browser.sign_in()
