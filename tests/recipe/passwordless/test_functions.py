"""The functions, async and blocking, without HTTP."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.requests import Request

from supertokens_py import Supertokens
from supertokens_py.exceptions import BadInputError, GeneralError, TooManyAttemptsError
from supertokens_py.recipe.passwordless import asyncio as functions
from supertokens_py.recipe.passwordless import syncio
from supertokens_py.recipe.passwordless.interfaces import (
    CheckCodeOkResult,
    ConsumeCodeIncorrectUserInputCodeError,
    ConsumeCodeOkResult,
    ConsumeCodePostOkResult,
    ConsumeCodeRestartFlowError,
    CreateCodeOkResult,
    CreateCodePostOkResult,
    CreateNewCodeForDeviceOkResult,
    CreateNewCodeForDeviceRestartFlowError,
    CreateNewCodeForDeviceUserInputCodeAlreadyUsedError,
    DeleteUserInfoOkResult,
    ResendCodePostOkResult,
    RestartFlowError,
    UnknownUserIdError,
    UpdateUserEmailAlreadyExistsError,
    UpdateUserOkResult,
    UpdateUserPhoneNumberAlreadyExistsError,
)
from supertokens_py.types import GeneralErrorResponse, RecipeUserId
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

from .conftest import ADDRESS, NUMBER, Outbox, Start, opened


async def test_codes_are_made_listed_checked_used_and_revoked(
    start: Start, each_database: TestDatabase, clock: Clock
) -> None:
    start(uri=each_database.uri)
    made = await functions.create_code("public", email=" Ada@example.com", user_input_code="123456")
    assert isinstance(made, CreateCodeOkResult)
    assert (made.user_input_code, made.code_life_time, made.status) == ("123456", 600_000, "OK")
    for secret in (made.user_input_code, made.link_code, made.device_id):
        assert secret not in repr(made)
    taken = await functions.create_new_code_for_device("public", made.device_id, "123456")
    assert isinstance(taken, CreateNewCodeForDeviceUserInputCodeAlreadyUsedError)
    clock.advance(s=1)
    more = await functions.create_new_code_for_device("public", made.device_id)
    assert isinstance(more, CreateNewCodeForDeviceOkResult)
    assert (more.pre_auth_session_id, more.device_id) == (made.pre_auth_session_id, made.device_id)

    device = await functions.list_codes_by_device_id("public", made.device_id)
    assert device is not None
    assert (device.email, device.phone_number, device.failed_code_input_attempt_count) == (ADDRESS, None, 0)
    assert [code.code_id for code in device.codes] == [made.code_id, more.code_id]
    times = [(code.code_life_time, code.time_created) for code in device.codes]
    assert times == [(600_000, made.time_created), (600_000, made.time_created + 1000)]
    assert await functions.list_codes_by_email("public", "ADA@example.com ") == [device]
    assert await functions.list_codes_by_pre_auth_session_id("public", made.pre_auth_session_id) == device
    assert await functions.list_codes_by_phone_number("public", NUMBER) == []

    session_id = made.pre_auth_session_id
    wrong = await functions.check_code("public", session_id, "000000", made.device_id)
    assert isinstance(wrong, ConsumeCodeIncorrectUserInputCodeError)
    assert (wrong.failed_code_input_attempt_count, wrong.maximum_code_input_attempts) == (1, 5)
    right = await functions.check_code("public", session_id, link_code=made.link_code)
    assert isinstance(right, CheckCodeOkResult)
    assert (right.consumed_device.email, right.consumed_device.pre_auth_session_id) == (ADDRESS, session_id)

    assert (await functions.revoke_code("public", made.code_id)).status == "OK"
    assert isinstance(
        await functions.consume_code("public", session_id, link_code=made.link_code),
        ConsumeCodeRestartFlowError,
    )
    used = await functions.consume_code("public", session_id, more.user_input_code, made.device_id)
    assert isinstance(used, ConsumeCodeOkResult)
    assert (used.created_new_user, used.created_new_recipe_user) == (True, True)
    assert (used.user.email, used.recipe_user_id) == (ADDRESS, RecipeUserId(used.user.id))
    assert used.consumed_device is not None
    assert used.consumed_device.failed_code_input_attempt_count == 1
    gone = await functions.create_new_code_for_device("public", made.device_id)
    assert isinstance(gone, CreateNewCodeForDeviceRestartFlowError)

    await functions.create_code("public", phone_number=NUMBER)
    assert len(await functions.list_codes_by_phone_number("public", "+1 650 253 0000")) == 1
    assert (await functions.revoke_all_codes("public", phone_number="+1 650 253 0000")).status == "OK"
    assert await functions.list_codes_by_phone_number("public", NUMBER) == []


async def test_what_names_no_contact_or_code_is_refused(start: Start) -> None:
    start()
    for contacts in ({}, {"email": ADDRESS, "phone_number": NUMBER}):
        with pytest.raises(BadInputError, match="exactly one of email"):
            await functions.create_code("public", **contacts)
    with pytest.raises(BadInputError, match="tenant 'nobody' does not exist"):
        await functions.create_code("nobody", email=ADDRESS)
    made = await functions.create_code("public", email=ADDRESS)
    with pytest.raises(BadInputError, match="exactly one of linkCode or deviceId"):
        await functions.consume_code("public", made.pre_auth_session_id)


async def test_too_many_wrong_codes_are_an_error_to_the_application(start: Start) -> None:
    """Which a route of its own answers as the recipe's do."""
    start(engine={"passwordless_wrong_codes_per_hour": 1})
    made = await functions.create_code("public", email=ADDRESS)
    await functions.consume_code("public", made.pre_auth_session_id, "x", made.device_id)
    with pytest.raises(TooManyAttemptsError, match="try again in 60 minutes"):
        await functions.consume_code("public", made.pre_auth_session_id, "x", made.device_id)


async def test_users_are_found_and_changed(start: Start, each_database: TestDatabase) -> None:
    start(uri=each_database.uri)
    ada = (await functions.signinup("public", ADDRESS)).user
    bob = (await functions.signinup("public", None, "+1 650 253 0000")).user
    assert await functions.get_user_by_id(ada.id) == ada
    assert await functions.get_user_by_id("nobody") is None
    assert await functions.get_user_by_email("public", "ADA@example.com") == ada
    assert await functions.get_user_by_phone_number("public", "+1 (650) 253-0000") == bob
    assert await functions.get_user_by_email("public", "nobody@example.com") is None

    taken = await functions.update_user(bob.id, email=ADDRESS)
    assert isinstance(taken, UpdateUserEmailAlreadyExistsError)
    taken = await functions.update_user(RecipeUserId(ada.id), phone_number="+1 650 253 0000")
    assert isinstance(taken, UpdateUserPhoneNumberAlreadyExistsError)
    assert isinstance(await functions.update_user("nobody", "x@example.com"), UnknownUserIdError)
    with pytest.raises(TypeError, match="missing required argument: 'recipe_user_id'"):
        await functions.update_user(email=ADDRESS)

    with pytest.raises(BadInputError, match="cannot clear both"):
        await functions.delete_phone_number_for_user(bob.id)
    assert isinstance(
        await functions.update_user(user_id=bob.id, email="Bob@example.com"), UpdateUserOkResult
    )
    changed = await functions.get_user_by_id(bob.id)
    assert changed is not None
    assert (changed.emails, changed.phone_numbers) == (["bob@example.com"], [NUMBER])
    assert isinstance(await functions.delete_phone_number_for_user(bob.id), DeleteUserInfoOkResult)
    with pytest.raises(BadInputError, match="cannot clear both"):
        await functions.delete_email_for_user(user_id=bob.id)
    assert isinstance(await functions.delete_email_for_user("nobody"), UnknownUserIdError)


async def test_signing_up_by_hand_needs_no_proof(start: Start) -> None:
    """`signinup` is for the application that knows whose contact it is; no session is made."""
    start()
    context: dict[str, Any] = {}
    first = await functions.signinup("public", ADDRESS, None, context)  # 0.24's arguments
    again = await functions.signinup("public", email=ADDRESS, user_context=context)
    assert (first.created_new_user, again.created_new_recipe_user) == (True, False)
    assert first.user == again.user
    assert first.user.login_methods[0].verified is True


async def test_signing_up_by_hand_says_when_the_code_is_gone(start: Start) -> None:
    def override(original: Any) -> Any:
        async def consume_code(pre_auth_session_id: str, **rest: Any) -> Any:
            return ConsumeCodeRestartFlowError()

        original.consume_code = consume_code
        return original

    from supertokens_py.recipe.passwordless import InputOverrideConfig

    start(override=InputOverrideConfig(functions=override))
    with pytest.raises(GeneralError, match="Failed to create user"):
        await functions.signinup("public", ADDRESS)


async def test_a_link_by_hand(start: Start) -> None:
    """As the one that is sent; in a test or in a message of the application's own."""
    start()
    link = await functions.create_magic_link("public", ADDRESS, None, {})
    parts = urlsplit(link)
    assert (parts.scheme, parts.netloc, parts.path) == ("http", "example.com", "/auth/verify")
    assert parse_qs(parts.query)["tenantId"] == ["public"]
    assert repr(link) == "'***'"
    given = opened(link)
    used = await functions.consume_code("public", given["preAuthSessionId"], link_code=given["linkCode"])
    assert isinstance(used, ConsumeCodeOkResult)


def test_blocking_twins(start: Start) -> None:
    start()
    made = syncio.create_code("public", email=ADDRESS)
    used = syncio.consume_code("public", made.pre_auth_session_id, link_code=made.link_code)
    assert isinstance(used, ConsumeCodeOkResult)
    assert syncio.get_user_by_email("public", ADDRESS) == used.user
    assert syncio.create_magic_link("public", email=ADDRESS).startswith("http://example.com/auth/verify?")


async def test_results_take_the_names_of_each_release(start: Start) -> None:
    """Overrides and tests of applications make them."""
    start()
    user = (await functions.signinup("public", ADDRESS)).user
    session: Any = object()
    assert ConsumeCodeOkResult(True, user).created_new_recipe_user is True
    later = ConsumeCodeOkResult(created_new_recipe_user=False, user=user, recipe_user_id=RecipeUserId("a"))
    assert (later.created_new_user, str(later.recipe_user_id), later.consumed_device) == (False, "a", None)
    posted = ConsumeCodePostOkResult(created_new_recipe_user=True, user=user, session=session)
    assert (posted.created_new_user, posted.session) == (True, session)
    for make in (ConsumeCodeOkResult, ConsumeCodePostOkResult):
        with pytest.raises(TypeError, match="missing required argument"):
            make(True)


async def test_without_the_recipe_it_is_said_what_to_list(start: Start) -> None:
    Supertokens.reset()
    with pytest.raises(GeneralError, match=r"with passwordless\.init\(\.\.\.\) in recipe_list"):
        await functions.create_code("public", email=ADDRESS)


async def test_forms_send_codes_within_the_limits_of_the_routes(
    start: Start, outbox: Outbox, clock: Clock, each_database: TestDatabase
) -> None:
    """A second post within 15 seconds sends nothing, by either function; a client has 50 an hour."""
    start(uri=each_database.uri, client_ip=lambda _: "192.0.2.1", flow="USER_INPUT_CODE")
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""})
    bad = await functions.send_code(request, "public", email="ada")
    assert isinstance(bad, GeneralErrorResponse)
    assert bad.message == "Email is invalid"
    with pytest.raises(BadInputError, match="exactly one of email or phoneNumber"):
        await functions.send_code(request, "public", email="")
    sent = await functions.send_code(request, "public", email=" Ada@example.com")
    assert isinstance(sent, CreateCodePostOkResult)
    assert [letter.email for letter in outbox.letters] == ["Ada@example.com"]
    device = (sent.device_id, sent.pre_auth_session_id)
    with pytest.raises(TooManyAttemptsError) as refused:
        await functions.send_code(request, "public", email=ADDRESS)
    assert refused.value.retry_after_ms == 15_000
    with pytest.raises(TooManyAttemptsError):
        await functions.resend_code(request, "public", *device)
    assert len(outbox.letters) == 1
    clock.advance(s=15)
    more = await functions.resend_code(request, "public", *device)
    assert isinstance(more, ResendCodePostOkResult)
    used = await functions.consume_code("public", device[1], outbox.code, device[0])
    assert isinstance(used, ConsumeCodeOkResult)
    gone = await functions.resend_code(request, "public", *device)
    assert isinstance(gone, RestartFlowError)
    for number in range(45):
        await functions.send_code(request, "public", email=f"{number}@example.com")
    with pytest.raises(TooManyAttemptsError):
        await functions.send_code(request, "public", email="grace@example.com")
