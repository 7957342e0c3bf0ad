"""Functions of the passwordless recipe."""

from __future__ import annotations

from typing import Any

from supertokens_py.app import Supertokens
from supertokens_py.engine.arguments import require_strings, require_strings_or_none
from supertokens_py.exceptions import GeneralError
from supertokens_py.recipe.passwordless.conversions import Refused, Updated
from supertokens_py.recipe.passwordless.functions import RecipeInterface
from supertokens_py.recipe.passwordless.links import get_magic_link
from supertokens_py.recipe.passwordless.recipe import PasswordlessRecipe
from supertokens_py.recipe.passwordless.results import (
    CheckCodeOkResult,
    ConsumeCodeOkResult,
    CreateCodeOkResult,
    CreateNewCodeForDeviceOkResult,
    CreateNewCodeForDeviceUserInputCodeAlreadyUsedError,
    RestartFlowError,
    RevokeAllCodesOkResult,
    RevokeCodeOkResult,
    UpdateUserOkResult,
)
from supertokens_py.recipe.passwordless.types import DeviceType
from supertokens_py.recipe.session.container import SessionContainer
from supertokens_py.recipe.sign_in.argument_forms import named_user_id, session_and_context
from supertokens_py.recipe.sign_in.outcomes import LinkingToSessionUserFailedError, UnknownUserIdError
from supertokens_py.secret import masked
from supertokens_py.types.base import RecipeUserId, context_of, user_id_text
from supertokens_py.types.users import User

from .sending import resend_code, send_code, send_email, send_sms

__all__ = [
    "check_code",
    "consume_code",
    "create_code",
    "create_magic_link",
    "create_new_code_for_device",
    "delete_email_for_user",
    "delete_phone_number_for_user",
    "get_user_by_email",
    "get_user_by_id",
    "get_user_by_phone_number",
    "list_codes_by_device_id",
    "list_codes_by_email",
    "list_codes_by_phone_number",
    "list_codes_by_pre_auth_session_id",
    "resend_code",
    "revoke_all_codes",
    "revoke_code",
    "send_code",
    "send_email",
    "send_sms",
    "signinup",
    "update_user",
]

_Context = dict[str, Any] | None


def _functions() -> RecipeInterface:
    return PasswordlessRecipe.get_instance().recipe_implementation


async def create_code(
    tenant_id: str,
    email: str | None = None,
    phone_number: str | None = None,
    user_input_code: str | None = None,
    session: SessionContainer[Any] | dict[str, Any] | None = None,
    user_context: _Context = None,
) -> CreateCodeOkResult:
    """Make a code for an address or a phone number. Nothing is sent, checked or limited (see `send_code`).

    Args:
        tenant_id: where the code is valid.
        email: the address; or
        phone_number: with `+` and the country's code.
        user_input_code: the code; left out: six digits.
        session: accepted; accounts are not linked.

    Raises:
        BadInputError: not exactly one contact is given, it cannot be stored, or there is no such tenant.
    """
    user_input_code = masked(user_input_code)
    require_strings_or_none(email=email, phone_number=phone_number, user_input_code=user_input_code)
    own, context = session_and_context(session, user_context)
    return await _functions().create_code(
        email=email,
        phone_number=phone_number,
        user_input_code=user_input_code,
        session=own,
        should_try_linking_with_session_user=None,
        tenant_id=tenant_id,
        user_context=context,
    )


async def create_new_code_for_device(
    tenant_id: str, device_id: str, user_input_code: str | None = None, user_context: _Context = None
) -> CreateNewCodeForDeviceOkResult | RestartFlowError | CreateNewCodeForDeviceUserInputCodeAlreadyUsedError:
    """Make a further code of a device; earlier ones stay valid until they expire."""
    device_id, user_input_code = masked(device_id), masked(user_input_code)
    return await _functions().create_new_code_for_device(
        device_id=device_id,
        user_input_code=user_input_code,
        tenant_id=tenant_id,
        user_context=context_of(user_context),
    )


async def consume_code(
    tenant_id: str,
    pre_auth_session_id: str,
    user_input_code: str | None = None,
    device_id: str | None = None,
    link_code: str | None = None,
    session: SessionContainer[Any] | dict[str, Any] | None = None,
    user_context: _Context = None,
) -> ConsumeCodeOkResult | Refused | LinkingToSessionUserFailedError:
    """Use up a code (with its device) or a link, and return its user, who is created where there is none.

    `create_new_session` makes the session.

    Raises:
        BadInputError: the ids do not belong together, or neither code nor link is given.
        TooManyAttemptsError: too many wrong codes were given for the contact.
    """
    user_input_code, device_id, link_code = map(masked, (user_input_code, device_id, link_code))
    require_strings(pre_auth_session_id=pre_auth_session_id)
    require_strings_or_none(user_input_code=user_input_code, device_id=device_id, link_code=link_code)
    own, context = session_and_context(session, user_context)
    return await _functions().consume_code(
        pre_auth_session_id=pre_auth_session_id,
        user_input_code=user_input_code,
        device_id=device_id,
        link_code=link_code,
        session=own,
        should_try_linking_with_session_user=None,
        tenant_id=tenant_id,
        user_context=context,
    )


async def check_code(
    tenant_id: str,
    pre_auth_session_id: str,
    user_input_code: str | None = None,
    device_id: str | None = None,
    link_code: str | None = None,
    user_context: _Context = None,
) -> CheckCodeOkResult | Refused:
    """Say what `consume_code` would, and count a wrong code, but use up nothing and create nobody."""
    user_input_code, device_id, link_code = map(masked, (user_input_code, device_id, link_code))
    require_strings(pre_auth_session_id=pre_auth_session_id)
    require_strings_or_none(user_input_code=user_input_code, device_id=device_id, link_code=link_code)
    return await _functions().check_code(
        pre_auth_session_id=pre_auth_session_id,
        user_input_code=user_input_code,
        device_id=device_id,
        link_code=link_code,
        tenant_id=tenant_id,
        user_context=context_of(user_context),
    )


async def get_user_by_id(user_id: str, user_context: _Context = None) -> User | None:
    """Return a user of this recipe."""
    return await _functions().get_user_by_id(
        user_id=user_id_text(user_id), user_context=context_of(user_context)
    )


async def get_user_by_email(tenant_id: str, email: str, user_context: _Context = None) -> User | None:
    """Return the user of this recipe who has an address in a tenant."""
    require_strings(email=email)
    return await _functions().get_user_by_email(
        email=email, tenant_id=tenant_id, user_context=context_of(user_context)
    )


async def get_user_by_phone_number(
    tenant_id: str, phone_number: str, user_context: _Context = None
) -> User | None:
    """Return the user of this recipe who has a phone number in a tenant."""
    require_strings(phone_number=phone_number)
    return await _functions().get_user_by_phone_number(
        phone_number=phone_number, tenant_id=tenant_id, user_context=context_of(user_context)
    )


async def update_user(
    recipe_user_id: str | RecipeUserId | None = None,
    email: str | None = None,
    phone_number: str | None = None,
    user_context: _Context = None,
    *,
    user_id: str | None = None,
) -> Updated:
    """Change what is given of a user, named by either keyword. Sessions go on: revoke those that should not.

    Raises:
        TypeError: no user is named.
        BadInputError: it cannot be stored.
    """
    require_strings_or_none(email=email, phone_number=phone_number)
    return await _functions().update_user(
        recipe_user_id=named_user_id(recipe_user_id, user_id),
        email=email,
        phone_number=phone_number,
        user_context=context_of(user_context),
    )


async def delete_email_for_user(
    recipe_user_id: str | RecipeUserId | None = None,
    user_context: _Context = None,
    *,
    user_id: str | None = None,
) -> UpdateUserOkResult | UnknownUserIdError:
    """Forget the address of a user who has a phone number, too.

    Raises:
        BadInputError: the user has none.
    """
    return await _functions().delete_email_for_user(
        recipe_user_id=named_user_id(recipe_user_id, user_id), user_context=context_of(user_context)
    )


async def delete_phone_number_for_user(
    recipe_user_id: str | RecipeUserId | None = None,
    user_context: _Context = None,
    *,
    user_id: str | None = None,
) -> UpdateUserOkResult | UnknownUserIdError:
    """Forget the phone number of a user who has an address, too.

    Raises:
        BadInputError: the user has none.
    """
    return await _functions().delete_phone_number_for_user(
        recipe_user_id=named_user_id(recipe_user_id, user_id), user_context=context_of(user_context)
    )


async def revoke_all_codes(
    tenant_id: str,
    email: str | None = None,
    phone_number: str | None = None,
    user_context: _Context = None,
) -> RevokeAllCodesOkResult:
    """End every code of an address or a phone number in a tenant."""
    require_strings_or_none(email=email, phone_number=phone_number)
    return await _functions().revoke_all_codes(
        email=email, phone_number=phone_number, tenant_id=tenant_id, user_context=context_of(user_context)
    )


async def revoke_code(tenant_id: str, code_id: str, user_context: _Context = None) -> RevokeCodeOkResult:
    """End one code; the last one takes its device along."""
    require_strings(code_id=code_id)
    context = context_of(user_context)
    return await _functions().revoke_code(code_id=code_id, tenant_id=tenant_id, user_context=context)


async def list_codes_by_email(tenant_id: str, email: str, user_context: _Context = None) -> list[DeviceType]:
    """Return the devices of an address, with their codes; nothing that signs in is in them."""
    require_strings(email=email)
    return await _functions().list_codes_by_email(
        email=email, tenant_id=tenant_id, user_context=context_of(user_context)
    )


async def list_codes_by_phone_number(
    tenant_id: str, phone_number: str, user_context: _Context = None
) -> list[DeviceType]:
    """Return the devices of a phone number, with their codes; nothing that signs in is in them."""
    require_strings(phone_number=phone_number)
    return await _functions().list_codes_by_phone_number(
        phone_number=phone_number, tenant_id=tenant_id, user_context=context_of(user_context)
    )


async def list_codes_by_device_id(
    tenant_id: str, device_id: str, user_context: _Context = None
) -> DeviceType | None:
    """Return a device with its codes, or None."""
    device_id = masked(device_id)
    require_strings(device_id=device_id)
    return await _functions().list_codes_by_device_id(
        device_id=device_id, tenant_id=tenant_id, user_context=context_of(user_context)
    )


async def list_codes_by_pre_auth_session_id(
    tenant_id: str, pre_auth_session_id: str, user_context: _Context = None
) -> DeviceType | None:
    """Return a device with its codes, or None."""
    require_strings(pre_auth_session_id=pre_auth_session_id)
    return await _functions().list_codes_by_pre_auth_session_id(
        pre_auth_session_id=pre_auth_session_id, tenant_id=tenant_id, user_context=context_of(user_context)
    )


async def create_magic_link(
    tenant_id: str,
    email: str | None = None,
    phone_number: str | None = None,
    user_context: _Context = None,
) -> str:
    """Return a link to the website's page that signs in whoever has that contact; nothing is sent."""
    context = context_of(user_context)
    made = await create_code(tenant_id, email, phone_number, user_context=context)
    app = Supertokens.get_instance()
    request = app.get_request_from_user_context(context)
    return get_magic_link(app.app_info, made.pre_auth_session_id, made.link_code, tenant_id, request, context)


async def signinup(
    tenant_id: str,
    email: str | None = None,
    phone_number: str | None = None,
    session: SessionContainer[Any] | dict[str, Any] | None = None,
    user_context: _Context = None,
) -> ConsumeCodeOkResult:
    """Return the user of a contact, who is created where there is none, without any proof of the contact.

    Raises:
        BadInputError: as `create_code`.
        GeneralError: the code that was made for it was used or revoked at the same time.
    """
    own, context = session_and_context(session, user_context)
    made = await create_code(tenant_id, email, phone_number, None, own, context)
    first, link_code = made.pre_auth_session_id, made.link_code
    result = await consume_code(tenant_id, first, link_code=link_code, session=own, user_context=context)
    if not isinstance(result, ConsumeCodeOkResult):
        raise GeneralError("Failed to create user. Please retry")
    return result
