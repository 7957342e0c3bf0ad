"""A claim that is true or false."""

from __future__ import annotations

from supertokens_py.recipe.session.claim_base_classes.claim import FetchValue, SessionClaimValidator

from .primitive_claim import PrimitiveClaim, PrimitiveClaimValidators
from .timed_claim import first_age


class BooleanClaimValidators(PrimitiveClaimValidators[bool]):
    """Makes validators of a boolean claim. The age limit, in seconds, may be given under any of its names."""

    def is_true(
        self,
        max_age: int | None = None,
        id_: str | None = None,
        *,
        max_age_in_sec: int | None = None,
        max_age_in_seconds: int | None = None,
    ) -> SessionClaimValidator:
        """Require the value true."""
        return self.has_value(True, first_age(max_age, max_age_in_sec, max_age_in_seconds), id_)

    def is_false(
        self,
        max_age: int | None = None,
        id_: str | None = None,
        *,
        max_age_in_sec: int | None = None,
        max_age_in_seconds: int | None = None,
    ) -> SessionClaimValidator:
        """Require the value false."""
        return self.has_value(False, first_age(max_age, max_age_in_sec, max_age_in_seconds), id_)


class BooleanClaim(PrimitiveClaim[bool]):
    """A claim that is true or false."""

    def __init__(
        self,
        key: str,
        fetch_value: FetchValue[bool],
        default_max_age_in_sec: int | None = None,
    ) -> None:
        super().__init__(key, fetch_value, default_max_age_in_sec)
        self._boolean_validators = BooleanClaimValidators(self, default_max_age_in_sec)

    @property
    def validators(self) -> BooleanClaimValidators:
        """Makes validators of this claim."""
        return self._boolean_validators
