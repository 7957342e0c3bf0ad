"""The URL tables of both Django drivers, whose views serve whichever world is current."""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import path
from django.views.decorators.http import require_http_methods

from supertokens_py.recipe.session.framework.django.asyncio import verify_session as verify_async
from supertokens_py.recipe.session.framework.django.syncio import verify_session as verify_sync
from tests.framework.script import (
    METHODS,
    ROUTES,
    Answer,
    View,
    World,
    as_answer,
    options_of,
    run_async,
    run_blocking,
)


class _Current:
    world: World


current = _Current()


def override(given: Any, session: Any, context: Any) -> Any:
    return current.world.override(given, session, context)


def _native(answer: Answer) -> HttpResponse:
    response = JsonResponse(answer.body, status=answer.status)
    for name, value in answer.headers:
        if name.lower() == "set-cookie":
            response.cookies.load(value)
        else:
            response.headers[name] = value
    return response


def sync_view(request: Any) -> HttpResponse:
    script = current.world.start(request.GET.get("do"))
    return _native(as_answer(run_blocking(script, View(request, getattr(request, "supertokens", None)))))


async def async_view(request: Any) -> HttpResponse:
    script = current.world.start(request.GET.get("do"))
    return _native(as_answer(await run_async(script, View(request, getattr(request, "supertokens", None)))))


def _by_interface(route: str) -> Any:
    options = options_of(route, override)
    blocking = sync_view if options is None else verify_sync(**options)(sync_view)
    awaited = async_view if options is None else verify_async(**options)(async_view)
    return blocking, awaited


def _patterns(index: int) -> list[Any]:
    methods = {True: ("POST",), False: METHODS}
    return [
        path(route[1:], _only(_by_interface(route)[index], methods[route.endswith("refresh")]))
        for route in ROUTES
    ]


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


handler404 = not_found
handler500 = server_error
urlpatterns = _patterns(0)
async_urlpatterns = _patterns(1)
