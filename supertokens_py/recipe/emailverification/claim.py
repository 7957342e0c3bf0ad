"""`EmailVerificationClaim`: whether the address of a session's user is verified, under `st-ev`."""

from __future__ import annotations

from typing import Any

from supertokens_py.exceptions import GeneralError
from supertokens_py.recipe.session.claim_base_classes.boolean_claim import (
    BooleanClaim,
    BooleanClaimValidators,
)
from supertokens_py.recipe.session.claim_base_classes.claim import SessionClaimValidator
from supertokens_py.recipe.session.claim_base_classes.primitive_claim import HasValueSCV
from supertokens_py.recipe.session.claim_base_classes.timed_claim import TimedClaim
from supertokens_py.recipe.session.exceptions import UnauthorisedError
from supertokens_py.types.base import RecipeUserId

from .addresses import GetEmailForUserIdOkResult, UnknownUserIdError
from .current import current_recipe

UNKNOWN_USER = "Unknown User ID provided"


async def _is_verified(recipe_user_id: str, user_context: dict[str, Any]) -> bool | None:
    """Return whether a user has verified their address, or has none; None: there is no such user."""
    recipe = current_recipe()
    found = await recipe.get_email_for_recipe_user_id(recipe_user_id, user_context)
    if isinstance(found, UnknownUserIdError):
        return None
    if not isinstance(found, GetEmailForUserIdOkResult):
        return True
    return await recipe.recipe_implementation.is_email_verified(
        recipe_user_id=RecipeUserId(recipe_user_id), email=found.email, user_context=user_context
    )


class IsVerifiedSCV(HasValueSCV[bool]):
    """Passes when the address is verified; a "not verified" is asked again before long."""

    __slots__ = ("_refetch_time_on_false_in_seconds",)  # keeps `is_built_in` true

    def __init__(
        self,
        claim: TimedClaim[bool],
        refetch_time_on_false_in_seconds: int,
        max_age_in_seconds: int | None,
        id_: str | None,
    ) -> None:
        super().__init__(claim, True, max_age_in_seconds, id_)
        self._refetch_time_on_false_in_seconds = refetch_time_on_false_in_seconds

    def should_refetch(self, payload: dict[str, Any], user_context: dict[str, Any]) -> bool:
        if self.timed.get_value_from_payload(payload, user_context) is not False:
            return super().should_refetch(payload, user_context)
        is_old = self._age_ms(payload) > self._refetch_time_on_false_in_seconds * 1000
        return is_old or super().should_refetch(payload, user_context)


class EmailVerificationClaimValidators(BooleanClaimValidators):
    """Makes validators of the claim."""

    def is_verified(
        self,
        refetch_time_on_false_in_seconds: int = 10,
        max_age_in_seconds: int | None = None,
        id_: str | None = None,
    ) -> SessionClaimValidator:
        """Require a verified address.

        Args:
            refetch_time_on_false_in_seconds: after how many seconds "not verified" is looked up again, for
                users who open the link in another browser.
            max_age_in_seconds: after how many seconds "verified" is looked up again; None: never.
            id_: the name of the validator in refusals; left out: `st-ev`.
        """
        return IsVerifiedSCV(self.claim, refetch_time_on_false_in_seconds, max_age_in_seconds, id_)


class EmailVerificationClaimClass(BooleanClaim):
    """Whether the address of a session's user is verified; that of a user without address counts as such."""

    def __init__(self) -> None:
        super().__init__("st-ev", _fetch)
        self._own_validators = EmailVerificationClaimValidators(self, None)

    @property
    def validators(self) -> EmailVerificationClaimValidators:
        """Makes validators of this claim."""
        return self._own_validators

    async def fetch(
        self,
        user_id: str,
        recipe_user_id: str,
        tenant_id: str,
        current_payload: dict[str, Any],
        user_context: dict[str, Any],
    ) -> bool:
        """Look it up; our own code is awaited directly, so that a blocking caller needs no loop.

        Raises:
            UnauthorisedError: the user of this session is gone.
            GeneralError: nobody knows the user for whom a session is to be created.
        """
        value = await _is_verified(recipe_user_id, user_context)
        if value is not None:
            return value
        if "sessionHandle" in current_payload:
            raise UnauthorisedError(UNKNOWN_USER, code="user_unknown")
        raise GeneralError(
            f"{UNKNOWN_USER}: emailverification finds no e-mail address of {recipe_user_id!r}. Where users "
            "are your own, give emailverification.init(get_email_for_recipe_user_id=...)"
        )


async def _fetch(
    user_id: str, recipe_user_id: str, tenant_id: str, payload: dict[str, Any], user_context: dict[str, Any]
) -> bool | None:
    return await EmailVerificationClaim.fetch(user_id, recipe_user_id, tenant_id, payload, user_context)


EmailVerificationClaim: EmailVerificationClaimClass = EmailVerificationClaimClass()
