"""What overrides may answer, what forms may hold, and shapes that 0.24 and cores know."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest

from supertokens_py.engine.call import trace_calls
from supertokens_py.engine.validation import stored_email
from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.framework.response import BaseResponse
from supertokens_py.ingredients.emaildelivery import LoggingEmailService
from supertokens_py.ingredients.emaildelivery.smtp import BaseSMTPService, message_of
from supertokens_py.ingredients.emaildelivery.types import EmailContent, SMTPSettings, SMTPSettingsFrom
from supertokens_py.recipe.emailpassword import InputOverrideConfig, PasswordPolicy, SMTPService, utils
from supertokens_py.recipe.emailpassword.asyncio import (
    create_reset_password_token,
    reset_password_using_token,
    send_reset_password_email,
    sign_up,
    update_email_or_password,
)
from supertokens_py.recipe.emailpassword.exceptions import FieldError, raise_form_field_exception
from supertokens_py.recipe.emailpassword.interfaces import (
    EmailChangeNotAllowedError,
    PasswordPolicyViolationError,
    SignInOkResult,
    SignInPostOkResult,
    SignUpOkResult,
    UnknownUserIdError,
)
from supertokens_py.recipe.emailpassword.recipe import EmailPasswordRecipe
from supertokens_py.recipe.emailpassword.types import (
    ErrorFormField,
    FormField,
    PasswordResetEmailTemplateVars,
    PasswordResetEmailTemplateVarsUser,
)
from supertokens_py.recipe.session.asyncio import create_new_session_without_request_response
from supertokens_py.recipe.sign_in.frontends import json_body
from supertokens_py.types import LoginMethod, RecipeUserId, ThirdPartyInfo, User
from supertokens_py.types.emails import is_address, is_one_recipient
from tests.framework.test_adapter import OldRequest
from tests.support.databases import TestDatabase

from .conftest import ADDRESS, PASSWORD, Browser, Outbox, Start

SERVER = SMTPSettings("localhost", 25, SMTPSettingsFrom("Shop", "shop@example.com"))
LETTER = PasswordResetEmailTemplateVars(
    PasswordResetEmailTemplateVarsUser("1", ADDRESS), "http://example.com/link", "public"
)


def answering(**answers: Any) -> InputOverrideConfig:
    """Return an override whose functions answer what is given, without asking the originals."""

    def override(original: Any) -> Any:
        for name, answer in answers.items():

            async def function(answer: Any = answer, **_: Any) -> Any:
                return answer

            setattr(original, name, function)
        return original

    return InputOverrideConfig(functions=override)


async def token_of_a_user() -> tuple[str, str]:
    made = await sign_up("public", ADDRESS, PASSWORD)
    assert isinstance(made, SignUpOkResult)
    token = await create_reset_password_token("public", made.user.id)
    return made.user.id, token.token  # type: ignore[union-attr]


async def test_a_policy_that_a_function_has_is_a_field_error(start: Start, browser: Browser) -> None:
    start(override=answering(reset_password_using_token=PasswordPolicyViolationError("too old")))
    assert (await browser.reset("x")).json() == {
        "status": "FIELD_ERROR",
        "formFields": [{"id": "password", "error": "too old"}],
    }


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (PasswordPolicyViolationError("too old"), "PASSWORD_POLICY_VIOLATED_ERROR"),
        (UnknownUserIdError(), "RESET_PASSWORD_INVALID_TOKEN_ERROR"),
    ],
)
async def test_a_reset_answers_what_the_update_did(start: Start, answer: Any, status: str) -> None:
    """A user who was deleted meanwhile has no valid token any more."""
    start(override=answering(update_email_or_password=answer))
    _, token = await token_of_a_user()
    result = await reset_password_using_token("public", token, "another horse 2")
    assert result.status == status
    assert result.to_json()["status"] == status


async def test_without_a_token_no_e_mail_is_sent(start: Start, browser: Browser, outbox: Outbox) -> None:
    start(override=answering(create_reset_password_token=UnknownUserIdError()))
    user_id = (await browser.sign_up()).json()["user"]["id"]
    assert (await browser.ask_for_reset()).json() == {"status": "OK"}
    assert isinstance(await send_reset_password_email("public", user_id), UnknownUserIdError)
    assert outbox.sent == []


async def test_the_address_of_linked_accounts_stays(start: Start, sqlite_database: TestDatabase) -> None:
    start()
    user_id, _ = await token_of_a_user()
    sqlite_database.query("UPDATE app_id_to_user_id SET is_linked_or_is_a_primary_user = TRUE")
    result = await update_email_or_password(RecipeUserId(user_id), "new@example.com")
    assert isinstance(result, EmailChangeNotAllowedError)
    assert "linked accounts" in result.reason


async def test_results_have_their_json_form(start: Start) -> None:
    start()
    made = await sign_up("public", ADDRESS, PASSWORD)
    assert isinstance(made, SignUpOkResult)
    assert SignInOkResult(made.user).recipe_user_id == made.user.id
    session = await create_new_session_without_request_response("public", made.user.id)
    shown = SignInPostOkResult(made.user, session).to_json()
    assert shown == {"status": "OK", "user": made.user.to_json()}


def test_users_of_other_recipes_have_their_json_form() -> None:
    """A core may have made them; 0.24's names mean the oldest login method."""
    google = ThirdPartyInfo("7", "google")
    phone = LoginMethod(
        recipe_id="passwordless",
        recipe_user_id=RecipeUserId("b"),
        tenant_ids=["public"],
        time_joined=2,
        verified=True,
        phone_number="+1",
    )
    other = LoginMethod(
        recipe_id="thirdparty",
        recipe_user_id=RecipeUserId("a"),
        tenant_ids=["public", "t1"],
        time_joined=1,
        verified=True,
        email=ADDRESS,
        third_party=google,
    )
    user = User(id="a", is_primary_user=True, login_methods=[phone, other])
    json = user.to_json()
    assert (json["timeJoined"], json["tenantIds"], json["thirdParty"]) == (
        1,
        ["public", "t1"],
        [google.to_json()],
    )
    assert User.from_json(json) == user
    known = (user.recipe_id, user.email, user.phone_number, user.third_party_info, user.phone_numbers)
    assert known == ("thirdparty", ADDRESS, None, google, ["+1"])
    assert google != ThirdPartyInfo("7", "github")
    assert {google, ThirdPartyInfo("7", "google")} == {google}
    assert phone.has_same_email_as(ADDRESS) is phone.has_same_email_as(None) is False
    assert other.has_same_email_as(" ADA@example.com")


async def test_hashes_are_spans_too(start: Start) -> None:
    """Named as other calls of the engine."""
    seen: list[str] = []

    def span(name: str) -> AbstractContextManager[None]:
        seen.append(name)
        return nullcontext()

    start()
    trace_calls(span)
    try:
        await sign_up("public", ADDRESS, PASSWORD)
    finally:
        trace_calls(None)
    assert seen == ["email_password.sign_up"]


# -- e-mails -----------------------------------------------------------------------------------------


async def test_the_letter_of_a_reset(start: Start) -> None:
    start(info={"app_name": "Shop & Co"})
    content = await SMTPService(SERVER).service_implementation.get_content(LETTER, {})
    assert (content.subject, content.to_email, content.is_html) == (
        "Password reset instructions",
        ADDRESS,
        True,
    )
    assert "Shop &amp; Co" in content.body
    assert content.text is not None
    assert "Reset password: http://example.com/link" in content.text


async def test_a_logging_service_without_a_recipe_logs_what_it_gets(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        await LoggingEmailService[Any]().send_email(LETTER, {})
    assert "http://example.com/link" in caplog.text


def test_html_without_a_plain_form_is_sent_as_it_is() -> None:
    message = message_of(EmailContent("<p>Hi</p>", "Hi", ADDRESS, is_html=True), SERVER)
    assert message.get_content_type() == "text/html"


def test_settings_of_something_else_are_refused() -> None:
    with pytest.raises(ConfigError, match="must be an SMTPSettings"):
        BaseSMTPService("localhost", None, lambda _: EmailContent("", "", ""))  # type: ignore[arg-type]


# -- fields ------------------------------------------------------------------------------------------


async def test_checks_of_0_24_take_anything() -> None:
    assert await utils.default_validator(1, "public") is None
    for check, field in (
        (utils.default_email_validator, "email"),
        (utils.default_password_validator, "password"),
    ):
        error = await check(1, "public")
        assert error == f"Development bug: Please make sure the {field} field yields a string"
    assert await utils.default_password_validator("correct horse 1", "public") is None


def test_a_website_in_production_needs_a_service(start: Start) -> None:
    """Links must not end in a log; the error has the lines to write. On localhost they may."""
    for info in ({"website_domain": "https://shop.example"}, {"website_domain": "https://192.0.2.1"}):
        with pytest.raises(ConfigError, match=r"email_delivery=emailpassword\.EmailDeliveryConfig\("):
            start(info=info, email_delivery=None)
    start(info={"website_domain": "http://localhost:3000"}, email_delivery=None)


@pytest.mark.parametrize("lengths", [(0, 5), (6, 5), (8, 2000)])
def test_a_policy_that_nobody_can_meet_is_refused(lengths: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match="min_length <= max_length"):
        PasswordPolicy(min_length=lengths[0], max_length=lengths[1])


def test_lengths_of_a_policy_are_named() -> None:
    policy = PasswordPolicy(min_length=3, max_length=4, needs_letter_and_digit=False, refuse_common=False)
    errors = [policy.error_of(password) for password in ("ab", "abc", "abcde")]
    assert errors == [
        "Password must contain at least 3 characters",
        None,
        "Password must contain at most 4 characters",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a@example.com", True),
        ("a.b+c@sub.example.co", True),
        ("ä@example.com", True),
        ('"a b"@example.com', True),
        (r'"a\"b"@example.com', True),
        ('"victim"@example.com', False),
        ('"a.b+c"@example.com', False),
        ("mi\u212ae@example.com", False),
        ("\u0130a@example.com", False),
        ("\u00c4@example.com", True),
        ("a=b?c@example.com", True),
        ("a@[127.0.0.1]", True),
        ("a@[127.0.0.\u0661]", False),
        ('"foo" <eve@evil.example>, "bar"@example.com', False),
        ('"x" <eve@evil.example> "@example.com', False),
        ('"a,b"@example.com', False),
        (r'"a\"@example.com', False),
        ("=?utf-8?q?ada?=@example.com", False),
        ("a..b@example.com", False),
        ("a@exa_mple.com", False),
        ("a@example.c", False),
        ("a@example.com.", False),
        ("a@b@example.com", False),
        ("a@" + "b." * 100_000 + "com", False),
    ],
)
def test_addresses_are_judged_as_frontends_do(text: str, expected: bool) -> None:
    assert is_address(text) is expected


@pytest.mark.parametrize("letter", ["\u212a", "\u212b", "\u2126", "\u0130", "\u1e9e"])
def test_an_address_of_which_lower_case_makes_anothers_is_not_stored(letter: str) -> None:
    """The Kelvin sign becomes a k: the code would go to one mailbox, and sign in as the other."""
    address = f"mi{letter}e@example.com"
    assert not is_address(address)
    assert not is_one_recipient(address)
    with pytest.raises(BadInputError, match="letters that are others in lower case"):
        stored_email(address)
    assert stored_email(address.lower()) == address.lower()


def test_addresses_in_capitals_are_stored() -> None:
    for address in (
        "MIKE@Example.com",
        "ÄÖÜ@example.com",
        "ΑΒΓ@example.com",
        "ИВАН@example.com",
        "straße@x.de",
    ):
        assert is_address(address)
        assert stored_email(address) == address.lower()


def test_field_errors_are_raised_by_their_old_name() -> None:
    with pytest.raises(FieldError) as raised:
        raise_form_field_exception("wrong", [ErrorFormField("age", "Too young")])
    assert raised.value.get_json_form_fields() == [{"id": "age", "error": "Too young"}]


async def test_a_request_class_of_0_24_has_no_body_to_read() -> None:
    class Request:
        async def body(self) -> bytes:
            raise NotImplementedError

        async def json(self) -> Any:
            return {"a": 1}

    assert await json_body(Request()) == {"a": 1}  # type: ignore[arg-type]


async def test_a_reset_asked_for_by_a_request_class_of_0_24(start: Start, outbox: Outbox) -> None:
    """It has no `body` whose size could count; the e-mail is sent all the same."""
    start()
    await sign_up("public", ADDRESS, PASSWORD)
    recipe = EmailPasswordRecipe.get_instance()
    options = recipe.api_options(OldRequest({"headers": {}, "cookies": {}}), BaseResponse({}))
    answer = await recipe.api_implementation.generate_password_reset_token_post(
        form_fields=[FormField("email", ADDRESS)], tenant_id="public", api_options=options, user_context={}
    )
    assert answer.to_json() == {"status": "OK"}
    assert [mail.user.email for mail in outbox.sent] == [ADDRESS]
