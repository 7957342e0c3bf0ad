"""An admin page for sessions: search, devices, revocation, keys, events, health. An ASGI application.

    app.mount("/admin", create_admin(authorize=is_admin))

It is rendered by the server and needs no script. `supertokens admin` is the same page without an application.
"""

from __future__ import annotations

try:
    import jinja2 as _jinja2  # noqa: F401  # pyright: ignore[reportUnusedImport]
    import starlette as _starlette  # noqa: F401  # pyright: ignore[reportUnusedImport]
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        "the admin page needs the extra 'admin' (docs/installation.md)", name=_error.name
    ) from _error

from .application import create_admin
from .permissions import AdminAction, Authorize

__all__ = ["AdminAction", "Authorize", "create_admin"]
