"""What `session.init(lifetime=, limit=)` choose for one session, asked before it is created."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from supertokens_py.engine.session_records import Lifetime
from supertokens_py.exceptions import ConfigError
from supertokens_py.recipe.overrides import Result
from supertokens_py.runtime.bridge import call_app
from supertokens_py.types.base import MaybeAwaitable

from .creation_options import changing_options
from .lifetimes import LifetimeChoice, SessionLifetime
from .limits import LimitChoice, SessionLimit

_T = TypeVar("_T")

log: logging.Logger = logging.getLogger(__name__)

_LIFETIME = Result((SessionLifetime, type(None)), "a SessionLifetime or None")
_LIMIT = Result((SessionLimit, type(None)), "a SessionLimit or None")


class CreationSettings:
    """Asks the settings of an app about one user's new session; each may be a value or a function.

    Args:
        lifetime: that of sessions whose creation does not say otherwise.
        limit: how many a user may have.
    """

    def __init__(
        self, lifetime: SessionLifetime | LifetimeChoice | None, limit: SessionLimit | LimitChoice | None
    ) -> None:
        self._lifetime = lifetime
        self._limit = limit

    async def lifetime(self, user_id: str, tenant_id: str, user_context: dict[str, Any]) -> Lifetime | None:
        """Return how long the session is to live; None: as the engine is configured."""
        given = self._lifetime
        if callable(given):
            given = await _ask("lifetime", given, _LIFETIME, user_id, tenant_id, user_context)
        return None if given is None else given.record

    async def limit(self, user_id: str, tenant_id: str, user_context: dict[str, Any]) -> SessionLimit | None:
        """Return how many sessions the user may have; None: as many as they like."""
        given = self._limit
        return (
            await _ask("limit", given, _LIMIT, user_id, tenant_id, user_context) if callable(given) else given
        )

    @contextmanager
    def creating_with_lifetime(self, lifetime: SessionLifetime | None) -> Generator[None]:
        """Give every session that is created inside this lifetime; None changes nothing.

        Raises:
            ConfigError: see `given_lifetime`.
        """
        if lifetime is None:
            yield
            return
        with changing_options(lifetime=self.given_lifetime(lifetime)):
            yield

    def shorter_lifetime(self, lifetime: Any) -> Lifetime:
        """Return what a call wants to shorten: a limit that it does not name stays as it is.

        Raises:
            ConfigError: see `given_lifetime`.
        """
        record = self.given_lifetime(lifetime)
        return replace(record, idle_ms=None) if lifetime.idle is None else record

    def given_lifetime(self, lifetime: Any) -> Lifetime:
        """Return the lifetime that a call asks for, which needs `session.init(lifetime=)`.

        Raises:
            ConfigError: it is no `SessionLifetime`, or `session.init` was not given one.
        """
        if not isinstance(lifetime, SessionLifetime):
            raise ConfigError(f"lifetime must be a SessionLifetime, not {type(lifetime).__name__}")
        if self._lifetime is None:
            raise ConfigError(
                "lifetime= of one session needs session.init(lifetime=...), which makes the table that keeps "
                "it: pass SessionLifetime() there to change nothing for the other sessions"
            )
        return lifetime.record


async def report_evicted(
    limit: SessionLimit | None,
    user_id: str,
    tenant_id: str,
    handles: Sequence[str],
    user_context: dict[str, Any],
) -> None:
    """Call the hook of a limit that ended sessions; its failure is logged, for the new session exists."""
    if limit is None or limit.on_sessions_evicted is None or not handles:
        return
    try:
        await call_app(limit.on_sessions_evicted, user_id, tenant_id, [*handles], user_context)
    except Exception:
        log.exception("SessionLimit.on_sessions_evicted failed; the sign-in goes on")


async def _ask(
    name: str,
    hook: Callable[[str, str, dict[str, Any]], MaybeAwaitable[_T]],
    wanted: Result,
    user_id: str,
    tenant_id: str,
    user_context: dict[str, Any],
) -> _T:
    answer = await call_app(hook, user_id, tenant_id, user_context)
    wanted.require(answer, f"session.init: {name}", hook)
    return answer
