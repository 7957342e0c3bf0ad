"""`SessionRecipe`: connects the parts of the session recipe, each of which knows only what it works with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from supertokens_py.app import Supertokens
from supertokens_py.exceptions import ConfigError
from supertokens_py.framework.request import BaseRequest
from supertokens_py.framework.response import BaseResponse
from supertokens_py.recipe.base import Recipe
from supertokens_py.recipe.openid.recipe import OpenIdRecipe
from supertokens_py.recipe_module import App, Route

from .api import APIInterface, Verify, answer_refresh, answer_signout, verify_by
from .claim import SessionClaim, SessionClaimValidator
from .claim_checks import AddedClaims, ClaimChecks
from .claim_evaluation import never_passes
from .compatibility import API_RESULTS, FUNCTION_RESULTS, FlexibleRecipeInterface, adapt_create_new_session
from .constants import (
    ANTI_CSRF_HEADER_KEY,
    AUTH_MODE_HEADER_KEY,
    AUTHORIZATION_HEADER_KEY,
    SESSION_REFRESH,
    SIGNOUT,
)
from .container import ContainerParts, SessionContainer
from .error_responses import ErrorResponses
from .exceptions import SuperTokensSessionError
from .flows import SessionFlows
from .functions import FunctionParts, RecipeInterface
from .issued_sessions import IssuedSessions, merge_by
from .issuers import Issuers
from .settings import SessionConfig, SessionSettings, resolve
from .token_delivery import Deliveries
from .verification import VerifyOptions
from .verifier import Verifier


class SessionRecipe(Recipe[SessionConfig, RecipeInterface, APIInterface], settings=SessionSettings):
    """Sessions of one app."""

    recipe_id = "session"
    name = "Session"
    is_implicit = False

    def __init__(self, app: App, given: SessionSettings) -> None:
        config = resolve(given, app.app_info)
        super().__init__(app, config)
        self._own_issuer = given.issuer
        self._added = AddedClaims()
        issuers = Issuers(lambda: app.recipe(OpenIdRecipe).issuer, config.accepted_issuers)
        deliveries = Deliveries(config, app.now_ms)
        containers = ContainerParts(config, deliveries)
        self.verifier: Verifier = Verifier(app, containers, issuers)
        sessions = IssuedSessions(app, containers, issuers)
        parts = FunctionParts(
            app=app,
            policy=config,
            issuers=issuers,
            read_token=self.verifier.read,
            session_of_token=self.verifier.session_of,
            session_of_issued=sessions.of_issued,
            session_of_refreshed=sessions.of_refreshed,
        )
        functions, replaced = self.install_functions(
            FlexibleRecipeInterface(parts), {"create_new_session": adapt_create_new_session}, FUNCTION_RESULTS
        )
        containers.functions = functions
        containers.merge_payload = sessions.merge_payload
        if "regenerate_access_token" in replaced:
            containers.merge_payload = merge_by(functions)
        if "validate_claims" in replaced:
            containers.all_pass = never_passes
        self.claims: ClaimChecks = ClaimChecks(self._added, functions, replaced)
        self.flows: SessionFlows = SessionFlows(
            parts, deliveries, functions, replaced, self.claims, self._added
        )
        apis, replaced_apis = self.install_apis(APIInterface(self.flows), API_RESULTS)
        is_replaced = "verify_session" in replaced_apis
        #: with options made once; adapters call it at each request
        self.verify: Verify = verify_by(apis, self.api_options) if is_replaced else self.flows.verify
        self._errors = ErrorResponses(app, config, config.error_handlers, functions, deliveries)

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
        apis = self.api_implementation
        return (
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
        )

    def cors_headers(self) -> Sequence[str]:
        return ANTI_CSRF_HEADER_KEY, AUTHORIZATION_HEADER_KEY, AUTH_MODE_HEADER_KEY

    def handles(self, error: Exception) -> bool:
        return isinstance(error, SuperTokensSessionError)

    async def error_response(
        self, error: Exception, request: BaseRequest, response: BaseResponse, user_context: dict[str, Any]
    ) -> BaseResponse:
        return await self._errors.answer(error, request, response, user_context)
