"""`APIInterface`: the HTTP APIs. Applications replace methods, in 0.24's form or a later one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from supertokens_py.app import Supertokens
from supertokens_py.engine.call import call_engine
from supertokens_py.exceptions import ConfigError, TooManyAttemptsError
from supertokens_py.recipe.sign_in.argument_forms import in_both_forms
from supertokens_py.recipe.sign_in.frontends import first_factors_among, require_first_factor
from supertokens_py.recipe.sign_in.outcomes import EmailExistsGetOkResult
from supertokens_py.recipe.sign_in.sessions import BY_MAIL, BY_TEXT_MESSAGE, begin_session
from supertokens_py.runtime.bridge import call_app
from supertokens_py.secret import masked
from supertokens_py.types.response import GeneralErrorResponse
from supertokens_py.types.users import normalised_email

from .factors import factor, factors_of, narrowed
from .messages import APIOptions, Contact, send
from .results import (
    ConsumeCodeOkResult,
    ConsumeCodePostOkResult,
    CreateCodePostOkResult,
    CreateNewCodeForDeviceOkResult,
    ExpiredUserInputCodeError,
    IncorrectUserInputCodeError,
    PhoneNumberExistsGetOkResult,
    ResendCodePostOkResult,
    RestartFlowError,
    SignInUpPostNotAllowedResponse,
)
from .types import FlowType

if TYPE_CHECKING:
    from supertokens_py.recipe.session.container import SessionContainer

#: How often a code of the application's own is made again where the device has it already.
_TRIES = 3

_NO_CODE = "Failed to generate a one time code. Please try again"


class APIInterface:
    """The APIs, with their default behaviour; set a `disable_…` flag to leave a path to the application."""

    def __init__(self) -> None:
        self.disable_create_code_post = False
        self.disable_resend_code_post = False
        self.disable_consume_code_post = False
        self.disable_email_exists_get = False
        self.disable_phone_number_exists_get = False

    @in_both_forms(
        "email phone_number tenant_id api_options user_context",
        "email phone_number session should_try_linking_with_session_user tenant_id api_options user_context",
    )
    async def create_code_post(
        self,
        email: str | None,
        phone_number: str | None,
        session: SessionContainer | None,
        should_try_linking_with_session_user: bool | None,
        tenant_id: str,
        api_options: APIOptions,
        user_context: dict[str, Any],
    ) -> CreateCodePostOkResult | SignInUpPostNotAllowedResponse | GeneralErrorResponse:
        """POST /signinup/code: send a code to a contact, which has been checked, whoever has it.

        Raises:
            TooManyAttemptsError: the contact has had its share of messages.
        """
        contact = Contact(email, phone_number)
        flow_type = await _begin(contact, tenant_id, api_options, user_context)
        made = await api_options.recipe_implementation.create_code(
            email=email,
            phone_number=phone_number,
            user_input_code=await _own_code(tenant_id, api_options, user_context),
            session=session,
            should_try_linking_with_session_user=should_try_linking_with_session_user,
            tenant_id=tenant_id,
            user_context=user_context,
        )
        failure = await send(made, contact, flow_type, tenant_id, api_options, user_context)
        return failure or CreateCodePostOkResult(made.device_id, made.pre_auth_session_id, flow_type)

    @in_both_forms(
        "device_id pre_auth_session_id tenant_id api_options user_context",
        "device_id pre_auth_session_id session should_try_linking_with_session_user tenant_id "
        "api_options user_context",
    )
    async def resend_code_post(
        self,
        device_id: str,
        pre_auth_session_id: str,
        session: SessionContainer | None,
        should_try_linking_with_session_user: bool | None,
        tenant_id: str,
        api_options: APIOptions,
        user_context: dict[str, Any],
    ) -> ResendCodePostOkResult | RestartFlowError | GeneralErrorResponse:
        """POST /signinup/code/resend: send another code; earlier ones stay valid until they expire.

        Raises:
            TooManyAttemptsError: the contact has had its share of messages.
        """
        functions = api_options.recipe_implementation
        device = await functions.list_codes_by_device_id(
            device_id=device_id, tenant_id=tenant_id, user_context=user_context
        )
        if device is None or device.pre_auth_session_id != pre_auth_session_id:
            return RestartFlowError()
        contact = Contact(device.email, device.phone_number)
        flow_type = await _begin(contact, tenant_id, api_options, user_context)
        for _ in range(_TRIES):
            made = await functions.create_new_code_for_device(
                device_id=device_id,
                user_input_code=await _own_code(tenant_id, api_options, user_context),
                tenant_id=tenant_id,
                user_context=user_context,
            )
            if isinstance(made, RestartFlowError):
                return made
            if isinstance(made, CreateNewCodeForDeviceOkResult):
                failure = await send(made, contact, flow_type, tenant_id, api_options, user_context)
                return failure or ResendCodePostOkResult()
        return GeneralErrorResponse(_NO_CODE)

    @in_both_forms(
        "pre_auth_session_id user_input_code device_id link_code tenant_id api_options user_context",
        "pre_auth_session_id user_input_code device_id link_code session "
        "should_try_linking_with_session_user tenant_id api_options user_context",
    )
    async def consume_code_post(
        self,
        pre_auth_session_id: str,
        user_input_code: str | None,
        device_id: str | None,
        link_code: str | None,
        session: SessionContainer | None,
        should_try_linking_with_session_user: bool | None,
        tenant_id: str,
        api_options: APIOptions,
        user_context: dict[str, Any],
    ) -> (
        ConsumeCodePostOkResult
        | RestartFlowError
        | IncorrectUserInputCodeError
        | ExpiredUserInputCodeError
        | SignInUpPostNotAllowedResponse
        | GeneralErrorResponse
    ):
        """POST /signinup/code/consume: create a session for whoever has the code or the link."""
        functions = api_options.recipe_implementation
        device = await functions.list_codes_by_pre_auth_session_id(
            pre_auth_session_id=pre_auth_session_id, tenant_id=tenant_id, user_context=user_context
        )
        if device is None:
            return RestartFlowError()
        own = factor("otp" if link_code is None else "link", is_phone=device.email is None)
        await require_first_factor(own, tenant_id, user_context)
        result = await functions.consume_code(
            pre_auth_session_id=pre_auth_session_id,
            user_input_code=user_input_code,
            device_id=device_id,
            link_code=link_code,
            session=session,
            should_try_linking_with_session_user=should_try_linking_with_session_user,
            tenant_id=tenant_id,
            user_context=user_context,
        )
        if isinstance(result, IncorrectUserInputCodeError | ExpiredUserInputCodeError):
            return result
        if not isinstance(result, ConsumeCodeOkResult):
            return RestartFlowError()
        methods = BY_MAIL if device.email is not None else BY_TEXT_MESSAGE
        begun = await begin_session(
            api_options.request, tenant_id, result.recipe_user_id, methods, user_context
        )
        return ConsumeCodePostOkResult(result.created_new_recipe_user, result.user, begun)

    @in_both_forms("email tenant_id api_options user_context", "email tenant_id api_options user_context")
    async def email_exists_get(
        self, email: str, tenant_id: str, api_options: APIOptions, user_context: dict[str, Any]
    ) -> EmailExistsGetOkResult | GeneralErrorResponse:
        """GET /passwordless/email/exists: whether a user of this recipe has the address in this tenant."""
        user = await api_options.recipe_implementation.get_user_by_email(
            email=normalised_email(email), tenant_id=tenant_id, user_context=user_context
        )
        return EmailExistsGetOkResult(user is not None)

    @in_both_forms(
        "phone_number tenant_id api_options user_context", "phone_number tenant_id api_options user_context"
    )
    async def phone_number_exists_get(
        self, phone_number: str, tenant_id: str, api_options: APIOptions, user_context: dict[str, Any]
    ) -> PhoneNumberExistsGetOkResult | GeneralErrorResponse:
        """GET /passwordless/phonenumber/exists: whether a user of this recipe has the number here."""
        user = await api_options.recipe_implementation.get_user_by_phone_number(
            phone_number=phone_number, tenant_id=tenant_id, user_context=user_context
        )
        return PhoneNumberExistsGetOkResult(user is not None)


async def _begin(
    contact: Contact, tenant_id: str, api_options: APIOptions, user_context: dict[str, Any]
) -> FlowType:
    """Count a message to a contact, and return what the tenant has it say.

    Raises:
        TooManyAttemptsError: the contact has had its share of messages.
        UnauthorisedError: the tenant has other ways to sign in only.
    """
    wanted = factors_of(api_options.config.flow_type, is_phone=contact.is_phone)
    factors = await first_factors_among(wanted, tenant_id, user_context)
    app = Supertokens.get_instance()
    wait_ms = await call_engine(
        user_context,
        app.engine.passwordless.may_send,
        tenant_id,
        email=contact.stored_email,
        phone_number=contact.stored_phone_number,
        client=app.clients.network_of(api_options.request),
    )
    if wait_ms:
        raise TooManyAttemptsError(wait_ms)
    return narrowed(factors)


async def _own_code(tenant_id: str, api_options: APIOptions, user_context: dict[str, Any]) -> str | None:
    """Return a code of the application's own making, or None: the engine makes one.

    Raises:
        ConfigError: the application made something else than a code.
    """
    make = api_options.config.get_custom_user_input_code
    if make is None:
        return None
    code = masked(await call_app(make, tenant_id, user_context))
    if not isinstance(code, str) or not code:
        raise ConfigError("get_custom_user_input_code must return a string that is not empty")
    return code
