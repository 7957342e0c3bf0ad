"""Django under WSGI, with sync views."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, ClassVar

from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import got_request_exception
from django.test import override_settings

from supertokens_py.testing import conformance
from supertokens_py.testing.conformance import Route, WsgiClient

from . import django_settings  # noqa: F401  must be first
from .django_urls import sync_view, url_table


class Driver(conformance.Driver):
    framework = "django"
    mode = "wsgi"
    streams = True
    view: ClassVar[Any] = staticmethod(sync_view)

    def build(self, routes: Sequence[Route]) -> Any:
        middleware = {} if self.middleware else {"MIDDLEWARE": []}
        self._settings = override_settings(ROOT_URLCONF=self.urls(routes), **middleware)
        self._settings.enable()
        sender = self.client(self.handler())

        def note(**extra: Any) -> None:
            sender.error = sys.exc_info()[1]

        got_request_exception.connect(note, weak=False, dispatch_uid="tests.framework")
        return sender

    def urls(self, routes: Sequence[Route]) -> ModuleType:
        return url_table(routes, self.view)

    def handler(self) -> Any:
        return WSGIHandler()

    def client(self, app: Any) -> Any:
        return WsgiClient(app)

    def close(self) -> None:
        self._settings.disable()
        got_request_exception.disconnect(dispatch_uid="tests.framework")
