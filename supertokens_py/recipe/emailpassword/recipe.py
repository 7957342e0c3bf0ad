"""`EmailPasswordRecipe`: its settings, and its routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from importlib.util import find_spec
from typing import Any, ClassVar, TypeAlias

from supertokens_py.engine.user_services import ClientKind
from supertokens_py.events import SignInFailed
from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.framework.request import BaseRequest
from supertokens_py.framework.response import BaseResponse
from supertokens_py.ingredients.emaildelivery.development import delivery_of
from supertokens_py.ingredients.emaildelivery.types import EmailDeliveryConfig
from supertokens_py.recipe.base import Recipe, RecipeSettings, check_flag
from supertokens_py.recipe.multitenancy.recipe import MultitenancyRecipe
from supertokens_py.recipe.overrides import OverrideConfig, check_override
from supertokens_py.recipe.session.recipe import SessionRecipe
from supertokens_py.recipe.sign_in.argument_forms import adapters_of
from supertokens_py.recipe.sign_in.clients import admit, admitted, asked_about, take_back
from supertokens_py.recipe.sign_in.frontends import (
    json_body,
    refuse_linking,
    user_for_frontend,
)
from supertokens_py.recipe.sign_in.mailing import LONGEST_TOKEN
from supertokens_py.recipe.sign_in.outcomes import answers_of
from supertokens_py.recipe.sign_in.proofs import revoked_as_outdated
from supertokens_py.recipe.sign_in.sessions import sign_in_route, tell
from supertokens_py.recipe_module import App, Route
from supertokens_py.runtime.bridge import call_app
from supertokens_py.secret import masked
from supertokens_py.types.response import APIResponse, GeneralErrorResponse
from supertokens_py.urls import host_of, is_local

from . import proofs
from .api import APIInterface, APIOptions
from .forms import (
    EMAIL,
    PASSWORD,
    default_validator,
    parsed,
    require_valid,
    sign_up_fields,
)
from .functions import RECIPE_ID, RecipeInterface
from .letters import reset_letter
from .passwords import PasswordPolicy
from .results import (
    EmailAlreadyExistsError,
    GeneratePasswordResetTokenPostNotAllowedResponse,
    PasswordPolicyViolationError,
    SignInPostOkResult,
    SignUpPostOkResult,
    WrongCredentialsError,
)
from .types import EmailDeliveryIngredient, EmailTemplateVars, FormField, InputFormField, NormalisedFormField

_GONE = "This account was changed meanwhile. Please sign in."
_TAKEN = "This email already exists. Please sign in instead."

#: Answers a route from `(body, options, tenant_id, user_context)`.
_Answer: TypeAlias = Callable[[dict[str, Any], APIOptions, str, dict[str, Any]], Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class InputSignUpFeature:
    """The sign-up form.

    Args:
        form_fields: further fields, or other checks of "email" and "password".
    """

    form_fields: Sequence[InputFormField] | None = None


@dataclass(frozen=True)
class EmailPasswordInit(RecipeSettings):
    """The arguments of `emailpassword.init`.

    Args:
        sign_up_feature: the fields of the sign-up form.
        override: your changes, `emailpassword.InputOverrideConfig(functions=…, apis=…)`.
        email_delivery: what sends the e-mails; may be left out where the website is on localhost.
        password_policy: which passwords may be chosen; a check that `sign_up_feature` has of "password" wins.
        revoke_sessions_on_password_reset: whether every session of a user ends when the password is reset.
        routes: serve the HTTP APIs; without them the functions work as ever, for forms of your own.

    Raises:
        ConfigError: an argument of another type.
    """

    sign_up_feature: InputSignUpFeature | None = None
    override: OverrideConfig | None = None
    email_delivery: EmailDeliveryConfig[EmailTemplateVars] | None = None
    _: KW_ONLY
    password_policy: PasswordPolicy = field(default_factory=PasswordPolicy)
    revoke_sessions_on_password_reset: bool = True
    routes: bool = True

    def __post_init__(self) -> None:
        check_override(self.override)
        for name, kind, wanted in (
            ("sign_up_feature", (InputSignUpFeature, type(None)), "an InputSignUpFeature or None"),
            ("email_delivery", (EmailDeliveryConfig, type(None)), "an EmailDeliveryConfig or None"),
            ("password_policy", (PasswordPolicy,), "a PasswordPolicy"),
        ):
            if not isinstance(getattr(self, name), kind):
                raise ConfigError(f"{name} must be {wanted}")
        check_flag(self.revoke_sessions_on_password_reset, "revoke_sessions_on_password_reset")
        check_flag(self.routes, "routes")


class EmailPasswordRecipe(
    Recipe[EmailPasswordInit, RecipeInterface, APIInterface], settings=EmailPasswordInit
):
    """Sign-up and sign-in with e-mail address and password, for one app."""

    recipe_id = RECIPE_ID
    name = "EmailPassword"
    is_implicit = False
    keeps_users = True
    first_factors: Sequence[str] = (RECIPE_ID,)
    not_initialised: ClassVar[str | None] = (
        "Initialisation not done. Did you forget to call the SuperTokens.init or EmailPassword.init "
        "function? In Python it is supertokens_py.init(...) with emailpassword.init() in recipe_list."
    )

    def __init__(self, app: App, config: EmailPasswordInit) -> None:
        super().__init__(app, config)
        if find_spec("bcrypt") is None:
            raise ConfigError(
                "emailpassword.init(...) needs the extra 'emailpassword' (docs/installation.md)"
            )
        given = config.sign_up_feature.form_fields if config.sign_up_feature is not None else None
        self.sign_up_fields: list[NormalisedFormField] = sign_up_fields(given or (), config.password_policy)
        by_id = {one.id: one for one in self.sign_up_fields}
        self._email, self._password = by_id[EMAIL], by_id[PASSWORD]
        # A password that could not be chosen now may have been chosen before.
        self.sign_in_fields: list[NormalisedFormField] = [
            self._email,
            NormalisedFormField(PASSWORD, default_validator, False),
        ]
        website = app.app_info.fixed_origin or app.app_info.api_domain
        self.email_delivery: EmailDeliveryIngredient[EmailTemplateVars] = EmailDeliveryIngredient(
            delivery_of(
                config.email_delivery,
                reset_letter,
                recipe=RECIPE_ID,
                is_development=is_local(host_of(website)),
            )
        )
        functions = RecipeInterface(
            app, self.password_error, revoke_sessions=config.revoke_sessions_on_password_reset
        )
        self.install_functions(functions, adapters_of(RecipeInterface))
        apis = APIInterface()
        self.install_apis(apis, results=answers_of(apis), adapters=adapters_of(APIInterface))

    async def password_error(self, password: str, tenant_id: str) -> str | None:
        """Return what is wrong with a new password, or None."""
        return await call_app(self._password.validate, password, tenant_id)

    def connect(self) -> None:
        self.app.recipe(SessionRecipe)
        self.app.recipe(MultitenancyRecipe)

    def routes(self) -> Sequence[Route]:
        apis = self.api_implementation
        return (
            self._route("POST", "/signup", self._sign_up, lambda: not apis.disable_sign_up_post),
            self._route("POST", "/signin", self._sign_in, lambda: not apis.disable_sign_in_post),
            *(
                self._route("GET", path, self._email_exists, lambda: not apis.disable_email_exists_get)
                for path in ("/emailpassword/email/exists", "/signup/email/exists")
            ),
            self._route(
                "POST",
                "/user/password/reset/token",
                self._ask_for_reset,
                lambda: not apis.disable_generate_password_reset_token_post,
            ),
            self._route(
                "POST", "/user/password/reset", self._reset, lambda: not apis.disable_password_reset_post
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

    def _route(self, method: str, path: str, answer: _Answer, enabled: Callable[[], bool]) -> Route:
        async def handle(
            request: BaseRequest, response: BaseResponse, tenant_id: str, user_context: dict[str, Any]
        ) -> BaseResponse:
            options = self.api_options(request, response)
            body = {} if method == "GET" else await json_body(request)
            response.set_json_content(await answer(body, options, tenant_id, user_context))
            return response

        return Route(method, path, handle, enabled)

    # -- the routes ------------------------------------------------------------------------------------

    async def _form(
        self, body: dict[str, Any], fields: Sequence[NormalisedFormField], tenant_id: str
    ) -> list[FormField]:
        form = parsed(body, fields)
        await require_valid(form, fields, tenant_id)
        return form

    async def _sign_up(
        self, body: dict[str, Any], options: APIOptions, tenant_id: str, user_context: dict[str, Any]
    ) -> dict[str, Any]:
        post = self.api_implementation.sign_up_post
        result = await self._post(
            "sign_up", post, self.sign_up_fields, body, options, tenant_id, user_context
        )
        if isinstance(result, EmailAlreadyExistsError):
            return _field_error(EMAIL, _TAKEN)
        return _signed_in(GeneralErrorResponse(_GONE) if result is None else result, options)

    async def _sign_in(
        self, body: dict[str, Any], options: APIOptions, tenant_id: str, user_context: dict[str, Any]
    ) -> dict[str, Any]:
        post = self.api_implementation.sign_in_post
        result = await self._post(
            "sign_in", post, self.sign_in_fields, body, options, tenant_id, user_context
        )
        if isinstance(result, SignInPostOkResult):
            await take_back(self.app, "sign_in", options.request, user_context)
        return _signed_in(WrongCredentialsError() if result is None else result, options)

    async def _post(
        self,
        kind: ClientKind,
        post: Callable[..., Awaitable[APIResponse]],
        fields: Sequence[NormalisedFormField],
        body: dict[str, Any],
        options: APIOptions,
        tenant_id: str,
        user_context: dict[str, Any],
    ) -> APIResponse | None:
        """Ask the API of sign-up or sign-in, once the form is valid; None: its session came too late."""
        form = await self._form(body, fields, tenant_id)
        links = await refuse_linking(body, options.request, user_context)
        async with admitted(self.app, kind, options.request, user_context):
            with sign_in_route() as events, proofs.collected() as verified:
                result = await post(
                    form_fields=form,
                    tenant_id=tenant_id,
                    session=None,
                    should_try_linking_with_session_user=links,
                    api_options=options,
                    user_context=user_context,
                )
        if not isinstance(result, SignUpPostOkResult | SignInPostOkResult):
            return result
        is_current = self.app.engine.email_password.is_current
        failure = SignInFailed(user_id=result.user.id, tenant_id=tenant_id, recipe_id=RECIPE_ID)
        if await revoked_as_outdated(result.session, verified, is_current, failure, user_context):
            return None
        tell(events)
        return result

    async def _email_exists(
        self, body: dict[str, Any], options: APIOptions, tenant_id: str, user_context: dict[str, Any]
    ) -> dict[str, Any]:
        email = await asked_about(self.app, options.request, user_context)
        result = await self.api_implementation.email_exists_get(
            email=email, tenant_id=tenant_id, api_options=options, user_context=user_context
        )
        return result.to_json()

    async def _ask_for_reset(
        self, body: dict[str, Any], options: APIOptions, tenant_id: str, user_context: dict[str, Any]
    ) -> dict[str, Any]:
        form = await self._form(body, [self._email], tenant_id)
        return (await self._admitted_reset(form, options, tenant_id, user_context)).to_json()

    async def _admitted_reset(
        self, form: list[FormField], options: APIOptions, tenant_id: str, user_context: dict[str, Any]
    ) -> APIResponse:
        await admit(self.app, "reset", options.request, user_context)
        return await self.api_implementation.generate_password_reset_token_post(
            form_fields=form, tenant_id=tenant_id, api_options=options, user_context=user_context
        )

    async def request_reset(
        self, request: BaseRequest, email: Any, tenant_id: str, user_context: dict[str, Any]
    ) -> None:
        """Do what the route does for a form of the application's own.

        Raises:
            BadInputError: that is no address, or the application's override refuses.
            TooManyAttemptsError: the client has asked too often.
        """
        email = email.strip() if isinstance(email, str) else ""
        error = await call_app(self._email.validate, email, tenant_id)
        if error is not None:
            raise BadInputError(error)
        options = self.api_options(request, BaseResponse())
        options.form_size = len(email)
        form = [FormField(EMAIL, email)]
        result = await self._admitted_reset(form, options, tenant_id, user_context)
        if isinstance(result, GeneralErrorResponse):
            raise BadInputError(result.message)
        if isinstance(result, GeneratePasswordResetTokenPostNotAllowedResponse):
            raise BadInputError(result.reason)

    async def _reset(
        self, body: dict[str, Any], options: APIOptions, tenant_id: str, user_context: dict[str, Any]
    ) -> dict[str, Any]:
        form = await self._form(body, [self._password], tenant_id)
        token = masked(body.get("token"))
        if token is None:
            raise BadInputError("Please provide the password reset token")
        if not isinstance(token, str) or len(token) > LONGEST_TOKEN:
            raise BadInputError("The password reset token must be a string")
        result = await self.api_implementation.password_reset_post(
            form_fields=form, token=token, tenant_id=tenant_id, api_options=options, user_context=user_context
        )
        if isinstance(result, PasswordPolicyViolationError):
            return _field_error(PASSWORD, result.failure_reason)
        return result.to_json()


def _field_error(name: str, error: str) -> dict[str, Any]:
    return {"status": "FIELD_ERROR", "formFields": [{"id": name, "error": error}]}


def _signed_in(result: APIResponse, options: APIOptions) -> dict[str, Any]:
    if not isinstance(result, SignUpPostOkResult | SignInPostOkResult):
        return result.to_json()
    own = str(result.session.get_recipe_user_id())
    return {"status": "OK", "user": user_for_frontend(result.user, own, options.request)}
