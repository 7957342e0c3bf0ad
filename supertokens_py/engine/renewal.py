"""What an operator may order of an engine that owns its keys, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from supertokens_py.types.numbers import whole_number


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalOrder:
    """Which families of keys to renew, and what becomes of the earlier keys.

    Args:
        dynamic: the signing keys that rotate.
        static: the signing key that does not. With `dynamic` and `drop_old` it is renewed in any case unless
            `keep_static`: whoever has it can make access tokens for an app that signs with it.
        master: the key of the refresh tokens.
        keep_static: `drop_old` leaves the static key alone; JWTs and access tokens that it signed verify.
        drop_old: tokens signed with earlier keys of these families are refused from now on.
        keep_sessions_ms: for how long refresh tokens of the earlier master key are accepted (ms); None
            ends every session.
        actor_id: who orders it; named in the events that are kept.
    """

    dynamic: bool = False
    static: bool = False
    keep_static: bool = False
    master: bool = False
    drop_old: bool = False
    keep_sessions_ms: int | None = None
    actor_id: str | None = None

    @property
    def ends_sessions(self) -> bool:
        """Whether every session ends with it."""
        return self.master and self.keep_sessions_ms is None

    def accept_until_ms(self, now_ms: int) -> int | None:
        """Return until when the earlier master key is accepted (Unix ms)."""
        return None if self.keep_sessions_ms is None else now_ms + self.keep_sessions_ms


@dataclass(frozen=True, slots=True)
class Renewed:
    """The ids of the new signing keys, whether the master key is new, and how many sessions ended."""

    dynamic: str | None
    static: str | None
    master: bool
    sessions_ended: int


@runtime_checkable
class OwnsKeys(Protocol):
    """The keys of an engine that owns them."""

    def renew(self, order: RenewalOrder) -> Renewed:
        """Renew families of keys."""
        ...

    def encrypt(self) -> int:
        """Encrypt the keys at rest; return how many were not."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedKey:
    """A verification key, as far as its id says what it is; `created_ms` is Unix milliseconds."""

    kid: str
    kind: Literal["dynamic", "static", "unknown"]
    created_ms: int | None

    @classmethod
    def of(cls, kid: str) -> PublishedKey:
        """Return what the id of a key says."""
        kind, _, rest = kid.partition("-")
        if kind == "d" and (created_ms := whole_number(rest)) is not None:
            return cls(kid=kid, kind="dynamic", created_ms=created_ms)
        return cls(kid=kid, kind="static" if kind == "s" else "unknown", created_ms=None)
