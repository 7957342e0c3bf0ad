"""What an engine keeps of ids by which an application knows users of sign-in recipes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from .user_records import UnknownUser

UserIdKind: TypeAlias = Literal["SUPERTOKENS", "EXTERNAL", "ANY"]


@dataclass(frozen=True, slots=True)
class UserIdMapping:
    """A user's own id, the id by which the application knows the user, and what it noted there."""

    user_id: str
    external_user_id: str
    info: str | None


@dataclass(frozen=True, slots=True)
class MappingExists:
    """Which of two ids is part of a mapping already."""

    user_id: bool
    external_id: bool


class IdMappings(Protocol):
    """Ids by which an application knows users of sign-in recipes (engine: User-id mapping)."""

    def create(
        self, user_id: str, external_id: str, info: str | None, *, force: bool
    ) -> UnknownUser | MappingExists | None:
        """Have the application know a user by an id of its own.

        Raises BadInputError where the id cannot be stored; and, without `force`, where it is another user's
        own id, or where sessions, metadata or roles of the user are kept under the former one.
        """
        ...

    def find(self, user_id: str, kind: UserIdKind = "ANY") -> UserIdMapping | None:
        """Return the mapping that an id belongs to; None if there is none."""
        ...

    def delete(self, user_id: str, kind: UserIdKind = "ANY", *, force: bool = False) -> bool:
        """Forget a mapping; return whether there was one.

        Raises BadInputError where, without `force`, something is kept under the application's id.
        """
        ...

    def set_info(self, user_id: str, kind: UserIdKind, info: str | None) -> bool:
        """Replace what the application noted at a mapping; return whether there is one."""
        ...
