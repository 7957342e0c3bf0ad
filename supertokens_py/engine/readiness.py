"""Readiness: check database (or core) and keys, at most once a second and with a time limit."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from supertokens_py.constants import DEFAULT_TENANT_ID
from supertokens_py.exceptions import EngineUnavailableError
from supertokens_py.runtime.bridge import offload, running_loop

from .interface import Engine
from .records import ConnectionCounts

log: logging.Logger = logging.getLogger(__name__)

State: TypeAlias = Literal["ready", "unavailable", "broken"]

MEMORY_S = 1.0
PATIENCE_S = 2.0
#: After this time a look that never came back (its thread died with a fork) is not waited for any more.
_LOST_S = 30.0


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the application can serve requests that need sessions.

    `state` is "ready"; "unavailable": database or core cannot be reached, which ends by itself, and no
    restart helps; or "broken": a table, a key or a setting is wrong, which somebody has to mend. `reason`
    says more, for the log: it may name hosts, and is not for strangers. It is None while all is well.
    """

    state: State
    reason: str | None = None

    @property
    def is_ready(self) -> bool:
        """Whether requests can be served."""
        return self.state == "ready"

    @property
    def status_code(self) -> int:
        """The status for a probe: 200, 503 where the store is away, 500 where something is broken."""
        return {"ready": 200, "unavailable": 503, "broken": 500}[self.state]


READY = Readiness("ready")


@runtime_checkable
class CountsConnections(Protocol):
    """An engine that has connections to a database."""

    def connection_counts(self) -> ConnectionCounts:
        """Return how many connections are in use and idle right now. No I/O."""
        ...


class ReadinessCheck:
    """Looks whether an engine works. A class because it remembers: anybody may call a probe, often.

    There is one look at a time, and one a second; who asks meanwhile gets the last answer. Under an event
    loop an answer takes at most `patience_s`: a database that says nothing is away. Without a loop, it takes
    as long as the timeouts of database or core.
    """

    def __init__(
        self,
        engine: Callable[[], Engine],
        *,
        patience_s: float = PATIENCE_S,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._patience_s = patience_s
        self._monotonic_s = monotonic_s
        self._last: Readiness | None = None
        self._fresh_until_s = self._busy_until_s = float("-inf")

    async def ask(self) -> Readiness:
        """Return whether requests can be served; never raises."""
        now_s, last = self._monotonic_s(), self._last
        if last is not None and now_s < self._fresh_until_s:
            return last
        if now_s < self._busy_until_s:
            return last or Readiness("unavailable", "the first look at the store is not over")
        self._busy_until_s = now_s + _LOST_S
        if running_loop() is None:
            return self._look()
        looking = asyncio.ensure_future(offload(self._look))
        done, _ = await asyncio.wait({looking}, timeout=self._patience_s)
        if done:
            return looking.result()
        return self._learnt(Readiness("unavailable", f"the store gave no answer in {self._patience_s:g} s"))

    def _look(self) -> Readiness:
        try:
            return self._learnt(_looked_at(self._engine))
        finally:
            self._busy_until_s = float("-inf")

    def _learnt(self, found: Readiness) -> Readiness:
        before, self._last = self._last, found
        self._fresh_until_s = self._monotonic_s() + MEMORY_S
        if found.state != (before or READY).state:
            level = logging.INFO if found.is_ready else logging.WARNING
            log.log(level, "sessions are %s%s", found.state, f": {found.reason}" if found.reason else "")
        return found


def _looked_at(engine: Callable[[], Engine]) -> Readiness:
    try:
        asked = engine()
        asked.tenants.find(DEFAULT_TENANT_ID)
        asked.keys.jwks()
    except EngineUnavailableError as error:
        return Readiness("unavailable", str(error))
    except Exception as error:
        return Readiness("broken", f"{type(error).__name__}: {error}")
    return READY
