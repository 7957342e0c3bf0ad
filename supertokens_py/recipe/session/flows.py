"""Create, verify and refresh inside a request (protocol: Create, Verify, Refresh).

Adapters import `VerifyOptions` and `OverrideValidators` from here, and call
`SessionRecipe.get_instance().verify(request, options, user_context)`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from supertokens_py.exceptions import ConfigError
from supertokens_py.framework.request import BaseRequest
from supertokens_py.payloads import (
    json_copy,
    validate_custom_claims,
    validate_object,
)
from supertokens_py.recipe_module import App
from supertokens_py.tokens.access_token import AccessToken
from supertokens_py.urls import request_path

from . import csrf
from .claim_checks import AddedClaims, ClaimChecks
from .constants import ANTI_CSRF_HEADER_KEY, SESSION_REFRESH, TokenTransferMethod
from .container import SessionContainer
from .exceptions import UnauthorisedError
from .functions import NO_SESSION, FunctionParts, OverrideValidators, RecipeInterface
from .policy import Allowed, SessionPolicy
from .sign_in_warnings import SignInWarnings
from .token_delivery import Deliveries
from .token_transport import (
    Credentials,
    check_fits_cookie,
    choose_access_token,
    choose_refresh_token,
    expire_duplicates,
    other,
)

__all__ = ["OverrideValidators", "SessionFlows", "VerifyOptions"]

#: An access token, how it came, the anti-CSRF token beside it, and whether that is to be checked.
Presented: TypeAlias = tuple[AccessToken, TokenTransferMethod, str | None, bool]


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """The arguments of `verify_session`."""

    anti_csrf_check: bool | None = None
    session_required: bool = True
    check_database: bool = False
    override_global_claim_validators: OverrideValidators | None = None
    #: whether a response with a valid session, or none, depends on the request's credentials
    vary: bool = True

    def __post_init__(self) -> None:
        if callable(self.anti_csrf_check):
            raise ConfigError("verify_session has to be called: write @verify_session(), with parentheses")
        override = self.override_global_claim_validators
        if override is not None and not callable(override):
            raise ConfigError(
                "override_global_claim_validators must be a function "
                f"(global_validators, session, user_context), not {type(override).__name__}"
            )

    def allow_none(self) -> None:
        """Let a request go on without a session, if its route allows that; an override cannot allow it.

        Raises:
            UnauthorisedError: it does not.
        """
        if self.session_required:
            raise UnauthorisedError(NO_SESSION, clear_tokens=False, code="no_token")


def decide(
    request: BaseRequest,
    method: str,
    allowed: Allowed,
    options: VerifyOptions,
    policy: SessionPolicy,
    read: Callable[[str], AccessToken | None],
    user_context: dict[str, Any],
) -> Presented | None:
    """Return the access token that a request presents, or None, once it has shown that it is not forged.

    Raises:
        UnauthorisedError, TryRefreshTokenError: as the protocol says.
    """
    if method in ("OPTIONS", "TRACE"):
        if options.session_required:
            raise UnauthorisedError(
                "verify_session cannot be used with options method",
                clear_tokens=False,
                code="options_request",
            )
        return None
    chosen = choose_access_token(Credentials(request), allowed, read)
    if chosen is None:
        return None
    token, transfer = chosen
    if transfer == "cookie":  # all that a page of another site can make a browser send
        if request.is_websocket():
            csrf.require_trusted_origin(request, policy, user_context)
        check = options.anti_csrf_check
        if method not in csrf.READING if check is None else check:
            csrf.require_custom_header(request, policy)
            if policy.anti_csrf_mode == "VIA_TOKEN":
                return token, transfer, request.get_header(ANTI_CSRF_HEADER_KEY), True
    return token, transfer, None, False


class SessionFlows:
    """What happens to the sessions of requests. Overrides are chosen when it is made.

    Args:
        parts: those of the plain functions.
        functions: the functions, overrides included.
        replaced: the names of those that the application replaced.
        claims: evaluates claims.
        added: the claims that other recipes put into new sessions.
    """

    def __init__(
        self,
        parts: FunctionParts,
        deliveries: Deliveries,
        functions: RecipeInterface,
        replaced: frozenset[str],
        claims: ClaimChecks,
        added: AddedClaims,
    ) -> None:
        self._app: App = parts.app
        self._policy = parts.policy
        self._accepts_any_transfer = parts.policy.accepts_any_transfer
        self._issuers = parts.issuers
        self._read = parts.read_token
        self._session_of_token = parts.session_of_token
        self._deliveries = deliveries
        self._functions = functions
        self._get_session = functions.get_session if "get_session" in replaced else None
        self._claims = claims
        self._are_claims_chosen_per_call = claims.are_chosen_per_call
        self._added_claims = added.claims  # both lists grow while the other recipes of the app are connected
        self._validators = added.validators
        self._warnings = SignInWarnings(
            not self._accepts_any_transfer,
            cookie_secure=parts.policy.cookie_secure,
            api_domain=parts.policy.api_domain,
        )

    # -- verify --------------------------------------------------------------------------------------

    async def verify(
        self,
        request: BaseRequest,
        options: VerifyOptions,
        user_context: dict[str, Any],
        *,
        guards: bool = True,
    ) -> SessionContainer | None:
        """Verify the session of a request and attach it (protocol: Verify).

        Args:
            guards: as `verify_session` does, refresh where the request is a POST to the refresh path, and
                detach an earlier session where there is none.

        Raises:
            UnauthorisedError, TryRefreshTokenError, InvalidClaimsError: as the protocol says.
        """
        varies = options.vary or request.session_sought
        request.session_sought = True  # before anything fails: the error depends on the credentials as well
        method = request.method()
        if guards and method == "POST" and self._is_refresh_path(request):
            session = await self.refresh(request, user_context)
            request.session_sought = varies
            return session
        allowed: Allowed = "any"
        if not self._accepts_any_transfer:
            allowed = self._policy.allowed_transfer(request, False, user_context)
        presented = decide(request, method, allowed, options, self._policy, self._read, user_context)
        if presented is None:
            session = None
        elif self._get_session is not None:
            session = await self._ask_override(self._get_session, presented, options, user_context)
        else:
            token, _, anti_csrf_token, check_csrf = presented
            session = await self._session_of_token(
                token, anti_csrf_token, user_context, check_csrf, options.check_database
            )
        if presented is None or session is None:
            options.allow_none()
            if guards:
                request.set_session_as_none()
        else:
            override = options.override_global_claim_validators
            # Claims come first: a session that fails them is not attached, so its 403 carries no tokens.
            if override is not None or self._validators or self._are_claims_chosen_per_call:
                await self._claims.assert_session(session, override, user_context)
            session.attach(request, presented[1], user_context)
        request.session_sought = varies  # errors have left above, and always depend on the credentials
        return session

    @staticmethod
    async def _ask_override(
        get_session: Callable[..., Awaitable[SessionContainer | None]],
        presented: Presented,
        options: VerifyOptions,
        user_context: dict[str, Any],
    ) -> SessionContainer | None:
        token, _, anti_csrf_token, check_csrf = presented
        return await get_session(
            access_token=token.text,
            anti_csrf_token=anti_csrf_token,
            anti_csrf_check=check_csrf,
            session_required=options.session_required,
            check_database=options.check_database,
            override_global_claim_validators=options.override_global_claim_validators,
            user_context=user_context,
        )

    def _is_refresh_path(self, request: BaseRequest) -> bool:
        below = self._app.below_base(request.get_path())
        return below is not None and request_path(below) == SESSION_REFRESH

    # -- refresh -------------------------------------------------------------------------------------

    async def refresh(self, request: BaseRequest, user_context: dict[str, Any]) -> SessionContainer:
        """Exchange the request's refresh token for new tokens (protocol: Refresh).

        Raises:
            UnauthorisedError, TokenTheftError, ClearDuplicateSessionCookiesError: as the protocol says.
            DuplicateSessionCookiesError: session cookies came twice, and `older_cookie_domain` is not set.
        """
        request.session_sought = True
        request.require_delivery()
        csrf.refuse_foreign_form(request)
        policy = self._policy
        allowed = policy.allowed_transfer(request, False, user_context)
        writer = self._deliveries.writer(request, user_context)
        credentials = Credentials(request)
        chosen = choose_refresh_token(credentials, allowed)
        if allowed != "header" and (chosen is None or chosen[1] == "cookie"):
            expire_duplicates(credentials, policy, writer)
        if chosen is None:
            clear = not csrf.is_unasked(request, policy)
            if credentials.access_cookies():
                raise UnauthorisedError(
                    "Refresh token not found but access token is present. Clearing all tokens.",
                    clear_tokens=clear,
                    code="refresh_token_missing_access_sent",
                )
            raise UnauthorisedError(
                "Refresh token not found. Are you sending the refresh token in the request?",
                clear_tokens=clear,
                code="refresh_token_missing",
            )
        refresh_token, method = chosen
        if method == "cookie":
            csrf.require_proof_of_refresh(request, policy)
        clears_other = credentials.use(other(method))
        if method == "cookie" or clears_other:
            writer.prepare()
        via_token = method == "cookie" and policy.anti_csrf_mode == "VIA_TOKEN"
        session = await self._functions.refresh_session(
            refresh_token, request.get_header(ANTI_CSRF_HEADER_KEY), not via_token, user_context
        )
        request.note_new_tokens()
        if clears_other:
            writer.clear(other(method))
        session.attach(request, method, user_context)
        if credentials.has_legacy_cookie():
            writer.clear_legacy()
        return session

    # -- create --------------------------------------------------------------------------------------

    async def create(
        self,
        request: BaseRequest,
        *,
        tenant_id: str,
        user_id: str,
        payload: dict[str, Any] | None,
        data: dict[str, Any] | None,
        user_context: dict[str, Any],
    ) -> SessionContainer:
        """Create a session and add its tokens to the response; nothing is added if creation fails."""
        request.require_delivery()
        self._app.warn_of_mount(request)
        policy = self._policy
        method = policy.transfer_of_new_session(request, user_context)
        if method == "cookie":
            self._require_cookies(request, user_context)
        clears_other = Credentials(request).use(other(method)) and not csrf.is_unasked(request, policy)
        if clears_other and method == "header":
            self._deliveries.writer(request, user_context).prepare()
        self._warnings.sign_in(request, method)
        complete = await self.initial_payload(user_id, tenant_id, payload, user_context)
        if method == "cookie":
            check_fits_cookie(complete)
        session = await self._functions.create_new_session(
            user_id, complete, data, method == "header", tenant_id, user_context=user_context
        )
        request.note_creation(session.session_handle)
        if clears_other:
            self._deliveries.writer(request, user_context).clear(other(method))
        session.attach(request, method, user_context)
        return session

    def _require_cookies(self, request: BaseRequest, user_context: dict[str, Any]) -> None:
        try:
            csrf.refuse_login_of_another_page(request, self._policy)
        except UnauthorisedError as error:
            self._warnings.refused_login(str(error))
            raise
        self._policy.require_working_cookies(request, user_context)

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
        payload = {**(given or {}), "iss": self._issuers.own()}
        for claim in self._added_claims:
            value = await claim.fetch(user_id, user_id, tenant_id, json_copy(payload), user_context)
            if value is not None:
                payload = claim.add_to_payload_(payload, value, user_context)
        return payload

    # -- sign out ------------------------------------------------------------------------------------

    async def sign_out(
        self, session: SessionContainer, request: BaseRequest, user_context: dict[str, Any]
    ) -> None:
        """End a session; the client drops the tokens of both transfer methods, if it sent any."""
        await session.revoke_session(user_context)
        info = session.req_res_info
        if info is not None and Credentials(request).use(other(info.transfer_method)):
            self._deliveries.writer(request, user_context).clear(other(info.transfer_method))
