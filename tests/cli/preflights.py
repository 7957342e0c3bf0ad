"""A small API with CORS on a free port."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware


@contextmanager
def api_with_cors(*, origins: Sequence[str], headers: Sequence[str], credentials: bool) -> Generator[str]:
    cors = Middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_headers=headers,
        allow_methods=["*"],
        allow_credentials=credentials,
    )
    server = uvicorn.Server(uvicorn.Config(Starlette(middleware=[cors]), port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://localhost:{port}"
    finally:
        server.should_exit = True
        thread.join(20)
