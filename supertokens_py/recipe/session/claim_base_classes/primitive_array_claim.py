"""A claim with a list of JSON values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeAlias, TypeVar, overload

from supertokens_py.recipe.session.claim_base_classes.claim import (
    FetchAwaited,
    FetchNow,
    FetchValue,
    SessionClaimValidator,
)

from .primitive_claim import Primitive
from .timed_claim import TimedClaim, TimedValidator, first_age, json_expectations, same_json

PrimitiveList: TypeAlias = list[Any]

_T = TypeVar("_T")


class SCVMixin(TimedValidator[list[_T]]):
    """Base class of the validators of an array claim; a value that is no list is a wrong value for all."""

    expects_list = True


class _SeveralSCV(SCVMixin[_T]):
    @staticmethod
    def expectation(val: Any) -> Any:
        return json_expectations(val)


class IncludesSCV(SCVMixin[_T]):
    """Passes when `val` is in the list."""

    expected_key = "expectedToInclude"

    def accepts(self, value: list[_T]) -> bool:
        return _contains(value, self.val)


class ExcludesSCV(SCVMixin[_T]):
    """Passes when `val` is not in the list."""

    expected_key = "expectedToNotInclude"

    def accepts(self, value: list[_T]) -> bool:
        return not _contains(value, self.val)


class IncludesAllSCV(_SeveralSCV[_T]):
    """Passes when every one of `val` is in the list."""

    expected_key = "expectedToInclude"

    def accepts(self, value: list[_T]) -> bool:
        return all(_contains(value, item) for item in self.val)


class IncludesAnySCV(_SeveralSCV[_T]):
    """Passes when one of `val` is in the list."""

    expected_key = "expectedToIncludeAtLeastOneOf"

    def accepts(self, value: list[_T]) -> bool:
        return any(_contains(value, item) for item in self.val)


class ExcludesAllSCV(_SeveralSCV[_T]):
    """Passes when none of `val` is in the list."""

    expected_key = "expectedToNotInclude"

    def accepts(self, value: list[_T]) -> bool:
        return not any(_contains(value, item) for item in self.val)


class PrimitiveArrayClaimValidators(Generic[_T]):
    """Makes validators of an array claim. The age limit, in seconds, may be given under any of its names."""

    def __init__(self, claim: TimedClaim[list[_T]], default_max_age_in_sec: int | None) -> None:
        self.claim = claim
        self.default_max_age_in_sec = default_max_age_in_sec

    def _make(
        self, kind: type[SCVMixin[_T]], val: Any, max_age: int | None, id_: str | None
    ) -> SessionClaimValidator:
        return kind(self.claim, val, first_age(max_age, self.default_max_age_in_sec), id_)

    def includes(
        self,
        val: _T,
        max_age_in_seconds: int | None = None,
        id_: str | None = None,
        *,
        max_age_in_sec: int | None = None,
    ) -> SessionClaimValidator:
        """Require `val` in the list."""
        return self._make(IncludesSCV, val, first_age(max_age_in_seconds, max_age_in_sec), id_)

    def excludes(
        self,
        val: _T,
        max_age_in_seconds: int | None = None,
        id_: str | None = None,
        *,
        max_age_in_sec: int | None = None,
    ) -> SessionClaimValidator:
        """Require that `val` is not in the list."""
        return self._make(ExcludesSCV, val, first_age(max_age_in_seconds, max_age_in_sec), id_)

    def includes_all(
        self,
        val: list[_T],
        max_age_in_seconds: int | None = None,
        id_: str | None = None,
        *,
        max_age_in_sec: int | None = None,
    ) -> SessionClaimValidator:
        """Require all of `val` in the list; an empty `val` passes."""
        return self._make(IncludesAllSCV, val, first_age(max_age_in_seconds, max_age_in_sec), id_)

    def includes_any(
        self,
        val: list[_T],
        max_age_in_seconds: int | None = None,
        id_: str | None = None,
        *,
        max_age_in_sec: int | None = None,
    ) -> SessionClaimValidator:
        """Require one of `val` in the list; an empty `val` fails."""
        return self._make(IncludesAnySCV, val, first_age(max_age_in_seconds, max_age_in_sec), id_)

    def excludes_all(
        self,
        val: list[_T],
        max_age_in_seconds: int | None = None,
        id_: str | None = None,
        *,
        max_age_in_sec: int | None = None,
    ) -> SessionClaimValidator:
        """Require none of `val` in the list."""
        return self._make(ExcludesAllSCV, val, first_age(max_age_in_seconds, max_age_in_sec), id_)


class PrimitiveArrayClaim(TimedClaim[list[_T]]):
    """A claim with a list of JSON values; `fetch_value` is described at `SessionClaim`."""

    validators: PrimitiveArrayClaimValidators[_T]

    @overload  # two, because mypy refuses an async function where both are meant
    def __init__(
        self, key: str, fetch_value: FetchAwaited[list[_T]], default_max_age_in_sec: int | None = None
    ) -> None: ...

    @overload
    def __init__(
        self, key: str, fetch_value: FetchNow[list[_T]], default_max_age_in_sec: int | None = None
    ) -> None: ...

    def __init__(
        self,
        key: str,
        fetch_value: FetchValue[list[_T]],
        default_max_age_in_sec: int | None = None,
    ) -> None:
        super().__init__(key, fetch_value)
        self.validators = PrimitiveArrayClaimValidators(self, default_max_age_in_sec)


class SdkArrayClaim(PrimitiveArrayClaim[str]):
    """An array claim of the SDK; `fetch` awaits our own code directly, so a blocking caller needs no loop."""

    def __init__(
        self, key: str, fetch_value: Callable[[str, str, dict[str, Any]], Awaitable[list[str] | None]]
    ) -> None:
        super().__init__(key, fetch_value)
        self._fetch_value = fetch_value

    async def fetch(
        self,
        user_id: str,
        recipe_user_id: str,
        tenant_id: str,
        current_payload: dict[str, Any],
        user_context: dict[str, Any],
    ) -> list[str] | None:
        return await self._fetch_value(user_id, tenant_id, user_context)


def _contains(values: list[Any], item: Any) -> bool:
    for value in values:  # noqa: SIM110  (a generator would cost as much again)
        if same_json(value, item):
            return True
    return False


__all__ = [
    "ExcludesAllSCV",
    "ExcludesSCV",
    "IncludesAllSCV",
    "IncludesAnySCV",
    "IncludesSCV",
    "Primitive",
    "PrimitiveArrayClaim",
    "PrimitiveArrayClaimValidators",
    "PrimitiveList",
    "SCVMixin",
]
