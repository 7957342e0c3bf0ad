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
        "Django REST framework needs the extra 'drf' (docs/installation.md)", name=_error.name
    ) from _error

from supertokens_py.framework.adapter import (
    FRESH_S,
    AuthenticationClaim,
    SessionCheck,
    SessionClaimValidator,
    SessionContainer,
    require_noted,
)

from .django_request import DjangoRequest
from .session import looking_for_session, noted
from .session_user import SessionUser

__all__ = ["HasSession", "IsFresh", "SessionAuthentication", "SessionUser", "has_claims"]


def _verified(check: SessionCheck, request: Any) -> SessionContainer | None:
    base = DjangoRequest.of(request)
    with looking_for_session(base):
        return check.verify_blocking(base)


class SessionAuthentication(BaseAuthentication):
    """Verifies the session of a request, where there is one.

    `request.auth` is the session, `request.user` what `get_user` makes of it. Without a session the next
    authentication class is asked. An invalid session is a 401 of the SDK, and a failing global claim
    validator a 403, as with `verify_session(session_required=False)`.
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
        session: SessionContainer | None = request.auth
        if not isinstance(session, SessionContainer):  # none, or another authentication class came first
            session = _verified(self.check, request)
        if session is not None and (validators := self.required(session)):
            with noted(DjangoRequest.of(request)):
                session.sync_assert_claims([*validators])
        return True

    def required(self, session: SessionContainer) -> tuple[SessionClaimValidator, ...]:
        """Return the validators of claims that this session must pass."""
        return self.validators


def has_claims(*validators: SessionClaimValidator) -> type[HasSession]:
    """Return a permission class that also asks for claims: 403 with the reasons where one fails."""
    return type("HasClaims", (HasSession,), {"validators": validators})


class IsFresh(HasSession):
    """Also asks for a recent authentication: 403 with the reasons where it is older than 15 minutes.

    It needs `session.init(step_up=True)`. `IsFresh.within(300)` is a class for five minutes.
    """

    validators: ClassVar[tuple[SessionClaimValidator, ...]] = (AuthenticationClaim.validators.fresh(FRESH_S),)

    @classmethod
    def within(cls, max_age_in_seconds: float) -> type[IsFresh]:
        """Return a permission class for another age in seconds, which must be more than 0."""
        fresh = AuthenticationClaim.validators.fresh(max_age_in_seconds)
        return type(cls.__name__, (cls,), {"validators": (fresh,)})

    def required(self, session: SessionContainer) -> tuple[SessionClaimValidator, ...]:
        """Return the validators; ConfigError where no session of this app says when it began."""
        require_noted(session)
        return self.validators
