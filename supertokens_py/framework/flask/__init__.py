"""Flask: `Middleware(app)`, or `Middleware().init_app(app)`."""

from __future__ import annotations

try:
    from .middleware import Middleware
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("Flask needs: pip install 'supertokens-py[flask]'", name=error.name) from error

__all__ = ["Middleware"]
