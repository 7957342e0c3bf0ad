"""`ThirdPartyRecipe`: its settings, and its routes."""

from __future__ import annotations

import functools
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar

from supertokens_py.engine.user_records import SignedInUp
from supertokens_py.events import SignInFailed, UserSignedIn, emit
from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.framework.request import BaseRequest
from supertokens_py.framework.response import BaseResponse
from supertokens_py.recipe.base import Recipe, RecipeSettings, check_flag
from supertokens_py.recipe.multitenancy.interfaces import TenantConfigResponse, ThirdPartyProvider
from supertokens_py.recipe.multitenancy.recipe import MultitenancyRecipe
from supertokens_py.recipe.overrides import OverrideConfig, Result, check_override
from supertokens_py.recipe.session.recipe import SessionRecipe
from supertokens_py.recipe.sign_in.argument_forms import adapters_of
from supertokens_py.recipe.sign_in.clients import admit, admitted, take_back
from supertokens_py.recipe.sign_in.frontends import (
    json_body,
    refuse_linking,
    signed_in_or_up,
)
from supertokens_py.recipe.sign_in.outcomes import answers_of
from supertokens_py.recipe.sign_in.proofs import revoked_as_outdated
from supertokens_py.recipe.sign_in.sessions import sign_in_route, tell
from supertokens_py.recipe_module import App, Route
from supertokens_py.settings import explains_unknown_arguments
from supertokens_py.types.providers import MAX_THIRD_PARTY_ID
from supertokens_py.types.response import APIResponse, GeneralErrorResponse

from . import apple_callback, bodies
from .api import APIInterface, APIOptions
from .exceptions import ProviderError
from .functions import RECIPE_ID, RecipeInterface, proofs
from .provider import Provider, ProviderInput
from .providers.redirect_uris import check_listed, is_allowed
from .providers.source import ProviderSource
from .results import SignInUpPostOkResult

_NO_ANSWER = Result((type(None),), "None: it writes to api_options.response")
_GONE = "This account was changed meanwhile. Please sign in."


@contextmanager
def _failures_noted(tenant_id: str) -> Generator[None]:
    try:
        yield
    except ProviderError:
        emit(SignInFailed(user_id=None, tenant_id=tenant_id, recipe_id=RECIPE_ID))
        raise


class SignInAndUpFeature:
    """What users may sign in with.

    Args:
        providers: the providers of the application; tenants may have their own in the database.
    """

    def __init__(self, providers: Sequence[ProviderInput] | None = None) -> None:
        self.providers: list[ProviderInput] = list(providers or ())


@explains_unknown_arguments("thirdparty.init")
@dataclass(frozen=True)
class ThirdPartyInit(RecipeSettings):
    """The arguments of `thirdparty.init`.

    Args:
        sign_in_and_up_feature: the providers, `thirdparty.SignInAndUpFeature(providers=[…])`.
        override: your changes, `thirdparty.InputOverrideConfig(functions=…, apis=…)`.
        allowed_redirect_uris: where a provider may send browsers back to besides the pages of the website,
            each a whole address, such as "com.example.app:/oauth" of a native app.
        allow_private_networks: whether providers of tenants, from the database, may be asked in a private
            network; those that are given here always may.
        routes: serve the HTTP APIs; without them the functions work as ever, for pages of your own.

    Raises:
        BadInputError: two providers have one id.
        ConfigError: an argument of another type, or a provider or an address that cannot work.
    """

    sign_in_and_up_feature: SignInAndUpFeature | None = None
    override: OverrideConfig | None = None
    _: KW_ONLY
    allowed_redirect_uris: Sequence[str] = field(default=())
    allow_private_networks: bool = False
    routes: bool = True

    def __post_init__(self) -> None:
        check_override(self.override)
        if not isinstance(self.sign_in_and_up_feature, (SignInAndUpFeature, type(None))):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigError("sign_in_and_up_feature must be a SignInAndUpFeature or None")
        check_flag(self.allow_private_networks, "allow_private_networks")
        check_flag(self.routes, "routes")
        check_listed(self.allowed_redirect_uris)


class ThirdPartyRecipe(Recipe[ThirdPartyInit, RecipeInterface, APIInterface], settings=ThirdPartyInit):
    """Sign-in with accounts of other providers, for one app."""

    recipe_id = RECIPE_ID
    name = "ThirdParty"
    is_implicit = False
    keeps_users = True
    first_factors: Sequence[str] = (RECIPE_ID,)
    not_initialised: ClassVar[str | None] = (
        "Initialisation not done. Did you forget to call the SuperTokens.init or ThirdParty.init "
        "function? In Python it is supertokens_py.init(...) with thirdparty.init(...) in recipe_list."
    )

    def __init__(self, app: App, config: ThirdPartyInit) -> None:
        super().__init__(app, config)
        feature = config.sign_in_and_up_feature or SignInAndUpFeature()
        self.providers: list[ProviderInput] = feature.providers
        self._source = ProviderSource(
            app,
            self.providers,
            allowed_redirect_uris=config.allowed_redirect_uris,
            allow_private_networks=config.allow_private_networks,
        )
        self.install_functions(RecipeInterface(app, self._find_provider), adapters_of(RecipeInterface))
        apis = APIInterface()
        results = {**answers_of(apis), "apple_redirect_handler_post": _NO_ANSWER}
        self.install_apis(apis, results=results, adapters=adapters_of(APIInterface))

    def connect(self) -> None:
        self.app.recipe(SessionRecipe)
        self.app.recipe(MultitenancyRecipe).offers_providers(self.providers, self._offered)

    # -- providers and addresses -------------------------------------------------------------------------

    async def _find_provider(
        self, third_party_id: str, client_type: str | None, tenant_id: str, user_context: dict[str, Any]
    ) -> Provider | None:
        tenant = await MultitenancyRecipe.get_instance().recipe_implementation.get_tenant(
            tenant_id, user_context
        )
        if tenant is None:
            raise BadInputError("Tenant not found")
        return await self._source.find(
            third_party_id,
            client_type=client_type,
            tenant_id=tenant_id,
            stored=tenant.third_party.providers,
            user_context=user_context,
        )

    def _is_allowed_redirect(self, uri: str, request: BaseRequest, user_context: dict[str, Any]) -> bool:
        website = self.app.app_info.website(request, user_context)
        return is_allowed(uri, website=website, listed=self._source.redirect_uris)

    async def _offered(
        self, tenant: TenantConfigResponse, client_type: str | None, user_context: dict[str, Any]
    ) -> list[ThirdPartyProvider]:
        """Return what GET /loginmethods lists."""
        found = await self._source.names(
            client_type=client_type,
            tenant_id=tenant.tenant_id,
            stored=tenant.third_party.providers,
            user_context=user_context,
        )
        return [ThirdPartyProvider(third_party_id, name) for third_party_id, name in found]

    async def find_provider(
        self, third_party_id: str, client_type: str | None, tenant_id: str, user_context: dict[str, Any]
    ) -> Provider:
        """Return the provider that a request to sign in names.

        Raises:
            BadInputError: the tenant has none of this id.
        """
        found = await self.recipe_implementation.get_provider(
            third_party_id=third_party_id,
            client_type=client_type,
            tenant_id=tenant_id,
            user_context=user_context,
        )
        if found is None:
            raise BadInputError(f"the provider {third_party_id} could not be found in the configuration")
        return found

    # -- the routes ------------------------------------------------------------------------------------

    def routes(self) -> Sequence[Route]:
        apis = self.api_implementation
        return (
            Route(
                "GET", "/authorisationurl", self._authorise, lambda: not apis.disable_authorisation_url_get
            ),
            Route("POST", "/signinup", self._sign_in_up, lambda: not apis.disable_sign_in_up_post),
            Route(
                "POST",
                apple_callback.PATH,
                self._apple_callback_posted,
                lambda: not apis.disable_apple_redirect_handler_post,
            ),
        )

    def _options(
        self, request: BaseRequest, response: BaseResponse, user_context: dict[str, Any]
    ) -> APIOptions:
        return APIOptions(
            request,
            response,
            self.recipe_id,
            self.config,
            self.recipe_implementation,
            self.providers,
            self.app.app_info,
            functools.partial(self._is_allowed_redirect, request=request, user_context=user_context),
        )

    async def _authorise(
        self, request: BaseRequest, response: BaseResponse, tenant_id: str, user_context: dict[str, Any]
    ) -> BaseResponse:
        options, asked = self._options(request, response, user_context), request.get_query_param
        third_party_id = bodies.required_text(
            asked("thirdPartyId"), "thirdPartyId", bodies.PARAM, MAX_THIRD_PARTY_ID
        )
        name = "redirectURIOnProviderDashboard"
        uri = bodies.required_text(asked(name), name, bodies.PARAM, bodies.LONGEST_URI)
        client_type = bodies.optional_text(asked("clientType"), "clientType")
        await admit(self.app, "authorise", request, user_context)
        result = await self.api_implementation.authorisation_url_get(
            provider=await self.find_provider(third_party_id, client_type, tenant_id, user_context),
            redirect_uri_on_provider_dashboard=uri,
            api_options=options,
            user_context=user_context,
        )
        response.set_json_content(result.to_json())
        return response

    async def _sign_in_up(
        self, request: BaseRequest, response: BaseResponse, tenant_id: str, user_context: dict[str, Any]
    ) -> BaseResponse:
        options = self._options(request, response, user_context)
        sent = await json_body(request, "Please provide a JSON input")
        body = bodies.sign_in_up_body(sent)
        links = await refuse_linking(sent, request, user_context)
        provider = await self.find_provider(body.third_party_id, body.client_type, tenant_id, user_context)
        async with admitted(self.app, "sign_in", request, user_context):
            with sign_in_route() as events, proofs.collected() as signed_in, _failures_noted(tenant_id):
                result = await self.api_implementation.sign_in_up_post(
                    provider=provider,
                    redirect_uri_info=body.redirect_uri_info,
                    oauth_tokens=body.oauth_tokens,
                    session=None,
                    should_try_linking_with_session_user=links,
                    tenant_id=tenant_id,
                    api_options=options,
                    user_context=user_context,
                )
        response.set_json_content(await self._signed_in(result, signed_in, events, request, user_context))
        return response

    async def _signed_in(
        self,
        result: APIResponse,
        signed_in: Sequence[SignedInUp],
        events: Sequence[UserSignedIn],
        request: BaseRequest,
        user_context: dict[str, Any],
    ) -> dict[str, Any]:
        """Return the JSON form of a result, which has no tokens; a session may have come too late."""
        if not isinstance(result, SignInUpPostOkResult):
            return result.to_json()
        session, is_current = result.session, self.app.engine.third_party.is_current
        tenant_id = session.get_tenant_id(user_context)
        failure = SignInFailed(user_id=result.user.id, tenant_id=tenant_id, recipe_id=RECIPE_ID)
        if await revoked_as_outdated(session, signed_in, is_current, failure, user_context):
            return GeneralErrorResponse(_GONE).to_json()
        tell(events)
        await take_back(self.app, "sign_in", request, user_context)
        own = str(session.get_recipe_user_id())
        return signed_in_or_up(result.user, own, request, created=result.created_new_user)

    async def _apple_callback_posted(
        self, request: BaseRequest, response: BaseResponse, tenant_id: str, user_context: dict[str, Any]
    ) -> BaseResponse:
        await self.api_implementation.apple_redirect_handler_post(
            form_post_info=await request.form_data(),
            api_options=self._options(request, response, user_context),
            user_context=user_context,
        )
        return response
