"""Sessions as types of a route's parameters: `async def me(session: CurrentSession): ...`.

Each alias has one dependency object: in tests `app.dependency_overrides[verify_session]` replaces them all.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from fastapi import Depends

from supertokens_py.framework.adapter import (
    FRESH_S,
    SessionClaimValidator,
    SessionContainer,
    requiring,
)

from .session import SessionDependency, verify_session

#: The verified session; without one the request ends with 401.
CurrentSession: TypeAlias = Annotated[SessionContainer, Depends(verify_session())]

#: The verified session, or None for visitors.
OptionalSession: TypeAlias = Annotated[
    SessionContainer | None, Depends(verify_session(session_required=False))
]

#: As `CurrentSession`, and the database is asked, which knows at once of a revoked session.
CheckedSession: TypeAlias = Annotated[SessionContainer, Depends(verify_session(check_database=True))]


def RequireClaims(*validators: SessionClaimValidator) -> Any:  # noqa: N802 - reads as the type it is part of
    """Make a dependency that requires claims besides the global ones; a request that fails one ends with 403.

        Admin = Annotated[SessionContainer, RequireClaims(UserRoleClaim.validators.includes("admin"))]

        @app.delete("/users/{user_id}")
        async def delete(user_id: str, session: Admin): ...

    It is a `Depends` already: `dependencies=[RequireClaims(...)]` protects a router.

    Args:
        validators: those of claims, such as `UserRoleClaim.validators.includes("admin")`; all must pass.

    Raises:
        ConfigError: there is no validator, or something else.
    """
    return SessionDependency(override_global_claim_validators=requiring(*validators))


def Fresh(max_age_in_seconds: float = FRESH_S) -> Any:  # noqa: N802 - reads as the type it is part of
    """Make a dependency that requires a recent authentication besides the global claims.

        JustNow = Annotated[SessionContainer, Fresh(300)]

        @app.post("/email")
        async def change_email(session: JustNow): ...

    An older one ends with 403, whose `WWW-Authenticate` asks for a new one. It needs
    `session.init(step_up=True)`. Guests, and those who act as the user, are never fresh.

    Args:
        max_age_in_seconds: since the user authenticated; refreshes do not count.

    Raises:
        ConfigError: it is no positive number; or, at a request, no session says when its user authenticated.
    """
    return SessionDependency(override_global_claim_validators=requiring(fresh=max_age_in_seconds))


#: As `CurrentSession`, of a user who authenticated within the last 15 minutes; others get 403.
FreshSession: TypeAlias = Annotated[SessionContainer, Fresh()]
