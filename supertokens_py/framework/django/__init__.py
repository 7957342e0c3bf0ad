"""Django: put `"supertokens_py.framework.django.django_middleware.middleware"` into `MIDDLEWARE`."""

from __future__ import annotations

try:
    from .django_middleware import middleware
    from .session import SessionRequest
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        "Django needs the extra 'django' (docs/installation.md)", name=_error.name
    ) from _error

__all__ = ["SessionRequest", "middleware"]
