"""`SessionRecipe`: connects the parts of the session recipe, each of which knows only what it works with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from supertokens_py.app import Supertokens
from supertokens_py.engine.session_records import SessionFeatures
from supertokens_py.exceptions import ConfigError
from supertokens_py.framework.request import BaseRequest
from supertokens_py.framework.response import BaseResponse
from supertokens_py.recipe.base import Recipe
from supertokens_py.recipe.openid.recipe import OpenIdRecipe
from supertokens_py.recipe_module import App, Route

from .api import APIInterface, VerifyForRoute, answer_refresh, answer_signout, verify_by
from .claim_base_classes.claim import SessionClaim, SessionClaimValidator
from .claim_validation.evaluation import never_passes
from .compatibility import API_RESULTS, FUNCTION_RESULTS, FlexibleRecipeInterface, adapt_create_new_session
from .constants import (
    ANTI_CSRF_HEADER_KEY,
    AUTH_MODE_HEADER_KEY,
    AUTHORIZATION_HEADER_KEY,
    IMPERSONATION_END,
    SESSION_REFRESH,
    SESSIONS,
    SESSIONS_REVOKE,
    SIGNOUT,
)
from .container import Parts, SessionContainer
from .container_parts import ContainerParts
from .device_binding.bindings import DeviceBindings
from .exceptions import SuperTokensSessionError
from .features.creation_settings import CreationSettings
from .functions import FunctionParts, RecipeInterface
from .lifecycle.flows import SessionFlows
from .lifecycle.impersonation import Impersonations, answer_end
from .lifecycle.replacement import Replacements
from .lifecycle.return_tokens import ReturnTokens
from .policy.issuers import Issuers
from .responses.documents import as_page_of_wait
from .responses.errors import ErrorResponses
from .responses.pages import Pages
from .routes.device_binding_routes import device_routes
from .routes.device_routes import answer_revoke, answer_sessions, options_of_revoke
from .routes.page_routes import with_pages
from .session_tokens.delivery import Deliveries
from .settings import SessionConfig, SessionSettings, resolve
from .verification.claim_checks import AddedClaims, ClaimChecks
from .verification.issued_sessions import IssuedSessions, merge_by
from .verification.verification import VerifyOptions
from .verification.verifier import Verifier
from .verification.watched_verifier import verifier_of


class SessionRecipe(Recipe[SessionConfig, RecipeInterface, APIInterface], settings=SessionSettings):
    """Sessions of one app."""

    recipe_id = "session"
    name = "Session"
    is_implicit = False

    def __init__(self, app: App, given: SessionSettings) -> None:
        config = resolve(given, app.app_info)
        super().__init__(app, config)
        self.session_features: SessionFeatures = config.optional_features.engine_features
        self._own_issuer = given.issuer
        self._added = AddedClaims()
        issuers = Issuers(lambda: app.recipe(OpenIdRecipe).issuer, config.accepted_issuers)
        deliveries = Deliveries(config, app.now_ms)
        optional = config.optional_features
        containers: Parts = ContainerParts(config, deliveries, reserved=optional.reserved_claims)
        self.verifier: Verifier = verifier_of(app, containers, issuers, optional.instant_revocation)
        sessions = IssuedSessions(app, containers, issuers)
        self.creation_settings: CreationSettings = CreationSettings(optional.lifetime, optional.limit)
        binding = optional.device_binding
        #: where sessions may be bound to devices
        self.bindings: DeviceBindings | None = (
            None if binding is None else DeviceBindings(app, config, binding)
        )
        parts = self._parts_of_functions(issuers, sessions)
        functions, replaced = self.install_functions(
            FlexibleRecipeInterface(parts), {"create_new_session": adapt_create_new_session}, FUNCTION_RESULTS
        )
        self.replacements: Replacements = Replacements(parts, functions, optional)
        self._connect_containers(containers, sessions, functions, replaced)
        base = str(app.app_info.api_base_path)
        pages = Pages.of(optional.pages, base, config, app.now_ms)
        self.pages: Pages | None = pages  #: where the application renders pages
        self.claims: ClaimChecks = ClaimChecks(self._added, functions, replaced)
        returns = self._return_tokens(deliveries, base)
        self.flows: SessionFlows = SessionFlows(
            parts,
            optional,
            deliveries,
            functions,
            replaced,
            claims=self.claims,
            added=self._added,
            replacements=self.replacements,
            pages=pages,
            returns=returns if optional.impersonation else None,
        )
        self.impersonations: Impersonations = Impersonations(
            parts, functions, self.flows, self.replacements, returns, optional.impersonation
        )
        apis, replaced_apis = self.install_apis(APIInterface(self.flows), API_RESULTS)
        #: with options made once; adapters call it at each request
        self.verify: VerifyForRoute = self.flows.verify
        if "verify_session" in replaced_apis:
            self.verify = verify_by(apis, self.api_options, binds_devices=binding is not None)
        self._errors = ErrorResponses(app, config, config.error_handlers, functions, deliveries, pages)

    def _parts_of_functions(self, issuers: Issuers, sessions: IssuedSessions) -> FunctionParts:
        optional, now_ms = self.config.optional_features, self.app.now_ms
        return FunctionParts(
            app=self.app,
            policy=self.config,
            issuers=issuers,
            creation_settings=self.creation_settings,
            read_token=self.verifier.read,
            session_of_token=self.verifier.session_of,
            session_of_issued=sessions.of_issued,
            session_of_refreshed=sessions.of_refreshed,
            reserved=optional.reserved_claims,
            guests=optional.guests,
            claims_of_new=lambda: optional.claims_of_new(now_ms()),
            bindings=self.bindings,
        )

    def _return_tokens(self, deliveries: Deliveries, base: str) -> ReturnTokens:
        impersonation = self.config.optional_features.impersonation
        end_path = impersonation and impersonation.end_path
        made = ReturnTokens(
            self.app, deliveries, end_path or f"{base}{IMPERSONATION_END}", f"{base}{SIGNOUT}"
        )
        if impersonation is not None:
            deliveries.return_paths = made.paths
        return made

    def _connect_containers(
        self,
        containers: Parts,
        sessions: IssuedSessions,
        functions: RecipeInterface,
        replaced: frozenset[str],
    ) -> None:
        """Give sessions what they call; where the application replaced a function, they go by that."""
        containers.functions = functions
        containers.merge_payload = sessions.merge_payload
        containers.reauthenticate = self.replacements.reauthenticate
        if "regenerate_access_token" in replaced:
            containers.merge_payload = merge_by(functions)
        if "validate_claims" in replaced:
            containers.all_pass = never_passes

    @classmethod
    def get_instance(cls) -> SessionRecipe:
        """Return the session recipe of the current app.

        Raises:
            GeneralError: `init` was not called, or without the session recipe.
        """
        return Supertokens.get_instance().recipe(cls)

    def connect(self) -> None:
        openid = self.app.recipe(OpenIdRecipe)
        openid.adopt(issuer=self._own_issuer, override=self.config.override.openid_feature)

    # -- what other recipes add ----------------------------------------------------------------------

    def add_claim_from_other_recipe(self, claim: SessionClaim[Any]) -> None:
        """Put a claim into every new session.

        Raises:
            ConfigError: a claim of this key is there already.
        """
        if any(known.key == claim.key for known in self._added.claims):
            raise ConfigError(f"Claim added by multiple recipes: {claim.key}")
        self._added.claims.append(claim)

    def get_claims_added_by_other_recipes(self) -> list[SessionClaim[Any]]:
        """Return the claims of every new session."""
        return self._added.claims

    def add_claim_validator_from_other_recipe(self, claim_validator: SessionClaimValidator) -> None:
        """Evaluate this validator in every verification, too."""
        self._added.validators.append(claim_validator)

    def get_claim_validators_added_by_other_recipes(self) -> list[SessionClaimValidator]:
        """Return the validators of every verification."""
        return self._added.validators

    # -- verification --------------------------------------------------------------------------------

    async def verify_session(
        self,
        request: BaseRequest,
        anti_csrf_check: bool | None,
        session_required: bool,
        check_database: bool,
        override_global_claim_validators: Any,
        user_context: dict[str, Any],
    ) -> SessionContainer | None:
        """Do what every framework's `verify_session` does."""
        options = VerifyOptions(
            anti_csrf_check, session_required, check_database, override_global_claim_validators
        )
        return await self.verify(request, options, user_context)

    # -- HTTP ----------------------------------------------------------------------------------------

    def routes(self) -> Sequence[Route]:
        apis, impersonation = self.api_implementation, self.config.optional_features.impersonation
        routes = (
            self.json_route(
                "POST",
                SESSION_REFRESH,
                lambda options, _, context: answer_refresh(apis, options, context),
                lambda: not apis.disable_refresh_post,
            ),
            self.json_route(
                "POST",
                SIGNOUT,
                lambda options, _, context: answer_signout(apis, self.flows, options, context),
                lambda: not apis.disable_signout_post,
            ),
            *self._device_routes(),
            *(() if self.bindings is None else device_routes(self.bindings)),
            self.json_route(
                "POST",
                IMPERSONATION_END,
                lambda options, _, context: answer_end(self.impersonations, options, context),
                lambda: impersonation is not None and impersonation.routes,
            ),
        )
        return routes if self.pages is None else with_pages(routes, self.pages, self.flows)

    def _device_routes(self) -> Sequence[Route]:
        apis, devices = self.api_implementation, self.config.optional_features.devices
        if devices is None or not devices.routes:
            return ()
        verify = options_of_revoke(devices, self.config.optional_features.reserved_claims)
        return (
            self.json_route(
                "GET",
                SESSIONS,
                lambda options, _, context: answer_sessions(apis, self.flows, options, context),
                lambda: not apis.disable_sessions_get,
            ),
            self.json_route(
                "POST",
                SESSIONS_REVOKE,
                lambda options, _, context: answer_revoke(apis, self.flows, verify, options, context),
                lambda: not apis.disable_sessions_revoke_post,
            ),
        )

    def cors_headers(self) -> Sequence[str]:
        return ANTI_CSRF_HEADER_KEY, AUTHORIZATION_HEADER_KEY, AUTH_MODE_HEADER_KEY

    def handles(self, error: Exception) -> bool:
        return isinstance(error, SuperTokensSessionError)

    async def error_response(
        self, error: Exception, request: BaseRequest, response: BaseResponse, user_context: dict[str, Any]
    ) -> BaseResponse:
        return await self._errors.answer(error, request, response, user_context)

    def as_page(self, answer: BaseResponse, request: BaseRequest) -> BaseResponse:
        return answer if self.pages is None else as_page_of_wait(answer, request)
