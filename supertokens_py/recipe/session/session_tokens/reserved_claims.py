"""Claims that the SDK writes when it creates a session, and that nothing changes afterwards. Pure.

They say how a user signed in and who is meant by one, so payloads of the application must not contain them:
what it takes from a client and merges into a payload would else make a guest a user, or an old log-in new.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from supertokens_py.exceptions import ProtectedClaimError
from supertokens_py.types.base import JSONObject

AUTHENTICATION_KEY: Final = "st-auth"
GUEST_KEY: Final = "st-guest"
#: RFC 8693, 4.1. Applications may have a claim of that name, so it is reserved only with impersonation.
ACTOR_KEY: Final = "act"

RESERVED: frozenset[str] = frozenset((AUTHENTICATION_KEY, GUEST_KEY))
RESERVED_WITH_ACTOR: frozenset[str] = RESERVED | {ACTOR_KEY}


def refuse_reserved(claims: object, reserved: frozenset[str]) -> None:
    """Refuse claims, or an update of them, that the application must not write; None removes one.

    Raises:
        ProtectedClaimError: names them.
    """
    names = [name for name in sorted(reserved) if name in claims] if isinstance(claims, Mapping) else []
    if names:
        raise ProtectedClaimError(names)


def laid_over(payload: JSONObject | None, claims: JSONObject) -> JSONObject:
    """Return the payload of a new session with its reserved claims; without any it is the given one."""
    if payload is None:
        return claims
    return {**payload, **claims} if claims else payload  # which the engine validates


def with_reserved_of(
    stored: Mapping[str, Any], claims: Mapping[str, Any], reserved: frozenset[str]
) -> dict[str, Any]:
    """Return `claims` with the reserved claims of a session, and no others of that name."""
    own = {name: value for name, value in claims.items() if name not in reserved}
    return {**own, **{name: stored[name] for name in sorted(reserved) if name in stored}}


def actor_of(payload: Mapping[str, Any]) -> str | None:
    """Return who acts as the user of a session; None if they do so themselves."""
    actor = payload.get(ACTOR_KEY)
    subject: Any = actor.get("sub") if isinstance(actor, Mapping) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return subject if isinstance(subject, str) else None
