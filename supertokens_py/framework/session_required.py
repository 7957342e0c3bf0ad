"""`@session_required`: `verify_session()` under the name that users of Django and Flask look for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar, overload

from .adapter import SessionClaimValidator, with_requirements

V = TypeVar("V", bound=Callable[..., Any])


class SessionRequired(Protocol):
    """What `session_required` is, to type checkers."""

    @overload
    def __call__(self, view: V, /) -> V: ...

    @overload
    def __call__(
        self,
        *,
        claims: Sequence[SessionClaimValidator] | None = None,
        fresh: float | None = None,
        **options: Any,
    ) -> Callable[[V], V]: ...


def session_required_by(verify_session: Callable[..., Callable[[Any], Any]]) -> SessionRequired:
    """Return the `session_required` of a framework with this `verify_session`."""

    def session_required(
        view: Callable[..., Any] | None = None,
        /,
        *,
        claims: Sequence[SessionClaimValidator] | None = None,
        fresh: float | None = None,
        **options: Any,
    ) -> Any:
        """Require a session for a view, be it `def` or `async def`.

        Args:
            view: the view, where the decorator is written without parentheses.
            claims: validators that must pass besides the global ones, such as
                `UserRoleClaim.validators.includes("admin")`, else 403.
            fresh: seconds within which the user must have authenticated, else 403; needs
                `session.init(step_up=True)`.
            options: those of `verify_session`, such as `check_database=True`.

        Raises:
            ConfigError: `claims` is no list of validators or is empty, or `fresh` is no positive number.
        """
        guard = verify_session(**with_requirements(options, claims=claims, fresh=fresh))
        return guard if view is None else guard(view)

    return session_required
