"""The functions, in both colours and both ages' forms; whose address is whose."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.exceptions import BadInputError, ConfigError, GeneralError
from supertokens_py.recipe import emailverification, session
from supertokens_py.recipe.emailpassword import syncio as users
from supertokens_py.recipe.emailpassword.interfaces import SignUpOkResult
from supertokens_py.recipe.emailverification import EmailVerificationClaim, EmailVerificationRecipe
from supertokens_py.recipe.emailverification import asyncio as awaited
from supertokens_py.recipe.emailverification import syncio as verification
from supertokens_py.recipe.emailverification.interfaces import (
    CreateEmailVerificationLinkEmailAlreadyVerifiedError,
    CreateEmailVerificationLinkOkResult,
    CreateEmailVerificationTokenEmailAlreadyVerifiedError,
    CreateEmailVerificationTokenOkResult,
    EmailDoesNotExistError,
    GetEmailForUserIdOkResult,
    RevokeEmailVerificationTokensOkResult,
    SendEmailVerificationEmailAlreadyVerifiedError,
    SendEmailVerificationEmailOkResult,
    UnknownUserIdError,
    UnverifyEmailOkResult,
    VerifyEmailUsingTokenInvalidTokenError,
    VerifyEmailUsingTokenOkResult,
)
from supertokens_py.recipe.emailverification.types import (
    EmailVerificationUser,
    User,
    VerificationEmailTemplateVarsUser,
)
from supertokens_py.recipe.emailverification.utils import get_email_verify_link
from supertokens_py.recipe.session import syncio as sessions
from supertokens_py.types import RecipeUserId
from tests.support.databases import TestDatabase

from .conftest import ADDRESS, NEW, PASSWORD, Outbox, Start, token_in

LOCAL = InputAppInfo("A", "http://localhost", website_domain="http://localhost")
ADA = RecipeUserId("ada")


def signed_up() -> RecipeUserId:
    result = users.sign_up("public", ADDRESS, PASSWORD)
    assert isinstance(result, SignUpOkResult)
    return result.recipe_user_id


def token_for(user_id: str, email: str | None = None) -> str:
    made = verification.create_email_verification_token("public", user_id, email)
    assert isinstance(made, CreateEmailVerificationTokenOkResult)
    assert made.token not in repr(made)
    return made.token


# -- functions ---------------------------------------------------------------------------------------


def test_an_address_is_verified_and_unverified(start: Start) -> None:
    """Without an address it is the user's."""
    start()
    user_id = signed_up()
    assert not verification.is_email_verified(user_id)
    used = verification.verify_email_using_token("public", token_for(user_id))
    assert isinstance(used, VerifyEmailUsingTokenOkResult)
    assert (used.status, used.user) == ("OK", EmailVerificationUser(user_id, ADDRESS))
    assert (used.user.user_id, used.user.recipe_user_id.get_as_string()) == (user_id, user_id)
    assert verification.is_email_verified(user_id)
    assert verification.is_email_verified(str(user_id), ADDRESS)
    assert not verification.is_email_verified(user_id, NEW)
    made = verification.create_email_verification_token("public", user_id)
    assert isinstance(made, CreateEmailVerificationTokenEmailAlreadyVerifiedError)
    assert made.to_json() == {"status": "EMAIL_ALREADY_VERIFIED_ERROR"}
    assert isinstance(verification.unverify_email(user_id), UnverifyEmailOkResult)
    assert not verification.is_email_verified(user_id)


def test_tokens_are_revoked(start: Start) -> None:
    start()
    user_id = signed_up()
    token = token_for(user_id)
    done = verification.revoke_email_verification_tokens("public", user_id)
    assert isinstance(done, RevokeEmailVerificationTokensOkResult)
    used = verification.verify_email_using_token("public", token)
    assert isinstance(used, VerifyEmailUsingTokenInvalidTokenError)
    assert used.status == "EMAIL_VERIFICATION_INVALID_TOKEN_ERROR"


def test_links_are_made_and_sent(start: Start, outbox: Outbox) -> None:
    start(info={"website_base_path": "/login"})
    user_id = signed_up()
    link = verification.create_email_verification_link("public", user_id)
    assert isinstance(link, CreateEmailVerificationLinkOkResult)
    assert link.link.startswith("http://example.com/login/verify-email?token=")
    assert link.link.endswith("&tenantId=public")
    app = Supertokens.get_instance()
    assert link.link == get_email_verify_link(app.app_info, token_in(link.link), "public", None, {})
    sent = verification.send_email_verification_email("public", user_id, user_id)
    assert isinstance(sent, SendEmailVerificationEmailOkResult)
    assert [(mail.user.email, mail.tenant_id) for mail in outbox.sent] == [(ADDRESS, "public")]
    verification.verify_email_using_token("public", outbox.token)
    again = verification.send_email_verification_email("public", user_id, user_id)
    assert isinstance(again, SendEmailVerificationEmailAlreadyVerifiedError)
    link = verification.create_email_verification_link("public", user_id)
    assert isinstance(link, CreateEmailVerificationLinkEmailAlreadyVerifiedError)
    outbox.error = OSError("mail is down")
    with pytest.raises(OSError, match="mail is down"):
        verification.send_email_verification_email("public", user_id, user_id, NEW)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("ada", ADA), {}),
        (("ada", ADA, NEW), {}),
        (("ada", "ada", NEW), {}),
        (("ada", ADA), {"email": NEW, "user_context": {}}),
        (("ada",), {}),  # 0.24: (tenant_id, user_id, email, user_context)
        (("ada", None), {}),
        (("ada", NEW), {}),
        (("ada", NEW, {}), {}),
        (("ada", None, {}), {}),
        (("ada",), {"email": NEW}),
        ((), {"user_id": "ada", "email": NEW}),
    ],
)
def test_a_mail_is_sent_by_arguments_of_either_form(
    start: Start, outbox: Outbox, arguments: tuple[Any, ...], named: dict[str, Any]
) -> None:
    start(recipes=[], get_email_for_user_id=lambda *_: GetEmailForUserIdOkResult(ADDRESS))
    sent = verification.send_email_verification_email("public", *arguments, **named)
    assert isinstance(sent, SendEmailVerificationEmailOkResult)
    (mail,) = outbox.sent
    given = NEW in arguments or NEW in named.values()
    assert (mail.user.id, mail.user.recipe_user_id, mail.user.email) == (
        "ada",
        "ada",
        NEW if given else ADDRESS,
    )
    used = verification.verify_email_using_token("public", outbox.token, {})  # 0.24: (…, user_context)
    assert isinstance(used, VerifyEmailUsingTokenOkResult)


def test_users_are_named_by_either_keyword(start: Start) -> None:
    start(recipes=[])
    made = verification.create_email_verification_token("public", user_id="ada", email=ADDRESS)
    assert isinstance(made, CreateEmailVerificationTokenOkResult)
    made = verification.create_email_verification_token("public", recipe_user_id=ADA, email=ADDRESS)
    assert isinstance(made, CreateEmailVerificationTokenOkResult)
    verification.verify_email_using_token("public", made.token, attempt_account_linking=False)
    assert verification.is_email_verified(user_id="ada", email=ADDRESS)
    verification.unverify_email(user_id="ada", email=ADDRESS)
    verification.revoke_email_verification_tokens("public", user_id="ada", email=ADDRESS)
    assert not verification.is_email_verified(recipe_user_id=ADA, email=ADDRESS)
    with pytest.raises(TypeError, match="recipe_user_id"):
        verification.is_email_verified()


async def test_the_functions_are_awaited(start: Start) -> None:
    start(recipes=[])
    made = await awaited.create_email_verification_token("public", "ada", ADDRESS)
    assert isinstance(made, CreateEmailVerificationTokenOkResult)
    used = await awaited.verify_email_using_token("public", made.token)
    assert isinstance(used, VerifyEmailUsingTokenOkResult)
    assert await awaited.is_email_verified("ada", ADDRESS)


def test_older_constructors_work() -> None:
    user = User("ada", ADDRESS)
    assert (user.user_id, user.recipe_user_id, user.email) == ("ada", ADA, ADDRESS)
    older, newer = (
        VerificationEmailTemplateVarsUser("ada", ADDRESS),
        VerificationEmailTemplateVarsUser("p", ADA, NEW),
    )
    assert (older.id, older.recipe_user_id, older.email) == ("ada", ADA, ADDRESS)
    assert (newer.id, newer.recipe_user_id, newer.email) == ("p", ADA, NEW)
    with pytest.raises(TypeError, match="email"):
        VerificationEmailTemplateVarsUser("ada")


# -- whose address is whose --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["get_email_for_recipe_user_id", "get_email_for_user_id"])
def test_the_application_knows_addresses_of_its_own_users(start: Start, name: str) -> None:
    """Sync or async; users whom it does not know are looked up among ours."""
    known: dict[str, Any] = {"ada": GetEmailForUserIdOkResult(ADDRESS), "phone": EmailDoesNotExistError()}

    def email_of(user_id: RecipeUserId, user_context: dict[str, Any]) -> Any:
        assert user_id.get_as_string() == user_id
        return known.get(user_id, UnknownUserIdError())

    start(**{name: email_of})
    ours = signed_up()
    verification.verify_email_using_token("public", token_for("ada"))
    assert verification.is_email_verified("ada", ADDRESS)
    assert not verification.is_email_verified(ours)
    for session_of, verified in (("ada", True), ("phone", True), (ours, False)):
        made = sessions.create_new_session_without_request_response("public", RecipeUserId(session_of))
        assert made.sync_get_claim_value(EmailVerificationClaim) is verified


def test_who_has_no_address_has_nothing_to_verify(start: Start, outbox: Outbox) -> None:
    async def none(*_: Any) -> EmailDoesNotExistError:
        return EmailDoesNotExistError()

    start(recipes=[], get_email_for_recipe_user_id=none)
    assert verification.is_email_verified("ada")
    made = verification.create_email_verification_token("public", "ada")
    assert isinstance(made, CreateEmailVerificationTokenEmailAlreadyVerifiedError)
    sent = verification.send_email_verification_email("public", "ada", ADA)
    assert isinstance(sent, SendEmailVerificationEmailAlreadyVerifiedError)
    assert isinstance(
        verification.revoke_email_verification_tokens("public", "ada"), RevokeEmailVerificationTokensOkResult
    )
    assert isinstance(verification.unverify_email("ada"), UnverifyEmailOkResult)
    assert outbox.sent == []


def test_unknown_users_are_an_error(start: Start) -> None:
    """Also of a new session, whose claim cannot be told."""
    start()
    for call in (verification.is_email_verified, verification.unverify_email):
        with pytest.raises(BadInputError, match="Unknown User ID provided without email"):
            call("nobody")
    with pytest.raises(GeneralError, match="get_email_for_recipe_user_id"):
        sessions.create_new_session_without_request_response("public", RecipeUserId("nobody"))


def test_another_result_of_the_function_is_named(start: Start) -> None:
    start(recipes=[], get_email_for_recipe_user_id=lambda *_: ADDRESS)
    with pytest.raises(ConfigError, match=r"get_email_for_recipe_user_id .*returned str; it must return Get"):
        verification.is_email_verified("ada")


# -- init --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "SOMETIMES"}, "mode must be one of 'REQUIRED' or 'OPTIONAL'"),
        ({"mode": None}, "mode must be one of 'REQUIRED' or 'OPTIONAL'"),
        ({"override": 1}, "override must be an instance of OverrideConfig or None"),
        ({"email_delivery": 1}, "email_delivery must be an EmailDeliveryConfig or None"),
        ({"get_email_for_user_id": 1}, "must be one function"),
        (
            {"get_email_for_user_id": print, "get_email_for_recipe_user_id": print},
            "must be one function",
        ),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        emailverification.init(**{"mode": "REQUIRED", **arguments})


def test_misspelt_arguments_are_named() -> None:
    with pytest.raises(TypeError, match="email_delivery"):
        emailverification.init("REQUIRED", email_deliveri=None)  # type: ignore[call-arg]


def start_local(*recipes: Any, uri: str = "sqlite://", website: str = "http://localhost") -> None:
    Supertokens.reset()
    info = InputAppInfo("A", website, website_domain=website)
    init(info, supertokens_config=SupertokensConfig(uri), recipe_list=list(recipes))


def test_the_recipe_is_listed_once_and_beside_sessions() -> None:
    with pytest.raises(GeneralError, match="Emailverification recipe has already been initialised"):
        start_local(session.init(), *[emailverification.init("REQUIRED")] * 2)
    with pytest.raises(GeneralError, match=r"^recipe_list has no session\.init\(\)$"):
        start_local(emailverification.init("REQUIRED"))
    start_local(session.init())
    assert EmailVerificationRecipe.get_instance_optional() is None
    for call in (
        EmailVerificationRecipe.get_instance,
        lambda: verification.is_email_verified("ada", ADDRESS),
    ):
        with pytest.raises(GeneralError, match=r"EmailVerification\.init"):
            call()
    Supertokens.reset()


def test_a_service_is_needed_where_the_website_is_not_local() -> None:
    with pytest.raises(ConfigError, match=r"emailverification\.init\(\.\.\.\) needs a service"):
        start_local(session.init(), emailverification.init("REQUIRED"), website="https://www.example.com")


def test_users_may_be_the_applications_own_alone(start: Start, sqlite_database: TestDatabase) -> None:
    """Without another recipe the tables are there, and there are no ways to sign in."""
    app = start(recipes=[], get_email_for_user_id=lambda *_: GetEmailForUserIdOkResult(ADDRESS))
    assert app.first_factors == []
    verification.verify_email_using_token("public", token_for("ada"))
    rows = sqlite_database.query("SELECT user_id, email FROM emailverification_verified_emails")
    assert rows == [("ada", ADDRESS)]
