"""What happens before the first request and after the last."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias

from starlette.applications import Starlette

from supertokens_py.framework.adapter import EngineUnavailableError, close_engine, open_engine

log: logging.Logger = logging.getLogger(__name__)

Lifespan: TypeAlias = Callable[[Any], AbstractAsyncContextManager[Mapping[str, Any] | None]]


def supertokens_lifespan(inner: Lifespan | Starlette | None = None) -> Any:
    """Open the engine before the first request, and close it after the last.

        app = FastAPI(lifespan=supertokens_lifespan)
        app = FastAPI(lifespan=supertokens_lifespan(my_own_lifespan))

    The tables and the keys are then there when the first visitor comes. Where the database or the core is out
    of reach, that is logged and the application starts all the same: it answers with 503 until they are back.

    Args:
        inner: a lifespan of the application, which runs while the engine is open.
    """
    if isinstance(inner, Starlette):  # given as it is, as FastAPI calls a lifespan
        return _opened(None, inner)

    def lifespan(app: Any) -> AbstractAsyncContextManager[Mapping[str, Any] | None]:
        return _opened(inner, app)

    return lifespan


@asynccontextmanager
async def _opened(inner: Lifespan | None, app: Any) -> AsyncGenerator[Mapping[str, Any] | None]:
    try:
        await open_engine()
    except EngineUnavailableError as error:
        log.error("the session engine is out of reach at the start: %s", error)
    try:
        if inner is None:
            yield None
        else:
            async with inner(app) as state:
                yield state
    finally:
        await close_engine()
