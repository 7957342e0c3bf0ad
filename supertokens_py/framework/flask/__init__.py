"""Flask: `Middleware(app)`, or `Middleware().init_app(app)`."""

from __future__ import annotations

from .middleware import Middleware

__all__ = ["Middleware"]
