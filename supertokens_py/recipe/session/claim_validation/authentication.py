"""When, and how, the user of a session last authenticated, and validators that ask for it again (step-up).

    session.init(step_up=True)
    Depends(verify_session(override_global_claim_validators=lambda validators, *_: [
        *validators, AuthenticationClaim.validators.fresh(max_age_in_seconds=300)
    ]))

A session that fails is answered with 403, as by any claim: a 401 would have clients refresh, in vain.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from supertokens_py.app import current_time_ms
from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.types.base import JSONObject

from ..claim_base_classes.claim import SessionClaimValidator
from ..claim_base_classes.timed_claim import TimedClaim, TimedValidator
from ..exceptions import ClaimValidationError
from ..results import ClaimValidationResult
from ..session_tokens.reserved_claims import AUTHENTICATION_KEY

TOO_OLD: Final = "authentication too old"
TOO_WEAK: Final = "authentication too weak"
#: What a quoted string of a header may contain as it is (RFC 9110, 5.6.4).
_QUOTABLE = re.compile(r"[ !#-\[\]-~]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """How a user authenticated just now.

    Args:
        methods: what was proven, in the words of RFC 8176 ("pwd", "otp", "hwk", "mfa").
        acr: how far that is trusted, in words of the application or of a standard ("aal2").

    Raises:
        BadInputError: `methods` is not a list of strings, or `acr` not a string.
    """

    methods: Sequence[str] = ()
    acr: str | None = None

    def __post_init__(self) -> None:
        given: Any = self.methods
        is_list = isinstance(given, Iterable) and not isinstance(given, str)
        if not is_list or not all(isinstance(one, str) for one in self.methods):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise BadInputError(f'methods must be a list of strings such as ["pwd"], not {self.methods!r}')
        if not isinstance(self.acr, str | None):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise BadInputError(f"acr must be a string or None, not {self.acr!r}")

    def claims(self, now_ms: int) -> JSONObject:
        """Return the claim of a session that begins with it."""
        value = {"time": now_ms, "amr": [*self.methods], "acr": self.acr}
        return {AUTHENTICATION_KEY: {"v": value, "t": now_ms}}


#: Of a user who authenticated in a way that the application did not name.
UNSAID: Authentication = Authentication()


class _AuthenticationValidator(TimedValidator[JSONObject]):
    """Validates what a session says of its user's authentication; nothing is fetched for it."""

    def should_refetch(self, payload: dict[str, Any], user_context: dict[str, Any]) -> bool:
        return False

    def passes(self, payload: dict[str, Any]) -> bool:
        value = self.timed.get_value_from_payload(payload)
        return isinstance(value, dict) and self.accepts(value)  # pyright: ignore[reportUnnecessaryIsInstance]

    def evaluate(self, payload: dict[str, Any], *, just_fetched: bool) -> ClaimValidationResult:
        if self.passes(payload):
            return ClaimValidationResult(True)
        value: Any = self.timed.get_value_from_payload(payload)
        known = cast("JSONObject", value) if isinstance(value, dict) else {}
        return ClaimValidationResult(False, self.reason(known))

    @abstractmethod
    def reason(self, value: JSONObject) -> JSONObject:
        """Return the reason why this value (`{}` if absent) fails."""


class FreshSCV(_AuthenticationValidator):
    """Passes where the user authenticated at most `val` seconds ago."""

    def accepts(self, value: JSONObject) -> bool:
        age_ms = _age_ms(value)
        return age_ms is not None and age_ms <= self.val * 1000

    def reason(self, value: JSONObject) -> JSONObject:
        age_ms = _age_ms(value)
        age_s = None if age_ms is None else age_ms / 1000
        return {"message": TOO_OLD, "ageInSeconds": age_s, "maxAgeInSeconds": self.val}


class AcrSCV(_AuthenticationValidator):
    """Passes where the authentication has the context class `val`."""

    def accepts(self, value: JSONObject) -> bool:
        return value.get("acr") == self.val

    def reason(self, value: JSONObject) -> JSONObject:
        return {"message": TOO_WEAK, "expectedAcr": self.val, "actualAcr": value.get("acr")}


class AmrIncludesSCV(_AuthenticationValidator):
    """Passes where `val` is one of the methods by which the user authenticated."""

    def accepts(self, value: JSONObject) -> bool:
        methods = value.get("amr")
        return isinstance(methods, list) and self.val in cast("list[object]", methods)

    def reason(self, value: JSONObject) -> JSONObject:
        return {"message": TOO_WEAK, "expectedMethod": self.val, "actualMethods": value.get("amr", [])}


class AuthenticationValidators:
    """Makes validators of `AuthenticationClaim`. Sessions of guests and impersonations fail them all."""

    def __init__(self, claim: TimedClaim[JSONObject]) -> None:
        self._claim = claim

    def fresh(self, max_age_in_seconds: float, id_: str | None = None) -> SessionClaimValidator:
        """Require that the user authenticated at most `max_age_in_seconds` ago.

        Raises:
            ConfigError: it is no positive number.
        """
        if type(max_age_in_seconds) not in (int, float) or max_age_in_seconds <= 0:
            raise ConfigError(f"max_age_in_seconds must be more than 0 seconds, not {max_age_in_seconds!r}")
        return FreshSCV(self._claim, max_age_in_seconds, None, id_)

    def acr(self, value: str, id_: str | None = None) -> SessionClaimValidator:
        """Require this authentication context class, exactly; none is stronger than another."""
        return AcrSCV(self._claim, value, None, id_)

    def amr_includes(self, method: str, id_: str | None = None) -> SessionClaimValidator:
        """Require that this is one of the methods of the authentication."""
        return AmrIncludesSCV(self._claim, method, None, id_)


class AuthenticationClaimClass(TimedClaim[JSONObject]):
    """The claim `st-auth`: `{"v": {"time": Unix ms, "amr": [...], "acr": ...}, "t": Unix ms}`.

    The SDK writes it when a session is created, with `session.init(step_up=True)` or `impersonation`.
    """

    def __init__(self) -> None:
        super().__init__(AUTHENTICATION_KEY, _never)
        self._validators = AuthenticationValidators(self)

    @property
    def validators(self) -> AuthenticationValidators:
        """Makes validators of this claim."""
        return self._validators


def _never(user_id: str, tenant_id: str, user_context: dict[str, Any]) -> None:
    return None  # only a log-in can say it


AuthenticationClaim: Final = AuthenticationClaimClass()


def _age_ms(value: JSONObject) -> int | None:
    time: Any = value.get("time")
    return max(0, current_time_ms() - time) if type(time) is int else None


def is_step_up(failures: Iterable[ClaimValidationError]) -> bool:
    """Return whether a new authentication is what is missing."""
    return any(_message(one) in (TOO_OLD, TOO_WEAK) for one in failures)


def challenge_of(failures: Iterable[ClaimValidationError]) -> str | None:
    """Return the value of `WWW-Authenticate` that asks for a new authentication (RFC 9470, 3).

    Browsers' clients read the body; this is for others. None where that is not what is missing.
    """
    reasons = [one.reason for one in failures if _message(one) in (TOO_OLD, TOO_WEAK)]
    known = [reason for reason in reasons if isinstance(reason, dict)]
    if not known:
        return None
    ages = [reason["maxAgeInSeconds"] for reason in known if "maxAgeInSeconds" in reason]
    classes = [str(reason["expectedAcr"]) for reason in known if "expectedAcr" in reason]
    parts = ['Bearer error="insufficient_user_authentication"']
    if ages:
        parts.append(f'max_age="{int(min(ages))}"')
    if classes and all(_QUOTABLE.fullmatch(one) for one in classes):
        parts.append(f'acr_values="{" ".join(classes)}"')
    return ", ".join(parts)


def _message(failure: ClaimValidationError) -> object:
    return failure.reason.get("message") if isinstance(failure.reason, Mapping) else None
