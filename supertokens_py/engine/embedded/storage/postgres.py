"""Connections to PostgreSQL that stay right behind poolers, after a fail-over and in any encoding."""

from __future__ import annotations

import math
import os
import secrets
import select
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import QueuePool

from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.postgres_uri import PREPARE_OPTION
from supertokens_py.exceptions import ConfigError
from supertokens_py.types.numbers import whole_number

from .url import Location

# What may be left out of the URI because libpq reads it from the environment.
_VARIABLES = {
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "application_name": "PGAPPNAME",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}


@dataclass
class Generation:
    """Which connections of a pool are to be trusted: those that were opened since the last `end()`."""

    number: int = 0
    prepares: bool = True  #: False once a pooler was seen to mix prepared statements up
    #: How often connections broke or tables vanished: what was read before may be of another database.
    interruptions: int = 0

    def end(self, *, prepares: bool) -> None:
        """Have every connection replaced when it is next taken from the pool."""
        self.number += 1
        self.prepares = self.prepares and prepares

    def interrupted(self, *_: object) -> None:
        """Count a connection that broke, or tables that vanished."""
        self.interruptions += 1


def open_postgres(
    location: Location, settings: ResolvedEngineConfig, generation: Generation, *, logging_name: str
) -> Engine:
    """Return an engine that has not connected yet.

    Raises:
        ConfigError: `prepare_threshold` in the URI is no number.
        ImportError: the driver is not installed.
    """
    threshold = _prepare_threshold(location.url.query, settings)
    engine = create_engine(
        driver_url(location),
        poolclass=QueuePool,
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=settings.pool_timeout,
        pool_use_lifo=True,
        pool_reset_on_return=None,
        isolation_level="AUTOCOMMIT",
        connect_args=connect_arguments(location, os.environ, patience_s=settings.pool_timeout),
        hide_parameters=True,
        logging_name=logging_name,
    )

    def opened(connection: Any, record: Any) -> None:
        record.info["generation"] = generation.number
        if (
            threshold
            and generation.prepares
            and is_servers_own(connection)
            and name_statements_uniquely(connection)
        ):
            connection.prepare_threshold = threshold

    def taken(connection: Any, record: Any, _proxy: object) -> None:
        if record.info.get("generation") != generation.number:
            raise DisconnectionError("the connection leads to another server, or is mixed up with others")
        _refuse_dead(connection)

    _choose_hosts(engine, settings, generation)
    event.listen(engine, "connect", opened)
    event.listen(engine, "checkout", taken)
    return engine


def _choose_hosts(engine: Engine, settings: ResolvedEngineConfig, generation: Generation) -> None:
    # Imported here: the driver is an optional extra, and `create_engine` has found it.
    from .hosts import Connector  # noqa: PLC0415

    connector = Connector(patience_s=settings.pool_timeout, on_silence=lambda: generation.end(prepares=True))

    def connect(_dialect: object, _record: object, arguments: list[Any], options: dict[str, Any]) -> object:
        return connector.connect(arguments, options)

    event.listen(engine, "do_connect", connect)


def driver_url(location: Location) -> URL:
    """Return the URI without the option that is ours."""
    return location.url.difference_update_query([PREPARE_OPTION])


def connect_arguments(
    location: Location, environ: Mapping[str, str], *, patience_s: float
) -> dict[str, str | None]:
    """Return what every connection is opened with, beside what the URI says.

    Text is always UTF-8: the driver returns bytes from a database without an encoding, and could not
    send every character to a Latin one. No statement is prepared on the server before it is known where the
    connection leads to (`is_servers_own`).
    """
    defaults = {
        "connect_timeout": str(max(2, math.ceil(patience_s))),
        # A peer that vanished without a word must not hold a request for the kernel's two hours.
        "keepalives_idle": "30",
        "keepalives_interval": "10",
        "keepalives_count": "3",
        "tcp_user_timeout": "30000",
        "application_name": "supertokens_py",
        # After a fail-over the address may lead to the former primary for a while: a connection to it
        # could not write, and would read sessions that have been revoked since.
        "target_session_attrs": "read-write",
    }
    given = location.url.query
    chosen = {
        name: value
        for name, value in defaults.items()
        if name not in given and not environ.get(_VARIABLES.get(name, ""))
    }
    return {**chosen, "client_encoding": "utf8", "prepare_threshold": None}


def is_servers_own(connection: Any) -> bool:
    """Return whether a psycopg connection leads to one server process rather than to a pooler.

    A pooler makes up the process id that it greets a client with, as a client of its own has none.
    """
    with connection.cursor() as cursor:
        (pid,) = cursor.execute("SELECT pg_backend_pid()").fetchone()
    return bool(pid == connection.info.backend_pid)


def name_statements_uniquely(connection: Any) -> bool:
    """Have a psycopg connection prepare under names that no other one uses; return whether it can.

    psycopg counts from 0 in every connection. Behind a pooler that lends one server connection to several
    clients, a client would run what another one prepared under the same name. With names of its own it gets
    an error instead, even from a pooler that `is_servers_own` takes for a server.
    """
    statements = getattr(connection, "_prepared", None)
    if getattr(statements, "_prepared_idx", None) != 0:
        return False  # another release of psycopg, which counts elsewhere
    setattr(statements, "_prepared_idx", secrets.randbits(96))  # noqa: B010  psycopg has no public way
    return True


def _prepare_threshold(query: Mapping[str, Sequence[str] | str], settings: ResolvedEngineConfig) -> int:
    given = query.get(PREPARE_OPTION)
    if given is None:
        return settings.prepare_threshold
    text = given if isinstance(given, str) else given[-1]
    if text.lower() == "none":
        return 0
    threshold = whole_number(text)
    if threshold is None:
        raise ConfigError(
            f"{PREPARE_OPTION} in connection_uri must be a whole number (0: prepare nothing), not {text!r}"
        )
    return threshold


def _refuse_dead(connection: Any) -> None:
    """Replace a connection that the server has closed, before anything is sent on it.

    An idle connection has nothing to read unless the server said good-bye. Asking the socket costs
    microseconds, where a ping would cost a round trip for every unit of work.
    """
    try:
        waiting = bool(_readable(connection.fileno()))
    except Exception as error:
        raise DisconnectionError("the connection is closed") from error
    if waiting:
        raise DisconnectionError("the server closed the connection")


def _readable(descriptor: int) -> object:
    if not hasattr(select, "poll"):
        return select.select([descriptor], [], [], 0)[0]
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    return poller.poll(0)
