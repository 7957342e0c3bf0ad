"""Create and refresh the sessions of requests, and sign out (protocol: Create, Refresh, Sign-out)."""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

from supertokens_py.engine.device_keys import claim_of
from supertokens_py.engine.session_records import Ending
from supertokens_py.framework.request import BaseRequest
from supertokens_py.payloads import json_copy, validate_custom_claims, validate_object
from supertokens_py.recipe_module import App
from supertokens_py.types.base import JSONObject

from ..constants import ACCESS_TOKEN_COOKIE_KEY, ANTI_CSRF_HEADER_KEY, REFRESH_TOKEN_COOKIE_KEY
from ..container import SessionContainer
from ..devices.client_details import ClientDetails
from ..devices.revocation_reason import ending
from ..exceptions import (
    CONTAINS_MULTIPLE,
    ClearDuplicateSessionCookiesError,
    DuplicateSessionCookiesError,
    SuperTokensSessionError,
    UnauthorisedError,
)
from ..features.creation_options import Replacement, changing_options, current_options
from ..features.limits import SessionLimit
from ..functions import FunctionParts, RecipeInterface
from ..policy import csrf
from ..policy.session_policy import SessionPolicy
from ..responses.pages import Pages
from ..session_tokens.delivery import Deliveries
from ..session_tokens.request_tokens import RequestTokens, other
from ..session_tokens.reserved_claims import refuse_reserved
from ..session_tokens.sign_in_warnings import SignInWarnings
from ..session_tokens.writer import TokenWriter, check_fits_cookie
from ..verification.activity_tracking import tracking_activity
from ..verification.claim_checks import AddedClaims, ClaimChecks
from ..verification.optional_page_sessions import for_pages
from ..verification.verification import Verification, Verify, VerifyOptions, no_validators
from .optional_features import OptionalFeatures
from .replacement import Replacements
from .return_tokens import ReturnTokens, emit_end

#: Whatever another session may take the place of.
_ANY_SESSION = VerifyOptions(
    session_required=False,
    override_global_claim_validators=no_validators,
    allow_guests=True,
    changes_session=True,
)
#: Whatever would be lost with the tokens of a request: a forged request is refused by `create`.
_LIVE_SESSION = replace(_ANY_SESSION, anti_csrf_check=False, check_database=True, changes_session=False)


class SessionFlows:
    """What happens to the sessions of requests. Overrides are chosen when it is made.

    Args:
        parts: those of the plain functions.
        optional: the optional features.
        functions: the functions, overrides included.
        replaced: the names of those that the application replaced.
        claims: evaluates claims.
        added: the claims that other recipes put into new sessions.
        replacements: creates sessions in the place of others.
        pages: what browsers that navigate get, where the application renders pages.
        returns: what ends the sessions of actors as well, where some may act as others.
    """

    def __init__(
        self,
        parts: FunctionParts,
        optional: OptionalFeatures,
        deliveries: Deliveries,
        functions: RecipeInterface,
        replaced: frozenset[str],
        *,
        claims: ClaimChecks,
        added: AddedClaims,
        replacements: Replacements,
        pages: Pages | None = None,
        returns: ReturnTokens | None = None,
    ) -> None:
        self._returns = returns
        self._app: App = parts.app
        self._policy = parts.policy
        self._issuers = parts.issuers
        self._deliveries = deliveries
        self._functions = functions
        self._bindings = parts.bindings
        self._replacements = replacements
        self._reserved = parts.reserved
        self._usual_claims = parts.claims_of_new
        self._upgrades_guests = parts.guests.upgrade_at_sign_in
        self._added_claims = added.claims  # grows while the other recipes of the app are connected
        devices = optional.devices
        verify: Verify = Verification(
            parts, functions, replaced, claims, added.validators, self.refresh, pages
        ).verify
        self._verify_strictly = verify  # to which no expired token is a visitor's
        if pages is not None:
            verify = for_pages(verify, pages)
        tracks = devices is not None and devices.track_activity
        #: see `Verification.verify`
        self.verify: Verify = tracking_activity(verify, parts.app) if tracks else verify
        self._creation_settings = parts.creation_settings
        self._client_details = ClientDetails(devices, parts.app.clients) if devices is not None else None
        self._warnings = SignInWarnings(
            parts.policy.fixed_transfer != "any",
            cookie_secure=parts.policy.cookie_secure,
            api_domain=parts.policy.api_domain,
        )

    # -- refresh -------------------------------------------------------------------------------------

    async def refresh(
        self, request: BaseRequest, user_context: dict[str, Any], *, proof: bool = True
    ) -> SessionContainer:
        """Exchange the request's refresh token for new tokens (protocol: Refresh).

        `proof=False` skips the anti-CSRF check of cookies, for refreshes by navigation.

        Raises:
            UnauthorisedError, TokenTheftError, ClearDuplicateSessionCookiesError: as the protocol says.
            DuplicateSessionCookiesError: session cookies came twice, and `older_cookie_domain` is not set.
        """
        request.session_sought = True
        request.require_delivery()
        tokens, policy = RequestTokens(request), self._policy
        csrf.refuse_foreign_form(request)
        allowed = policy.fixed_transfer or policy.allowed_transfer(request, False, user_context)
        writer = self._deliveries.writer(request, user_context)
        chosen = tokens.refresh_token(allowed)
        if allowed != "header" and (chosen is None or chosen[1] == "cookie"):
            _expire_duplicates(tokens, policy, writer)
        if chosen is None:
            raise _no_refresh_token(tokens, clear=not csrf.is_unasked(request, policy))
        refresh_token, method = chosen
        if method == "cookie" and proof:
            csrf.require_proof_of_refresh(request, policy)
        clears_other = tokens.uses(other(method))
        if method == "cookie" or clears_other:
            writer.prepare()
        via_token = method == "cookie" and policy.anti_csrf_mode == "VIA_TOKEN"
        if self._bindings is not None:
            await self._bindings.admit(request, refresh_token, user_context)
        with await self._recording_client(request):
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
        replaces: SessionContainer | str | None = None,
    ) -> SessionContainer:
        """Create a session and add its tokens to the response; nothing is added if creation fails.

        `replaces` is a session, or the handle of one, that ends with it.
        """
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

        def create_new_session() -> Awaitable[SessionContainer]:
            return self._functions.create_new_session(
                user_id, complete, data, method == "header", tenant_id, user_context=user_context
            )

        if replaces is None and self._upgrades_guests and current_options().counts:
            replaces = await self._guest_of(request, user_context)
        replacement = await self._replacements.of(replaces, user_id, user_context, request)
        key = await self._replacements.key_of(replacement, user_context)
        if method == "cookie":
            check_fits_cookie({**complete, **self._claims_of_new(replacement), **claim_of(key)})
        offers = method == "cookie" and self._replacements.may_offer(replacement) and key is None
        with await self._recording_client(request, offer_binding=offers):
            session = await self._replacements.create(replacement, create_new_session, user_context)
        request.note_creation(session.session_handle)
        if writer is not None:
            writer.clear(other(method))
        session.attach(request, method, user_context, writer)
        await self._replacements.carry_over_or_offer(request, session, key, user_context, offers=offers)
        return session

    async def _recording_client(
        self, request: BaseRequest, *, offer_binding: bool = False
    ) -> AbstractContextManager[None]:
        """Return a context in which new and refreshed sessions record the client, if `devices` are on.

        `offer_binding`: the client may bind the session to its device.
        """
        if self._client_details is None:
            return changing_options(offer_binding=True) if offer_binding else nullcontext()
        return changing_options(visit=await self._client_details.of(request), offer_binding=offer_binding)

    async def _guest_of(self, request: BaseRequest, user_context: dict[str, Any]) -> SessionContainer | None:
        """Return the session of a guest that a request comes with; no other session, and no error, counts."""
        before = request.session_error, request.refused
        try:
            session = await self.verify(request, _ANY_SESSION, user_context, guards=False)
        except SuperTokensSessionError:
            request.session_error, request.refused = before
            return None
        return session if session is not None and session.is_guest else None

    async def user_session_of(
        self, request: BaseRequest, user_context: dict[str, Any]
    ) -> SessionContainer | None:
        """Return the live session of a user that a request comes with, whose tokens a guest's would replace.

        Raises:
            TryRefreshTokenError: its access token is not accepted as it is, or the proof of its device is
                missing, but the session may live on.
        """
        before = request.session_error, request.refused
        try:
            session = await self._verify_strictly(request, _LIVE_SESSION, user_context, guards=False)
        except UnauthorisedError:
            request.session_error, request.refused = before
            return None
        return None if session is None or session.is_guest else session

    def _claims_of_new(self, replacement: Replacement | None) -> JSONObject:
        claims = current_options().claims
        if replacement is not None and replacement.claims is not None:
            claims = replacement.claims
        return self._usual_claims() if claims is None else claims

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
        refuse_reserved(given, self._reserved)
        if given is not None:
            validate_object("access_token_payload", given)
        payload = {**(given or {}), "iss": self._issuers.own}
        for claim in self._added_claims:
            value = await claim.fetch(user_id, user_id, tenant_id, json_copy(payload), user_context)
            if value is not None:
                payload = claim.add_to_payload_(payload, value, user_context)
        return payload

    async def limit_of(self, session: SessionContainer, user_context: dict[str, Any]) -> SessionLimit | None:
        """Return how many sessions the user of a session may have; None: as many as they like."""
        return await self._creation_settings.limit(session.user_id, session.tenant_id, user_context)

    # -- sign out ------------------------------------------------------------------------------------

    async def sign_out(
        self, session: SessionContainer, request: BaseRequest, user_context: dict[str, Any]
    ) -> None:
        """End a session; the client drops the tokens of both transfer methods, if it sent any."""
        returns = self._returns
        actor_id = None if returns is None else session.impersonator
        own = None if returns is None else await returns.session_to_end(request, session, user_context)
        if own is not None:  # first: it is the other one that says whose this is
            with ending(Ending(reason="signout")):
                await self._functions.revoke_session(own, user_context)
        with ending(Ending(reason="signout", actor_id=actor_id)):
            await session.revoke_session(user_context)
        if actor_id is not None:
            emit_end(session, actor_id, restored=None)
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
