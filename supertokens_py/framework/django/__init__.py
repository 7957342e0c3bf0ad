"""Django: put `"supertokens_py.framework.django.django_middleware.middleware"` into `MIDDLEWARE`."""

from __future__ import annotations

try:
    from .django_middleware import middleware
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "Django needs: pip install 'supertokens-py[django]'", name=error.name
    ) from error

__all__ = ["middleware"]
