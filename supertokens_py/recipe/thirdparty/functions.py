"""`RecipeInterface`: what the recipe does. Applications replace methods, in 0.24's form or a later."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeAlias

from supertokens_py.engine.call import call_engine
from supertokens_py.engine.user_records import EmailChangeNotAllowed, SignedInUp
from supertokens_py.events import UserSignedIn
from supertokens_py.recipe.sign_in.argument_forms import in_both_forms
from supertokens_py.recipe.sign_in.known_users import is_known
from supertokens_py.recipe.sign_in.proofs import Proofs
from supertokens_py.recipe.sign_in.sessions import announce
from supertokens_py.types.base import user_id_text
from supertokens_py.types.users import AccountInfo, ThirdPartyInfo, User

from .results import (
    EmailChangeNotAllowedError,
    LinkingToSessionUserFailedError,
    ManuallyCreateOrUpdateUserOkResult,
    SignInUpNotAllowed,
    SignInUpOkResult,
)

if TYPE_CHECKING:
    from supertokens_py.recipe.session.container import SessionContainer
    from supertokens_py.recipe_module import App

    from .provider import Provider, RawUserInfoFromProvider

RECIPE_ID = "thirdparty"

#: Who signed in or up.
proofs: Proofs[SignedInUp] = Proofs("supertokens_third_party_proofs")

#: What a provider has verified in this request: its id, the user's id there, the address. Overrides in the
#: form of 0.24 do not pass on that it was verified.
_verified: ContextVar[tuple[str, str, str] | None] = ContextVar("supertokens_provider_verified", default=None)


@contextmanager
def verified_by_provider(third_party_id: str, third_party_user_id: str, email: str) -> Generator[None]:
    """Have a sign-in within, which does not say whether the address is verified, verify it."""
    token = _verified.set((third_party_id, third_party_user_id, email))
    try:
        yield
    finally:
        _verified.reset(token)


#: `(third_party_id, client_type, tenant_id, user_context)` to a provider of a tenant, if it has it.
FindProvider: TypeAlias = Callable[[str, str | None, str, dict[str, Any]], Awaitable["Provider | None"]]

_TAKEN = "Email already associated with another primary user."
_REASON = (
    "Cannot sign in / up because new email cannot be applied to existing account. Please contact support. "
    "(ERR_CODE_{code})"
)


class RecipeInterface:
    """The functions, with their default behaviour; overrides assign to an instance.

    Args:
        app: whose engine keeps the users.
        find_provider: finds a tenant's provider.
    """

    def __init__(self, app: App, find_provider: FindProvider) -> None:
        self._app = app
        self._find_provider = find_provider

    @in_both_forms(
        "third_party_id third_party_user_id email oauth_tokens raw_user_info_from_provider tenant_id "
        "user_context",
        "third_party_id third_party_user_id email is_verified oauth_tokens raw_user_info_from_provider "
        "session should_try_linking_with_session_user tenant_id user_context",
    )
    async def sign_in_up(
        self,
        third_party_id: str,
        third_party_user_id: str,
        email: str,
        is_verified: bool | None,
        oauth_tokens: dict[str, Any],
        raw_user_info_from_provider: RawUserInfoFromProvider,
        session: SessionContainer | None,
        should_try_linking_with_session_user: bool | None,
        tenant_id: str,
        user_context: dict[str, Any],
    ) -> SignInUpOkResult | SignInUpNotAllowed | LinkingToSessionUserFailedError:
        """Return the user who is known to a provider by this id, whose sign-in has been checked.

        A new one is created, and an address that is another one now is changed. No session is created.

        Raises:
            BadInputError: an argument cannot be stored, or there is no such tenant.
        """
        result = await self.manually_create_or_update_user(
            third_party_id=third_party_id,
            third_party_user_id=third_party_user_id,
            email=email,
            is_verified=is_verified,
            session=session,
            should_try_linking_with_session_user=should_try_linking_with_session_user,
            tenant_id=tenant_id,
            user_context=user_context,
        )
        if isinstance(result, EmailChangeNotAllowedError):
            code = "005" if result.reason == _TAKEN else "024"
            return SignInUpNotAllowed(_REASON.format(code=code))
        if not isinstance(result, ManuallyCreateOrUpdateUserOkResult):
            return result
        if not result.created_new_user:
            announce(UserSignedIn(user_id=result.user.id, tenant_id=tenant_id, recipe_id=RECIPE_ID))
        return SignInUpOkResult(
            result.user,
            result.created_new_user,
            oauth_tokens,
            raw_user_info_from_provider,
            recipe_user_id=result.recipe_user_id,
        )

    @in_both_forms(
        "third_party_id third_party_user_id email tenant_id user_context",
        "third_party_id third_party_user_id email is_verified session should_try_linking_with_session_user "
        "tenant_id user_context",
    )
    async def manually_create_or_update_user(
        self,
        third_party_id: str,
        third_party_user_id: str,
        email: str,
        is_verified: bool | None,
        session: SessionContainer | None,
        should_try_linking_with_session_user: bool | None,
        tenant_id: str,
        user_context: dict[str, Any],
    ) -> (
        ManuallyCreateOrUpdateUserOkResult
        | EmailChangeNotAllowedError
        | SignInUpNotAllowed
        | LinkingToSessionUserFailedError
    ):
        """Create the user of an account at a provider, or change the address; `sign_in_up` calls it.

        `is_verified` says that the address is the user's for sure; otherwise it stays as verified as it was.
        None (an override in the form of 0.24) stands for what the provider said in this request.

        Raises:
            BadInputError: an argument cannot be stored, or there is no such tenant.
        """
        if is_verified is None:
            is_verified = _verified.get() == (third_party_id, third_party_user_id, email)
        result = await call_engine(
            user_context,
            self._app.engine.third_party.sign_in_up,
            tenant_id,
            third_party_id,
            third_party_user_id,
            email=email,
            is_verified=is_verified,
        )
        if isinstance(result, EmailChangeNotAllowed):
            return EmailChangeNotAllowedError(result.reason)
        proofs.note(result)
        return ManuallyCreateOrUpdateUserOkResult(
            result.user, result.created, recipe_user_id=result.recipe_user_id
        )

    @in_both_forms(
        "third_party_id client_type tenant_id user_context",
        "third_party_id client_type tenant_id user_context",
    )
    async def get_provider(
        self, third_party_id: str, client_type: str | None, tenant_id: str, user_context: dict[str, Any]
    ) -> Provider | None:
        """Return a provider that a tenant has, as one of its clients sees it; None if the tenant has none.

        Raises:
            BadInputError: there is no such tenant.
            ClientTypeNotFoundError: the provider has no client of this type, or several where none is named.
            ProviderError: its configuration document cannot be had.
        """
        return await self._find_provider(third_party_id, client_type, tenant_id, user_context)

    # -- the functions of 0.24 ---------------------------------------------------------------------------

    @in_both_forms("user_id user_context", "user_id user_context")
    async def get_user_by_id(self, user_id: str, user_context: dict[str, Any]) -> User | None:
        """Return a user of this recipe."""
        user = await call_engine(user_context, self._app.engine.users.find, user_id_text(user_id))
        return user if user is not None and _is_ours(user) else None

    @in_both_forms("email tenant_id user_context", "email tenant_id user_context")
    async def get_users_by_email(
        self, email: str, tenant_id: str, user_context: dict[str, Any]
    ) -> list[User]:
        """Return the users of this recipe who have an address in a tenant: one of each provider at most."""
        asked = AccountInfo(email=email)
        found = await call_engine(user_context, self._app.engine.users.by_account_info, tenant_id, asked)
        return [user for user in found if is_known(user, RECIPE_ID, tenant_id, asked)]

    @in_both_forms(
        "third_party_id third_party_user_id tenant_id user_context",
        "third_party_id third_party_user_id tenant_id user_context",
    )
    async def get_user_by_thirdparty_info(
        self, third_party_id: str, third_party_user_id: str, tenant_id: str, user_context: dict[str, Any]
    ) -> User | None:
        """Return the user of an account at a provider."""
        asked = AccountInfo(third_party=ThirdPartyInfo(third_party_user_id, third_party_id))
        found = await call_engine(user_context, self._app.engine.users.by_account_info, tenant_id, asked)
        return next((user for user in found if is_known(user, RECIPE_ID, tenant_id, asked)), None)


def _is_ours(user: User) -> bool:
    return any(method.recipe_id == RECIPE_ID for method in user.login_methods)
