"""Create and refresh the sessions of requests, and sign out (protocol: Create, Refresh, Sign-out)."""

from __future__ import annotations

from typing import Any

from supertokens_py.framework.request import BaseRequest
from supertokens_py.payloads import json_copy, validate_custom_claims, validate_object
from supertokens_py.recipe_module import App

from . import csrf
from .claim_checks import AddedClaims, ClaimChecks
from .constants import ACCESS_TOKEN_COOKIE_KEY, ANTI_CSRF_HEADER_KEY, REFRESH_TOKEN_COOKIE_KEY
from .container import SessionContainer
from .exceptions import (
    CONTAINS_MULTIPLE,
    ClearDuplicateSessionCookiesError,
    DuplicateSessionCookiesError,
    UnauthorisedError,
)
from .functions import FunctionParts, RecipeInterface
from .policy import SessionPolicy
from .request_tokens import RequestTokens, other
from .sign_in_warnings import SignInWarnings
from .token_delivery import Deliveries
from .token_writer import TokenWriter, check_fits_cookie
from .verification import Verification, Verify


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
        self._issuers = parts.issuers
        self._deliveries = deliveries
        self._functions = functions
        self._added_claims = added.claims  # grows while the other recipes of the app are connected
        #: see `Verification.verify`
        self.verify: Verify = Verification(
            parts, functions, replaced, claims, added.validators, self.refresh
        ).verify
        self._warnings = SignInWarnings(
            parts.policy.fixed_transfer != "any",
            cookie_secure=parts.policy.cookie_secure,
            api_domain=parts.policy.api_domain,
        )

    # -- refresh -------------------------------------------------------------------------------------

    async def refresh(self, request: BaseRequest, user_context: dict[str, Any]) -> SessionContainer:
        """Exchange the request's refresh token for new tokens (protocol: Refresh).

        Raises:
            UnauthorisedError, TokenTheftError, ClearDuplicateSessionCookiesError: as the protocol says.
            DuplicateSessionCookiesError: session cookies came twice, and `older_cookie_domain` is not set.
        """
        request.session_sought = True
        request.require_delivery()
        tokens, policy = RequestTokens(request), self._policy
        csrf.refuse_foreign_form(request)
        allowed = policy.allowed_transfer(request, False, user_context)
        writer = self._deliveries.writer(request, user_context)
        chosen = tokens.refresh_token(allowed)
        if allowed != "header" and (chosen is None or chosen[1] == "cookie"):
            _expire_duplicates(tokens, policy, writer)
        if chosen is None:
            raise _no_refresh_token(tokens, clear=not csrf.is_unasked(request, policy))
        refresh_token, method = chosen
        if method == "cookie":
            csrf.require_proof_of_refresh(request, policy)
        clears_other = tokens.uses(other(method))
        if method == "cookie" or clears_other:
            writer.prepare()
        via_token = method == "cookie" and policy.anti_csrf_mode == "VIA_TOKEN"
        session = await self._functions.refresh_session(
            refresh_token, request.get_header(ANTI_CSRF_HEADER_KEY), not via_token, user_context
        )
        request.note_new_tokens()
        if clears_other:
            writer.clear(other(method))
        session.attach(request, method, user_context, writer)
        if tokens.has_legacy_cookie:
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
        writer = None
        if RequestTokens(request).uses(other(method)) and not csrf.is_unasked(request, policy):
            writer = self._deliveries.writer(request, user_context)  # it has tokens to clear
            if method == "header":
                writer.prepare()
        self._warnings.sign_in(request, method)
        complete = await self.initial_payload(user_id, tenant_id, payload, user_context)
        if method == "cookie":
            check_fits_cookie(complete)
        session = await self._functions.create_new_session(
            user_id, complete, data, method == "header", tenant_id, user_context=user_context
        )
        request.note_creation(session.session_handle)
        if writer is not None:
            writer.clear(other(method))
        session.attach(request, method, user_context, writer)
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
        payload = {**(given or {}), "iss": self._issuers.own}
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
        if info is not None and RequestTokens(request).uses(other(info.transfer_method)):
            self._deliveries.writer(request, user_context).clear(other(info.transfer_method))


def _no_refresh_token(tokens: RequestTokens, *, clear: bool) -> UnauthorisedError:
    if tokens.access_cookies:
        return UnauthorisedError(
            "Refresh token not found but access token is present. Clearing all tokens.",
            clear_tokens=clear,
            code="refresh_token_missing_access_sent",
        )
    return UnauthorisedError(
        "Refresh token not found. Are you sending the refresh token in the request?",
        clear_tokens=clear,
        code="refresh_token_missing",
    )


def _expire_duplicates(tokens: RequestTokens, policy: SessionPolicy, writer: TokenWriter) -> None:
    """Handle cookies that came twice, after a change of `cookie_domain` (protocol: Duplicate cookies).

    Raises:
        DuplicateSessionCookiesError: they came, and `older_cookie_domain` does not say which is the old one.
        ClearDuplicateSessionCookiesError: the old ones have been expired.
    """
    sent = {
        ACCESS_TOKEN_COOKIE_KEY: tokens.access_cookies,
        REFRESH_TOKEN_COOKIE_KEY: tokens.refresh_cookies,
    }
    doubled = [name for name, values in sent.items() if len(values) > 1]
    if not doubled:
        return
    if policy.older_cookie_domain is None:
        raise DuplicateSessionCookiesError(
            f"{CONTAINS_MULTIPLE} This may happen if you've changed the 'cookie_domain' setting in your "
            "configuration. To clear tokens from the previous domain, set 'older_cookie_domain' in your "
            'config. It is the former cookie_domain, or "" if there was none. Until then these browsers get '
            "500 at each refresh, and keep their sessions."
        )
    for name in doubled:
        writer.expire_older_domain(name, policy.older_cookie_domain)
    raise ClearDuplicateSessionCookiesError(
        f"{CONTAINS_MULTIPLE} We are clearing the cookie from older_cookie_domain. "
        "Session will be refreshed in the next refresh call."
    )
