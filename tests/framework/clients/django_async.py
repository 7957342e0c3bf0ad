"""Django under ASGI, with async views."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from django.core.handlers.asgi import ASGIHandler

from supertokens_py.testing.conformance import AsgiClient

from . import django_sync  # sets Django up
from .django_urls import async_view


class Driver(django_sync.Driver):
    mode: Literal["asgi", "wsgi"] = "asgi"
    view: ClassVar[Any] = staticmethod(async_view)

    def handler(self) -> Any:
        return ASGIHandler()

    def client(self, app: Any) -> Any:
        return AsgiClient(app)
