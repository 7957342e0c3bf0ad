"""Applications of frameworks with servers of their own, served for as long as a test lasts."""

from __future__ import annotations

import asyncio
import importlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from supertokens_py.testing.conformance.sockets import Serve


def serving(app: Any) -> Serve | None:
    """Return what serves an application on a socket; None where none is needed."""
    name = type(app).__module__.partition(".")[0]
    if name not in ("aiohttp", "sanic", "tornado"):
        return None
    if name == "sanic":
        app.config.TOUCHUP = False  # rewrites methods of the class for the first application of a process
    return importlib.import_module(f"tests.framework.clients.{name}").serving(app)


@contextmanager
def in_a_thread(serve: Serve) -> Iterator[str]:
    """Serve on an event loop of a thread's own; yield the URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    loop, started = asyncio.new_event_loop(), threading.Event()
    ended = asyncio.Event()

    async def run() -> None:
        async with serve(listener):
            started.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=[run()])
    port = listener.getsockname()[1]
    thread.start()
    assert started.wait(40)
    try:
        yield f"http://localhost:{port}"
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()
        listener.close()
