"""The URL table of the async Django driver."""

from __future__ import annotations

from .django_urls import async_urlpatterns as urlpatterns
from .django_urls import handler404, handler500

__all__ = ["handler404", "handler500", "urlpatterns"]
