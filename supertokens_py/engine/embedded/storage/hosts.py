"""Connections to one of several servers, and to one that may fall silent while somebody waits for it.

A machine that is frozen, or whose storage stalls, keeps its connections open and acknowledges what it is
sent: no timeout of TCP ends the wait for its answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from typing import Any, TypeAlias

import psycopg

from . import advice

Host: TypeAlias = tuple[str, str]  #: a name or an address, and a port; "" is libpq's default

#: How long a server that did not answer is passed over, as long as there are others.
SILENT_FOR_S = 5.0
MIN_PATIENCE_S = 1.0  #: of a wait for an answer, before another connection asks for one
_PROBE_TIMEOUT_S = 2
#: What a server says that has no room for us or does not want us, and so is there.
_REFUSALS_OF_A_SERVER = frozenset({"53300", "28000", "3D000", "42501"})


class PatientConnection(psycopg.Connection[Any]):
    """Asks, after each `patience_s` seconds of waiting for an answer, whether the server is there at all."""

    patience_s: float
    #: Returns whether the server answers somebody else; the wait goes on as long as it does.
    is_there: Callable[[], bool]

    def wait(self, gen: Any, *args: Any, **options: Any) -> Any:
        """Run a generator of psycopg to its end.

        Raises:
            OperationalError: the server has fallen silent; the connection is closed.
        """
        return super().wait(self._watched(gen), *args, **options)

    def _watched(self, gen: Any) -> Generator[Any, Any, Any]:
        asks_at = time.monotonic() + self.patience_s
        try:
            state = next(gen)
            while True:
                ready = yield state
                if not ready and time.monotonic() >= asks_at:
                    if not self.is_there():
                        self.pgconn.finish()
                        raise psycopg.OperationalError("the server does not answer any more")
                    asks_at = time.monotonic() + self.patience_s
                state = gen.send(ready)
        except StopIteration as end:
            return end.value


class Connector:
    """Opens connections; it is a class because it remembers which server served, and which are silent."""

    def __init__(self, *, patience_s: float, on_silence: Callable[[], None]) -> None:
        """`on_silence` is called when a server fell silent under a connection."""
        self._patience_s = max(MIN_PATIENCE_S, patience_s)
        self._on_silence = on_silence
        self._served: Host | None = None
        self._silent_until: dict[Host, float] = {}

    def connect(self, arguments: Sequence[Any], options: Mapping[str, Any]) -> PatientConnection:
        """Return a connection to the first server that takes it.

        Raises:
            psycopg.Error: none does; the message has what each of them said.
        """
        hosts = hosts_of(options)
        if len(hosts) < 2:
            return self._open(arguments, options)
        failures: list[tuple[Host, psycopg.Error]] = []
        for host in self._in_order(hosts):
            try:
                connection = self._open(arguments, {**options, "host": host[0], "port": host[1]})
            except psycopg.Error as error:
                if isinstance(error, psycopg.errors.ConnectionTimeout):
                    self._silent_until[host] = time.monotonic() + SILENT_FOR_S
                failures.append((host, error))
            else:
                self._served = host
                self._silent_until.pop(host, None)
                return connection
        last = failures[-1][1]
        said = "; ".join(f"{name}:{port}: {error}" for (name, port), error in failures)
        raise type(last)(said) from last

    def _in_order(self, hosts: Sequence[Host]) -> list[Host]:
        """Return the servers to try: first the one that served last, last those that were silent.

        Who has been silent just now is tried only if all have.
        """
        now = time.monotonic()
        tried = [host for host in hosts if self._silent_until.get(host, 0.0) <= now] or list(hosts)
        return sorted(tried, key=lambda host: (host in self._silent_until, host != self._served))

    def _open(self, arguments: Sequence[Any], options: Mapping[str, Any]) -> PatientConnection:
        connection = PatientConnection.connect(*arguments, **options)
        connection.patience_s = self._patience_s
        connection.is_there = lambda: self._is_there(connection, arguments, options)
        return connection

    def _is_there(
        self, connection: PatientConnection, arguments: Sequence[Any], options: Mapping[str, Any]
    ) -> bool:
        one = {"host": connection.info.host, "port": str(connection.info.port)}
        asked = {"connect_timeout": str(_PROBE_TIMEOUT_S), "target_session_attrs": "any"}
        try:
            with closing(PatientConnection.connect(*arguments, **{**options, **one, **asked})) as other:
                other.patience_s, other.is_there = _PROBE_TIMEOUT_S, lambda: False
                other.execute("SELECT 1")  # a pooler lets clients in while there is no server
        except psycopg.Error as error:
            if advice.refusal_code(str(error)) in _REFUSALS_OF_A_SERVER:
                return True
            self._silent_until[one["host"], one["port"]] = time.monotonic() + SILENT_FOR_S
            self._on_silence()
            return False
        return True


def hosts_of(options: Mapping[str, Any]) -> list[Host]:
    """Return the servers among the driver's options; none where libpq finds or orders them itself."""
    if "hostaddr" in options or "load_balance_hosts" in options:
        return []
    names = str(options.get("host") or "").split(",")
    ports = str(options.get("port") or "").split(",")
    if len(ports) == 1:
        ports *= len(names)
    return list(zip(names, ports, strict=True)) if len(ports) == len(names) else []
