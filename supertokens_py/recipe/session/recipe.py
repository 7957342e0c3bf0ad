"""`SessionRecipe`: wires settings, functions, APIs and the engine, and answers session errors."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from supertokens_py.app import Supertokens
from supertokens_py.engine.context import in_context
from supertokens_py.engine.interface import IssuedSession, TryRefresh, Unauthorised
from supertokens_py.exceptions import ConfigError, PayloadTooLargeError
from supertokens_py.framework.response import BaseResponse, Changes
from supertokens_py.payloads import (
    custom_claims,
    json_copy,
    validate_custom_claims,
    validate_json,
    validate_object,
)
from supertokens_py.recipe.openid.recipe import OpenIdRecipe
from supertokens_py.recipe.overrides import explains_unknown_settings, install
from supertokens_py.recipe_module import RecipeModule, Route
from supertokens_py.tokens.access_token import AccessToken, looks_like_jwt

from . import csrf
from .api import APIInterface, APIOptions
from .claim import SessionClaim, SessionClaimValidator
from .compatibility import API_RESULTS, FUNCTION_RESULTS, FlexibleRecipeInterface, adapt_create_new_session
from .constants import (
    ANTI_CSRF_HEADER_KEY,
    AUTH_MODE_HEADER_KEY,
    AUTHORIZATION_HEADER_KEY,
    SESSION_REFRESH,
    SIGNOUT,
)
from .container import GONE, SessionContainer, issued_token
from .error_responses import ErrorResponses
from .exceptions import SuperTokensSessionError, TryRefreshTokenError, UnauthorisedError
from .flows import VerifyOptions, allow_none, session_of_request
from .functions import RecipeInterface
from .results import AccessTokenObj, TokenInfo
from .settings import SessionConfig, SessionSettings, resolve
from .sign_in_warnings import SignInWarnings
from .token_transport import COOKIE_LIMIT, PROXY_LIMIT, TokenWriter, access_cookie_length
from .tokens import is_issuer_accepted
from .verifier import Verifier

if TYPE_CHECKING:
    from supertokens_py.framework.request import BaseRequest
    from supertokens_py.recipe_module import App

log: logging.Logger = logging.getLogger(__name__)


class SessionRecipe(RecipeModule):
    """Sessions of one app."""

    recipe_id = "session"
    name = "Session"

    def __init__(self, app: App, given: SessionSettings) -> None:
        super().__init__(app)
        self.config: SessionConfig = resolve(given, app.app_info)
        override = self.config.override
        default = FlexibleRecipeInterface(self)
        adapters = {"create_new_session": adapt_create_new_session}
        self.recipe_implementation: RecipeInterface
        #: names of the functions that the application replaced
        self.replaced: frozenset[str]
        self.recipe_implementation, self.replaced = install(
            default, override.functions, "session.init(override=…functions)", adapters, FUNCTION_RESULTS
        )
        self.api_implementation: APIInterface
        self.api_implementation, self._replaced_apis = install(
            APIInterface(self), override.apis, "session.init(override=…apis)", results=API_RESULTS
        )
        self.accepts_any_transfer: bool = self.config.accepts_any_transfer
        self.claim_validators_added_by_other_recipes: list[SessionClaimValidator] = []
        self._claims: list[SessionClaim[Any]] = []
        self._issuer = given.issuer
        self._warned_of_size = False
        self._error_responses = ErrorResponses(self)
        self._verifier = Verifier(app, self.config, self.accepted_issuers)
        self.read_token: Callable[[str], AccessToken | None] = self._verifier.read
        self.is_jwt = looks_like_jwt
        self.now_ms: Callable[[], int] = app.now_ms
        decides, secure = not self.accepts_any_transfer, self.config.cookie_secure
        self.hints: SignInWarnings = SignInWarnings(
            decides, cookie_secure=secure, api_domain=app.app_info.api_domain
        )

    @staticmethod
    def get_instance() -> SessionRecipe:
        """Return the session recipe of the current app.

        Raises:
            GeneralError: `init` was not called, or without the session recipe.
        """
        return Supertokens.get_instance().recipe(SessionRecipe)

    @property
    def openid_recipe(self) -> OpenIdRecipe:
        """The OpenID recipe of the same app."""
        return self.app.recipe(OpenIdRecipe)

    def connect(self) -> None:
        override = self.config.override.openid_feature
        self.openid_recipe.adopt(issuer=self._issuer, override=override)

    @property
    def issuer(self) -> str:
        """The `iss` of new sessions."""
        return self.openid_recipe.issuer

    def accepted_issuers(self) -> frozenset[str] | None:
        """Return the `iss` of access tokens that are accepted; None for all."""
        others = self.config.accepted_issuers
        return None if others is None else others | {self.issuer}

    def accepts_issuer(self, issuer: object) -> bool:
        """Return whether a token with this `iss` is accepted; one without (None) is."""
        return is_issuer_accepted(issuer, self.accepted_issuers())

    async def with_own_issuer(self, issued: IssuedSession) -> IssuedSession:
        """Return a refreshed session with an `iss` that this app accepts.

        The payload is stored with the `iss` of the API domain under which the session was created. Where that
        changed, it is replaced by one's own, so that a refresh leads to a token that is accepted.

        Raises:
            UnauthorisedError: the session is gone.
        """
        if self.accepts_issuer(issued.payload.get("iss")):
            return issued
        renewed = await self.app.engine.regenerate_session(
            issued.access_token.text, merge={"iss": self.issuer}
        )
        if isinstance(renewed, Unauthorised):
            raise UnauthorisedError(GONE)
        token = renewed.access_token or issued.access_token
        return replace(issued, payload=renewed.payload, access_token=token)

    # -- claims of other recipes ---------------------------------------------------------------------

    def add_claim_from_other_recipe(self, claim: SessionClaim[Any]) -> None:
        """Put a claim into every new session.

        Raises:
            ConfigError: a claim of this key is there already.
        """
        if any(known.key == claim.key for known in self._claims):
            raise ConfigError(f"Claim added by multiple recipes: {claim.key}")
        self._claims.append(claim)

    def get_claims_added_by_other_recipes(self) -> list[SessionClaim[Any]]:
        """Return the claims of every new session."""
        return self._claims

    def add_claim_validator_from_other_recipe(self, claim_validator: SessionClaimValidator) -> None:
        """Judge every verification by this validator too."""
        self.claim_validators_added_by_other_recipes.append(claim_validator)

    def get_claim_validators_added_by_other_recipes(self) -> list[SessionClaimValidator]:
        """Return the validators of every verification."""
        return self.claim_validators_added_by_other_recipes

    async def initial_payload(
        self, user_id: str, tenant_id: str, given: dict[str, Any] | None, user_context: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the custom claims of a new session: the caller's, `iss`, the claims of other recipes.

        Raises:
            ProtectedClaimError: the caller's claims name a protected one.
        """
        validate_custom_claims(given)
        if given is not None:
            validate_object("access_token_payload", given)
        payload = {**(given or {}), "iss": self.issuer}
        for claim in self._claims:
            value = await claim.fetch(user_id, user_id, tenant_id, json_copy(payload), user_context)
            if value is not None:
                payload = claim.add_to_payload_(payload, value, user_context)
        return payload

    def check_payload_fits_cookie(self, payload: Mapping[str, Any]) -> None:
        """Refuse custom claims with which the access token would not fit a cookie.

        Raises:
            PayloadTooLargeError: says by how much.
            BadInputError: they have no JSON form; the engine would say the same.
        """
        custom = validate_json("access_token_payload", custom_claims(payload), limit=None)
        length = access_cookie_length(custom)
        if length > COOKIE_LIMIT:
            raise PayloadTooLargeError(length, COOKIE_LIMIT)

    # -- sessions ------------------------------------------------------------------------------------

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

    async def verify(
        self, request: BaseRequest, options: VerifyOptions, user_context: dict[str, Any]
    ) -> SessionContainer | None:
        """Verify with options made once; the API layer costs nothing unless the application replaced it."""
        sought = options.vary or request.session_sought
        if "verify_session" in self._replaced_apis:
            request.session_sought = True
            session = await self.api_implementation.verify_session(
                self._api_options(request, None),
                options.anti_csrf_check,
                options.session_required,
                options.check_database,
                options.override_global_claim_validators,
                user_context,
            )
            if session is None:
                allow_none(options)
        else:
            session = await session_of_request(self, request, options, user_context, refreshes=True)
        if session is None:
            request.set_session_as_none()
        request.session_sought = sought  # errors have left above, and always depend on the credentials
        return session

    async def verified_session(
        self,
        token: AccessToken,
        anti_csrf_token: str | None,
        user_context: dict[str, Any] | None,
        *,
        check_csrf: bool,
        check_database: bool,
    ) -> SessionContainer:
        """Return the session of a token that holds.

        Raises:
            TryRefreshTokenError: the token does not hold, or the anti-CSRF token is another one.
            UnauthorisedError: the database was asked and knows no such session.
        """
        if not self._verifier.knows(token):
            await self._verifier.check(token)
        if check_csrf:
            csrf.require_token(token, anti_csrf_token)
        if not check_database and token.parent_refresh_token_hash1 is None:
            return SessionContainer(self, token)
        result = await in_context(
            user_context, self.app.engine.verify_session(token, check_database=check_database)
        )
        if isinstance(result, Unauthorised):
            raise UnauthorisedError(result.message)
        if isinstance(result, TryRefresh):
            raise TryRefreshTokenError(result.message)
        if result.access_token is None:
            return SessionContainer(self, token)
        proof = anti_csrf_token if check_csrf else None
        reissued = issued_token(result.access_token.text)
        return SessionContainer(self, reissued, anti_csrf_token=proof, updated=True)

    def container_of(self, issued: IssuedSession) -> SessionContainer:
        """Return the container of a session that the engine has just issued tokens for."""
        refresh = issued.refresh_token
        return SessionContainer(
            self,
            issued_token(issued.access_token.text),
            refresh_token=TokenInfo(refresh.text, refresh.expires_ms, refresh.created_ms),
            anti_csrf_token=issued.anti_csrf_token,
            updated=True,
        )

    async def merge_payload(
        self, session: SessionContainer, update: dict[str, Any], user_context: dict[str, Any]
    ) -> tuple[AccessTokenObj | None, dict[str, Any]]:
        """Merge into a session's payload; return the new token, if any, and the custom claims.

        The engine merges into what is stored, so changes made meanwhile elsewhere are kept. Where the
        application replaced `regenerate_access_token`, that function gets the merged payload instead.

        Raises:
            UnauthorisedError: the session is gone.
        """
        if "regenerate_access_token" in self.replaced:
            merged = {**session.get_access_token_payload(), **update}
            payload = custom_claims({name: value for name, value in merged.items() if value is not None})
            result = await self.recipe_implementation.regenerate_access_token(
                session.access_token, payload, user_context
            )
            if result is None:
                raise UnauthorisedError(GONE)
            return result.access_token, result.session.user_data_in_jwt
        regenerated = await in_context(
            user_context, self.app.engine.regenerate_session(session.access_token, merge=update)
        )
        if isinstance(regenerated, Unauthorised):
            raise UnauthorisedError(GONE)
        issued = regenerated.access_token
        token = AccessTokenObj(issued.text, issued.expires_ms, issued.created_ms) if issued else None
        return token, regenerated.payload

    def warn_of_large_headers(self, changes: Changes) -> None:
        """Warn once of token headers that servers between the application and its clients may not carry."""
        if self._warned_of_size or (size := changes.size()) <= PROXY_LIMIT:
            return
        self._warned_of_size = True
        log.warning(
            "the token headers of one response take %d bytes. By default nginx answers 502 in its place "
            "(proxy_buffer_size, 4096 or 8192 for all headers), and uWSGI drops requests with cookies of "
            "that size (buffer-size, 4096). Raise these settings, or keep less in the access token payload.",
            size,
        )

    def writer(self, request: BaseRequest, user_context: dict[str, Any]) -> TokenWriter:
        """Return the writer of a request's tokens."""
        request.note_delivery()
        return TokenWriter(request, self.config, user_context, now_ms=self.now_ms())

    # -- HTTP ----------------------------------------------------------------------------------------

    def routes(self) -> Sequence[Route]:
        api = self.api_implementation
        return (
            Route("POST", SESSION_REFRESH, self._refresh_post, lambda: not api.disable_refresh_post),
            Route("POST", SIGNOUT, self._signout_post, lambda: not api.disable_signout_post),
        )

    def cors_headers(self) -> Sequence[str]:
        return ANTI_CSRF_HEADER_KEY, AUTHORIZATION_HEADER_KEY, AUTH_MODE_HEADER_KEY

    async def _refresh_post(
        self, request: BaseRequest, response: BaseResponse, tenant_id: str, user_context: dict[str, Any]
    ) -> BaseResponse:
        await self.api_implementation.refresh_post(self._api_options(request, response), user_context)
        response.set_json_content({})
        return response

    async def _signout_post(
        self, request: BaseRequest, response: BaseResponse, tenant_id: str, user_context: dict[str, Any]
    ) -> BaseResponse:
        csrf.refuse_foreign_form(request)
        no_claims = VerifyOptions(override_global_claim_validators=lambda *_: [])  # type: ignore[misc]
        session = await session_of_request(self, request, no_claims, user_context)
        options = self._api_options(request, response)
        result = await self.api_implementation.signout_post(session, options, user_context)
        response.set_json_content(result.to_json())
        return response

    def _api_options(self, request: BaseRequest, response: BaseResponse | None) -> APIOptions:
        return APIOptions(request, response, self.recipe_id, self.config, self.recipe_implementation)

    # -- errors --------------------------------------------------------------------------------------

    def handles(self, error: Exception) -> bool:
        return isinstance(error, SuperTokensSessionError)

    async def error_response(
        self, error: Exception, request: BaseRequest, response: BaseResponse, user_context: dict[str, Any]
    ) -> BaseResponse:
        return await self._error_responses.answer(error, request, response, user_context)


@explains_unknown_settings("session.init")
class SessionInit(SessionSettings):  # noqa: D101
    __doc__ = SessionSettings.__doc__  # what help() and the reference show for `session.init`

    def __call__(self, app: App) -> SessionRecipe:
        return SessionRecipe(app, self)
