"""FastAPI and Starlette: `app.add_middleware(get_middleware())`."""

from __future__ import annotations

try:
    from .fastapi_middleware import SuperTokensMiddleware, get_middleware
    from .lifespan import supertokens_lifespan
    from .parameters import CheckedSession, CurrentSession, OptionalSession, RequireClaims
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        "FastAPI needs: pip install 'supertokens-py[fastapi]'", name=_error.name
    ) from _error

__all__ = [
    "CheckedSession",
    "CurrentSession",
    "OptionalSession",
    "RequireClaims",
    "SuperTokensMiddleware",
    "get_middleware",
    "supertokens_lifespan",
]
