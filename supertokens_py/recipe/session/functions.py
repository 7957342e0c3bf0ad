"""`RecipeInterface`: what the session recipe does. Applications replace methods of an instance."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from supertokens_py.engine.call import call_engine
from supertokens_py.engine.explanations import SessionExplanation, explain
from supertokens_py.engine.records import (
    IssuedSession,
    NewSession,
    RefreshRequest,
    TokenTheft,
    Unauthorised,
)
from supertokens_py.engine.session_records import LimitReached
from supertokens_py.exceptions import ConfigError
from supertokens_py.payloads import (
    custom_claims,
    validate_object,
)
from supertokens_py.recipe_module import App
from supertokens_py.runtime.deprecation import warn_deprecated
from supertokens_py.secret import masked
from supertokens_py.tokens.access_token import AccessToken, parse_access_token
from supertokens_py.types.base import JSONObject, MaybeAwaitable

from .claim_base_classes.claim import SessionClaimValidator
from .claim_validation.claim_functions import ClaimFunctions
from .container import SessionContainer
from .device_binding.bindings import DeviceBindings
from .devices.revocation_reason import current_ending
from .devices.user_sessions import UserSessionFunctions
from .exceptions import SessionLimitError, TokenTheftError, UnauthorisedError
from .features.creation_options import create, current_options
from .features.creation_settings import CreationSettings, report_evicted
from .features.guests import GuestSettings, guests_may_pass, may_guests_pass
from .features.lifetimes import SessionLifetime
from .policy.issuers import Issuers
from .policy.session_policy import SessionPolicy
from .results import (
    RegenerateAccessTokenOkResult,
    SessionInformationResult,
    SessionObj,
)
from .session_tokens.contents import new_token
from .session_tokens.reserved_claims import laid_over, refuse_reserved, with_reserved_of
from .session_tokens.writer import check_fits_cookie

if TYPE_CHECKING:
    from supertokens_py.engine.interface import Sessions

_T = TypeVar("_T")

NO_SESSION = (
    "Session does not exist. Are you sending the session tokens in the request "
    "with the appropriate token transfer method?"
)
_CANNOT_CHECK = (
    "Since the anti-csrf mode is VIA_CUSTOM_HEADER {name} can't check the CSRF token. "
    "Please either use VIA_TOKEN or set {setting} to false"
)


#: (global_validators, session, user_context) to the validators of this call.
OverrideValidators: TypeAlias = Callable[
    [list[SessionClaimValidator], SessionContainer, dict[str, Any]],
    MaybeAwaitable[list[SessionClaimValidator]],
]
#: `(token, anti-CSRF token, user_context, check that token, check the database)` to the session.
SessionOfToken: TypeAlias = Callable[
    [AccessToken, str | None, dict[str, Any] | None, bool, bool], Awaitable[SessionContainer]
]


@dataclass(frozen=True, slots=True)
class FunctionParts:
    """What the session functions work with."""

    app: App
    policy: SessionPolicy
    issuers: Issuers
    creation_settings: CreationSettings
    read_token: Callable[[str], AccessToken | None]
    session_of_token: SessionOfToken
    session_of_issued: Callable[[IssuedSession], SessionContainer]
    session_of_refreshed: Callable[[IssuedSession, dict[str, Any]], Awaitable[SessionContainer]]
    reserved: frozenset[str]  #: claims that only the SDK writes, besides the protected ones
    claims_of_new: Callable[[], JSONObject]  #: those of a user who has just authenticated
    guests: GuestSettings
    bindings: DeviceBindings | None = None  #: where sessions may be bound to devices


class RecipeInterface(ClaimFunctions, UserSessionFunctions):
    """The functions of the session recipe, with their default behaviour.

    An override receives an instance, assigns functions of its own to it (they are called without
    `self`, with the arguments below in this order) and returns it. A replacement may be sync or async.
    """

    def __init__(self, parts: FunctionParts) -> None:
        self.parts = parts  #: a subclass passes on those of the instance that the override receives

    @property
    def _sessions(self) -> Sessions:
        return self.parts.app.engine.sessions  # the engine is made at its first use

    async def create_new_session(
        self,
        user_id: str,
        access_token_payload: dict[str, Any] | None,
        session_data_in_database: dict[str, Any] | None,
        disable_anti_csrf: bool | None,
        tenant_id: str,
        user_context: dict[str, Any],
    ) -> SessionContainer:
        """Create a session that no request knows of yet.

        Raises:
            SessionLimitError: the user has as many as they may have.
        """
        refuse_reserved(access_token_payload, self.parts.reserved)
        policy, options, choices = self.parts.policy, current_options(), self.parts.creation_settings
        claims = self.parts.claims_of_new() if options.claims is None else options.claims
        lifetime = options.lifetime
        if not (lifetime or options.copies):
            lifetime = await choices.lifetime(user_id, tenant_id, user_context)
        limit = await choices.limit(user_id, tenant_id, user_context) if options.counts else None
        new = NewSession(
            user_id=user_id,
            tenant_id=tenant_id,
            payload=laid_over(access_token_payload, claims),
            data={} if session_data_in_database is None else session_data_in_database,
            anti_csrf=disable_anti_csrf is not True and policy.creates_anti_csrf_tokens,
            dynamic_key=policy.use_dynamic_access_token_signing_key,
            visit=options.visit,
            lifetime=lifetime,
            limit=None if limit is None else limit.record,
            actor=options.actor,
            counts=options.counts,
            offer_binding=options.offer_binding,
            bind_like_handle=options.bind_like_handle,
        )
        issued = await create(self._sessions, new, options.replaces, user_context)
        if isinstance(issued, Unauthorised):
            raise UnauthorisedError(issued.message, code=issued.code)
        if isinstance(issued, LimitReached):
            raise SessionLimitError(issued.max_sessions, issued.handles)
        await report_evicted(limit, user_id, tenant_id, issued.ended, user_context)
        return self.parts.session_of_issued(issued)

    async def get_session(
        self,
        access_token: str | None,
        anti_csrf_token: str | None = None,
        anti_csrf_check: bool | None = None,
        session_required: bool | None = None,
        check_database: bool | None = None,
        override_global_claim_validators: OverrideValidators | None = None,
        user_context: dict[str, Any] | None = None,
    ) -> SessionContainer | None:
        """Verify an access token. Callers evaluate the claims."""
        policy = self.parts.policy
        if anti_csrf_check is not False and policy.explicit_anti_csrf == "VIA_CUSTOM_HEADER":
            raise ConfigError(_CANNOT_CHECK.format(name="getSession", setting="anti_csrf_check"))
        if access_token is None:
            if session_required is False:
                return None
            raise UnauthorisedError(NO_SESSION, clear_tokens=False, code="no_token")
        token = self.parts.read_token(access_token)
        if token is None:
            if session_required is False:
                return None
            raise UnauthorisedError("Token parsing failed", clear_tokens=False, code="not_a_session_token")
        check_csrf = anti_csrf_check is not False and policy.explicit_anti_csrf == "VIA_TOKEN"
        with guests_may_pass(may_guests_pass(self.parts.guests)):
            return await self.parts.session_of_token(
                token, anti_csrf_token, user_context, check_csrf, check_database is True
            )

    async def refresh_session(
        self,
        refresh_token: str,
        anti_csrf_token: str | None,
        disable_anti_csrf: bool,
        user_context: dict[str, Any],
    ) -> SessionContainer:
        """Exchange a refresh token for new tokens.

        Raises:
            UnauthorisedError: there is no such session any more.
            TokenTheftError: the token had been rotated out; the session is revoked.
        """
        policy, refresh_token = self.parts.policy, masked(refresh_token)
        if disable_anti_csrf is not True and policy.explicit_anti_csrf == "VIA_CUSTOM_HEADER":
            raise ConfigError(_CANNOT_CHECK.format(name="refreshSession", setting="antiCsrfCheck"))
        request = RefreshRequest(
            refresh_token=refresh_token,
            anti_csrf_token=anti_csrf_token,
            anti_csrf=disable_anti_csrf is not True and policy.creates_anti_csrf_tokens,
            dynamic_key=policy.use_dynamic_access_token_signing_key,
            visit=current_options().visit,
        )
        result = await call_engine(user_context, self._sessions.refresh, request)
        if isinstance(result, Unauthorised):
            raise UnauthorisedError(result.message, code=result.code)
        if isinstance(result, TokenTheft):
            raise TokenTheftError(result.user_id, result.handle, result.recipe_user_id, result.reuse)
        return await self.parts.session_of_refreshed(result, user_context)

    async def revoke_session(self, session_handle: str, user_context: dict[str, Any]) -> bool:
        """End a session; False if there was none."""
        ended = await call_engine(
            user_context, self._sessions.revoke, [session_handle], ending=current_ending()
        )
        return ended != []

    async def revoke_multiple_sessions(
        self, session_handles: list[str], user_context: dict[str, Any]
    ) -> list[str]:
        """End sessions; return the handles of those that existed."""
        return await call_engine(
            user_context, self._sessions.revoke, session_handles, ending=current_ending()
        )

    async def get_session_information(
        self, session_handle: str, user_context: dict[str, Any]
    ) -> SessionInformationResult | None:
        """Return a session as stored, or None."""
        stored = await call_engine(user_context, self._sessions.information, session_handle)
        if stored is None:
            return None
        return SessionInformationResult(
            stored.handle,
            stored.user_id,
            stored.data,
            stored.expires_ms,
            custom_claims(stored.payload),
            stored.created_ms,
            stored.tenant_id,
            stored.recipe_user_id,
        )

    async def explain_session(self, session_handle: str, user_context: dict[str, Any]) -> SessionExplanation:
        """Say whether a session lives, or why it ended."""
        return await call_engine(user_context, explain, self.parts.app.engine, session_handle)

    async def update_session_data_in_database(
        self, session_handle: str, new_session_data: dict[str, Any], user_context: dict[str, Any]
    ) -> bool:
        """Replace the session data in the database; False if there is no such session."""
        return await call_engine(user_context, self._sessions.replace_data, session_handle, new_session_data)

    async def merge_into_access_token_payload(
        self, session_handle: str, access_token_payload_update: dict[str, Any], user_context: dict[str, Any]
    ) -> bool:
        """Merge into the stored payload, in one transaction; clients see it after their next refresh.

        Raises:
            PayloadTooLargeError: the access token would not fit a cookie, which the session may be kept in.
        """
        update = access_token_payload_update  # the engine validates it
        refuse_reserved(update, self.parts.reserved)
        only_removes = type(update) is dict and all(value is None for value in update.values())
        # How the tokens of a session travel is not stored: each may be in cookies, unless a setting says no.
        check = None if only_removes or self.parts.policy.fixed_transfer == "header" else check_fits_cookie
        return await call_engine(
            user_context, self._sessions.merge_payload, session_handle, update, check=check
        )

    async def update_access_token_payload(
        self, session_handle: str, new_access_token_payload: dict[str, Any], user_context: dict[str, Any]
    ) -> bool:
        """Replace the stored payload; deprecated, use `merge_into_access_token_payload`."""
        warn_deprecated(
            "update_access_token_payload is deprecated. Use merge_into_access_token_payload instead"
        )
        validate_object("new_access_token_payload", new_access_token_payload)
        payload = {"iss": self.parts.issuers.own, **custom_claims(new_access_token_payload)}
        stored = await call_engine(user_context, self._sessions.information, session_handle)
        if stored is None:
            return False
        payload = with_reserved_of(stored.payload, payload, self.parts.reserved)
        if self.parts.policy.fixed_transfer != "header":
            check_fits_cookie(payload)
        return await call_engine(user_context, self._sessions.replace_payload, session_handle, payload)

    async def set_session_lifetime(
        self, session_handle: str, lifetime: SessionLifetime, user_context: dict[str, Any]
    ) -> bool:
        """Give a session a shorter lifetime; False if there is no such session.

        A limit that is None stays as it is.

        Raises:
            ConfigError: `session.init` was not given a `lifetime`.
            BadInputError: it would be a longer one.
        """
        shorter = self.parts.creation_settings.shorter_lifetime(lifetime)
        return await call_engine(user_context, self._sessions.shorten, session_handle, shorter)

    async def regenerate_access_token(
        self, access_token: str, new_access_token_payload: dict[str, Any] | None, user_context: dict[str, Any]
    ) -> RegenerateAccessTokenOkResult | None:
        """Reissue an access token with another payload and the same expiry; None if the session is gone."""
        token = self.parts.read_token(access_token)
        if token is not None and not self.parts.issuers.accepts(token.payload.get("iss")):
            return None
        payload = new_access_token_payload
        whole = parse_access_token(access_token)  # of a long one, `read_token` may know the header only
        if whole is not None and isinstance(payload, dict):
            payload = with_reserved_of(whole.payload, payload, self.parts.reserved)
        result = await call_engine(user_context, self._sessions.regenerate, access_token, payload=payload)
        if isinstance(result, Unauthorised):
            return None
        return RegenerateAccessTokenOkResult(
            SessionObj(result.handle, result.user_id, result.payload, result.tenant_id),
            new_token(result),
        )
