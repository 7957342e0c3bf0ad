"""Small servers on a free port: an API with CORS, one with sessions, whatever a test makes."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, get_all_cors_headers, init
from supertokens_py.framework.fastapi import get_middleware
from supertokens_py.recipe import session


@contextmanager
def api_with_cors(*, origins: Sequence[str], headers: Sequence[str], credentials: bool) -> Generator[str]:
    cors = Middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_headers=headers,
        allow_methods=["*"],
        allow_credentials=credentials,
    )
    refresh = Route("/auth/session/refresh", lambda _: Response(status_code=401), methods=["POST"])
    with served(Starlette(routes=[refresh], middleware=[cors])) as address:
        yield address


@contextmanager
def api_with_sessions(website: str, *, cors_inside: bool = False, **cors: Any) -> Generator[str]:
    """Serve an application with the SDK behind a CORS layer that allows `website`, or in front of it."""
    Supertokens.reset()
    init(
        InputAppInfo("Test", "http://localhost", website_domain=website),
        supertokens_config=SupertokensConfig("sqlite://"),
        recipe_list=[session.init()],
    )
    app = FastAPI()
    if not cors_inside:
        app.add_middleware(get_middleware())
    app.add_middleware(
        CORSMiddleware,
        allow_origins=[website],
        allow_credentials=True,
        allow_methods=["*"],
        allow_headers=get_all_cors_headers(),
        **cors,
    )
    if cors_inside:
        app.add_middleware(get_middleware())
    try:
        with served(app) as address:
            yield address
    finally:
        Supertokens.reset()


@contextmanager
def served(app: ASGIApp, **options: Any) -> Generator[str]:
    """Serve an application with uvicorn."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", **options))
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
