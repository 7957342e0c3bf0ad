"""What becomes of a user who is put into a further tenant, or taken out of one (engine: Users)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from .code_records import PhoneNumberTaken
from .user_records import EmailTaken, UnknownUser


@dataclass(frozen=True, slots=True)
class Associated:
    """The user is in the tenant, and may have been before."""

    was_already: bool


@dataclass(frozen=True, slots=True)
class AccountTaken:
    """Another user has the account at the provider in the tenant."""


@dataclass(frozen=True, slots=True)
class AssociationNotAllowed:
    """A core has to do it: the user is of a recipe that is not here, or is linked to others."""

    reason: str


Association: TypeAlias = (
    Associated | UnknownUser | EmailTaken | PhoneNumberTaken | AccountTaken | AssociationNotAllowed
)


class TenantMembers(Protocol):
    """Which tenants users are in; a part of `engine.user_services.Users`."""

    def associate(self, tenant_id: str, user_id: str) -> Association:
        """Put a user into a tenant, with everything that the user is known by. Raises UnknownTenantError."""
        ...

    def dissociate(self, tenant_id: str, user_id: str) -> bool | UnknownUser:
        """Take a user out of a tenant, with the sessions, roles and links there; return whether it was in.

        The user stays, even if in no tenant. Raises BadInputError where a core has to do it.
        """
        ...
