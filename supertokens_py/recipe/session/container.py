"""`SessionContainer`: one session as a request handler sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from supertokens_py.constants import PROTECTED_CLAIMS
from supertokens_py.events import ClaimsFailed, emit
from supertokens_py.framework.request import BaseRequest
from supertokens_py.framework.response import BaseResponse
from supertokens_py.payloads import custom_claims, difference, json_copy, validate_object
from supertokens_py.runtime.bridge import blocking
from supertokens_py.runtime.deprecation import warn_deprecated
from supertokens_py.tokens.access_token import AccessToken
from supertokens_py.types.base import context_of

from .claim_base_classes.claim import SessionClaim, SessionClaimValidator, as_claim, as_validators
from .claim_validation.authentication import Authentication, is_step_up
from .constants import TokenTransferMethod
from .container_parts import ContainerParts
from .devices.own_sessions import OwnSessions
from .exceptions import InvalidClaimsError, UnauthorisedError
from .policy.session_policy import SessionPolicy
from .results import (
    AccessTokenObj,
    GetSessionTokensDangerouslyDict,
    ReqResInfo,
    SessionInformationResult,
    TokenInfo,
)
from .session_tokens.contents import P, issued_token
from .session_tokens.delivery import Delivery
from .session_tokens.reserved_claims import refuse_reserved, with_reserved_of
from .session_tokens.writer import TokenWriter, check_fits_cookie

if TYPE_CHECKING:
    from .functions import RecipeInterface

_T = TypeVar("_T")
Parts: TypeAlias = "ContainerParts[RecipeInterface, SessionContainer[Any]]"
GONE = "Session does not exist anymore."


class SessionContainer(OwnSessions[P]):
    """A verified session. Reads come from its access token and cost nothing; writes go to the engine.

    Methods without `sync_` that touch the engine are coroutines; each has a `sync_` twin that blocks
    and must not be called while an event loop runs in the thread. Times are Unix ms.
    """

    # Most sessions are only read, and have none of these; as defaults of the class they cost nothing.
    refresh_token: TokenInfo | None = None
    anti_csrf_token: str | None = None
    access_token_updated: bool = False
    #: Whether the cookies of the new tokens are to outlive the browser; None where there are none.
    persistent: bool | None = None
    _delivery: Delivery | None = None  #: of the request that it is, or was, attached to

    def __init__(
        self,
        parts: Parts,
        token: AccessToken,
        *,
        refresh_token: TokenInfo | None = None,
        anti_csrf_token: str | None = None,
        updated: bool = False,
        persistent: bool = True,
    ) -> None:
        self._token = token
        self._parts = parts
        self.response_mutators: list[Callable[[BaseResponse, dict[str, Any]], None]] = []
        if updated:
            self.refresh_token, self.anti_csrf_token = refresh_token, anti_csrf_token
            self.access_token_updated, self.persistent = True, persistent

    #: What `end_impersonation` wants of a client in header mode: set on the new session of an impersonation.
    return_token: str | None = None

    def __repr__(self) -> str:
        return f"SessionContainer(handle={self.session_handle!r}, user_id={self.user_id!r})"

    def __getitem__(self, item: str) -> Any:
        return getattr(self, item)

    @property
    def recipe_implementation(self) -> RecipeInterface:
        """The functions that this session uses, with your overrides."""
        return self._parts.functions

    @property
    def config(self) -> SessionPolicy:
        """The session recipe's settings."""
        return self._parts.policy

    @property
    def _reserved(self) -> frozenset[str]:
        return self._parts.reserved

    @property
    def req_res_info(self) -> ReqResInfo | None:
        """The request that the session is attached to; None once its response has started."""
        delivery = self._delivery
        if delivery is None or delivery.request is None:
            return None
        return ReqResInfo(delivery.request, delivery.transfer_method)

    def get_all_session_tokens_dangerously(self) -> GetSessionTokensDangerouslyDict:
        """Return every token, for code that carries them to the client without the middleware."""
        return {
            "accessToken": self.access_token,
            "accessAndFrontTokenUpdated": self.access_token_updated,
            "refreshToken": self.refresh_token.token if self.refresh_token else None,
            "frontToken": self.front_token,
            "antiCsrfToken": self.anti_csrf_token,
        }

    # -- what the engine knows -----------------------------------------------------------------------

    async def get_session_data_from_database(
        self, user_context: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the session data in the database; `UnauthorisedError` when the session is gone."""
        return (await self._information(user_context)).session_data_in_database

    async def get_time_created(self, user_context: dict[str, Any] | None = None) -> int:
        """Return when the session was created (Unix ms)."""
        return (await self._information(user_context)).time_created

    async def get_expiry(self, user_context: dict[str, Any] | None = None) -> int:
        """Return when the session expires unless it is refreshed (Unix ms)."""
        return (await self._information(user_context)).expiry

    async def _information(self, user_context: dict[str, Any] | None) -> SessionInformationResult:
        found = await self.recipe_implementation.get_session_information(
            self.session_handle, context_of(user_context)
        )
        if found is None:
            raise UnauthorisedError(GONE, code="session_gone")
        return found

    async def update_session_data_in_database(
        self, new_session_data: dict[str, Any], user_context: dict[str, Any] | None = None
    ) -> None:
        """Replace the session data in the database."""
        context = context_of(user_context)
        functions = self.recipe_implementation
        if not await functions.update_session_data_in_database(
            self.session_handle, new_session_data, context
        ):
            raise UnauthorisedError(GONE, code="session_gone")

    async def revoke_session(self, user_context: dict[str, Any] | None = None) -> None:
        """End the session; an attached request's client drops its tokens."""
        context = context_of(user_context)
        await self.recipe_implementation.revoke_session(self.session_handle, context)
        if self._delivery is not None:
            self._delivery.clear(self, self._token, context)

    async def reauthenticate(
        self,
        methods: Sequence[str] = (),
        acr: str | None = None,
        user_context: dict[str, Any] | None = None,
    ) -> SessionContainer:
        """End this session and return the one that replaces it; see `session.asyncio.reauthenticate`."""
        how = Authentication(methods=methods, acr=acr)
        return await self._parts.reauthenticate(self, how, context_of(user_context))

    # -- the access token payload --------------------------------------------------------------------

    async def merge_into_access_token_payload(
        self, access_token_payload_update: dict[str, Any], user_context: dict[str, Any] | None = None
    ) -> None:
        """Merge an update into the payload; None removes a key. The client sees it at once.

        Raises:
            ProtectedClaimError: the update names a protected claim; nothing was written.
            UnauthorisedError: the session is gone.
        """
        context, update = context_of(user_context), access_token_payload_update
        refuse_reserved(update, self._parts.reserved)
        payload = self.get_access_token_payload()
        # The engine refuses anything else, as it validates the update.
        if isinstance(update, dict):  # pyright: ignore[reportUnnecessaryIsInstance]
            self._check_fits({**payload, **update})
        self._adopt(await self._parts.merge_payload(self._token.text, payload, update, context), context)

    async def update_access_token_payload(
        self, new_access_token_payload: dict[str, Any], user_context: dict[str, Any] | None = None
    ) -> None:
        """Replace every custom claim; deprecated, use `merge_into_access_token_payload`.

        Protected claims in the argument are left out, so the current payload may be spread into it.
        """
        warn_deprecated(
            "update_access_token_payload is deprecated. Use merge_into_access_token_payload instead"
        )
        context = context_of(user_context)
        validate_object("new_access_token_payload", new_access_token_payload)
        issuer = self.get_access_token_payload().get("iss")
        payload = custom_claims({"iss": issuer, **new_access_token_payload})
        payload = with_reserved_of(self._token.payload, payload, self._parts.reserved)
        self._check_fits(payload)
        functions = self.recipe_implementation
        result = await functions.regenerate_access_token(self.access_token, payload, context)
        if result is None:
            raise UnauthorisedError(GONE, code="session_gone")
        self._adopt((result.access_token, result.session.user_data_in_jwt), context)

    def _adopt(
        self, regenerated: tuple[AccessTokenObj | None, dict[str, Any]], user_context: dict[str, Any]
    ) -> None:
        issued, custom = regenerated
        if issued is None:  # the token expired meanwhile: the client gets the payload with its next refresh
            payload = self.get_access_token_payload()
            kept = {name: payload[name] for name in payload if name in PROTECTED_CLAIMS}
            self._payload = {**kept, **custom}
            return
        token = issued_token(issued.token)
        self._token, self._payload, self.access_token_updated = token, None, True
        self.persistent = issued.persistent
        if self._delivery is not None:
            self._delivery.persistent = issued.persistent
            self._delivery.replace(self, token, user_context)

    def _check_fits(self, payload: Mapping[str, Any]) -> None:
        # Also once the response has started: the next refresh brings the payload as a cookie.
        if self._delivery is not None and self._delivery.transfer_method == "cookie":
            check_fits_cookie(payload)

    # -- claims --------------------------------------------------------------------------------------

    async def assert_claims(
        self, claim_validators: list[SessionClaimValidator], user_context: dict[str, Any] | None = None
    ) -> None:
        """Evaluate the claims, refetching those that are due.

        Raises:
            InvalidClaimsError: lists every failure, in order.
        """
        context = context_of(user_context)
        known = self._token.payload if self._payload is None else self._payload
        if self._parts.all_pass(as_validators(claim_validators), known):
            return
        payload = self.get_access_token_payload()
        result = await self.recipe_implementation.validate_claims(
            self.user_id, {**payload}, claim_validators, context
        )
        if result.access_token_payload_update is not None:
            update = difference(payload, result.access_token_payload_update)
            if update:
                await self.merge_into_access_token_payload(update, context)
        if result.invalid_claims:
            failed = tuple(failure.id for failure in result.invalid_claims)
            emit(ClaimsFailed(handle=self.session_handle, claims=failed))
            error = InvalidClaimsError("INVALID_CLAIMS", result.invalid_claims)
            if is_step_up(result.invalid_claims):
                error.code = "authentication_not_fresh"
            if self._delivery is not None:
                self._delivery.note(error)
            raise error

    async def fetch_and_set_claim(
        self, claim: SessionClaim[Any], user_context: dict[str, Any] | None = None
    ) -> None:
        """Fetch a claim's value now and put it into the payload."""
        context = context_of(user_context)
        value = await as_claim(claim).fetch(
            self.user_id,
            self.recipe_user_id,
            self.tenant_id,
            json_copy(self.get_access_token_payload()),
            context,
        )
        if value is not None:
            await self.set_claim_value(claim, value, context)

    async def set_claim_value(
        self, claim: SessionClaim[_T], value: _T, user_context: dict[str, Any] | None = None
    ) -> None:
        """Put a value into the payload as the claim stores it."""
        await self.merge_into_access_token_payload(
            as_claim(claim).add_to_payload_({}, value, user_context), user_context
        )

    async def get_claim_value(
        self, claim: SessionClaim[_T], user_context: dict[str, Any] | None = None
    ) -> _T | None:
        """Return a claim's value, or None."""
        return as_claim(claim).get_value_from_payload(self.get_access_token_payload(), user_context)

    async def remove_claim(
        self, claim: SessionClaim[Any], user_context: dict[str, Any] | None = None
    ) -> None:
        """Remove a claim from the payload."""
        await self.merge_into_access_token_payload(
            as_claim(claim).remove_from_payload_by_merge_({}, user_context), user_context
        )

    # -- requests ------------------------------------------------------------------------------------

    async def attach_to_request_response(
        self, request: BaseRequest, transfer_method: TokenTransferMethod, user_context: dict[str, Any]
    ) -> None:
        """Make this the request's session, and add its tokens to the response where they are new."""
        self.attach(request, transfer_method, user_context)

    def attach(
        self,
        request: BaseRequest,
        transfer_method: TokenTransferMethod,
        user_context: dict[str, Any],
        writer: TokenWriter | None = None,
    ) -> None:
        """Do what `attach_to_request_response` does, without a coroutine."""
        made = Delivery(self._parts.deliveries, request, transfer_method, self.persistent is not False)
        self._delivery = made
        request.set_session(self)
        if self.access_token_updated:
            made.deliver(request, self._token, self.refresh_token, self.anti_csrf_token, user_context, writer)

    def leave_request(self) -> None:
        """Drop the request after its response has started; avoids a reference cycle."""
        if self._delivery is not None:
            self._delivery.request = None

    # -- older names ---------------------------------------------------------------------------------

    get_session_data = get_session_data_from_database
    update_session_data = update_session_data_in_database

    # -- blocking twins ------------------------------------------------------------------------------

    sync_get_session_data_from_database: Final = blocking(get_session_data_from_database)
    sync_get_time_created: Final = blocking(get_time_created)
    sync_get_expiry: Final = blocking(get_expiry)
    sync_update_session_data_in_database: Final = blocking(update_session_data_in_database)
    sync_revoke_session: Final = blocking(revoke_session)
    sync_reauthenticate: Final = blocking(reauthenticate)
    sync_merge_into_access_token_payload: Final = blocking(merge_into_access_token_payload)
    sync_update_access_token_payload: Final = blocking(update_access_token_payload)
    sync_assert_claims: Final = blocking(assert_claims)
    sync_fetch_and_set_claim: Final = blocking(fetch_and_set_claim)
    sync_set_claim_value: Final = blocking(set_claim_value)
    sync_get_claim_value: Final = blocking(get_claim_value)
    sync_remove_claim: Final = blocking(remove_claim)
    sync_attach_to_request_response: Final = blocking(attach_to_request_response)
    sync_get_session_data = sync_get_session_data_from_database
    sync_update_session_data = sync_update_session_data_in_database
