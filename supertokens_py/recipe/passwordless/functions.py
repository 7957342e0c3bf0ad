"""`RecipeInterface`: what the recipe does. Applications replace methods, in 0.24's form or a later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from supertokens_py.engine.call import call_engine
from supertokens_py.engine.code_records import (
    KEEP,
    CheckedCode,
    CodeAlreadyUsed,
    ConsumedCode,
    CreatedCode,
    Keep,
    NewCode,
    PresentedCode,
    RestartFlow,
)
from supertokens_py.events import UserSignedIn
from supertokens_py.recipe.sign_in.argument_forms import in_both_forms
from supertokens_py.recipe.sign_in.clients import client_of
from supertokens_py.recipe.sign_in.known_users import is_known
from supertokens_py.recipe.sign_in.outcomes import (
    LinkingToSessionUserFailedError,
    UnknownUserIdError,
)
from supertokens_py.recipe.sign_in.proofs import Proofs
from supertokens_py.recipe.sign_in.sessions import announce
from supertokens_py.types.base import RecipeUserId, user_id_text
from supertokens_py.types.users import AccountInfo, User

from . import conversions
from .contacts import stored_contact, stored_phone_number
from .results import (
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
from .types import DeviceType

if TYPE_CHECKING:
    from supertokens_py.recipe.session.container import SessionContainer
    from supertokens_py.recipe_module import App

RECIPE_ID = "passwordless"

#: Whose codes were used up while a request is answered.
PROOFS: Proofs[ConsumedCode] = Proofs("supertokens_code_proofs")


def is_ours(user: User) -> bool:
    """Return whether a user has a login method of this recipe."""
    return any(method.recipe_id == RECIPE_ID for method in user.login_methods)


class RecipeInterface:
    """The functions, with their default behaviour; overrides assign to an instance.

    Args:
        app: whose engine keeps users and codes.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    # -- codes -------------------------------------------------------------------------------------------

    @in_both_forms(
        "email phone_number user_input_code tenant_id user_context",
        "email phone_number user_input_code session "
        "should_try_linking_with_session_user tenant_id user_context",
    )
    async def create_code(
        self,
        email: str | None,
        phone_number: str | None,
        user_input_code: str | None,
        session: SessionContainer | None,
        should_try_linking_with_session_user: bool | None,
        tenant_id: str,
        user_context: dict[str, Any],
    ) -> CreateCodeOkResult:
        """Make a code for an address or a phone number; nothing is sent. Neither is checked.

        Raises:
            BadInputError: not exactly one is given, it cannot be stored, or there is no such tenant.
        """
        email, phone_number = stored_contact(email, phone_number)
        new = NewCode(email=email, phone_number=phone_number, user_input_code=user_input_code)
        codes = self._app.engine.passwordless
        made = await call_engine(user_context, codes.create_code, tenant_id, new)
        # Only a further code may meet another one of its device, or none any more.
        return CreateCodeOkResult(*conversions.values_of(cast("CreatedCode", made)))

    @in_both_forms(
        "device_id user_input_code tenant_id user_context", "device_id user_input_code tenant_id user_context"
    )
    async def create_new_code_for_device(
        self, device_id: str, user_input_code: str | None, tenant_id: str, user_context: dict[str, Any]
    ) -> (
        CreateNewCodeForDeviceOkResult
        | RestartFlowError
        | CreateNewCodeForDeviceUserInputCodeAlreadyUsedError
    ):
        """Make a further code of a device; earlier ones stay valid until they expire."""
        new = NewCode(device_id=device_id, user_input_code=user_input_code)
        made = await call_engine(user_context, self._app.engine.passwordless.create_code, tenant_id, new)
        if isinstance(made, RestartFlow):
            return RestartFlowError()
        if isinstance(made, CodeAlreadyUsed):
            return CreateNewCodeForDeviceUserInputCodeAlreadyUsedError()
        return CreateNewCodeForDeviceOkResult(*conversions.values_of(made))

    @in_both_forms(
        "pre_auth_session_id user_input_code device_id link_code tenant_id user_context",
        "pre_auth_session_id user_input_code device_id link_code session "
        "should_try_linking_with_session_user tenant_id user_context",
    )
    async def consume_code(
        self,
        pre_auth_session_id: str,
        user_input_code: str | None,
        device_id: str | None,
        link_code: str | None,
        session: SessionContainer | None,
        should_try_linking_with_session_user: bool | None,
        tenant_id: str,
        user_context: dict[str, Any],
    ) -> ConsumeCodeOkResult | conversions.Refused | LinkingToSessionUserFailedError:
        """Use up a code or a link, and return its user, who is created where the contact is new.

        Raises:
            BadInputError: the ids do not belong together, or neither code nor link is there.
            TooManyAttemptsError: too many wrong codes were given for the contact.
        """
        presented = PresentedCode(
            pre_auth_session_id=pre_auth_session_id,
            link_code=link_code,
            device_id=device_id,
            user_input_code=user_input_code,
        )
        consume, client = self._app.engine.passwordless.consume, client_of(self._app, user_context)
        used = await call_engine(user_context, consume, tenant_id, presented, client=client)
        if not isinstance(used, ConsumedCode):
            return conversions.refused(used)
        PROOFS.note(used)
        announce(UserSignedIn(user_id=used.user.id, tenant_id=tenant_id, recipe_id=RECIPE_ID))
        device = None if used.device is None else conversions.consumed(used.device)
        return ConsumeCodeOkResult(used.created, used.user, RecipeUserId(used.recipe_user_id), device)

    @in_both_forms(
        "pre_auth_session_id user_input_code device_id link_code tenant_id user_context",
        "pre_auth_session_id user_input_code device_id link_code tenant_id user_context",
    )
    async def check_code(
        self,
        pre_auth_session_id: str,
        user_input_code: str | None,
        device_id: str | None,
        link_code: str | None,
        tenant_id: str,
        user_context: dict[str, Any],
    ) -> CheckCodeOkResult | conversions.Refused:
        """Say what `consume_code` would, and count a wrong code, but use up nothing and create nobody."""
        presented = PresentedCode(
            pre_auth_session_id=pre_auth_session_id,
            link_code=link_code,
            device_id=device_id,
            user_input_code=user_input_code,
        )
        check, client = self._app.engine.passwordless.check, client_of(self._app, user_context)
        found = await call_engine(user_context, check, tenant_id, presented, client=client)
        return (
            CheckCodeOkResult(conversions.consumed(found.device))
            if isinstance(found, CheckedCode)
            else conversions.refused(found)
        )

    @in_both_forms("email phone_number tenant_id user_context", "email phone_number tenant_id user_context")
    async def revoke_all_codes(
        self, email: str | None, phone_number: str | None, tenant_id: str, user_context: dict[str, Any]
    ) -> RevokeAllCodesOkResult:
        """End every code of an address or a phone number in a tenant."""
        email, phone_number = stored_contact(email, phone_number)
        revoke = self._app.engine.passwordless.revoke_codes
        await call_engine(user_context, revoke, tenant_id, email=email, phone_number=phone_number)
        return RevokeAllCodesOkResult()

    @in_both_forms("code_id tenant_id user_context", "code_id tenant_id user_context")
    async def revoke_code(
        self, code_id: str, tenant_id: str, user_context: dict[str, Any]
    ) -> RevokeCodeOkResult:
        """End one code; the last one takes its device along."""
        revoke = self._app.engine.passwordless.revoke_code
        await call_engine(user_context, revoke, tenant_id, code_id=code_id)
        return RevokeCodeOkResult()

    @in_both_forms("email tenant_id user_context", "email tenant_id user_context")
    async def list_codes_by_email(
        self, email: str, tenant_id: str, user_context: dict[str, Any]
    ) -> list[DeviceType]:
        """Return the devices of an address."""
        return await self._devices(tenant_id, user_context, email=stored_contact(email, None)[0])

    @in_both_forms("phone_number tenant_id user_context", "phone_number tenant_id user_context")
    async def list_codes_by_phone_number(
        self, phone_number: str, tenant_id: str, user_context: dict[str, Any]
    ) -> list[DeviceType]:
        """Return the devices of a phone number."""
        return await self._devices(tenant_id, user_context, phone_number=stored_phone_number(phone_number))

    @in_both_forms("device_id tenant_id user_context", "device_id tenant_id user_context")
    async def list_codes_by_device_id(
        self, device_id: str, tenant_id: str, user_context: dict[str, Any]
    ) -> DeviceType | None:
        """Return a device, or None where there is none (any more)."""
        found = await self._devices(tenant_id, user_context, device_id=device_id)
        return found[0] if found else None

    @in_both_forms("pre_auth_session_id tenant_id user_context", "pre_auth_session_id tenant_id user_context")
    async def list_codes_by_pre_auth_session_id(
        self, pre_auth_session_id: str, tenant_id: str, user_context: dict[str, Any]
    ) -> DeviceType | None:
        """Return a device, or None where there is none (any more)."""
        found = await self._devices(tenant_id, user_context, pre_auth_session_id=pre_auth_session_id)
        return found[0] if found else None

    async def _devices(
        self, tenant_id: str, user_context: dict[str, Any], **wanted: str | None
    ) -> list[DeviceType]:
        devices = self._app.engine.passwordless.devices
        return [
            conversions.device(one) for one in await call_engine(user_context, devices, tenant_id, **wanted)
        ]

    # -- users -------------------------------------------------------------------------------------------

    @in_both_forms(
        "user_id email phone_number user_context", "recipe_user_id email phone_number user_context"
    )
    async def update_user(
        self,
        recipe_user_id: str,
        email: str | None,
        phone_number: str | None,
        user_context: dict[str, Any],
    ) -> conversions.Updated:
        """Change what is given of a user's address and phone number; neither is checked.

        Raises:
            BadInputError: it cannot be stored.
        """
        email, phone_number = stored_contact(email, phone_number)
        return await self._update(
            recipe_user_id,
            user_context,
            email=KEEP if email is None else email,
            phone_number=KEEP if phone_number is None else phone_number,
        )

    @in_both_forms("user_id user_context", "recipe_user_id user_context")
    async def delete_email_for_user(
        self, recipe_user_id: str, user_context: dict[str, Any]
    ) -> UpdateUserOkResult | UnknownUserIdError:
        """Forget a user's address.

        Raises:
            BadInputError: the user has no phone number.
        """
        return conversions.without(await self._update(recipe_user_id, user_context, email=None))

    @in_both_forms("user_id user_context", "recipe_user_id user_context")
    async def delete_phone_number_for_user(
        self, recipe_user_id: str, user_context: dict[str, Any]
    ) -> UpdateUserOkResult | UnknownUserIdError:
        """Forget a user's phone number.

        Raises:
            BadInputError: the user has no address.
        """
        return conversions.without(await self._update(recipe_user_id, user_context, phone_number=None))

    async def _update(
        self,
        recipe_user_id: str,
        user_context: dict[str, Any],
        *,
        email: str | Keep | None = KEEP,
        phone_number: str | Keep | None = KEEP,
    ) -> conversions.Updated:
        update = self._app.engine.passwordless.update
        result = await call_engine(
            user_context, update, str(recipe_user_id), email=email, phone_number=phone_number
        )
        if result is not None:
            return conversions.not_updated(result)
        PROOFS.forget()
        return UpdateUserOkResult()

    @in_both_forms("user_id user_context", "user_id user_context")
    async def get_user_by_id(self, user_id: str, user_context: dict[str, Any]) -> User | None:
        """Return a user of this recipe."""
        user = await call_engine(user_context, self._app.engine.users.find, user_id_text(user_id))
        return user if user is not None and is_ours(user) else None

    @in_both_forms("email tenant_id user_context", "email tenant_id user_context")
    async def get_user_by_email(
        self, email: str, tenant_id: str, user_context: dict[str, Any]
    ) -> User | None:
        """Return the user of this recipe who has an address in a tenant."""
        return await self._find(tenant_id, AccountInfo(email=email), user_context)

    @in_both_forms("phone_number tenant_id user_context", "phone_number tenant_id user_context")
    async def get_user_by_phone_number(
        self, phone_number: str, tenant_id: str, user_context: dict[str, Any]
    ) -> User | None:
        """Return the user of this recipe who has a phone number in a tenant."""
        asked = AccountInfo(phone_number=stored_phone_number(phone_number))
        return await self._find(tenant_id, asked, user_context)

    async def _find(self, tenant_id: str, asked: AccountInfo, user_context: dict[str, Any]) -> User | None:
        found = await call_engine(user_context, self._app.engine.users.by_account_info, tenant_id, asked)
        return next((user for user in found if is_known(user, RECIPE_ID, tenant_id, asked)), None)
