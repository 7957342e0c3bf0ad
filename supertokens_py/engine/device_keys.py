"""Keys of devices that sessions are bound to, and the service that keeps them (docs: Device-bound sessions).

Times are integer Unix milliseconds (`*_ms`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

from supertokens_py.types.base import JSONObject

from .records import Unauthorised

#: The claim that names the key a session is bound to, by its thumbprint (RFC 7800, 3.1; RFC 7638).
CONFIRMATION_KEY: Final = "cnf"
THUMBPRINT_KEY: Final = "jkt"

#: The algorithms that a device may sign with, in the order in which they are offered.
ALGORITHMS: Final = ("ES256", "RS256")

#: How long a device has to answer an offer or a challenge; longer than the bound cookie lives.
CHALLENGE_LIFE_MS: Final = 15 * 60 * 1000


def thumbprint_in(payload: Mapping[str, Any]) -> str | None:
    """Return the thumbprint of the key that a payload says its session is bound to; None: to none."""
    claim = payload.get(CONFIRMATION_KEY)
    found = cast("Mapping[str, Any]", claim).get(THUMBPRINT_KEY) if isinstance(claim, Mapping) else None
    return found if isinstance(found, str) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundKey:
    """The key that a session is bound to.

    Args:
        bound_id: what the browser calls the session; None where nothing but the claim of the session is left.
        thumbprint: of the key (RFC 7638, SHA-256).
    """

    handle: str
    tenant_id: str
    user_id: str
    bound_id: str | None
    thumbprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """A device has proven that it has the key, or brought it; `challenge` is the one for the next time."""

    key: BoundKey
    challenge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofWanted:
    """The device is to sign this challenge: it sent no proof, or one over another challenge."""

    key: BoundKey
    challenge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRefused:
    """What was sent proves nothing; `reason` is for logs."""

    reason: str


def claim_of(key: BoundKey | None) -> JSONObject:
    """Return what the payload of a session says of the key that it is bound to."""
    return {} if key is None else {CONFIRMATION_KEY: {THUMBPRINT_KEY: key.thumbprint}}


class DeviceKeys(Protocol):
    """The keys that sessions are bound to. Methods block and are units of work, as in `engine.interface`."""

    def offer(self, handle: str) -> str:
        """Return the challenge with which a device may register a key for a new session. Writes nothing."""
        ...

    def register(self, proof: str, *, check: Callable[[JSONObject], None]) -> Proved | ProofRefused:
        """Bind the session whose challenge was signed to the key in the proof, once and for all.

        A session that has been refreshed is not bound any more: its access token would go on without saying
        so. `check` is given the payload that is about to be written; nothing is written if it raises.
        """
        ...

    def prove(self, bound_id: str, proof: str | None) -> Proved | ProofWanted | ProofRefused | None:
        """Check a proof for a session; None where there is no such live session."""
        ...

    def of_refresh_token(self, refresh_token: str) -> BoundKey | Unauthorised | None:
        """Return the key that the session of a refresh token is bound to; None: to none, or no session.

        `Unauthorised` where the token is none of this app's as far as its keys are known: whether a session
        is bound cannot be said then, and a refresh that knows them a moment later must not go on.
        """
        ...

    def of_session(self, handle: str) -> BoundKey | None:
        """Return the key that a session is bound to; None: to none, or no session."""
        ...

    def note_missing(self, key: BoundKey) -> bool:
        """Record that a refresh came without a proof; False if that was recorded a short while ago."""
        ...
