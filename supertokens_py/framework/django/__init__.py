"""Django: put `"supertokens_py.framework.django.django_middleware.middleware"` into `MIDDLEWARE`."""

from __future__ import annotations

from .django_middleware import middleware

__all__ = ["middleware"]
