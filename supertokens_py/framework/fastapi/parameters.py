"""Sessions as types of a route's parameters: `async def me(session: CurrentSession): ...`.

Each alias has one dependency object: in tests `app.dependency_overrides[verify_session]` replaces them all.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from fastapi import Depends

from supertokens_py.framework.adapter import (
    ConfigError,
    SessionClaimValidator,
    SessionContainer,
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
    if not validators or not all(isinstance(one, SessionClaimValidator) for one in validators):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigError("RequireClaims takes validators of claims: UserRoleClaim.validators.includes(...)")

    def with_ours(
        global_validators: list[SessionClaimValidator], _: SessionContainer, __: dict[str, Any]
    ) -> list[SessionClaimValidator]:
        return [*global_validators, *validators]

    return SessionDependency(override_global_claim_validators=with_ours)
