"""Verify the session of a request (protocol: Verify): gather what it presents, decide, then act."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from supertokens_py.engine.device_keys import CONFIRMATION_KEY
from supertokens_py.exceptions import ConfigError
from supertokens_py.framework.request import BaseRequest
from supertokens_py.recipe_module import App
from supertokens_py.tokens.access_token import AccessToken
from supertokens_py.urls import request_path

from ..claim_base_classes.claim import SessionClaimValidator
from ..claim_validation.refusals import GuestNotAllowedError, refuse_unbound
from ..constants import ANTI_CSRF_HEADER_KEY, DEVICE_COOKIE_KEY, SESSION_REFRESH, TokenTransferMethod
from ..container import SessionContainer
from ..exceptions import TryRefreshTokenError, UnauthorisedError
from ..features.guests import guests_may_pass, may_guests_pass
from ..functions import NO_SESSION, FunctionParts, OverrideValidators, RecipeInterface
from ..policy import csrf
from ..policy.session_policy import Allowed, SessionPolicy
from ..responses.pages import Pages
from ..session_tokens.request_tokens import RequestTokens
from .claim_checks import ClaimChecks

__all__ = ["OverrideValidators", "Verification", "Verify", "VerifyOptions", "no_validators"]

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
    #: whether a guest may pass; None: as `session.init(guests=)` says
    allow_guests: bool | None = None
    #: whether the session must be bound to a device
    require_bound: bool = False
    #: whether the caller, a route of the SDK, changes the session: pages of other origins may not, on the
    #: same site either
    changes_session: bool = False
    #: whether no route asked for a session: somebody merely looks whether there is one
    looks: bool = False

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


def no_validators(*_: object) -> list[SessionClaimValidator]:
    """Choose no claim validators, as `override_global_claim_validators` of a verification."""
    return []


class Verify(Protocol):
    """`Verification.verify`, for those who keep it without a frame of their own around it."""

    def __call__(
        self,
        request: BaseRequest,
        options: VerifyOptions,
        user_context: dict[str, Any],
        *,
        guards: bool = True,
    ) -> Coroutine[Any, Any, SessionContainer | None]: ...


def decide(
    tokens: RequestTokens,
    request: BaseRequest,
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
    if tokens.method in ("OPTIONS", "TRACE"):
        if options.session_required:
            raise UnauthorisedError(
                "verify_session cannot be used with options method",
                clear_tokens=False,
                code="options_request",
            )
        return None
    chosen = tokens.access_token(allowed, read)
    if chosen is None:
        return None
    token, transfer = chosen
    if transfer == "cookie":  # all that a page of another site can make a browser send
        if tokens.is_websocket:
            csrf.require_trusted_origin(request, policy, user_context)
        check = options.anti_csrf_check
        if tokens.method not in csrf.READING if check is None else check:
            csrf.require_custom_header(request, policy)
            if policy.anti_csrf_mode == "VIA_TOKEN":
                return token, transfer, request.get_header(ANTI_CSRF_HEADER_KEY), True
            if options.changes_session:
                csrf.refuse_change_by_another_page(request, policy)
    return token, transfer, None, False


def _deciding_for(pages: Pages) -> Callable[..., Presented | None]:
    """Return `decide` for pages that a server renders, which are asked for again with newer tokens early.

    Their forms carry no proof, and `SameSite` keeps no cookie back from other origins of the same site. Where
    somebody merely looks for a session, the route may be for everybody: such a form counts as a visitor's.
    """

    def decide_for_page(
        tokens: RequestTokens,
        request: BaseRequest,
        allowed: Allowed,
        options: VerifyOptions,
        policy: SessionPolicy,
        *others: Any,
    ) -> Presented | None:
        if options.looks and not tokens.bearer and csrf.is_change_by_another_page(request, policy):
            return None
        presented = decide(tokens, request, allowed, options, policy, *others)
        if presented is None or presented[1] != "cookie":
            return presented
        if options.anti_csrf_check is not False:
            csrf.refuse_change_by_another_page(request, policy)
        if pages.should_refresh_ahead(request, presented[0]):
            raise TryRefreshTokenError("the page comes with newer tokens", code="access_token_due")
        return presented

    return decide_for_page


def _no_device_check(_: BaseRequest, __: AccessToken) -> bool:
    """Accept every request: `device_binding` is off."""
    return True


class Verification:
    """Verifies sessions of requests. Overrides are chosen when it is made.

    Args:
        parts: those of the plain functions.
        functions: the functions, overrides included.
        replaced: the names of those that the application replaced.
        claims: evaluates claims.
        validators: those of every verification; the list grows while the other recipes are connected.
        refresh: refreshes the session of a request, for guards on the refresh path.
        pages: has browsers that navigate refresh early.
    """

    def __init__(
        self,
        parts: FunctionParts,
        functions: RecipeInterface,
        replaced: frozenset[str],
        claims: ClaimChecks,
        validators: list[SessionClaimValidator],
        refresh: Callable[[BaseRequest, dict[str, Any]], Awaitable[SessionContainer]],
        pages: Pages | None = None,
    ) -> None:
        self._decide = decide if pages is None else _deciding_for(pages)
        self._app: App = parts.app
        self._policy = parts.policy
        self._guests = parts.guests
        self._fixed_transfer: Allowed | None = parts.policy.fixed_transfer
        self._read = parts.read_token
        self._session_of_token = parts.session_of_token
        self._get_session = functions.get_session if "get_session" in replaced else None
        self._claims = claims
        self._are_claims_chosen_per_call = claims.are_chosen_per_call
        self._validators = validators
        self._refresh = refresh
        self._bindings = parts.bindings
        self._proven: Callable[[BaseRequest, AccessToken], bool] = (
            _no_device_check if parts.bindings is None else parts.bindings.has_known_proof
        )

    async def verify(
        self,
        request: BaseRequest,
        options: VerifyOptions,
        user_context: dict[str, Any],
        *,
        guards: bool = True,
    ) -> SessionContainer | None:
        """Verify the session of a request and attach it.

        With `guards`, do as `verify_session` does: refresh where the request is a POST to the refresh path,
        and detach an earlier session where there is none.

        Raises:
            UnauthorisedError, TryRefreshTokenError, InvalidClaimsError: as the protocol says.
        """
        varies = options.vary or request.session_sought
        request.session_sought = True  # before anything fails: the error depends on the credentials as well
        tokens = RequestTokens(request)
        if guards and tokens.method == "POST" and self._is_refresh_path(request):
            return await self._refreshed(request, user_context, varies=varies)
        allowed = self._fixed_transfer or self._policy.allowed_transfer(request, False, user_context)
        presented = self._decide(tokens, request, allowed, options, self._policy, self._read, user_context)
        if presented is None:
            session = None
        elif self._get_session is not None:
            session = await self._ask_override(self._get_session, presented, options, user_context)
        else:
            token, _, anti_csrf_token, check_csrf = presented
            try:
                session = await self._session_of_token(
                    token, anti_csrf_token, user_context, check_csrf, options.check_database
                )
            except GuestNotAllowedError as refusal:
                session = await self._session_of_guest(refusal, presented, options, user_context)
        if presented is None or session is None:
            options.allow_none()
            if guards:
                request.set_session_as_none()
        else:
            own = session._token  # pyright: ignore[reportPrivateUsage] - a property costs more
            if options.require_bound or (CONFIRMATION_KEY in own.payload and not self._proven(request, own)):
                await self._check_device(session, request, options, user_context)
            override = options.override_global_claim_validators
            # Claims come first: a session that fails them is not attached, so its 403 carries no tokens.
            if override is not None or self._validators or self._are_claims_chosen_per_call:
                await self._claims.assert_session(session, override, user_context)
            session.attach(request, presented[1], user_context)
        request.session_sought = varies  # errors have left above, and always depend on the credentials
        return session

    async def _refreshed(
        self, request: BaseRequest, user_context: dict[str, Any], *, varies: bool
    ) -> SessionContainer:
        session = await self._refresh(request, user_context)
        request.session_sought = varies
        return session

    async def _check_device(
        self,
        session: SessionContainer,
        request: BaseRequest,
        options: VerifyOptions,
        user_context: dict[str, Any],
    ) -> None:
        """Require what a session that is bound to a device, or has to be, must come with.

        It comes before claims: whoever copied the tokens is not to learn anything about the session.
        """
        if self._bindings is not None:
            await self._bindings.require(session, request.cookie_values(DEVICE_COOKIE_KEY), user_context)
        if options.require_bound:
            refuse_unbound(session, is_on=self._bindings is not None)

    async def _session_of_guest(
        self,
        refusal: GuestNotAllowedError,
        presented: Presented,
        options: VerifyOptions,
        user_context: dict[str, Any],
    ) -> SessionContainer | None:
        """Return the session of a guest, if this route lets them pass; to others they have none."""
        if not self._may_guests_pass(options):
            return _none_for_guests(refusal, options)
        token, _, anti_csrf_token, check_csrf = presented
        with guests_may_pass(True):
            return await self._session_of_token(
                token, anti_csrf_token, user_context, check_csrf, options.check_database
            )

    def _may_guests_pass(self, options: VerifyOptions) -> bool:
        said = options.allow_guests
        return may_guests_pass(self._guests) if said is None else said

    async def _ask_override(
        self,
        get_session: Callable[..., Awaitable[SessionContainer | None]],
        presented: Presented,
        options: VerifyOptions,
        user_context: dict[str, Any],
    ) -> SessionContainer | None:
        token, _, anti_csrf_token, check_csrf = presented
        with guests_may_pass(self._may_guests_pass(options)):
            try:
                return await get_session(
                    access_token=token.text,
                    anti_csrf_token=anti_csrf_token,
                    anti_csrf_check=check_csrf,
                    session_required=options.session_required,
                    check_database=options.check_database,
                    override_global_claim_validators=options.override_global_claim_validators,
                    user_context=user_context,
                )
            except GuestNotAllowedError as refusal:
                return _none_for_guests(refusal, options)

    def _is_refresh_path(self, request: BaseRequest) -> bool:
        below = self._app.below_base(request.get_path())
        return below is not None and request_path(below) == SESSION_REFRESH


def _none_for_guests(refusal: GuestNotAllowedError, options: VerifyOptions) -> None:
    if options.session_required:
        raise refusal
