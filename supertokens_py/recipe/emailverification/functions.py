"""`RecipeInterface`: what the recipe does. Applications replace methods, in 0.24's form or a later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from supertokens_py.engine.call import call_engine
from supertokens_py.recipe.sign_in.argument_forms import in_both_forms
from supertokens_py.secret import masked
from supertokens_py.types.base import RecipeUserId

from .results import (
    CreateEmailVerificationTokenEmailAlreadyVerifiedError,
    CreateEmailVerificationTokenOkResult,
    RevokeEmailVerificationTokensOkResult,
    UnverifyEmailOkResult,
    VerifyEmailUsingTokenInvalidTokenError,
    VerifyEmailUsingTokenOkResult,
)
from .types import EmailVerificationUser

if TYPE_CHECKING:
    from supertokens_py.recipe_module import App


class RecipeInterface:
    """The functions, with their default behaviour; overrides assign to an instance.

    Args:
        app: whose engine keeps which addresses are verified.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    @in_both_forms("user_id email tenant_id user_context", "recipe_user_id email tenant_id user_context")
    async def create_email_verification_token(
        self, recipe_user_id: str, email: str, tenant_id: str, user_context: dict[str, Any]
    ) -> CreateEmailVerificationTokenOkResult | CreateEmailVerificationTokenEmailAlreadyVerifiedError:
        """Return a token that verifies an address; earlier ones stay valid until one of them is used.

        Raises:
            BadInputError: the id or the address cannot be stored, or there is no such tenant.
        """
        service = self._app.engine.email_verification
        token = await call_engine(user_context, service.create_token, tenant_id, recipe_user_id, email)
        if token is None:
            return CreateEmailVerificationTokenEmailAlreadyVerifiedError()
        return CreateEmailVerificationTokenOkResult(token)

    @in_both_forms("token tenant_id user_context", "token tenant_id attempt_account_linking user_context")
    async def verify_email_using_token(
        self,
        token: str,
        tenant_id: str,
        attempt_account_linking: bool | None,
        user_context: dict[str, Any],
    ) -> VerifyEmailUsingTokenOkResult | VerifyEmailUsingTokenInvalidTokenError:
        """Use up a token, and every other one of its user and address; of parallel calls one succeeds.

        `attempt_account_linking` is accepted; accounts are not linked.
        """
        service, token = self._app.engine.email_verification, masked(token)
        used = await call_engine(user_context, service.verify, tenant_id, token)
        if used is None:
            return VerifyEmailUsingTokenInvalidTokenError()
        return VerifyEmailUsingTokenOkResult(EmailVerificationUser(RecipeUserId(used.user_id), used.email))

    @in_both_forms("user_id email user_context", "recipe_user_id email user_context")
    async def is_email_verified(self, recipe_user_id: str, email: str, user_context: dict[str, Any]) -> bool:
        """Return whether a user has verified an address."""
        service = self._app.engine.email_verification
        return await call_engine(user_context, service.is_verified, recipe_user_id, email)

    @in_both_forms("user_id email tenant_id user_context", "recipe_user_id email tenant_id user_context")
    async def revoke_email_verification_tokens(
        self, recipe_user_id: str, email: str, tenant_id: str, user_context: dict[str, Any]
    ) -> RevokeEmailVerificationTokensOkResult:
        """End the tokens of a user for an address in a tenant."""
        service = self._app.engine.email_verification
        await call_engine(user_context, service.revoke_tokens, tenant_id, recipe_user_id, email)
        return RevokeEmailVerificationTokensOkResult()

    @in_both_forms("user_id email user_context", "recipe_user_id email user_context")
    async def unverify_email(
        self, recipe_user_id: str, email: str, user_context: dict[str, Any]
    ) -> UnverifyEmailOkResult:
        """Forget that an address was verified, and end its tokens. Sessions learn of it when they ask."""
        service = self._app.engine.email_verification
        await call_engine(user_context, service.unverify, recipe_user_id, email)
        return UnverifyEmailOkResult()
