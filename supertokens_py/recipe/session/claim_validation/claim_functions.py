"""What the session functions do with claims, on payloads and on stored sessions."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from supertokens_py.types.base import MaybeAwaitable

from ..claim_base_classes.claim import SessionClaim, SessionClaimValidator, as_claim
from ..results import (
    ClaimsValidationResult,
    GetClaimValueOkResult,
    SessionDoesNotExistError,
    SessionInformationResult,
)
from .evaluation import evaluate_claims

_T = TypeVar("_T")


class _Sessions(Protocol):
    """What the functions on stored sessions build on, overrides included."""

    async def get_session_information(
        self, session_handle: str, user_context: dict[str, Any]
    ) -> SessionInformationResult | None: ...

    async def merge_into_access_token_payload(
        self, session_handle: str, access_token_payload_update: dict[str, Any], user_context: dict[str, Any]
    ) -> bool: ...


class ClaimFunctions:
    """The part of `RecipeInterface` that is about claims."""

    def get_global_claim_validators(
        self,
        tenant_id: str,
        user_id: str,
        claim_validators_added_by_other_recipes: list[SessionClaimValidator],
        user_context: dict[str, Any],
    ) -> MaybeAwaitable[list[SessionClaimValidator]]:
        """Return the validators of every verification."""
        return claim_validators_added_by_other_recipes

    async def validate_claims(
        self,
        user_id: str,
        access_token_payload: dict[str, Any],
        claim_validators: list[SessionClaimValidator],
        user_context: dict[str, Any],
    ) -> ClaimsValidationResult:
        """Refetch the claims that are due, then evaluate."""
        return await evaluate_claims(user_id, access_token_payload, claim_validators, user_context)

    async def validate_claims_in_jwt_payload(
        self,
        user_id: str,
        jwt_payload: dict[str, Any],
        claim_validators: list[SessionClaimValidator],
        user_context: dict[str, Any],
    ) -> ClaimsValidationResult:
        """Evaluate a payload without fetching anything."""
        return await evaluate_claims(user_id, jwt_payload, claim_validators, user_context, refetch=False)

    async def fetch_and_set_claim(
        self: _Sessions, session_handle: str, claim: SessionClaim[Any], user_context: dict[str, Any]
    ) -> bool:
        """Fetch a claim's value and merge it into the stored payload."""
        information = await self.get_session_information(session_handle, user_context)
        if information is None:
            return False
        payload = information.custom_claims_in_access_token_payload
        value = await as_claim(claim).fetch(
            information.user_id, information.recipe_user_id, information.tenant_id, {**payload}, user_context
        )
        update = {} if value is None else claim.add_to_payload_({}, value, user_context)
        return await self.merge_into_access_token_payload(session_handle, update, user_context)

    async def set_claim_value(
        self: _Sessions, session_handle: str, claim: SessionClaim[_T], value: _T, user_context: dict[str, Any]
    ) -> bool:
        """Merge a claim's value into the stored payload."""
        update = as_claim(claim).add_to_payload_({}, value, user_context)
        return await self.merge_into_access_token_payload(session_handle, update, user_context)

    async def get_claim_value(
        self: _Sessions, session_handle: str, claim: SessionClaim[Any], user_context: dict[str, Any]
    ) -> SessionDoesNotExistError | GetClaimValueOkResult[Any]:
        """Return a claim's value in the stored payload."""
        information = await self.get_session_information(session_handle, user_context)
        if information is None:
            return SessionDoesNotExistError()
        payload = information.custom_claims_in_access_token_payload
        return GetClaimValueOkResult(as_claim(claim).get_value_from_payload(payload, user_context))

    async def remove_claim(
        self: _Sessions, session_handle: str, claim: SessionClaim[Any], user_context: dict[str, Any]
    ) -> bool:
        """Remove a claim from the stored payload."""
        update = as_claim(claim).remove_from_payload_by_merge_({}, user_context)
        return await self.merge_into_access_token_payload(session_handle, update, user_context)
