"""The functions of the recipe, async and blocking, on both databases."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from supertokens_py.asyncio import delete_user, get_user, get_user_count, list_users_by_account_info
from supertokens_py.exceptions import BadInputError, GeneralError
from supertokens_py.recipe import emailverification, thirdparty
from supertokens_py.recipe.emailverification.asyncio import is_email_verified
from supertokens_py.recipe.session.asyncio import get_all_session_handles_for_user
from supertokens_py.recipe.thirdparty import syncio
from supertokens_py.recipe.thirdparty.asyncio import (
    get_provider,
    get_user_by_id,
    get_user_by_third_party_info,
    get_users_by_email,
    manually_create_or_update_user,
)
from supertokens_py.recipe.thirdparty.exceptions import ClientTypeNotFoundError
from supertokens_py.recipe.thirdparty.interfaces import (
    EmailChangeNotAllowedError,
    LinkingToSessionUserFailedError,
    ManuallyCreateOrUpdateUserOkResult,
    SignInUpNotAllowed,
    SignInUpOkResult,
    SignInUpPostOkResult,
)
from supertokens_py.types import RecipeUserId
from supertokens_py.types.users import AccountInfo, ThirdPartyInfo
from tests.support.databases import TestDatabase

from .conftest import ADDRESS, Account, Browser, Start, payload_of, shop


async def made(email: str = ADDRESS, user_id: str = "1", **more: Any) -> ManuallyCreateOrUpdateUserOkResult:
    result = await manually_create_or_update_user("public", "shop", user_id, email, **more)
    assert isinstance(result, ManuallyCreateOrUpdateUserOkResult)
    return result


async def test_users_are_made_changed_and_found(start: Start, each_database: TestDatabase) -> None:
    """SI-57: by the account at the provider; the address is what it was at last."""
    start(uri=each_database.uri)
    first = await made("Ada@Example.com ")
    assert (first.created_new_user, first.created_new_recipe_user) == (True, True)
    assert first.recipe_user_id == RecipeUserId(first.user.id)
    (method,) = first.user.login_methods
    assert (method.recipe_id, method.email, method.verified) == ("thirdparty", ADDRESS, False)
    assert method.third_party == ThirdPartyInfo("1", "shop")

    second = await made("countess@example.com", is_verified=True)
    assert (second.user.id, second.created_new_user) == (first.user.id, False)
    assert (second.user.emails, second.user.login_methods[0].verified) == (["countess@example.com"], True)
    assert (await made("countess@example.com")).user.login_methods[0].verified is True

    other = await made("countess@example.com", "2")
    assert other.user.id != first.user.id
    found = await get_users_by_email("public", "Countess@example.com")
    assert {user.id for user in found} == {first.user.id, other.user.id}
    assert await get_users_by_email("public", ADDRESS) == []
    assert await get_user_by_id(first.user.id) == second.user == await get_user(first.user.id)
    assert await get_user_by_third_party_info("public", "shop", "1") == second.user
    assert await get_user_by_third_party_info("public", "other", "1") is None
    asked = AccountInfo(third_party=ThirdPartyInfo("2", "shop"))
    assert [user.id for user in await list_users_by_account_info("public", asked)] == [other.user.id]

    await delete_user(first.user.id)
    assert await get_user_by_third_party_info("public", "shop", "1") is None
    assert (await made()).created_new_user is True


async def test_parallel_sign_ups_make_one_user(
    start: Start, each_database: TestDatabase, browser: Browser
) -> None:
    start(uri=each_database.uri)
    answers = await asyncio.gather(*(browser.sign_in_up() for _ in range(8)))
    assert {answer.json()["status"] for answer in answers} == {"OK"}
    assert sorted(answer.json()["createdNewRecipeUser"] for answer in answers) == [False] * 7 + [True]
    assert await get_user_count() == 1


async def test_verification_believes_the_provider(
    start: Start, each_database: TestDatabase, browser: Browser, account: Account
) -> None:
    """The first access token says so: nobody is asked to verify what the provider has verified."""
    start(_no_mails(), uri=each_database.uri)
    sure = await browser.sign_in_up()
    assert (payload_of(sure) or {})["st-ev"]["v"] is True
    assert await is_email_verified(sure.json()["user"]["id"], ADDRESS) is True
    account.user_id, account.is_verified = "another account", False
    unsure = await browser.sign_in_up()
    assert (payload_of(unsure) or {})["st-ev"]["v"] is False
    assert await is_email_verified(unsure.json()["user"]["id"], ADDRESS) is False


async def test_the_user_is_deleted_before_the_session_is_there(start: Start, browser: Browser) -> None:
    """No session stays of a user who is gone, whatever is overridden."""
    ids: list[str] = []

    def functions(original: Any) -> Any:
        sign_in_up = original.sign_in_up

        async def and_gone(*args: Any, **kwargs: Any) -> Any:
            result = await sign_in_up(*args, **kwargs)
            ids.append(result.user.id)
            await delete_user(result.user.id)
            return result

        original.sign_in_up = and_gone
        return original

    start(override=thirdparty.InputOverrideConfig(functions=functions))
    answer = await browser.sign_in_up()
    assert answer.json()["status"] == "GENERAL_ERROR"
    assert await get_all_session_handles_for_user(ids[0]) == []
    assert payload_of(answer) is None


@pytest.mark.parametrize(
    ("reason", "code"),
    [("Email already associated with another primary user.", "005"), ("New email cannot be applied", "024")],
)
async def test_an_address_that_the_user_cannot_have(
    start: Start, browser: Browser, reason: str, code: str
) -> None:
    """What a core with linked users answers; people see a reason that support can look up."""

    def functions(original: Any) -> Any:
        async def refused(**_: Any) -> EmailChangeNotAllowedError:
            return EmailChangeNotAllowedError(reason)

        original.manually_create_or_update_user = refused
        return original

    start(override=thirdparty.InputOverrideConfig(functions=functions))
    answer = await browser.sign_in_up()
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "status": "SIGN_IN_UP_NOT_ALLOWED",
            "reason": "Cannot sign in / up because new email cannot be applied to existing account. "
            f"Please contact support. (ERR_CODE_{code})",
        },
    )
    assert payload_of(answer) is None
    refused: Any = await manually_create_or_update_user("public", "shop", "1", ADDRESS)
    assert (refused.status, refused.reason) == ("EMAIL_CHANGE_NOT_ALLOWED_ERROR", reason)


async def test_whom_the_application_does_not_want(start: Start, browser: Browser) -> None:
    def functions(original: Any) -> Any:
        async def refused(**_: Any) -> SignInUpNotAllowed:
            return SignInUpNotAllowed("Members only")

        original.sign_in_up = refused
        return original

    start(override=thirdparty.InputOverrideConfig(functions=functions))
    answer = await browser.sign_in_up()
    assert answer.json() == {"status": "SIGN_IN_UP_NOT_ALLOWED", "reason": "Members only"}
    assert await get_user_count() == 0


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (SignInUpNotAllowed("Members only"), "Members only"),
        (
            LinkingToSessionUserFailedError("another user"),
            "Cannot sign in / up due to security reasons. Please try a different login method or contact "
            "support. (ERR_CODE_004)",
        ),
    ],
)
async def test_an_account_that_the_application_does_not_want(
    start: Start, browser: Browser, answer: Any, reason: str
) -> None:
    """Whoever overrides the making of users may refuse with any of its answers."""

    def functions(original: Any) -> Any:
        async def refused(**_: Any) -> Any:
            return answer

        original.manually_create_or_update_user = refused
        return original

    start(override=thirdparty.InputOverrideConfig(functions=functions))
    reply = await browser.sign_in_up()
    assert reply.json() == {"status": "SIGN_IN_UP_NOT_ALLOWED", "reason": reason}
    assert payload_of(reply) is None


async def test_what_cannot_be_stored_is_said(start: Start) -> None:
    start()
    for arguments in (
        ("nowhere", "shop", "1", ADDRESS),
        ("public", "x" * 29, "1", ADDRESS),
        ("public", "shop", "x" * 257, ADDRESS),
        ("public", "shop", "1", f"{'a' * 256}@example.com"),
    ):
        with pytest.raises(BadInputError):
            await manually_create_or_update_user(*arguments)
    assert await get_user_count() == 0


async def test_a_provider_of_a_tenant(start: Start, account: Account) -> None:
    start(providers=[shop(account)])
    provider = await get_provider("public", "shop")
    assert provider is not None
    assert (provider.id, provider.config.client_id, provider.tenant_id) == ("shop", "the-client", "public")
    user = await provider.get_user_info({}, {})
    assert user.third_party_user_id == "ada-at-shop"
    assert await get_provider("public", "other") is None
    with pytest.raises(ClientTypeNotFoundError, match="Could not find client config for clientType: web"):
        await get_provider("public", "shop", "web")
    with pytest.raises(BadInputError, match="Tenant not found"):
        await get_provider("nowhere", "shop")


def test_the_blocking_twins(start: Start, account: Account) -> None:
    start(providers=[shop(account)])
    made = syncio.manually_create_or_update_user("public", "shop", "1", ADDRESS, True)
    assert isinstance(made, ManuallyCreateOrUpdateUserOkResult)
    assert syncio.get_user_by_id(made.user.id) == made.user
    assert syncio.get_users_by_email("public", ADDRESS) == [made.user]
    assert syncio.get_user_by_third_party_info("public", "shop", "1") == made.user
    provider = syncio.get_provider("public", "shop")
    assert provider is not None
    assert provider.config.name == "Shop"


async def test_the_user_context_in_the_place_of_0_24(start: Start) -> None:
    seen: list[dict[str, Any]] = []

    def functions(original: Any) -> Any:
        create = original.manually_create_or_update_user

        async def watched(
            third_party_id: str, third_party_user_id: str, email: str, tenant_id: str, user_context: Any
        ) -> Any:
            seen.append(user_context)
            return await create(third_party_id, third_party_user_id, email, tenant_id, user_context)

        original.manually_create_or_update_user = watched
        return original

    start(override=thirdparty.InputOverrideConfig(functions=functions))
    context = {"mine": 1}
    await manually_create_or_update_user("public", "shop", "1", ADDRESS, context)
    assert seen == [context]
    assert seen[0] is context


async def test_results_take_the_names_of_each_release(start: Start) -> None:
    """Overrides and tests of applications make them; what frontends get has no tokens."""
    start()
    user = (await made()).user
    for make in (ManuallyCreateOrUpdateUserOkResult, SignInUpOkResult):
        earlier = make(user, True)
        assert (earlier.created_new_recipe_user, earlier.recipe_user_id) == (True, RecipeUserId(user.id))
        later = make(user, created_new_recipe_user=True, recipe_user_id=RecipeUserId("a"))
        assert (later.created_new_user, str(later.recipe_user_id)) == (True, "a")
    session: Any = object()
    posted = SignInUpPostOkResult(user, True, session, {"access_token": "a token"})
    assert posted.created_new_recipe_user is True
    assert posted.to_json() == {"status": "OK", "user": user.to_json(), "createdNewRecipeUser": True}


def test_the_recipe_must_be_listed() -> None:
    with pytest.raises(GeneralError, match=r"ThirdParty\.init"):
        thirdparty.ThirdPartyRecipe.get_instance()


def _no_mails() -> Any:
    class Nothing(emailverification.EmailDeliveryInterface[Any]):
        async def send_email(self, template_vars: Any, user_context: dict[str, Any]) -> None:
            raise AssertionError("nobody is to be asked")

    return emailverification.init("OPTIONAL", emailverification.EmailDeliveryConfig(Nothing()))
