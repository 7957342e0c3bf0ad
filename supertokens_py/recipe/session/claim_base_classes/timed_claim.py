"""What the built-in claims share: `{key: {"v": value, "t": ms of fetch}}`, and an age limit."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar, cast

from supertokens_py.app import current_time_ms
from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.payloads import validate_json
from supertokens_py.recipe.session.claim_base_classes.claim import SessionClaim, SessionClaimValidator
from supertokens_py.recipe.session.results import ClaimValidationResult

_T = TypeVar("_T")

_OUR_PACKAGE = __name__.partition(".")[0] + "."
_SCALARS = frozenset((str, int, bool, type(None)))


class TimedClaim(SessionClaim[_T]):
    """A claim stored with the time of its fetch (protocol: Claims). Helpers copy, never mutate."""

    in_this_package: ClassVar[bool] = True  #: the class itself, not only a base of it
    max_age_is_a_setting = False  #: `default_max_age` is to be asked

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.in_this_package = cls.__module__.startswith(_OUR_PACKAGE)

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

    def default_max_age(self) -> int | None:
        """Return the age limit (s) of validators that were given none; None for no limit."""
        return None


class TimedValidator(SessionClaimValidator, Generic[_T]):
    """Validates one claim: it must be present, not older than `max_age_in_sec`, and pass `accepts`.

    Raises:
        ConfigError: `val` has no JSON form; no payload could ever match it.
    """

    expected_key = "expectedValue"  #: how the reason names what was expected
    expects_list = False  #: a value that is no list is a wrong value
    in_this_package: ClassVar[bool] = True  #: the class itself, not only a base of it

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.in_this_package = cls.__module__.startswith(_OUR_PACKAGE)
        _refuse_shadowed_validate(cls)

    def __init__(self, claim: TimedClaim[_T], val: Any, max_age_in_sec: int | None, id_: str | None) -> None:
        super().__init__(claim.key if id_ is None else id_)
        self.claim: SessionClaim[Any] | None = claim
        self.timed: TimedClaim[_T] = claim
        self.val: Any = self.expectation(val)
        self.max_age_in_sec = max_age_in_sec

    @staticmethod
    def expectation(val: Any) -> Any:
        """Return `val` as JSON would give it back."""
        return json_expectation(val)

    @abstractmethod
    def accepts(self, value: _T) -> bool:
        """Return whether the value is as expected."""

    def should_refetch(self, payload: dict[str, Any], user_context: dict[str, Any]) -> bool:
        if self.timed.get_value_from_payload(payload, user_context) is None:
            return True
        return self._is_expired(payload)

    async def validate(self, payload: dict[str, Any], user_context: dict[str, Any]) -> ClaimValidationResult:
        return self.evaluate(payload, just_fetched=False)

    def evaluate(self, payload: dict[str, Any], *, just_fetched: bool) -> ClaimValidationResult:
        """Validate; a value fetched in the same pass has no age, so that `max_age=0` can pass."""
        value = self.timed.get_value_from_payload(payload)
        if value is None:
            return ClaimValidationResult(
                False, {"message": "value does not exist", self.expected_key: self.val}
            )
        if not just_fetched and self._is_expired(payload):
            age_s = self._age_ms(payload) / 1000
            reason = {"message": "expired", "ageInSeconds": age_s, "maxAgeInSeconds": self._max_age_in_sec()}
            return ClaimValidationResult(False, reason)
        # Fail closed: the string "banned" has no element "banned", and so would pass `excludes`.
        is_kind = not self.expects_list or isinstance(cast("object", value), (list, tuple))
        if not (is_kind and self.accepts(value)):
            reason = {"message": "wrong value", self.expected_key: self.val, "actualValue": value}
            return ClaimValidationResult(False, reason)
        return ClaimValidationResult(True)

    def passes(self, payload: dict[str, Any]) -> bool:
        """Return whether a built-in validator passes without a fetch: the fast path of `evaluate`."""
        member = payload.get(self.timed.key)
        value = cast("dict[str, Any]", member).get("v") if isinstance(member, dict) else None
        if value is None or (self.expects_list and not isinstance(value, list)):
            return False
        if (self.max_age_in_sec is not None or self.timed.max_age_is_a_setting) and self._is_expired(payload):
            return False
        return self.accepts(cast("_T", value))

    def _is_expired(self, payload: dict[str, Any]) -> bool:
        max_age = self._max_age_in_sec()
        return max_age is not None and self._age_ms(payload) > max_age * 1000

    def _max_age_in_sec(self) -> int | None:
        return self.timed.default_max_age() if self.max_age_in_sec is None else self.max_age_in_sec

    def _age_ms(self, payload: dict[str, Any]) -> int:
        return current_time_ms() - (self.timed.get_last_refetch_time(payload) or 0)


# -- which code is ours -----------------------------------------------------------------------------

_OWN_VALIDATE: object = vars(TimedValidator)["validate"]
#: How many attributes the constructor of a validator sets.
_OWN_ATTRIBUTES = 5


def has_own_validate(validator: TimedValidator[Any]) -> bool:
    """Return whether the application wrote `validate`: in a class, a base, a mixin or on the instance."""
    return getattr(validator.validate, "__func__", None) is not _OWN_VALIDATE


def is_built_in(validator: SessionClaimValidator) -> bool:
    """Return whether no code of the application takes part, so that the payload is only read.

    Looked up at each validation, since code may be assigned to a class or an instance at any time. This is
    the hot path: one attribute too many, whatever its name, is enough to take the longer way.
    """
    if not isinstance(validator, TimedValidator):
        return False
    timed = cast("TimedValidator[Any]", validator)
    claim = timed.timed
    assigned = claim.__dict__
    return (
        timed.in_this_package
        and type(timed).validate is _OWN_VALIDATE
        and len(timed.__dict__) == _OWN_ATTRIBUTES
        and claim.in_this_package
        and "get_value_from_payload" not in assigned
        and "get_last_refetch_time" not in assigned
    )


def _refuse_shadowed_validate(cls: type[TimedValidator[Any]]) -> None:
    bases = cls.__mro__
    for base in bases[bases.index(TimedValidator) + 1 :]:
        if base is not SessionClaimValidator and "validate" in vars(base):
            raise TypeError(
                f"{base.__name__}.validate is never called in {cls.__name__}, because a built-in validator "
                f"stands before it: name {base.__name__} first among the bases"
            )


# -- values -----------------------------------------------------------------------------------------


def json_expectation(val: Any) -> Any:
    """Return an expected value as JSON gives it back: a tuple is a list, a member of a `StrEnum` a string.

    Raises:
        ConfigError: it has no JSON form.
    """
    if type(val) in _SCALARS:  # most of them; validators are made per request
        return val
    try:
        return json.loads(validate_json("expected value", {"val": val}, limit=None))["val"]
    except BadInputError as error:
        raise ConfigError(str(error)) from error


def json_expectations(values: Any) -> list[Any]:
    """Return expected elements as a list of JSON values; a set or another iterable will do.

    Raises:
        ConfigError: it is one string or no iterable, or an element has no JSON form.
    """
    if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Iterable):
        raise ConfigError(f"the expected values of a claim must be a list, not {values!r}")
    return [json_expectation(value) for value in cast("Iterable[Any]", values)]


def same_json(left: Any, right: Any) -> bool:
    """Compare as JSON does: true is not 1, "1" is not 1, 1 is 1.0."""
    if isinstance(left, str):
        return left == right
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        one, two = cast("Sequence[Any]", left), cast("Sequence[Any]", right)
        return len(one) == len(two) and all(map(same_json, one, two))
    if isinstance(left, dict) and isinstance(right, dict):
        ours, theirs = cast("dict[str, Any]", left), cast("dict[str, Any]", right)
        return ours.keys() == theirs.keys() and all(same_json(ours[key], theirs[key]) for key in ours)
    return left == right


def first_age(*ages: int | None) -> int | None:
    """Return the age limit that was given under one of several names; 0 is a limit too."""
    return next((age for age in ages if age is not None), None)
