"""What the built-in claims share: `{key: {"v": value, "t": ms of fetch}}`, and an age limit."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Generic, TypeVar, cast

from supertokens_py.app import current_time_ms
from supertokens_py.recipe.session.claim import SessionClaim, SessionClaimValidator
from supertokens_py.recipe.session.results import ClaimValidationResult

_T = TypeVar("_T")


class TimedClaim(SessionClaim[_T]):
    """A claim stored with the time of its fetch (protocol: Claims). Helpers copy, never mutate."""

    def add_to_payload_(
        self, payload: dict[str, Any], value: _T, user_context: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        return {**payload, self.key: {"v": value, "t": current_time_ms()}}

    def remove_from_payload_by_merge_(
        self, payload: dict[str, Any], user_context: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        return {**payload, self.key: None}

    def remove_from_payload(
        self, payload: dict[str, Any], user_context: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        return {key: value for key, value in payload.items() if key != self.key}

    def get_value_from_payload(
        self, payload: dict[str, Any], user_context: dict[str, Any] | None = None
    ) -> _T | None:
        member: Any = payload.get(self.key)
        return cast("dict[str, Any]", member).get("v") if isinstance(member, dict) else None

    def get_last_refetch_time(
        self, payload: dict[str, Any], user_context: dict[str, Any] | None = None
    ) -> int | None:
        """Return when the value was fetched (Unix ms), or None."""
        member: Any = payload.get(self.key)
        return cast("dict[str, Any]", member).get("t") if isinstance(member, dict) else None


class TimedValidator(SessionClaimValidator, Generic[_T]):
    """Judges one claim: it must be there, not older than `max_age_in_sec`, and pass `accepts`."""

    expected_key = "expectedValue"  #: how the reason names what was expected
    judges_itself: bool = True  #: no subclass of yours has its own `validate` or `should_refetch`

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.__dict__.keys() & {"validate", "should_refetch"}:
            cls.judges_itself = False

    def __init__(self, claim: TimedClaim[_T], val: Any, max_age_in_sec: int | None, id_: str | None) -> None:
        super().__init__(claim.key if id_ is None else id_)
        self.claim: SessionClaim[Any] | None = claim
        self.timed: TimedClaim[_T] = claim
        self.val = val
        self.max_age_in_sec = max_age_in_sec

    @abstractmethod
    def accepts(self, value: _T) -> bool:
        """Tell whether the value is as wanted."""

    def should_refetch(self, payload: dict[str, Any], user_context: dict[str, Any]) -> bool:
        if self.timed.get_value_from_payload(payload, user_context) is None:
            return True
        return self.max_age_in_sec is not None and self._age_ms(payload) > self.max_age_in_sec * 1000

    async def validate(self, payload: dict[str, Any], user_context: dict[str, Any]) -> ClaimValidationResult:
        return self.judge(payload, just_fetched=False)

    def holds(self, payload: dict[str, Any], user_context: dict[str, Any]) -> bool:
        """Tell whether the claim is valid as it stands. False also where a subclass judges by itself."""
        return (
            self.judges_itself
            and not self.should_refetch(payload, user_context)
            and self.judge(payload, just_fetched=False).is_valid
        )

    def judge(self, payload: dict[str, Any], *, just_fetched: bool) -> ClaimValidationResult:
        """Judge; a value fetched in the same pass has no age, so that `max_age=0` can pass."""
        value = self.timed.get_value_from_payload(payload)
        if value is None:
            return ClaimValidationResult(
                False, {"message": "value does not exist", self.expected_key: self.val}
            )
        if self.max_age_in_sec is not None and not just_fetched:
            age_s = self._age_ms(payload) / 1000
            if age_s > self.max_age_in_sec:
                reason = {"message": "expired", "ageInSeconds": age_s, "maxAgeInSeconds": self.max_age_in_sec}
                return ClaimValidationResult(False, reason)
        if not self.accepts(value):
            reason = {"message": "wrong value", self.expected_key: self.val, "actualValue": value}
            return ClaimValidationResult(False, reason)
        return ClaimValidationResult(True)

    def _age_ms(self, payload: dict[str, Any]) -> int:
        return current_time_ms() - (self.timed.get_last_refetch_time(payload) or 0)


def same_json(left: Any, right: Any) -> bool:
    """Compare as JSON does: true is not 1, "1" is not 1, 1 is 1.0."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        one, two = cast("list[Any]", left), cast("list[Any]", right)
        return len(one) == len(two) and all(map(same_json, one, two))
    if isinstance(left, dict) and isinstance(right, dict):
        ours, theirs = cast("dict[str, Any]", left), cast("dict[str, Any]", right)
        return ours.keys() == theirs.keys() and all(same_json(ours[key], theirs[key]) for key in ours)
    return left == right


def effective_max_age(given: int | None, default: int | None) -> int | None:
    """Return the age limit to use; 0 is a limit too."""
    return default if given is None else given
