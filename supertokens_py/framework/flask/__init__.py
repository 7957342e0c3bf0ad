"""Flask: `Middleware(app)`, or `Middleware().init_app(app)`."""

from __future__ import annotations

try:
    from .current import current_session, session_required
    from .flask_middleware import Middleware
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        "Flask needs the extra 'flask' (docs/installation.md)", name=_error.name
    ) from _error

__all__ = ["Middleware", "current_session", "session_required"]
