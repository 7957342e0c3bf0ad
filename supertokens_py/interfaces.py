"""What the functions about ids of users return (`supertokens_py.asyncio`, `supertokens_py.syncio`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

#: Whose id is meant: one that signing up gave, the app's own, or either.
UserIDTypes: TypeAlias = Literal["SUPERTOKENS", "EXTERNAL", "ANY"]


@dataclass(frozen=True)
class CreateUserIdMappingOkResult:
    """The app knows the user by its own id now."""


@dataclass(frozen=True)
class UnknownSupertokensUserIDError:
    """There is no such user."""


@dataclass(frozen=True)
class UserIdMappingAlreadyExistsError:
    """One of the ids is part of a mapping already, or both are."""

    does_super_tokens_user_id_exist: bool
    does_external_user_id_exist: bool


@dataclass(frozen=True)
class GetUserIdMappingOkResult:
    """Both ids of a user, and the text that the app keeps beside them."""

    supertokens_user_id: str
    external_user_id: str
    external_user_info: str | None = None


@dataclass(frozen=True)
class UnknownMappingError:
    """The id is part of no mapping."""


@dataclass(frozen=True)
class DeleteUserIdMappingOkResult:
    """There is no mapping any more."""

    did_mapping_exist: bool


@dataclass(frozen=True)
class UpdateOrDeleteUserIdMappingInfoOkResult:
    """The info was replaced or removed."""
