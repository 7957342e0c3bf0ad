"""Django REST framework: sessions as authentication, and permissions that ask for them.

On top of the Django adapter: its middleware adds the tokens and answers the errors, which REST framework's
default exception handler lets pass.
"""

# pyright: reportMissingTypeStubs=false
from __future__ import annotations

from typing import Any, ClassVar

try:
    from rest_framework.authentication import BaseAuthentication
    from rest_framework.permissions import BasePermission
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        "Django REST framework needs: pip install 'supertokens-py[drf]'", name=_error.name
    ) from _error

from supertokens_py.framework.adapter import SessionCheck, SessionClaimValidator, SessionContainer

from .django_request import DjangoRequest
from .session import noted

__all__ = ["HasSession", "SessionAuthentication", "SessionUser", "has_claims"]


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


def _verified(check: SessionCheck, request: Any) -> SessionContainer | None:
    base = DjangoRequest.of(request)
    with noted(base):
        return check.verify_blocking(base)


class SessionAuthentication(BaseAuthentication):
    """Verifies the session of a request, where there is one.

    `request.auth` is the session, `request.user` what `get_user` makes of it. Without a session the next
    authentication class is asked. A session that is there and does not hold is a 401 of the SDK, and a
    global claim validator that fails a 403, as with `verify_session(session_required=False)`.
    """

    check: ClassVar[SessionCheck] = SessionCheck(session_required=False)

    @classmethod
    def configured(cls, **options: Any) -> type[SessionAuthentication]:
        """Return a class with options of `verify_session`, for `authentication_classes`."""
        return type(cls.__name__, (cls,), {"check": SessionCheck(session_required=False, **options)})

    def authenticate(self, request: Any) -> tuple[Any, SessionContainer] | None:
        session = _verified(self.check, request)
        return None if session is None else (self.get_user(session), session)

    def get_user(self, session: SessionContainer) -> Any:
        """Return `request.user`; subclasses return a row of the application's user model."""
        return SessionUser(session)

    def authenticate_header(self, request: Any) -> Any:
        return "Bearer"  # without it REST framework answers 403, and frontends refresh on 401 only


class HasSession(BasePermission):
    """Refuses requests without a session.

    The 401 is the SDK's own, with the status and the body that the application has set for it, so this is
    raised instead of returned: in `A | HasSession` it stands last.
    """

    check: ClassVar[SessionCheck] = SessionCheck()
    validators: ClassVar[tuple[SessionClaimValidator, ...]] = ()

    def has_permission(self, request: Any, view: Any) -> Any:
        session: Any = request.auth
        if not isinstance(session, SessionContainer):  # none, or another authentication class came first
            session = _verified(self.check, request)
        if self.validators and session is not None:
            with noted(DjangoRequest.of(request)):
                session.sync_assert_claims([*self.validators])
        return True


def has_claims(*validators: SessionClaimValidator) -> type[HasSession]:
    """Return a permission class that also asks for claims: 403 with the reasons where one does not hold."""
    return type("HasClaims", (HasSession,), {"validators": validators})
