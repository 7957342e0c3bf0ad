"""What the sessions of guests, and of those who act as another user, may not do: 403, as a claim that fails.

A 401 would have clients refresh and try again, in vain, ten times.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from supertokens_py.exceptions import ConfigError

from ..claim_base_classes.claim import SessionClaimValidator
from ..exceptions import ClaimValidationError, InvalidClaimsError
from ..results import ClaimValidationResult
from ..session_tokens.contents import TokenContents
from ..session_tokens.reserved_claims import ACTOR_KEY, GUEST_KEY

_NOT_FOR_GUESTS = {"message": "guests are not allowed"}
#: How `verify_session(require_bound=True)` names what is missing.
BOUND_CLAIM = "st-bound"
_NOT_BOUND = {"message": "the session is not bound to a device"}
_NOT_FOR_ACTORS = {"message": "not allowed while acting as another user"}


class GuestNotAllowedError(InvalidClaimsError):
    """The session is one of a guest, and the route is for users: to it, a guest has no session."""

    code = "guest_not_allowed"

    def __init__(self) -> None:
        failure = ClaimValidationError(GUEST_KEY, {**_NOT_FOR_GUESTS})
        super().__init__("the session is one of a guest", [failure])


class ImpersonationRefusedError(InvalidClaimsError):
    """Somebody may not act as a user, or not do this while they act as one; `reason` says which."""

    code = "impersonation_refused"

    def __init__(self, reason: str) -> None:
        failure = ClaimValidationError(ACTOR_KEY, {"message": reason})
        super().__init__(reason, [failure])


class NotImpersonated(SessionClaimValidator):
    """A claim validator that refuses those who act as another user: for what only the user may do."""

    def __init__(self, id_: str = ACTOR_KEY) -> None:
        super().__init__(id_)

    async def validate(self, payload: dict[str, Any], user_context: dict[str, Any]) -> ClaimValidationResult:
        """Pass where nobody else acts as the user."""
        if ACTOR_KEY not in payload:
            return ClaimValidationResult(True)
        return ClaimValidationResult(False, {**_NOT_FOR_ACTORS})


class DeviceNotBoundError(InvalidClaimsError):
    """The route is for sessions that are bound to a device, and this one is not, or not yet."""

    code = "device_not_bound"

    def __init__(self) -> None:
        failure = ClaimValidationError(BOUND_CLAIM, {**_NOT_BOUND})
        super().__init__("the session is not bound to a device", [failure])


def refuse_unbound(session: TokenContents, *, is_on: bool) -> None:
    """Refuse a session that is not bound to a device.

    Raises:
        DeviceNotBoundError: it is not.
        ConfigError: none can be, because `device_binding` is off.
    """
    if not is_on:
        raise ConfigError("verify_session(require_bound=True) needs session.init(device_binding='auto')")
    if session.bound_key is None:
        raise DeviceNotBoundError


def is_guest(payload: Mapping[str, Any]) -> bool:
    """Return whether a payload is one of a guest's session."""
    return GUEST_KEY in payload


def refuse_guest(session: TokenContents) -> None:
    """Raise GuestNotAllowedError if a session is one of a guest."""
    if session.is_guest:
        raise GuestNotAllowedError


def refuse_impersonation(impersonator: str | None, reserved: frozenset[str]) -> None:
    """Raise ImpersonationRefusedError if somebody else acts as the user of a session (`impersonator`).

    Where `act` is not among the reserved claims, it is the application's own, and says nothing.
    """
    if ACTOR_KEY in reserved and impersonator is not None:
        raise ImpersonationRefusedError(_NOT_FOR_ACTORS["message"])
