"""The URL tables of both Django drivers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from inspect import iscoroutinefunction
from types import ModuleType
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from django.views.decorators.http import require_http_methods

from supertokens_py.recipe.session.framework.django.asyncio import verify_session as verify_async
from supertokens_py.recipe.session.framework.django.syncio import verify_session as verify_sync
from supertokens_py.testing.conformance import Answer, Route


def url_table(routes: Sequence[Route], make: Callable[[Route], Any]) -> ModuleType:
    """Return a ROOT_URLCONF with a view for each route: `sync_view` or `async_view`."""
    table: Any = ModuleType("tests.framework.clients.made_urls")
    table.handler404 = not_found
    table.handler500 = server_error
    table.urlpatterns = [path(route.path[1:], _only(make(route), route.methods)) for route in routes]
    return table


def native(route: Route, answer: Answer, chunks: Any) -> HttpResponseBase:
    response: Any = JsonResponse(answer.body, status=answer.status)
    if route.stream:
        response = StreamingHttpResponse(chunks, status=answer.status, content_type="application/json")
    for name, value in answer.headers:
        if name.lower() != "set-cookie":
            response.headers[name] = value
        elif response.cookies.load(value) or "mine" in response.cookies:
            response.cookies[name + value] = response.cookies.pop("mine")
    return response


async def slowly(chunks: list[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def sync_view(route: Route) -> Any:
    def view(request: Any) -> HttpResponseBase:
        answer = route.blocking(request, getattr(request, "supertokens", None))
        return native(route, answer, answer.chunks)

    return view if route.guard is None else verify_sync(**route.guard)(view)


def async_view(route: Route) -> Any:
    async def view(request: Any) -> HttpResponseBase:
        answer = await route.run(request, getattr(request, "supertokens", None))
        return native(route, answer, slowly(answer.chunks))

    return view if route.guard is None else verify_async(**route.guard)(view)


def _only(view: Any, methods: tuple[str, ...]) -> Any:
    """`require_http_methods`, which knows async views only from Django 5.0 on."""
    if not iscoroutinefunction(view):
        return require_http_methods(list(methods))(view)

    async def call(request: HttpRequest) -> HttpResponseBase:
        return await view(request) if request.method in methods else HttpResponseNotAllowed(methods)

    return call


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return JsonResponse({"message": "no such page"}, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"message": "server error"}, status=500)


urlpatterns: list[Any] = []
