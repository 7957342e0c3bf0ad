"""A connection to PostgreSQL of its own that hears what transactions announce (LISTEN)."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
from typing import TYPE_CHECKING, Any

from supertokens_py.engine.config import ResolvedEngineConfig

from . import errors
from .postgres import connect_arguments, driver_url, is_servers_own
from .url import Location, locate

if TYPE_CHECKING:
    from sqlalchemy import Dialect

# Connections that a child process inherited; closing one would end it for the parent.
_inherited: list[object] = []


class PoolerError(Exception):
    """There is a pooler in between, which accepts LISTEN and delivers nothing, or to somebody else."""


class Listener:
    """Hears one channel; `interrupt` is for other threads, all else for the one that listens."""

    def __init__(
        self, location: Location, settings: ResolvedEngineConfig, dialect: Dialect, channel: str
    ) -> None:
        """`location` counts where `settings` has no `listen_uri`; `dialect` knows the driver."""
        self._location = location if settings.listen_uri is None else locate(settings.listen_uri)
        self._settings = settings
        self._dialect: Any = dialect
        self._channel = channel
        self._connection: Any = None
        self._bell, self._ring = socket.socketpair()

    def open(self) -> None:
        """Connect and listen; where that fails, `close` is to follow.

        Raises:
            PoolerError: the connection leads through a pooler.
            EngineUnavailableError: there is no connection.
        """
        self.close()
        location, dialect = self._location, self._dialect
        defaults = connect_arguments(location, os.environ, patience_s=self._settings.pool_timeout)
        arguments, named = dialect.create_connect_args(driver_url(location))
        with errors.translating(location, self._settings):
            connection: Any = dialect.connect(*arguments, **{**named, **defaults, "autocommit": True})
            self._connection = connection
            if not is_servers_own(connection):
                raise PoolerError(
                    f"{location.name} is a pooler, which tells nobody of revocations: they are read every "
                    "second only. Set EngineConfig(listen_uri=...) to a direct connection for less"
                )
            connection.execute(f'LISTEN "{self._channel}"')

    def wait(self, patience_s: float) -> list[str]:
        """Return the words that were heard, at most `patience_s` later.

        Raises:
            EngineUnavailableError: the connection is lost.
        """
        connection = self._connection
        with errors.translating(self._location, self._settings):
            with selectors.DefaultSelector() as selector:
                selector.register(connection.fileno(), selectors.EVENT_READ)
                selector.register(self._bell, selectors.EVENT_READ)
                if not selector.select(patience_s):
                    return []
            words: list[str] = []
            connection.pgconn.consume_input()
            while (notice := connection.pgconn.notifies()) is not None:
                words.append(notice.extra.decode())
        return words

    def interrupt(self) -> None:
        """Have `wait` return, now and from now on."""
        with contextlib.suppress(OSError):  # it is at its end already
            self._ring.send(b"!")

    def end(self) -> None:
        """Close everything, for good."""
        self.close()
        self._bell.close()
        self._ring.close()

    def close(self) -> None:
        """Close the connection; `open` makes another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def leave_to_parent(self) -> None:
        """Never touch the connection again: it is the parent's (in a forked child)."""
        _inherited.append((self._connection, self._bell, self._ring))
        self._connection = None
