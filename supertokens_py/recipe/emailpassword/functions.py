"""`RecipeInterface`: what the recipe does. Applications replace methods, in 0.24's form or a later."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from supertokens_py.constants import DEFAULT_TENANT_ID
from supertokens_py.engine.call import call_engine, call_engine_hashing, call_engine_hashing_bounded
from supertokens_py.engine.user_records import (
    ConsumedToken,
    EmailChangeNotAllowed,
    EmailTaken,
    PasswordProof,
    ProofExpired,
    UnknownUser,
)
from supertokens_py.engine.validation import normalise_tenant_id
from supertokens_py.events import UserSignedIn
from supertokens_py.recipe.emailverification.recipe import EmailVerificationRecipe
from supertokens_py.recipe.sign_in.argument_forms import in_both_forms
from supertokens_py.recipe.sign_in.known_users import is_known
from supertokens_py.recipe.sign_in.sessions import announce
from supertokens_py.types.base import RecipeUserId, user_id_text
from supertokens_py.types.users import AccountInfo, User, normalised_email

from . import proofs
from .results import (
    ConsumePasswordResetTokenOkResult,
    CreateResetPasswordOkResult,
    EmailAlreadyExistsError,
    EmailChangeNotAllowedError,
    LinkingToSessionUserFailedError,
    PasswordPolicyViolationError,
    PasswordResetTokenInvalidError,
    SignInOkResult,
    SignUpOkResult,
    UnknownUserIdError,
    UpdateEmailOrPasswordOkResult,
    WrongCredentialsError,
)

if TYPE_CHECKING:
    from supertokens_py.recipe.session.container import SessionContainer
    from supertokens_py.recipe_module import App

RECIPE_ID = "emailpassword"

log: logging.Logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Reset:
    """That a forgotten password is being changed, by a link, and whether sessions end with the change."""

    link: ConsumedToken
    ends_sessions: bool


_reset: ContextVar[_Reset | None] = ContextVar("supertokens_password_reset", default=None)

#: Which password has to be the user's still when it, or the address, is changed.
_allowed_by: ContextVar[PasswordProof | None] = ContextVar("supertokens_allowed_by", default=None)


@contextmanager
def allowed_by(proof: PasswordProof | None) -> Generator[None]:
    """Have a change within be made only where a password that was proven is still the user's."""
    token = _allowed_by.set(proof)
    try:
        yield
    finally:
        _allowed_by.reset(token)


@contextmanager
def _resetting(reset: _Reset) -> Generator[None]:
    """Have a change of the user's password within be that of a reset, in one transaction."""
    token = _reset.set(reset)
    try:
        yield
    finally:
        _reset.reset(token)


def login_method_id(user: User, email: str | None = None) -> RecipeUserId:
    """Return the id of a user's e-mail and password login method: the one with an address, or the first."""
    methods = [method for method in user.login_methods if method.recipe_id == RECIPE_ID]
    own = [method for method in methods if method.has_same_email_as(email)]
    return (own or methods)[0].recipe_user_id


class RecipeInterface:
    """The functions, with their default behaviour; overrides assign to an instance.

    Args:
        app: whose engine keeps the users.
        password_error: `(password, tenant_id)` to what is wrong with a new password, or None.
        revoke_sessions: whether resetting a password ends the user's sessions.
    """

    def __init__(
        self,
        app: App,
        password_error: Callable[[str, str], Awaitable[str | None]],
        *,
        revoke_sessions: bool,
    ) -> None:
        self._app = app
        self._password_error = password_error
        self._revoke_sessions = revoke_sessions

    @in_both_forms(
        "email password tenant_id user_context",
        "email password tenant_id session should_try_linking_with_session_user user_context",
    )
    async def sign_up(
        self,
        email: str,
        password: str,
        tenant_id: str,
        session: SessionContainer | None,
        should_try_linking_with_session_user: bool | None,
        user_context: dict[str, Any],
    ) -> SignUpOkResult | EmailAlreadyExistsError | LinkingToSessionUserFailedError:
        """Create a user. Neither the address nor the password is checked: forms and their fields do that.

        Raises:
            BadInputError: the address or password cannot be stored, or there is no such tenant.
        """
        return await self.create_new_recipe_user(
            email=email, password=password, tenant_id=tenant_id, user_context=user_context
        )

    @in_both_forms("email password tenant_id user_context", "email password tenant_id user_context")
    async def create_new_recipe_user(
        self, email: str, password: str, tenant_id: str, user_context: dict[str, Any]
    ) -> SignUpOkResult | EmailAlreadyExistsError:
        """Create a user; `sign_up` calls it."""
        users = self._app.engine.email_password
        most = users.most_waiting
        made = await call_engine_hashing_bounded(
            user_context, most, users.sign_up, tenant_id, email, password
        )
        if isinstance(made, EmailTaken):
            return EmailAlreadyExistsError()
        own = login_method_id(made, email)
        proofs.note(PasswordProof(str(own), tenant_id=normalise_tenant_id(tenant_id)))
        return SignUpOkResult(made, own)

    @in_both_forms(
        "email password tenant_id user_context",
        "email password tenant_id session should_try_linking_with_session_user user_context",
    )
    async def sign_in(
        self,
        email: str,
        password: str,
        tenant_id: str,
        session: SessionContainer | None,
        should_try_linking_with_session_user: bool | None,
        user_context: dict[str, Any],
    ) -> SignInOkResult | WrongCredentialsError | LinkingToSessionUserFailedError:
        """Return the user whose address and password these are. No session is created."""
        result = await self.verify_credentials(
            email=email, password=password, tenant_id=tenant_id, user_context=user_context
        )
        if isinstance(result, SignInOkResult):
            announce(UserSignedIn(user_id=result.user.id, tenant_id=tenant_id, recipe_id=RECIPE_ID))
        return result

    @in_both_forms("email password tenant_id user_context", "email password tenant_id user_context")
    async def verify_credentials(
        self, email: str, password: str, tenant_id: str, user_context: dict[str, Any]
    ) -> SignInOkResult | WrongCredentialsError:
        """Return the user whose address and password these are, where that is no sign-in."""
        users = self._app.engine.email_password
        most = users.most_waiting
        found = await call_engine_hashing_bounded(
            user_context, most, users.authenticate, tenant_id, email, password
        )
        if found is None:
            return WrongCredentialsError()
        proofs.note(found.proof)
        return SignInOkResult(found.user, login_method_id(found.user, email), found.proof)

    @in_both_forms("user_id tenant_id user_context", "user_id email tenant_id user_context")
    async def create_reset_password_token(
        self, user_id: str, email: str | None, tenant_id: str, user_context: dict[str, Any]
    ) -> CreateResetPasswordOkResult | UnknownUserIdError:
        """Return a token that sets a new password; earlier ones stay valid until one of them is used.

        Without `email` it is that of the user's login method.
        """
        users = self._app.engine.email_password
        token = await call_engine(
            user_context, users.create_reset_token, tenant_id, user_id_text(user_id), email
        )
        return UnknownUserIdError() if token is None else CreateResetPasswordOkResult(token)

    @in_both_forms("token new_password tenant_id user_context", "token new_password tenant_id user_context")
    async def reset_password_using_token(
        self, token: str, new_password: str, tenant_id: str, user_context: dict[str, Any]
    ) -> UpdateEmailOrPasswordOkResult | PasswordResetTokenInvalidError | PasswordPolicyViolationError:
        """Use a token to set a new password. The password is checked first: a bad one uses up no token.

        Every session of the user ends, unless `init(revoke_sessions_on_password_reset=False)`, and the user
        had verified the address: whoever signed up with it otherwise may be somebody else.
        """
        error = await self._password_error(new_password, tenant_id)
        if error is not None:
            return PasswordPolicyViolationError(error)
        used = await self.consume_password_reset_token(
            token=token, tenant_id=tenant_id, user_context=user_context
        )
        if not isinstance(used, ConsumePasswordResetTokenOkResult):
            return used
        ends_all = self._revoke_sessions or await _is_unproven(used, user_context)
        link = ConsumedToken(str(used.user_id), normalised_email(used.email))
        with _resetting(_Reset(link, ends_all)):
            result = await self.update_email_or_password(
                recipe_user_id=used.user_id,
                password=new_password,
                apply_password_policy=False,
                user_context=user_context,
            )
        if isinstance(result, UpdateEmailOrPasswordOkResult):
            return UpdateEmailOrPasswordOkResult(used.user_id, used.email)
        if isinstance(result, PasswordPolicyViolationError):
            return result
        return PasswordResetTokenInvalidError()  # the user was deleted meanwhile, or has another address

    @in_both_forms("token tenant_id user_context", "token tenant_id user_context")
    async def consume_password_reset_token(
        self, token: str, tenant_id: str, user_context: dict[str, Any]
    ) -> ConsumePasswordResetTokenOkResult | PasswordResetTokenInvalidError:
        """Use up a token, and with it every other token of its user; of parallel calls one succeeds."""
        users = self._app.engine.email_password
        used = await call_engine(user_context, users.consume_reset_token, tenant_id, token)
        if not isinstance(used, ConsumedToken):
            return PasswordResetTokenInvalidError()
        return ConsumePasswordResetTokenOkResult(used.email, used.user_id)

    @in_both_forms(
        "user_id email password apply_password_policy tenant_id_for_password_policy user_context",
        "recipe_user_id email password apply_password_policy tenant_id_for_password_policy user_context",
    )
    async def update_email_or_password(
        self,
        recipe_user_id: str,
        email: str | None,
        password: str | None,
        apply_password_policy: bool | None,
        tenant_id_for_password_policy: str | None,
        user_context: dict[str, Any],
    ) -> (
        UpdateEmailOrPasswordOkResult
        | UnknownUserIdError
        | EmailAlreadyExistsError
        | EmailChangeNotAllowedError
        | PasswordPolicyViolationError
        | WrongCredentialsError
    ):
        """Change what is given. The policy is what the form field `password` is checked with."""
        if password is not None and apply_password_policy is not False:
            error = await self._password_error(password, tenant_id_for_password_policy or DEFAULT_TENANT_ID)
            if error is not None:
                return PasswordPolicyViolationError(error)
        reset = _reset.get()
        # An override may change somebody else as well.
        of_user = reset is not None and reset.link.user_id == str(recipe_user_id)
        result = await call_engine_hashing(
            user_context,
            self._app.engine.email_password.update,
            recipe_user_id,
            email=email,
            password=password,
            revoke_sessions=reset is not None and reset.ends_sessions,
            proof=_allowed_by.get(),
            link=reset.link if reset is not None and of_user else None,
        )
        if isinstance(result, ProofExpired):
            return WrongCredentialsError()
        if isinstance(result, UnknownUser):
            return UnknownUserIdError()
        if isinstance(result, EmailTaken):
            return EmailAlreadyExistsError()
        if isinstance(result, EmailChangeNotAllowed):
            return EmailChangeNotAllowedError(result.reason)
        if password is not None:
            proofs.forget()
        return UpdateEmailOrPasswordOkResult()

    @in_both_forms("user_id user_context", "user_id user_context")
    async def get_user_by_id(self, user_id: str, user_context: dict[str, Any]) -> User | None:
        """Return a user of this recipe."""
        user = await call_engine(user_context, self._app.engine.users.find, user_id_text(user_id))
        return user if user is not None and _is_ours(user) else None

    @in_both_forms("email tenant_id user_context", "email tenant_id user_context")
    async def get_user_by_email(
        self, email: str, tenant_id: str, user_context: dict[str, Any]
    ) -> User | None:
        """Return the user who signs in with a password and an address in a tenant."""
        asked = AccountInfo(email=email)
        found = await call_engine(user_context, self._app.engine.users.by_account_info, tenant_id, asked)
        return next((user for user in found if is_known(user, RECIPE_ID, tenant_id, asked)), None)


async def _is_unproven(used: ConsumePasswordResetTokenOkResult, user_context: dict[str, Any]) -> bool:
    """Return whether addresses are to be verified, and that of a reset was not, as far as is known."""
    recipe = EmailVerificationRecipe.get_instance_optional()
    if recipe is None:
        return False
    try:
        return not await recipe.recipe_implementation.is_email_verified(
            recipe_user_id=RecipeUserId(used.user_id), email=used.email, user_context=user_context
        )
    except Exception:  # the token is used up, so the password has to change
        log.exception("whether the address of a password reset was verified is not known")
        return True


def _is_ours(user: User) -> bool:
    return any(method.recipe_id == RECIPE_ID for method in user.login_methods)
