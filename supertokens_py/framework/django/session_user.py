"""Who a session is of, where the application has no model for its users."""

from __future__ import annotations

from typing import Any

from supertokens_py.framework.adapter import SessionContainer


class SessionUser:
    """`request.user` of an application that maps no model: the user id under the names that are asked for.

    It has no permissions and no groups, and is never staff.
    """

    is_authenticated = is_active = True
    is_anonymous = is_staff = is_superuser = False

    def __init__(self, session: SessionContainer) -> None:
        self.session = session
        self.id: str = session.get_user_id()
        self.pk: str = self.id
        self.username: str = self.id

    def __str__(self) -> str:
        return self.id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SessionUser) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def get_username(self) -> str:
        return self.id

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return False

    def has_perms(self, perm_list: Any, obj: Any = None) -> bool:
        return False

    def has_module_perms(self, module: str) -> bool:
        return False
