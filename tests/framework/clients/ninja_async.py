"""Django Ninja under ASGI, with `async def` operations."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

from supertokens_py.testing.conformance import Route

from . import django_async
from .django_urls import native, slowly
from .ninja_sync import ninja_urls


def async_operation(route: Route) -> Any:
    async def operation(request: Any) -> Any:
        answer = await route.run(request, getattr(request, "supertokens", None))
        return native(route, answer, slowly(answer.chunks))

    return operation


class Driver(django_async.Driver):
    def urls(self, routes: Sequence[Route]) -> ModuleType:
        return ninja_urls(routes, async_operation)
