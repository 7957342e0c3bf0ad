"""Which tenants exist, remembered briefly so that most requests ask nobody."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from supertokens_py.engine.call import call_engine
from supertokens_py.engine.interface import Engine
from supertokens_py.engine.records import UnknownTenantError

MAX_REMEMBERED = 10_000
_MEMORY_S = 60
#: A caller without an API key learns of a new tenant within this time.
_STRANGERS_MEMORY_S = 1


class KnownTenants:
    """Checks that tenants exist. A class because it remembers those that do."""

    def __init__(self, engine: Engine, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._known_until: dict[str, float] = {}
        self._all: frozenset[str] = frozenset()
        self._all_until = 0.0
        self._lock = asyncio.Lock()

    async def require(self, tenant_id: str) -> None:
        """Refuse an unknown tenant, whom the engine is asked about every time.

        Raises:
            UnknownTenantError: it does not exist.
        """
        if self._is_known(tenant_id):
            return
        if await call_engine(None, self._engine.tenants.find, tenant_id) is None:
            raise UnknownTenantError(tenant_id)
        self._remember(tenant_id)

    async def require_for_stranger(self, tenant_id: str) -> None:
        """As `require`, for a request without an API key: the engine is asked once a second at most.

        Raises:
            UnknownTenantError: it does not exist.
        """
        if self._is_known(tenant_id):
            return
        async with self._lock:
            every = await self._every()
        if tenant_id not in every:
            raise UnknownTenantError(tenant_id)

    def forget(self) -> None:
        """Ask for the list again: a tenant was changed here."""
        self._all_until = 0.0

    async def _every(self) -> frozenset[str]:
        if self._clock() >= self._all_until:
            tenants = await call_engine(None, self._engine.tenants.all)
            self._all = frozenset(tenant.tenant_id for tenant in tenants)
            self._all_until = self._clock() + _STRANGERS_MEMORY_S
        return self._all

    def _is_known(self, tenant_id: str) -> bool:
        return self._known_until.get(tenant_id, 0) > self._clock()

    def _remember(self, tenant_id: str) -> None:
        if len(self._known_until) >= MAX_REMEMBERED:
            self._known_until.clear()
        self._known_until[tenant_id] = self._clock() + _MEMORY_S
