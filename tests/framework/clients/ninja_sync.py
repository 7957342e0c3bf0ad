"""Django Ninja under WSGI, with `def` operations."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any, ClassVar

from django.urls import path

from supertokens_py.testing.conformance import Route

from . import django_sync
from .django_urls import native, url_table

# isort: split
from ninja import NinjaAPI

from supertokens_py.framework.django.ninja import SessionAuth, setup


def sync_operation(route: Route) -> Any:
    def operation(request: Any) -> Any:
        answer = route.blocking(request, getattr(request, "supertokens", None))
        return native(route, answer, answer.chunks)

    return operation


class Driver(django_sync.Driver):
    operation: ClassVar[Any] = staticmethod(sync_operation)

    def urls(self, routes: Sequence[Route]) -> ModuleType:
        return ninja_urls(routes, self.operation)


def ninja_urls(routes: Sequence[Route], operation: Any) -> ModuleType:
    api = NinjaAPI(urls_namespace=f"suite-{id(routes)}", docs_url=None, openapi_url=None)
    setup(api)
    for route in routes:
        auth = None if route.guard is None else SessionAuth(**route.guard)
        api.api_operation([*route.methods], route.path, auth=auth)(operation(route))
    table: Any = url_table([], None)  # type: ignore[arg-type]
    table.urlpatterns = [path("", api.urls)]
    return table
