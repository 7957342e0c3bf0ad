"""FastAPI: `app.add_middleware(get_middleware())`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

try:
    from .fastapi_middleware import SuperTokensMiddleware, get_middleware
    from .lifespan import supertokens_lifespan
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        "FastAPI needs the extra 'fastapi' (docs/installation.md)", name=_error.name
    ) from _error

if TYPE_CHECKING:
    from .openapi import document_routes
    from .parameters import (
        CheckedSession,
        CurrentSession,
        Fresh,
        FreshSession,
        OptionalSession,
        RequireClaims,
    )

_PARAMETERS = frozenset(
    ("CheckedSession", "CurrentSession", "Fresh", "FreshSession", "OptionalSession", "RequireClaims")
)


def __getattr__(name: str) -> Any:
    """Load the dependencies of FastAPI when they are wanted: Starlette does without it."""
    if name in _PARAMETERS:
        from . import parameters  # noqa: PLC0415  (an optional extra)

        return getattr(parameters, name)
    if name == "document_routes":
        from .openapi import document_routes  # noqa: PLC0415  (an optional extra)

        return document_routes
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "CheckedSession",
    "CurrentSession",
    "Fresh",
    "FreshSession",
    "OptionalSession",
    "RequireClaims",
    "SuperTokensMiddleware",
    "document_routes",
    "get_middleware",
    "supertokens_lifespan",
]
