"""What recipes and engines pass to each other about users and their passwords."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from supertokens_py.types.base import RecipeUserId
from supertokens_py.types.users import User

#: Recipes of which a core keeps users.
SIGN_IN_RECIPES = ("emailpassword", "thirdparty", "passwordless", "webauthn")
EMAIL_PASSWORD, THIRD_PARTY, PASSWORDLESS = SIGN_IN_RECIPES[:3]


@dataclass(frozen=True, slots=True)
class EmailTaken:
    """Another user of the recipe has the address in a tenant."""


@dataclass(frozen=True, slots=True)
class UnknownUser:
    """There is no such user of the recipe."""


@dataclass(frozen=True, slots=True)
class EmailChangeNotAllowed:
    """The user's login methods are linked, so that a core has to change the address."""

    reason: str


@dataclass(frozen=True, slots=True)
class SignedInUp:
    """Who signed in with an account at a provider, to which tenant, and whether they were created by it."""

    user: User
    recipe_user_id: RecipeUserId
    created: bool
    tenant_id: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ConsumedToken:
    """Whose token for a new password it was, and for which address it was made."""

    user_id: str
    email: str


@dataclass(frozen=True, slots=True)
class PasswordProof:
    """That a user's password was the stored one: for as long as the stored hash is the one of `mark`.

    `mark` is a digest of it; None only says that the user was there. `tenant_id` is the tenant that the user
    signed in to, and has to be in still; None where that does not matter.
    """

    user_id: str
    mark: str | None = field(default=None, repr=False)
    tenant_id: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ProofExpired:
    """The password was changed, or reset, after it had been proven."""


@dataclass(frozen=True, slots=True)
class Authenticated:
    """Whose address and password these are."""

    user: User
    proof: PasswordProof


@dataclass(frozen=True, slots=True)
class ImportedHash:
    """Who has an imported hash now, and whether the user was there before."""

    user: User
    existed: bool


@dataclass(frozen=True, slots=True)
class VerifiedEmail:
    """Who proved to have which address."""

    user_id: str
    email: str


@dataclass(frozen=True, slots=True)
class UserPage:
    """Some users in order; `next_token` is None at the end."""

    users: Sequence[User]
    next_token: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserQuery:
    """Which users to list, and from where.

    `email`, `phone_number` or `provider` makes it a search, without pages.
    """

    limit: int = 100
    newest_first: bool = False
    token: str | None = None
    recipe_ids: Sequence[str] | None = None
    email: str | None = None
    phone_number: str | None = None
    provider: str | None = None

    @property
    def is_search(self) -> bool:
        """Whether it asks for users by what they are known by."""
        return bool(self.searched)

    @property
    def searched(self) -> list[str]:
        """What they are to be known by."""
        return [one for one in (self.email, self.phone_number, self.provider) if one is not None]
