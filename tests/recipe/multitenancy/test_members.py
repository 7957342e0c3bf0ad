"""Users who are put into further tenants and taken out, by the functions of the recipe."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.asyncio import get_user
from supertokens_py.engine.code_records import PhoneNumberTaken
from supertokens_py.engine.tenant_members import AccountTaken, Associated, Association, AssociationNotAllowed
from supertokens_py.engine.user_records import EmailTaken, UnknownUser
from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.recipe import emailpassword, multitenancy, session
from supertokens_py.recipe.emailpassword.asyncio import sign_up
from supertokens_py.recipe.emailpassword.interfaces import SignUpOkResult
from supertokens_py.recipe.multitenancy import asyncio as tenants
from supertokens_py.recipe.multitenancy import interfaces, syncio
from supertokens_py.recipe.multitenancy.interfaces import (
    AssociateUserToTenantEmailAlreadyExistsError,
    AssociateUserToTenantOkResult,
    AssociateUserToTenantResult,
    AssociateUserToTenantUnknownUserIdError,
    DisassociateUserFromTenantOkResult,
    RecipeInterface,
    TenantConfig,
)
from supertokens_py.recipe.multitenancy.member_results import association_result
from supertokens_py.types.base import RecipeUserId
from tests.recipe.conftest import Start

ADDRESS, PASSWORD, LOCAL = "ada@example.com", "a good password 1", "http://localhost:3000"


async def test_a_user_joins_and_leaves_a_tenant(start: Start) -> None:
    """With the names of 0.24 and of later releases, by an id in either form."""
    start(session.init(), emailpassword.init(), website_domain=LOCAL)
    await tenants.create_or_update_tenant("t1", TenantConfig(email_password_enabled=True))
    made = await sign_up("public", ADDRESS, PASSWORD)
    assert isinstance(made, SignUpOkResult)
    user_id = made.user.user_id
    found = await tenants.associate_user_to_tenant("t1", user_id)
    assert (found, found.status) == (AssociateUserToTenantOkResult(was_already_associated=False), "OK")
    again = await tenants.associate_user_to_tenant("t1", RecipeUserId(user_id), {})
    assert again == AssociateUserToTenantOkResult(was_already_associated=True)
    user = await get_user(user_id)
    assert user is not None
    assert user.tenant_ids == ["public", "t1"]
    left = await tenants.disassociate_user_from_tenant("t1", RecipeUserId(user_id))
    assert (left, left.status) == (DisassociateUserFromTenantOkResult(was_associated=True), "OK")
    assert (await tenants.dissociate_user_from_tenant("t1", user_id)).was_associated is False
    assert (await tenants.dissociate_user_from_tenant("t1", "nobody")).was_associated is False

    await sign_up("t1", ADDRESS, PASSWORD)
    taken = await tenants.associate_user_to_tenant("t1", user_id)
    assert taken == AssociateUserToTenantEmailAlreadyExistsError()
    unknown = await tenants.associate_user_to_tenant("t1", "nobody")
    assert unknown == AssociateUserToTenantUnknownUserIdError()
    with pytest.raises(BadInputError):
        await tenants.associate_user_to_tenant("nowhere", user_id)


@pytest.mark.parametrize(
    ("said", "name", "status"),
    [
        (Associated(was_already=True), "OkResult", "OK"),
        (UnknownUser(), "UnknownUserIdError", "UNKNOWN_USER_ID_ERROR"),
        (EmailTaken(), "EmailAlreadyExistsError", "EMAIL_ALREADY_EXISTS_ERROR"),
        (PhoneNumberTaken(), "PhoneNumberAlreadyExistsError", "PHONE_NUMBER_ALREADY_EXISTS_ERROR"),
        (AccountTaken(), "ThirdPartyUserAlreadyExistsError", "THIRD_PARTY_USER_ALREADY_EXISTS_ERROR"),
        (AssociationNotAllowed("linked"), "NotAllowedError", "ASSOCIATION_NOT_ALLOWED_ERROR"),
    ],
)
def test_every_outcome_has_a_class_and_a_status(said: Association, name: str, status: str) -> None:
    result = association_result(said)
    assert type(result) is getattr(interfaces, f"AssociateUserToTenant{name}")
    assert result.status == status


def test_overrides_are_asked_in_both_worlds(start: Start) -> None:
    calls: list[Any] = []

    def functions(original: RecipeInterface) -> RecipeInterface:
        before = original.associate_user_to_tenant

        async def associate_user_to_tenant(
            tenant_id: str, user_id: str | RecipeUserId, user_context: dict[str, Any]
        ) -> AssociateUserToTenantResult:
            calls.append((tenant_id, user_id, user_context))
            return await before(tenant_id, user_id, user_context)

        original.associate_user_to_tenant = associate_user_to_tenant  # type: ignore[method-assign]
        return original

    override = multitenancy.InputOverrideConfig(functions=functions)
    start(session.init(), emailpassword.init(), multitenancy.init(override=override), website_domain=LOCAL)
    found = syncio.associate_user_to_tenant("public", "nobody", {"a": 1})
    assert found == AssociateUserToTenantUnknownUserIdError()
    assert [(tenant, user, context["a"]) for tenant, user, context in calls] == [("public", "nobody", 1)]
    assert syncio.dissociate_user_from_tenant("public", "nobody").was_associated is False
    assert syncio.disassociate_user_from_tenant("public", "nobody").was_associated is False


async def test_an_app_of_sessions_alone_has_no_members(start: Start) -> None:
    start(session.init())
    with pytest.raises(ConfigError, match="keeps no users"):
        await tenants.associate_user_to_tenant("public", "ada")
    with pytest.raises(ConfigError, match="keeps no users"):
        await tenants.dissociate_user_from_tenant("public", "ada")
