"""Something between client and server that can stop passing answers on, as a machine does that freezes."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

from .ports import free_port


class FreezingRelay:
    """Passes everything on, until `freeze`: then what is sent arrives, and nothing comes back."""

    def __init__(self, target_port: int) -> None:
        self._target = ("127.0.0.1", target_port)
        self.port = free_port()  # also while it is frozen
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._frozen = False
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def freeze(self) -> None:
        """Refuse new connections; keep those that are there, and say nothing on them."""
        self._frozen = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def thaw(self) -> None:
        """Accept new connections again."""
        self._frozen = False
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for one in (self._listener, *self._sockets):
            one.close()

    def _accept(self) -> None:
        listener = self._listener
        with contextlib.suppress(OSError):  # it is closed
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(self._target)
                self._sockets += [client, server]
                threading.Thread(target=self._pass_on, args=(client, server), daemon=True).start()
                threading.Thread(target=self._pass_back, args=(server, client), daemon=True).start()

    def to_server(self, data: bytes) -> bytes:
        """Return what to pass on of what a client sends: all of it."""
        return data

    def to_client(self, data: bytes) -> bytes:
        """Return what to pass back of what the server answers: all of it."""
        return data

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(self.to_server(data))
            sink.shutdown(socket.SHUT_RDWR)

    def _pass_back(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not self._frozen:
                    sink.sendall(self.to_client(data))
            sink.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def freezing_relay(target_port: int) -> Iterator[FreezingRelay]:
    relay = FreezingRelay(target_port)
    try:
        yield relay
    finally:
        relay.close()
