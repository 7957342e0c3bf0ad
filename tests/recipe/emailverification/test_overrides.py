"""Overrides of functions and APIs, in 0.24's form and in later ones; services of the application's own."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.exceptions import ConfigError
from supertokens_py.ingredients.emaildelivery.types import (
    EmailContent,
    EmailDeliveryConfig,
    SMTPSettings,
    SMTPSettingsFrom,
)
from supertokens_py.recipe.emailverification import InputOverrideConfig, OverrideConfig, SMTPService
from supertokens_py.recipe.emailverification import syncio as verification
from supertokens_py.recipe.emailverification.interfaces import (
    APIInterface,
    APIOptions,
    CreateEmailVerificationTokenOkResult,
    RecipeInterface,
    VerifyEmailUsingTokenOkResult,
)
from supertokens_py.recipe.emailverification.letters import verification_letter
from supertokens_py.recipe.emailverification.types import (
    EmailVerificationUser,
    VerificationEmailTemplateVars,
    VerificationEmailTemplateVarsUser,
)
from supertokens_py.types import RecipeUserId

from .conftest import ADDRESS, NEW, Browser, Outbox, Start

Calls = list[tuple[str, Any]]


def older(calls: Calls) -> Any:
    """Replace every function as code written for 0.24 does, with positional calls of the original."""

    def functions(original: RecipeInterface) -> RecipeInterface:
        create, verify = original.create_email_verification_token, original.verify_email_using_token
        known, unverify = original.is_email_verified, original.unverify_email
        revoke = original.revoke_email_verification_tokens

        async def create_email_verification_token(
            user_id: str, email: str, tenant_id: str, user_context: Any
        ):
            calls.append(("create", user_id))
            return await create(user_id, email, tenant_id, user_context)

        async def verify_email_using_token(token: str, tenant_id: str, user_context: Any):
            calls.append(("verify", tenant_id))
            return await verify(token, tenant_id, user_context)

        async def is_email_verified(user_id: str, email: str, user_context: Any):
            calls.append(("known", user_id))
            return await known(user_id, email, user_context)

        async def unverify_email(user_id: str, email: str, user_context: Any):
            calls.append(("unverify", user_id))
            return await unverify(user_id, email, user_context)

        async def revoke_email_verification_tokens(
            user_id: str, email: str, tenant_id: str, user_context: Any
        ):
            calls.append(("revoke", user_id))
            return await revoke(user_id, email, tenant_id, user_context)

        for function in (
            *(create_email_verification_token, verify_email_using_token, is_email_verified),
            *(unverify_email, revoke_email_verification_tokens),
        ):
            setattr(original, function.__name__, function)
        return original

    return functions


def newer(calls: Calls) -> Any:
    """Replace every function as code written for later releases does; ids are `RecipeUserId`."""

    def functions(original: RecipeInterface) -> RecipeInterface:
        create, verify = original.create_email_verification_token, original.verify_email_using_token
        known, unverify = original.is_email_verified, original.unverify_email
        revoke = original.revoke_email_verification_tokens

        async def create_email_verification_token(
            recipe_user_id: RecipeUserId, email: str, tenant_id: str, user_context: Any
        ):
            calls.append(("create", recipe_user_id.get_as_string()))
            return await create(recipe_user_id, email, tenant_id, user_context)

        async def verify_email_using_token(
            token: str, tenant_id: str, attempt_account_linking: bool, user_context: Any
        ):
            assert attempt_account_linking is True
            calls.append(("verify", tenant_id))
            return await verify(token, tenant_id, attempt_account_linking, user_context)

        async def is_email_verified(recipe_user_id: RecipeUserId, email: str, user_context: Any):
            calls.append(("known", recipe_user_id.get_as_string()))
            return await known(recipe_user_id, email, user_context)

        async def unverify_email(recipe_user_id: RecipeUserId, email: str, user_context: Any):
            calls.append(("unverify", recipe_user_id.get_as_string()))
            return await unverify(recipe_user_id=recipe_user_id, email=email, user_context=user_context)

        async def revoke_email_verification_tokens(
            recipe_user_id: RecipeUserId, email: str, tenant_id: str, user_context: Any
        ):
            calls.append(("revoke", recipe_user_id.get_as_string()))
            return await revoke(recipe_user_id, email, tenant_id, user_context)

        for function in (
            *(create_email_verification_token, verify_email_using_token, is_email_verified),
            *(unverify_email, revoke_email_verification_tokens),
        ):
            setattr(original, function.__name__, function)
        return original

    return functions


@pytest.mark.parametrize("age", [older, newer])
async def test_functions_are_replaced_in_either_form(
    start: Start, browser: Browser, outbox: Outbox, age: Any
) -> None:
    """Also by routes and by the claim, which ask the replacement."""
    calls: Calls = []
    start("REQUIRED", override=OverrideConfig(functions=age(calls)))
    user_id = await browser.sign_up()
    assert calls == [("known", user_id)]
    await browser.ask()
    await browser.verify(outbox.token)
    assert calls[1:] == [
        *[("known", user_id), ("create", user_id)],
        *[("verify", "public"), ("known", user_id)],
    ]


@pytest.mark.parametrize("age", [older, newer])
def test_the_functions_ask_the_replacement(start: Start, age: Any) -> None:
    calls: Calls = []
    start(recipes=[], override=OverrideConfig(functions=age(calls)))
    made = verification.create_email_verification_token("public", "ada", ADDRESS)
    assert isinstance(made, CreateEmailVerificationTokenOkResult)
    verification.verify_email_using_token("public", made.token)
    assert verification.is_email_verified("ada", ADDRESS)
    verification.unverify_email("ada", ADDRESS)
    verification.revoke_email_verification_tokens("public", "ada", ADDRESS)
    assert calls == [
        *[("create", "ada"), ("verify", "public"), ("known", "ada")],
        *[("unverify", "ada"), ("revoke", "ada")],
    ]


async def test_apis_are_replaced(start: Start, browser: Browser, outbox: Outbox) -> None:
    """As a subclass's methods are, or by assignment; the original takes positions and keywords."""
    seen: list[str] = []

    def apis(original: APIInterface) -> APIInterface:
        generate, verify = original.generate_email_verify_token_post, original.email_verify_post
        known = original.is_email_verified_get

        async def generate_post(session: Any, api_options: APIOptions, user_context: Any):
            seen.append("generate")
            assert api_options.recipe_id == "emailverification"
            assert api_options.config.mode == "REQUIRED"
            return await generate(session, api_options, user_context)

        async def verify_post(
            token: str, session: Any, tenant_id: str, api_options: APIOptions, user_context: Any
        ):
            result = await verify(token, session, tenant_id, api_options, user_context)
            seen.append(result.user.email)
            return result

        async def known_get(session: Any, api_options: APIOptions, user_context: Any):
            result = await known(session=session, api_options=api_options, user_context=user_context)
            seen.append(str(result.is_verified))
            return result

        original.generate_email_verify_token_post = generate_post  # type: ignore[method-assign]
        original.email_verify_post = verify_post  # type: ignore[method-assign]
        original.is_email_verified_get = known_get  # type: ignore[method-assign]
        return original

    start("REQUIRED", override=InputOverrideConfig(apis=apis))
    await browser.sign_up()
    await browser.ask()
    await browser.verify(outbox.token)
    await browser.is_verified()
    assert seen == ["generate", ADDRESS, "True"]


def test_an_override_may_answer_by_itself(start: Start) -> None:
    """Sync as well."""

    def functions(original: RecipeInterface) -> RecipeInterface:
        def verify_email_using_token(**_: Any) -> VerifyEmailUsingTokenOkResult:
            return VerifyEmailUsingTokenOkResult(EmailVerificationUser(RecipeUserId("bob"), NEW))

        original.verify_email_using_token = verify_email_using_token  # type: ignore[method-assign]
        return original

    start(recipes=[], override=OverrideConfig(functions=functions))
    used = verification.verify_email_using_token("public", "anything")
    assert isinstance(used, VerifyEmailUsingTokenOkResult)
    assert used.user == EmailVerificationUser(RecipeUserId("bob"), NEW)


async def test_a_wrong_answer_is_named(start: Start, browser: Browser) -> None:
    def apis(original: Any) -> Any:
        original.is_email_verified_get = lambda **_: {"status": "OK"}
        return original

    start("REQUIRED", override=InputOverrideConfig(apis=apis))
    await browser.sign_up()
    with pytest.raises(ConfigError, match=r"is_email_verified_get .*returned dict; it must return a result"):
        await browser.is_verified()


# -- delivery ----------------------------------------------------------------------------------------


def about(link: str = "http://example.com/auth/verify-email?token=t") -> VerificationEmailTemplateVars:
    user = VerificationEmailTemplateVarsUser("ada", RecipeUserId("ada"), ADDRESS)
    return VerificationEmailTemplateVars(user, link, "public")


async def test_the_delivery_is_overridden(start: Start, browser: Browser, outbox: Outbox) -> None:
    """The override gets the service and may change what it sends."""

    def override(original: Any) -> Any:
        send_email = original.send_email

        async def changed(template_vars: VerificationEmailTemplateVars, user_context: Any) -> None:
            template_vars.email_verify_link += "&mine"
            await send_email(template_vars, user_context)

        original.send_email = changed
        return original

    start("REQUIRED", email_delivery=EmailDeliveryConfig(outbox, override))
    await browser.sign_up()
    await browser.ask()
    assert outbox.sent[-1].email_verify_link.endswith("&tenantId=public&mine")


def test_the_letter_says_what_to_do_in_html_and_in_text(start: Start) -> None:
    """Whatever is in it is text, not markup."""
    start(info={"app_name": "<b>Tests</b> & more"})
    letter = verification_letter(about("http://example.com/?a=1&b=2"))
    assert (letter.subject, letter.to_email) == ("Email verification instructions", ADDRESS)
    assert letter.is_html
    assert "&lt;b&gt;Tests&lt;/b&gt; &amp; more" in letter.body
    assert "<b>" not in letter.body
    assert 'href="http://example.com/?a=1&amp;b=2"' in letter.body
    assert letter.text is not None
    assert "Verify e-mail address: http://example.com/?a=1&b=2\n" in letter.text
    assert "This e-mail is for ada@example.com." in letter.text
    assert "Somebody wants to use this address on <b>Tests</b> & more." in letter.text
    assert "If it was not you, do not follow the link" in letter.text


async def test_the_smtp_service_writes_the_letter(start: Start) -> None:
    """Its override changes what is written and what is sent."""
    sent: list[EmailContent] = []

    def override(original: Any) -> Any:
        get_content = original.get_content

        async def written(template_vars: VerificationEmailTemplateVars, user_context: Any) -> EmailContent:
            content = await get_content(template_vars, user_context)
            content.subject = "Hello"
            return content

        async def keep(content: EmailContent, user_context: Any) -> None:
            sent.append(content)

        original.get_content, original.send_raw_email = written, keep
        return original

    start()
    settings = SMTPSettings("mail.example.com", 587, SMTPSettingsFrom("Tests", "tests@example.com"))
    await SMTPService(settings, override).send_email(about(), {})
    assert [(one.subject, one.to_email) for one in sent] == [("Hello", ADDRESS)]


def test_links_are_logged_on_this_machine(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """In development, without a service."""
    start(recipes=[], info={"website_domain": "http://localhost:3000"}, email_delivery=None)
    verification.send_email_verification_email("public", "ada", RecipeUserId("ada"), ADDRESS)
    assert "To ada@example.com: Email verification instructions" in caplog.text
    assert "http://localhost:3000/auth/verify-email?token=" in caplog.text
