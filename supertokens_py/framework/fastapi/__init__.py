"""FastAPI and Starlette: `app.add_middleware(get_middleware())`."""

from __future__ import annotations

from .middleware import SuperTokensMiddleware, get_middleware

__all__ = ["SuperTokensMiddleware", "get_middleware"]
