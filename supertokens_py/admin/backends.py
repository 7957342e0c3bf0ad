"""What the admin page reads and changes: an application's app, or an engine that a command opened."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Protocol

from supertokens_py import doctor
from supertokens_py.app import Supertokens
from supertokens_py.doctor import Finding
from supertokens_py.engine.call import call_engine
from supertokens_py.engine.interface import Engine
from supertokens_py.engine.session_records import Ending
from supertokens_py.recipe.session import revoked_by
from supertokens_py.recipe.session.asyncio import (
    revoke_all_sessions_for_user,
    revoke_multiple_sessions,
    revoke_other_sessions,
)
from supertokens_py.runtime.clock import now_ms as system_now_ms


class Backend(Protocol):
    """Where the sessions are. What revokes returns the handles of the sessions that existed."""

    @property
    @abstractmethod
    def engine(self) -> Engine:
        """The engine, for reading and for its keys."""

    @abstractmethod
    def now_ms(self) -> int:
        """Return the time (Unix ms)."""

    @abstractmethod
    def findings(self) -> list[Finding]:
        """Return what `supertokens doctor` would find. Blocking."""

    @abstractmethod
    async def revoke(self, handles: Sequence[str], *, actor_id: str) -> list[str]:
        """End sessions."""

    @abstractmethod
    async def revoke_others(self, handle: str, *, actor_id: str) -> list[str]:
        """End the other sessions of a session's user."""

    @abstractmethod
    async def revoke_user(self, user_id: str, tenant_id: str | None, *, actor_id: str) -> list[str]:
        """End the sessions of a user, in one tenant or in all (None)."""


class AppBackend(Backend):
    """The current app, whose overrides of the functions that revoke are honoured."""

    @property
    def engine(self) -> Engine:
        """The engine of the app."""
        return Supertokens.get_instance().engine

    def now_ms(self) -> int:
        """Return the time by the app's clock."""
        return Supertokens.get_instance().now_ms()

    def findings(self) -> list[Finding]:
        """Return what there is to say of the database or the core that `init` was given."""
        config = Supertokens.get_instance().supertokens_config
        return doctor.run(
            connection_uri=config.engine_uri, engine_config=config.engine, core_api_key=config.api_key
        )

    async def revoke(self, handles: Sequence[str], *, actor_id: str) -> list[str]:
        """End sessions by the app's functions."""
        with revoked_by(actor_id):
            return await revoke_multiple_sessions([*handles])

    async def revoke_others(self, handle: str, *, actor_id: str) -> list[str]:
        """End the other sessions of its user by the app's functions."""
        with revoked_by(actor_id):
            return await revoke_other_sessions(handle)

    async def revoke_user(self, user_id: str, tenant_id: str | None, *, actor_id: str) -> list[str]:
        """End a user's sessions by the app's functions."""
        with revoked_by(actor_id):
            return await revoke_all_sessions_for_user(user_id, tenant_id)


class EngineBackend(Backend):
    """An engine without an application.

    Args:
        engine: the engine.
        findings: the checks of its database or core.
        now_ms: the clock.
    """

    def __init__(
        self,
        engine: Engine,
        findings: Callable[[], list[Finding]],
        now_ms: Callable[[], int] = system_now_ms,
    ) -> None:
        self._engine = engine
        self._findings = findings
        self._now_ms = now_ms

    @property
    def engine(self) -> Engine:
        """The engine."""
        return self._engine

    def now_ms(self) -> int:
        """Return the time by the clock that was given."""
        return self._now_ms()

    def findings(self) -> list[Finding]:
        """Return what the checks find."""
        return self._findings()

    async def revoke(self, handles: Sequence[str], *, actor_id: str) -> list[str]:
        """End sessions."""
        return await call_engine(None, self._engine.sessions.revoke, handles, ending=_ending(actor_id))

    async def revoke_others(self, handle: str, *, actor_id: str) -> list[str]:
        """End the other sessions of its user; none where it has ended itself."""
        known = await call_engine(None, self._engine.sessions.information, handle)
        if known is None:
            return []
        return await call_engine(
            None,
            self._engine.sessions.revoke_user,
            known.user_id,
            tenant_id=None,
            keep=handle,
            ending=_ending(actor_id),
        )

    async def revoke_user(self, user_id: str, tenant_id: str | None, *, actor_id: str) -> list[str]:
        """End a user's sessions."""
        revoke = self._engine.sessions.revoke_user
        return await call_engine(None, revoke, user_id, tenant_id=tenant_id, ending=_ending(actor_id))


def _ending(actor_id: str) -> Ending:
    return Ending(reason="admin", actor_id=actor_id)
