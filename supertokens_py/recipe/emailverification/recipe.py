"""`EmailVerificationRecipe`: its settings, and its routes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, ClassVar, cast, get_args

from supertokens_py.engine.call import call_engine
from supertokens_py.exceptions import BadInputError, ConfigError, GeneralError
from supertokens_py.framework.request import BaseRequest
from supertokens_py.framework.response import BaseResponse
from supertokens_py.ingredients.emaildelivery.development import delivery_of
from supertokens_py.ingredients.emaildelivery.types import EmailDeliveryConfig
from supertokens_py.recipe.base import Recipe, RecipeSettings, check_flag
from supertokens_py.recipe.overrides import OverrideConfig, Result, check_override
from supertokens_py.recipe.session.container import SessionContainer
from supertokens_py.recipe.session.recipe import SessionRecipe
from supertokens_py.recipe.session.verification.verification import VerifyOptions
from supertokens_py.recipe.sign_in.argument_forms import adapters_of
from supertokens_py.recipe.sign_in.frontends import fdi_version, json_body, no_validators
from supertokens_py.recipe.sign_in.mailing import LONGEST_TOKEN, APIOptions, EmailDeliveryIngredient
from supertokens_py.recipe.sign_in.outcomes import answers_of
from supertokens_py.recipe_module import App, Route
from supertokens_py.runtime.bridge import call_app
from supertokens_py.secret import masked
from supertokens_py.settings import explains_unknown_arguments
from supertokens_py.types.base import RecipeUserId
from supertokens_py.types.response import APIResponse
from supertokens_py.urls import host_of, is_local

from .addresses import (
    EmailDoesNotExistError,
    EmailOfUser,
    GetEmailForUserIdOkResult,
    TypeGetEmailForUserIdFunction,
    UnknownUserIdError,
)
from .api import APIInterface
from .claim import EmailVerificationClaim
from .current import NOT_INITIALISED, RECIPE_ID
from .functions import RecipeInterface
from .letters import verification_letter
from .results import CreateEmailVerificationTokenOkResult, EmailVerifyPostOkResult
from .types import MODE_TYPE, EmailTemplateVars

_EMAIL_OF_USER = Result(
    (GetEmailForUserIdOkResult, EmailDoesNotExistError, UnknownUserIdError),
    "GetEmailForUserIdOkResult(email), EmailDoesNotExistError() or UnknownUserIdError()",
)

#: Whoever is refused everywhere else, since the address is not verified, must get in here.
_REQUIRED = VerifyOptions(override_global_claim_validators=no_validators, changes_session=True)
_OPTIONAL = replace(_REQUIRED, session_required=False)


@explains_unknown_arguments("emailverification.init")
@dataclass(frozen=True)
class EmailVerificationInit(RecipeSettings):
    """The arguments of `emailverification.init`.

    Args:
        mode: "REQUIRED": every `verify_session` refuses users with an unverified address (403). "OPTIONAL":
            sessions only say whether it is verified.
        email_delivery: what sends the e-mails; may be left out where the website is on localhost.
        get_email_for_recipe_user_id: `(recipe_user_id, user_context)` to `GetEmailForUserIdOkResult(email)`,
            `EmailDoesNotExistError()` or `UnknownUserIdError()`, sync or async, for users of your own. Users
            whom it does not know are looked up among those of the sign-in recipes.
        override: your changes, `emailverification.InputOverrideConfig(functions=…, apis=…)`.
        get_email_for_user_id: the name that 0.24 has for `get_email_for_recipe_user_id`.
        routes: serve the HTTP APIs; without them the functions work as ever, for pages of your own.

    Raises:
        ConfigError: an argument of another type.
    """

    mode: MODE_TYPE
    email_delivery: EmailDeliveryConfig[EmailTemplateVars] | None = None
    get_email_for_recipe_user_id: TypeGetEmailForUserIdFunction | None = None
    override: OverrideConfig | None = None
    _: KW_ONLY
    get_email_for_user_id: TypeGetEmailForUserIdFunction | None = None
    routes: bool = True

    def __post_init__(self) -> None:
        if self.mode not in get_args(MODE_TYPE):
            raise ConfigError("Email Verification recipe mode must be one of 'REQUIRED' or 'OPTIONAL'")
        check_override(self.override, "OverrideConfig")
        check_flag(self.routes, "routes")
        if not isinstance(self.email_delivery, (EmailDeliveryConfig, type(None))):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigError("email_delivery must be an EmailDeliveryConfig or None")
        given = [
            one for one in (self.get_email_for_recipe_user_id, self.get_email_for_user_id) if one is not None
        ]
        if len(given) > 1 or not all(map(callable, given)):
            raise ConfigError(
                "get_email_for_recipe_user_id must be one function of (recipe_user_id, user_context)"
            )

    @property
    def email_of_user(self) -> TypeGetEmailForUserIdFunction | None:
        """The application's function, under either name."""
        return self.get_email_for_recipe_user_id or self.get_email_for_user_id


class EmailVerificationRecipe(
    Recipe[EmailVerificationInit, RecipeInterface, APIInterface], settings=EmailVerificationInit
):
    """Verification of e-mail addresses, for one app."""

    recipe_id = RECIPE_ID
    name = "Emailverification"
    is_implicit = False
    keeps_users = True
    not_initialised: ClassVar[str | None] = NOT_INITIALISED

    def __init__(self, app: App, config: EmailVerificationInit) -> None:
        super().__init__(app, config)
        website = app.app_info.fixed_origin or app.app_info.api_domain
        self.email_delivery: EmailDeliveryIngredient[EmailTemplateVars] = EmailDeliveryIngredient(
            delivery_of(
                config.email_delivery,
                verification_letter,
                recipe=RECIPE_ID,
                is_development=is_local(host_of(website)),
            )
        )
        self.install_functions(RecipeInterface(app), adapters_of(RecipeInterface))
        apis = APIInterface()
        self.install_apis(apis, results=answers_of(apis), adapters=adapters_of(APIInterface))

    @classmethod
    def get_instance_optional(cls) -> EmailVerificationRecipe | None:
        """Return this recipe of the current app, or None where it is not listed."""
        try:
            return cls.get_instance()
        except GeneralError:
            return None

    def connect(self) -> None:
        sessions = self.app.recipe(SessionRecipe)
        sessions.add_claim_from_other_recipe(EmailVerificationClaim)
        if self.config.mode == "REQUIRED":
            sessions.add_claim_validator_from_other_recipe(EmailVerificationClaim.validators.is_verified())

    # -- which address a user has ------------------------------------------------------------------------

    async def get_email_for_recipe_user_id(
        self, recipe_user_id: str, user_context: dict[str, Any]
    ) -> EmailOfUser:
        """Return the address of a user: as the application says, else of the user's login method."""
        ask = self.config.email_of_user
        if ask is not None:
            found = await call_app(ask, RecipeUserId(recipe_user_id), user_context)
            _EMAIL_OF_USER.require(found, "get_email_for_recipe_user_id of emailverification.init", ask)
            if not isinstance(found, UnknownUserIdError):
                return found
        user = await call_engine(user_context, self.app.engine.users.find, str(recipe_user_id))
        if user is None:
            return UnknownUserIdError()
        own = [method for method in user.login_methods if method.recipe_user_id == recipe_user_id]
        email = next((one.email for one in own or user.login_methods if one.email is not None), None)
        return EmailDoesNotExistError() if email is None else GetEmailForUserIdOkResult(email)

    get_email_for_user_id = get_email_for_recipe_user_id

    async def mark_verified(
        self, recipe_user_id: str, email: str, tenant_id: str, user_context: dict[str, Any]
    ) -> None:
        """Verify an address that was proven in another way, through the functions, overrides included."""
        functions = self.recipe_implementation
        made = await functions.create_email_verification_token(
            recipe_user_id=RecipeUserId(recipe_user_id),
            email=email,
            tenant_id=tenant_id,
            user_context=user_context,
        )
        if isinstance(made, CreateEmailVerificationTokenOkResult):
            await functions.verify_email_using_token(
                token=made.token,
                tenant_id=tenant_id,
                attempt_account_linking=False,
                user_context=user_context,
            )

    # -- the routes --------------------------------------------------------------------------------------

    def routes(self) -> Sequence[Route]:
        apis = self.api_implementation
        return (
            self.json_route(
                "POST",
                "/user/email/verify/token",
                self._send_link,
                lambda: not apis.disable_generate_email_verify_token_post,
            ),
            Route("POST", "/user/email/verify", self._verify, lambda: not apis.disable_email_verify_post),
            self.json_route(
                "GET",
                "/user/email/verify",
                self._is_verified,
                lambda: not apis.disable_is_email_verified_get,
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
        )

    async def _session(self, request: BaseRequest, user_context: dict[str, Any]) -> SessionContainer:
        return cast("SessionContainer", await self._session_by(_REQUIRED, request, user_context))

    async def _session_by(
        self, options: VerifyOptions, request: BaseRequest, user_context: dict[str, Any]
    ) -> SessionContainer | None:
        request.forbid_caching()
        flows = self.app.recipe(SessionRecipe).flows
        return await flows.verify(request, options, user_context, guards=False)

    async def _send_link(
        self, options: APIOptions, tenant_id: str, user_context: dict[str, Any]
    ) -> APIResponse:
        session = await self._session(options.request, user_context)
        return await self.api_implementation.generate_email_verify_token_post(
            session=session, api_options=options, user_context=user_context
        )

    async def _verify(
        self, request: BaseRequest, response: BaseResponse, tenant_id: str, user_context: dict[str, Any]
    ) -> BaseResponse:
        body = await json_body(request)
        token = masked(body.pop("token", None))
        if token is None:
            raise BadInputError("Please provide the email verification token")
        if not isinstance(token, str) or len(token) > LONGEST_TOKEN:
            raise BadInputError("The email verification token must be a string")
        session = await self._session_by(_OPTIONAL, request, user_context)
        result = await self.api_implementation.email_verify_post(
            token=token,
            session=session,
            tenant_id=tenant_id,
            api_options=self.api_options(request, response),
            user_context=user_context,
        )
        json = result.to_json()
        if isinstance(result, EmailVerifyPostOkResult) and fdi_version(request) < (3, 0):
            json["user"] = {"id": result.user.user_id, "email": result.user.email}
        response.set_json_content(json)
        return response

    async def _is_verified(
        self, options: APIOptions, tenant_id: str, user_context: dict[str, Any]
    ) -> APIResponse:
        session = await self._session(options.request, user_context)
        return await self.api_implementation.is_email_verified_get(
            session=session, api_options=options, user_context=user_context
        )
