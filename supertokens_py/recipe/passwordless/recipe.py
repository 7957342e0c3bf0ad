"""`PasswordlessRecipe`: its settings, and its routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, TypeAlias

from supertokens_py.events import SignInFailed
from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.framework.request import BaseRequest
from supertokens_py.framework.response import BaseResponse
from supertokens_py.ingredients.emaildelivery.development import delivery_of
from supertokens_py.ingredients.emaildelivery.types import EmailDeliveryConfig
from supertokens_py.ingredients.smsdelivery.development import sms_delivery_of
from supertokens_py.ingredients.smsdelivery.types import SMSDeliveryConfig
from supertokens_py.recipe.base import Recipe, RecipeSettings, check_flag
from supertokens_py.recipe.multitenancy.recipe import MultitenancyRecipe
from supertokens_py.recipe.overrides import OverrideConfig, check_override
from supertokens_py.recipe.session.recipe import SessionRecipe
from supertokens_py.recipe.sign_in.argument_forms import adapters_of
from supertokens_py.recipe.sign_in.clients import admit, admitted, asked_about, take_back
from supertokens_py.recipe.sign_in.frontends import (
    json_body,
    refuse_linking,
    signed_in_or_up,
)
from supertokens_py.recipe.sign_in.mailing import EmailDeliveryIngredient, SMSDeliveryIngredient
from supertokens_py.recipe.sign_in.outcomes import answers_of
from supertokens_py.recipe.sign_in.proofs import revoked_as_outdated
from supertokens_py.recipe.sign_in.sessions import sign_in_route, tell
from supertokens_py.recipe_module import App, Route
from supertokens_py.settings import explains_unknown_arguments
from supertokens_py.types.base import MaybeAwaitable
from supertokens_py.types.response import GeneralErrorResponse
from supertokens_py.urls import host_of, is_local

from .api import APIInterface
from .contacts import ContactConfig, stored_phone_number
from .factors import FLOW_TYPES, factors_of
from .functions import PROOFS, RECIPE_ID, RecipeInterface
from .letters import login_letter, login_message
from .messages import APIOptions
from .requests import contact_of, presented_of, sent_again_of
from .results import (
    ConsumeCodePostOkResult,
    CreateCodePostOkResult,
    ResendCodePostOkResult,
    RestartFlowError,
    SignInUpPostNotAllowedResponse,
)
from .types import EmailTemplateVars, FlowType, SMSTemplateVars

_GONE = "This account was changed meanwhile. Please sign in again."

#: Answers a route from `(body, options, tenant_id, user_context)`.
_Answer: TypeAlias = Callable[[dict[str, Any], APIOptions, str, dict[str, Any]], Awaitable[dict[str, Any]]]


@explains_unknown_arguments("passwordless.init")
@dataclass(frozen=True)
class PasswordlessInit(RecipeSettings):
    """The arguments of `passwordless.init`.

    Args:
        contact_config: whom codes are sent to: `ContactEmailOnlyConfig()`, `ContactPhoneOnlyConfig()` or
            `ContactEmailOrPhoneConfig()`.
        flow_type: what a message has: "USER_INPUT_CODE", "MAGIC_LINK" or "USER_INPUT_CODE_AND_MAGIC_LINK". A
            tenant's first factors may narrow it.
        override: your changes, `passwordless.InputOverrideConfig(functions=…, apis=…)`.
        get_custom_user_input_code: `(tenant_id, user_context)` to a code, sync or async; by default six
            digits.
        email_delivery: what sends the e-mails; may be left out where the website is on localhost.
        sms_delivery: what sends the text messages; may be left out where the website is on localhost.
        routes: serve the HTTP APIs; without them the functions work as ever, for forms of your own.

    Raises:
        ConfigError: an argument of another type, or a service is missing.
    """

    contact_config: ContactConfig
    flow_type: FlowType
    override: OverrideConfig | None = None
    get_custom_user_input_code: Callable[[str, dict[str, Any]], MaybeAwaitable[str]] | None = None
    email_delivery: EmailDeliveryConfig[EmailTemplateVars] | None = None
    sms_delivery: SMSDeliveryConfig[SMSTemplateVars] | None = None
    _: KW_ONLY
    routes: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.contact_config, ContactConfig):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigError(
                "contact_config must be an instance of ContactPhoneOnlyConfig or ContactEmailOnlyConfig or "
                "ContactEmailOrPhoneConfig"
            )
        if self.flow_type not in FLOW_TYPES:
            raise ConfigError(f"flow_type must be one of {', '.join(FLOW_TYPES)}")
        check_override(self.override)
        check_flag(self.routes, "routes")
        given: Any = self.get_custom_user_input_code
        if given is not None and not callable(given):
            raise ConfigError("get_custom_user_input_code must be a function of (tenant_id, user_context)")
        for name, kind in (("email_delivery", EmailDeliveryConfig), ("sms_delivery", SMSDeliveryConfig)):
            if not isinstance(getattr(self, name), (kind, type(None))):
                raise ConfigError(f"{name} must be a {kind.__name__} or None")


class PasswordlessRecipe(Recipe[PasswordlessInit, RecipeInterface, APIInterface], settings=PasswordlessInit):
    """Sign-in with codes and links, for one app."""

    recipe_id = RECIPE_ID
    name = "Passwordless"
    is_implicit = False
    keeps_users = True
    not_initialised: ClassVar[str | None] = (
        "Initialisation not done. Did you forget to call the SuperTokens.init or Passwordless.init "
        "function? In Python it is supertokens_py.init(...) with passwordless.init(...) in recipe_list."
    )

    def __init__(self, app: App, config: PasswordlessInit) -> None:
        super().__init__(app, config)
        contacts = config.contact_config
        self.first_factors: Sequence[str] = (
            *(factors_of(config.flow_type, is_phone=False) if contacts.has_email else ()),
            *(factors_of(config.flow_type, is_phone=True) if contacts.has_phone else ()),
        )
        is_development = is_local(host_of(app.app_info.fixed_origin or app.app_info.api_domain))
        self.email_delivery: EmailDeliveryIngredient[EmailTemplateVars] = EmailDeliveryIngredient(
            delivery_of(
                config.email_delivery,
                login_letter,
                recipe=RECIPE_ID,
                is_development=is_development or not contacts.has_email,
            )
        )
        self.sms_delivery: SMSDeliveryIngredient[SMSTemplateVars] = SMSDeliveryIngredient(
            sms_delivery_of(
                config.sms_delivery,
                login_message,
                recipe=RECIPE_ID,
                is_development=is_development or not contacts.has_phone,
            )
        )
        self.install_functions(RecipeInterface(app), adapters_of(RecipeInterface))
        apis = APIInterface()
        self.install_apis(apis, results=answers_of(apis), adapters=adapters_of(APIInterface))

    def connect(self) -> None:
        self.app.recipe(SessionRecipe)
        self.app.recipe(MultitenancyRecipe)

    def routes(self) -> Sequence[Route]:
        apis = self.api_implementation
        codes = (
            ("/signinup/code", self._create, lambda: not apis.disable_create_code_post),
            ("/signinup/code/resend", self._resend, lambda: not apis.disable_resend_code_post),
            ("/signinup/code/consume", self._consume, lambda: not apis.disable_consume_code_post),
        )
        exists = (
            ("email", self._email_exists, lambda: not apis.disable_email_exists_get),
            ("phonenumber", self._phone_exists, lambda: not apis.disable_phone_number_exists_get),
        )
        return (
            *(self._route("POST", *route) for route in codes),
            *(self._route("GET", f"/passwordless/{kind}/exists", call, on) for kind, call, on in exists),
            # Emailpassword has one of the older paths, too.
            *(
                self._route("GET", f"/signup/{kind}/exists", call, on, yields=True)
                for kind, call, on in exists
            ),
        )

    def api_options(self, request: BaseRequest, response: BaseResponse) -> APIOptions:
        return APIOptions(
            request,
            response,
            self.recipe_id,
            self.config,
            self.recipe_implementation,
            self.app.app_info,
            self.email_delivery,
            self.sms_delivery,
        )

    def _route(
        self, method: str, path: str, answer: _Answer, enabled: Callable[[], bool], *, yields: bool = False
    ) -> Route:
        async def handle(
            request: BaseRequest, response: BaseResponse, tenant_id: str, user_context: dict[str, Any]
        ) -> BaseResponse:
            options = self.api_options(request, response)
            body = {} if method == "GET" else await json_body(request)
            response.set_json_content(await answer(body, options, tenant_id, user_context))
            return response

        return Route(method, path, handle, enabled, yields)

    # -- the routes ------------------------------------------------------------------------------------

    async def _create(
        self, body: dict[str, Any], options: APIOptions, tenant_id: str, user_context: dict[str, Any]
    ) -> dict[str, Any]:
        return (await self.send_code(body, options, tenant_id, user_context)).to_json()

    async def send_code(
        self, body: dict[str, Any], options: APIOptions, tenant_id: str, user_context: dict[str, Any]
    ) -> CreateCodePostOkResult | SignInUpPostNotAllowedResponse | GeneralErrorResponse:
        """Check and count what a request asks for, and send a code, as the route does.

        Raises:
            BadInputError: there is not exactly one contact, or not one of the kind that codes are sent to.
            TooManyAttemptsError: the contact or the client has had its share.
            UnauthorisedError: the tenant has other ways to sign in only.
        """
        contacts = self.config.contact_config
        email, phone_number = contact_of(body, contacts)
        email = None if email is None else email.strip()
        phone_number = None if phone_number is None else stored_phone_number(phone_number)
        error = await contacts.error_of(email, phone_number, tenant_id)
        if error is not None:
            return GeneralErrorResponse(error)
        links = await refuse_linking(body, options.request, user_context)
        await admit(self.app, "code", options.request, user_context)
        return await self.api_implementation.create_code_post(
            email=email,
            phone_number=phone_number,
            session=None,
            should_try_linking_with_session_user=links,
            tenant_id=tenant_id,
            api_options=options,
            user_context=user_context,
        )

    async def _resend(
        self, body: dict[str, Any], options: APIOptions, tenant_id: str, user_context: dict[str, Any]
    ) -> dict[str, Any]:
        return (await self.resend_code(body, options, tenant_id, user_context)).to_json()

    async def resend_code(
        self, body: dict[str, Any], options: APIOptions, tenant_id: str, user_context: dict[str, Any]
    ) -> ResendCodePostOkResult | RestartFlowError | GeneralErrorResponse:
        """Count what a request asks for, and send another code, as the route does; it raises the same."""
        wanted = sent_again_of(body)
        links = await refuse_linking(body, options.request, user_context)
        await admit(self.app, "code", options.request, user_context)
        return await self.api_implementation.resend_code_post(
            device_id=wanted.device_id,
            pre_auth_session_id=wanted.pre_auth_session_id,
            session=None,
            should_try_linking_with_session_user=links,
            tenant_id=tenant_id,
            api_options=options,
            user_context=user_context,
        )

    async def _consume(
        self, body: dict[str, Any], options: APIOptions, tenant_id: str, user_context: dict[str, Any]
    ) -> dict[str, Any]:
        presented = presented_of(body)
        links = await refuse_linking(body, options.request, user_context)
        async with admitted(self.app, "sign_in", options.request, user_context):
            with sign_in_route() as events, PROOFS.collected() as proofs:
                result = await self.api_implementation.consume_code_post(
                    pre_auth_session_id=presented.pre_auth_session_id,
                    user_input_code=presented.user_input_code,
                    device_id=presented.device_id,
                    link_code=presented.link_code,
                    session=None,
                    should_try_linking_with_session_user=links,
                    tenant_id=tenant_id,
                    api_options=options,
                    user_context=user_context,
                )
        if not isinstance(result, ConsumeCodePostOkResult):
            return result.to_json()
        is_current = self.app.engine.passwordless.is_current
        failure = SignInFailed(user_id=result.user.id, tenant_id=tenant_id, recipe_id=RECIPE_ID)
        if await revoked_as_outdated(result.session, proofs, is_current, failure, user_context):
            return GeneralErrorResponse(_GONE).to_json()
        tell(events)
        await take_back(self.app, "sign_in", options.request, user_context)
        own = str(result.session.get_recipe_user_id())
        return signed_in_or_up(result.user, own, options.request, created=result.created_new_recipe_user)

    async def _email_exists(
        self, body: dict[str, Any], options: APIOptions, tenant_id: str, user_context: dict[str, Any]
    ) -> dict[str, Any]:
        email = await asked_about(self.app, options.request, user_context)
        result = await self.api_implementation.email_exists_get(
            email=email, tenant_id=tenant_id, api_options=options, user_context=user_context
        )
        return result.to_json()

    async def _phone_exists(
        self, body: dict[str, Any], options: APIOptions, tenant_id: str, user_context: dict[str, Any]
    ) -> dict[str, Any]:
        # 0.24 knew it in lower case.
        given = (options.request.get_query_param(name) for name in ("phoneNumber", "phonenumber"))
        phone_number = next((one for one in given if one is not None), None)
        if phone_number is None:
            raise BadInputError("Please provide the phoneNumber as a GET param")
        await admit(self.app, "exists", options.request, user_context)
        result = await self.api_implementation.phone_number_exists_get(
            phone_number=phone_number, tenant_id=tenant_id, api_options=options, user_context=user_context
        )
        return result.to_json()
