"""What the functions and APIs answer with. An outcome is one class; releases gave some several names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from supertokens_py.recipe.session.container import SessionContainer
from supertokens_py.recipe.sign_in.outcomes import Outcome
from supertokens_py.types.base import RecipeUserId
from supertokens_py.types.users import User

from .provider import RawUserInfoFromProvider

# Later releases put `recipe_user_id` in the middle of their constructors; results that an application makes
# of its own name their arguments, or are 0.24's.


class _Refusal(Outcome):
    """A refusal with a reason that people may read."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def to_json(self) -> dict[str, Any]:
        return {"status": self.status, "reason": self.reason}


class SignInUpNotAllowed(_Refusal):
    """The user may not sign in or up; `reason` is shown to people."""

    status = "SIGN_IN_UP_NOT_ALLOWED"


class EmailChangeNotAllowedError(_Refusal):
    """The user cannot have the new address."""

    status = "EMAIL_CHANGE_NOT_ALLOWED_ERROR"


class LinkingToSessionUserFailedError(_Refusal):
    """Never answered here, where accounts are not linked; a name for annotations."""

    status = "LINKING_TO_SESSION_USER_FAILED"


@dataclass
class ManuallyCreateOrUpdateUserOkResult(Outcome):
    """The user exists, with this address.

    Args:
        created_new_user: whether the call created the user; `created_new_recipe_user` is its later name.
        recipe_user_id: the id of the login method; None stands for the user's.
    """

    user: User
    created_new_user: bool = False
    recipe_user_id: RecipeUserId = field(default=None, kw_only=True)  # type: ignore[assignment]
    created_new_recipe_user: bool = field(default=None, kw_only=True)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.recipe_user_id is None:  # pyright: ignore[reportUnnecessaryComparison]  0.24 gives none
            self.recipe_user_id = RecipeUserId(self.user.id)
        if self.created_new_recipe_user is None:  # pyright: ignore[reportUnnecessaryComparison]
            self.created_new_recipe_user = self.created_new_user
        self.created_new_user = self.created_new_recipe_user


@dataclass
class SignInUpOkResult(Outcome):
    """Whoever signed in at the provider is this user.

    Args:
        created_new_user: whether the sign-in created the user; `created_new_recipe_user` is its later name.
        oauth_tokens: the token endpoint's answer. It is for the application, and never sent to frontends.
        raw_user_info_from_provider: what the provider said of the user.
        recipe_user_id: the id of the login method; None stands for the user's.
    """

    user: User
    created_new_user: bool = False
    oauth_tokens: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)
    raw_user_info_from_provider: RawUserInfoFromProvider = field(
        default_factory=RawUserInfoFromProvider, repr=False
    )
    recipe_user_id: RecipeUserId = field(default=None, kw_only=True)  # type: ignore[assignment]
    created_new_recipe_user: bool = field(default=None, kw_only=True)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.recipe_user_id is None:  # pyright: ignore[reportUnnecessaryComparison]  0.24 gives none
            self.recipe_user_id = RecipeUserId(self.user.id)
        if self.created_new_recipe_user is None:  # pyright: ignore[reportUnnecessaryComparison]
            self.created_new_recipe_user = self.created_new_user
        self.created_new_user = self.created_new_recipe_user


# -- results of the APIs -----------------------------------------------------------------------------


@dataclass
class AuthorisationUrlGetOkResult(Outcome):
    """Where to send the browser. The verifier has to come back with the code."""

    url_with_query_params: str
    pkce_code_verifier: str | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "urlWithQueryParams": self.url_with_query_params,
            "pkceCodeVerifier": self.pkce_code_verifier,
        }


@dataclass
class SignInUpPostOkResult(Outcome):
    """The user has a new session.

    `oauth_tokens` and `raw_user_info_from_provider` are for the application: the JSON has none of them.
    """

    user: User
    created_new_user: bool
    session: SessionContainer
    oauth_tokens: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)
    raw_user_info_from_provider: RawUserInfoFromProvider = field(
        default_factory=RawUserInfoFromProvider, repr=False
    )

    @property
    def created_new_recipe_user(self) -> bool:
        """The name that later releases have for `created_new_user`."""
        return self.created_new_user

    def to_json(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "user": self.user.to_json(),
            "createdNewRecipeUser": self.created_new_user,
        }


class SignInUpPostNoEmailGivenByProviderResponse(Outcome):
    """The provider gave no address, and users of this provider need one."""

    status = "NO_EMAIL_GIVEN_BY_PROVIDER"
