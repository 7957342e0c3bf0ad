"""Refetch the claims that are due, then evaluate them all (protocol: Claims)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from supertokens_py.constants import DEFAULT_TENANT_ID
from supertokens_py.exceptions import BadInputError
from supertokens_py.payloads import json_copy
from supertokens_py.runtime.bridge import call_app

from ..claim_base_classes.claim import SessionClaimValidator, as_validators
from ..claim_base_classes.timed_claim import TimedValidator, has_own_validate, is_built_in
from ..exceptions import ClaimValidationError
from ..results import ClaimsValidationResult, ClaimValidationResult


def all_pass(validators: Sequence[SessionClaimValidator], payload: dict[str, Any]) -> bool:
    """Return whether all validators are built-in ones and pass without a refetch, as in most requests.

    Several requests share `payload`, so this is the only validation that may read it: code of the application
    could change it.
    """
    for validator in validators:
        if not (is_built_in(validator) and cast("TimedValidator[Any]", validator).passes(payload)):
            return False
    return True


def never_passes(validators: Sequence[SessionClaimValidator], payload: dict[str, Any]) -> bool:
    """Return False, so that a replaced `validate_claims` is called in every case."""
    return False


async def evaluate_claims(
    user_id: str,
    payload: dict[str, Any],
    validators: Sequence[SessionClaimValidator],
    user_context: dict[str, Any],
    *,
    refetch: bool = True,
) -> ClaimsValidationResult:
    """Evaluate `payload`, which stays as it is; failures are reported in the order of the validators."""
    _require_validators(validators)
    working, fetched = payload, set[str]()
    if refetch:
        working, fetched = await _refetched(user_id, payload, validators, user_context)
    failures: list[ClaimValidationError] = []
    for validator in validators:
        result = await _evaluate(validator, working, fetched, user_context)
        if not result.is_valid:
            failures.append(ClaimValidationError(validator.id, result.reason))
    return ClaimsValidationResult(failures, working if fetched else None)


def _require_validators(validators: Sequence[SessionClaimValidator]) -> None:
    for validator in as_validators(validators):
        if not hasattr(validator, "validate"):
            raise BadInputError(
                f"claim_validators must hold claim validators, not {type(validator).__name__}"
            )


async def _refetched(
    user_id: str,
    payload: dict[str, Any],
    validators: Sequence[SessionClaimValidator],
    user_context: dict[str, Any],
) -> tuple[dict[str, Any], set[str]]:
    fetched: set[str] = set()
    for validator in validators:
        claim = validator.claim
        if claim is None or not await _should_refetch(validator, payload, user_context):
            continue
        recipe_user_id = payload.get("rsub", user_id)
        tenant_id = payload.get("tId", DEFAULT_TENANT_ID)
        value = await claim.fetch(user_id, recipe_user_id, tenant_id, json_copy(payload), user_context)
        if value is not None:
            payload = claim.add_to_payload_({**payload}, value, user_context)
            fetched.add(claim.key)
    return payload, fetched


async def _should_refetch(
    validator: SessionClaimValidator, payload: dict[str, Any], user_context: dict[str, Any]
) -> bool:
    seen = payload if is_built_in(validator) else json_copy(payload)
    return await call_app(validator.should_refetch, seen, user_context)


async def _evaluate(
    validator: SessionClaimValidator, payload: dict[str, Any], fetched: set[str], user_context: dict[str, Any]
) -> ClaimValidationResult:
    seen = payload if is_built_in(validator) else json_copy(payload)
    if isinstance(validator, TimedValidator):
        timed = cast("TimedValidator[Any]", validator)
        if not has_own_validate(timed):
            return timed.evaluate(seen, just_fetched=timed.timed.key in fetched)
    return await call_app(validator.validate, seen, user_context)
