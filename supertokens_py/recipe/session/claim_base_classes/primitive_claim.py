"""A claim with one JSON value."""

from __future__ import annotations

from typing import Any, Generic, TypeAlias, TypeVar, overload

from supertokens_py.recipe.session.claim_base_classes.claim import (
    FetchAwaited,
    FetchNow,
    FetchValue,
    SessionClaimValidator,
)

from .timed_claim import TimedClaim, TimedValidator, first_age, same_json

Primitive: TypeAlias = str | int | float | bool | dict[str, Any] | None

_T = TypeVar("_T")


class HasValueSCV(TimedValidator[_T]):
    """Passes when the value is exactly `val`."""

    def accepts(self, value: _T) -> bool:
        return same_json(value, self.val)


class PrimitiveClaimValidators(Generic[_T]):
    """Makes validators of a primitive claim."""

    def __init__(self, claim: TimedClaim[_T], default_max_age_in_sec: int | None) -> None:
        self.claim = claim
        self.default_max_age_in_sec = default_max_age_in_sec

    def has_value(
        self,
        val: _T,
        max_age_in_sec: int | None = None,
        id_: str | None = None,
        *,
        max_age_in_seconds: int | None = None,
    ) -> SessionClaimValidator:
        """Require the value `val`, fetched at most `max_age_in_sec` (or `max_age_in_seconds`) seconds ago."""
        max_age = first_age(max_age_in_sec, max_age_in_seconds, self.default_max_age_in_sec)
        return HasValueSCV(self.claim, val, max_age, id_)


class PrimitiveClaim(TimedClaim[_T]):
    """A claim with one JSON value; `fetch_value` is described at `SessionClaim`."""

    @overload  # two, because mypy refuses an async function where both are meant
    def __init__(
        self, key: str, fetch_value: FetchAwaited[_T], default_max_age_in_sec: int | None = None
    ) -> None: ...

    @overload
    def __init__(
        self, key: str, fetch_value: FetchNow[_T], default_max_age_in_sec: int | None = None
    ) -> None: ...

    def __init__(
        self,
        key: str,
        fetch_value: FetchValue[_T],
        default_max_age_in_sec: int | None = None,
    ) -> None:
        super().__init__(key, fetch_value)
        self._validators = PrimitiveClaimValidators(self, default_max_age_in_sec)

    @property
    def validators(self) -> PrimitiveClaimValidators[_T]:
        """Makes validators of this claim."""
        return self._validators
