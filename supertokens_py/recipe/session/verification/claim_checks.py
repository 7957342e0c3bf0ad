"""Which validators evaluate a session's claims, and what becomes of their answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.payloads import difference
from supertokens_py.runtime.bridge import call_app
from supertokens_py.types.base import MaybeAwaitable

from ..claim_base_classes.claim import SessionClaim, SessionClaimValidator
from ..container import SessionContainer
from ..functions import OverrideValidators, RecipeInterface
from ..results import ClaimsValidationResult, SessionDoesNotExistError, SessionInformationResult

__all__ = [
    "AddedClaims",
    "ClaimChecks",
    "OverrideValidators",
    "OverrideValidatorsByInfo",
    "OverrideValidatorsByUserId",
]

#: As `OverrideValidators`, where a session is known by what is stored of it.
OverrideValidatorsByInfo: TypeAlias = Callable[
    [list[SessionClaimValidator], SessionInformationResult, dict[str, Any]],
    MaybeAwaitable[list[SessionClaimValidator]],
]
#: The same where only the user's id is known.
OverrideValidatorsByUserId: TypeAlias = Callable[
    [list[SessionClaimValidator], str, dict[str, Any]],
    MaybeAwaitable[list[SessionClaimValidator]],
]


@dataclass(frozen=True, slots=True)
class AddedClaims:
    """What other recipes add: claims of every new session, validators of every verification."""

    claims: list[SessionClaim[Any]] = field(default_factory=list[SessionClaim[Any]])
    validators: list[SessionClaimValidator] = field(default_factory=list[SessionClaimValidator])


class ClaimChecks:
    """Evaluates claims by the validators of every verification and those of one route.

    Args:
        added: what other recipes add, now and later.
        functions: the session functions, overrides included.
        replaced: the names of those that the application replaced.
    """

    def __init__(self, added: AddedClaims, functions: RecipeInterface, replaced: frozenset[str]) -> None:
        self._added = added
        self._functions = functions
        is_replaced = "get_global_claim_validators" in replaced
        self._choose_global = functions.get_global_claim_validators if is_replaced else None
        self.are_chosen_per_call: bool = is_replaced  #: whether there may be validators though none was added

    async def validators_for(
        self, tenant_id: str, user_id: str, override: Any, subject: Any, user_context: dict[str, Any]
    ) -> list[SessionClaimValidator]:
        """Return the validators of every verification, as changed by `override`, which gets `subject` second.

        Raises:
            ConfigError: an application's function returned no list of validators.
            BadInputError: `override` is no function.
        """
        validators = list(self._added.validators)
        if self._choose_global is not None:
            given = await call_app(self._choose_global, tenant_id, user_id, validators, user_context)
            validators = _checked(given, "get_global_claim_validators")
        if override is not None:
            if not callable(override):
                kind = type(override).__name__
                raise BadInputError(f"override_global_claim_validators must be a function, not {kind}")
            given = await call_app(override, validators, subject, user_context)
            validators = _checked(given, "override_global_claim_validators")
        return validators

    async def assert_session(
        self, session: SessionContainer, override: OverrideValidators | None, user_context: dict[str, Any]
    ) -> None:
        """Evaluate the claims that every verification, or this route, asks for.

        Raises:
            InvalidClaimsError: lists every failure.
        """
        tenant_id, user_id = session.get_tenant_id(), session.get_user_id()
        validators = await self.validators_for(tenant_id, user_id, override, session, user_context)
        if validators:
            await session.assert_claims(validators, user_context)

    async def validate_stored(
        self, session_handle: str, override: OverrideValidatorsByInfo | None, user_context: dict[str, Any]
    ) -> SessionDoesNotExistError | ClaimsValidationResult:
        """Evaluate a stored payload, refetching claims that are due and storing what was fetched."""
        functions = self._functions
        information = await functions.get_session_information(session_handle, user_context)
        if information is None:
            return SessionDoesNotExistError()
        user_id, tenant_id = information.user_id, information.tenant_id
        validators = await self.validators_for(tenant_id, user_id, override, information, user_context)
        stored = information.custom_claims_in_access_token_payload
        payload = {**stored, "tId": tenant_id, "rsub": information.recipe_user_id}
        result = await functions.validate_claims(user_id, payload, validators, user_context)
        if result.access_token_payload_update is not None:
            update = difference(payload, result.access_token_payload_update)
            if not await functions.merge_into_access_token_payload(session_handle, update, user_context):
                return SessionDoesNotExistError()
        return ClaimsValidationResult(result.invalid_claims)


def _checked(given: Any, source: str) -> list[SessionClaimValidator]:
    # A function that forgets its `return` must not open the route.
    validators = list(cast("Iterable[Any]", given)) if isinstance(given, Iterable) else None
    if validators is None or not all(hasattr(item, "validate") for item in validators):
        raise ConfigError(
            f"{source} must return a list of claim validators, such as "
            f"[*global_validators, UserRoleClaim.validators.includes('admin')]; it returned {given!r}"
        )
    return validators
