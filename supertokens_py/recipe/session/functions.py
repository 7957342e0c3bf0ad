"""`RecipeInterface`: what the session recipe does. Applications replace methods of an instance."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from supertokens_py.engine.call import call_engine
from supertokens_py.engine.interface import Sessions
from supertokens_py.engine.records import IssuedSession, NewSession, RefreshRequest, TokenTheft, Unauthorised
from supertokens_py.exceptions import ConfigError
from supertokens_py.payloads import (
    custom_claims,
    validate_object,
)
from supertokens_py.recipe_module import App
from supertokens_py.runtime.deprecation import warn_deprecated
from supertokens_py.secret import hidden
from supertokens_py.tokens.access_token import AccessToken
from supertokens_py.types.base import MaybeAwaitable

from .claim import SessionClaimValidator
from .claim_functions import ClaimFunctions
from .container import SessionContainer
from .exceptions import TokenTheftError, UnauthorisedError
from .issuers import Issuers
from .policy import SessionPolicy
from .results import (
    AccessTokenObj,
    RegenerateAccessTokenOkResult,
    SessionInformationResult,
    SessionObj,
)
from .token_writer import check_fits_cookie

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
    read_token: Callable[[str], AccessToken | None]
    session_of_token: SessionOfToken
    session_of_issued: Callable[[IssuedSession], SessionContainer]
    session_of_refreshed: Callable[[IssuedSession, dict[str, Any]], Awaitable[SessionContainer]]


class RecipeInterface(ClaimFunctions):
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
        """Create a session that no request knows of yet."""
        policy = self.parts.policy
        new = NewSession(
            user_id=user_id,
            tenant_id=tenant_id,
            payload={} if access_token_payload is None else access_token_payload,
            data={} if session_data_in_database is None else session_data_in_database,
            anti_csrf=disable_anti_csrf is not True and policy.creates_anti_csrf_tokens,
            dynamic_key=policy.use_dynamic_access_token_signing_key,
        )
        issued = await call_engine(user_context, self._sessions.create, new)
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
            TokenTheftError: the token had been retired; the session is revoked.
        """
        policy, refresh_token = self.parts.policy, hidden(refresh_token)
        if disable_anti_csrf is not True and policy.explicit_anti_csrf == "VIA_CUSTOM_HEADER":
            raise ConfigError(_CANNOT_CHECK.format(name="refreshSession", setting="antiCsrfCheck"))
        request = RefreshRequest(
            refresh_token=refresh_token,
            anti_csrf_token=anti_csrf_token,
            anti_csrf=disable_anti_csrf is not True and policy.creates_anti_csrf_tokens,
            dynamic_key=policy.use_dynamic_access_token_signing_key,
        )
        result = await call_engine(user_context, self._sessions.refresh, request)
        if isinstance(result, Unauthorised):
            raise UnauthorisedError(result.message, code=result.code)
        if isinstance(result, TokenTheft):
            raise TokenTheftError(result.user_id, result.handle, result.recipe_user_id, result.reuse)
        return await self.parts.session_of_refreshed(result, user_context)

    async def revoke_session(self, session_handle: str, user_context: dict[str, Any]) -> bool:
        """End a session; False if there was none."""
        return await call_engine(user_context, self._sessions.revoke, [session_handle]) != []

    async def revoke_all_sessions_for_user(
        self,
        user_id: str,
        tenant_id: str,
        revoke_across_all_tenants: bool,
        user_context: dict[str, Any],
        revoke_sessions_for_linked_accounts: bool = True,
    ) -> list[str]:
        """Revoke a user's sessions, by default those of linked login methods too; return their handles."""
        tenant = None if revoke_across_all_tenants else tenant_id
        return await call_engine(
            user_context,
            self._sessions.revoke_user,
            user_id,
            tenant_id=tenant,
            linked_accounts=revoke_sessions_for_linked_accounts,
        )

    async def get_all_session_handles_for_user(
        self,
        user_id: str,
        tenant_id: str,
        fetch_across_all_tenants: bool,
        user_context: dict[str, Any],
        fetch_sessions_for_linked_accounts: bool = True,
    ) -> list[str]:
        """Return the handles of a user's sessions, by default those of linked login methods too."""
        tenant = None if fetch_across_all_tenants else tenant_id
        return await call_engine(
            user_context,
            self._sessions.user_handles,
            user_id,
            tenant_id=tenant,
            linked_accounts=fetch_sessions_for_linked_accounts,
        )

    async def revoke_multiple_sessions(
        self, session_handles: list[str], user_context: dict[str, Any]
    ) -> list[str]:
        """End sessions; return the handles of those that existed."""
        return await call_engine(user_context, self._sessions.revoke, session_handles)

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

    async def update_session_data_in_database(
        self, session_handle: str, new_session_data: dict[str, Any], user_context: dict[str, Any]
    ) -> bool:
        """Replace the data kept on the server; False if there is no such session."""
        return await call_engine(user_context, self._sessions.replace_data, session_handle, new_session_data)

    async def merge_into_access_token_payload(
        self, session_handle: str, access_token_payload_update: dict[str, Any], user_context: dict[str, Any]
    ) -> bool:
        """Merge into the stored payload, in one transaction; clients see it after their next refresh.

        Raises:
            PayloadTooLargeError: the access token would not fit a cookie, which the session may be kept in.
        """
        update = access_token_payload_update  # the engine validates it
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
        if self.parts.policy.fixed_transfer != "header":
            check_fits_cookie(payload)
        return await call_engine(user_context, self._sessions.replace_payload, session_handle, payload)

    async def regenerate_access_token(
        self, access_token: str, new_access_token_payload: dict[str, Any] | None, user_context: dict[str, Any]
    ) -> RegenerateAccessTokenOkResult | None:
        """Reissue an access token with another payload and the same expiry; None if the session is gone."""
        token = self.parts.read_token(access_token)
        if token is not None and not self.parts.issuers.accepts(token.payload.get("iss")):
            return None
        result = await call_engine(
            user_context, self._sessions.regenerate, access_token, payload=new_access_token_payload
        )
        if isinstance(result, Unauthorised):
            return None
        issued = result.access_token
        return RegenerateAccessTokenOkResult(
            SessionObj(result.handle, result.user_id, result.payload, result.tenant_id),
            AccessTokenObj(issued.text, issued.expires_ms, issued.created_ms) if issued else None,
        )
