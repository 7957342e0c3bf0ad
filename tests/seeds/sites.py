"""One web application in each framework from the same views, and browsers that talk to it in-process.

A view is a coroutine function of a `Visit`; the sync frameworks step it and use the blocking API, so one
view says for all four what an application does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import httpx2

from supertokens_py.recipe.session import SessionContainer
from supertokens_py.recipe.session import asyncio as session_asyncio
from supertokens_py.recipe.session import syncio as session_syncio
from supertokens_py.runtime.bridge import step

API = "http://api.example.com"
KINDS = ("fastapi", "flask", "django-async", "django-sync")


@dataclass
class Visit:
    """What a view gets: the framework's request, the verified session, and the API of its colour."""

    request: Any
    session: SessionContainer | None
    blocking: bool

    async def log_in(
        self, user_id: str, payload: dict[str, Any] | None = None, **more: Any
    ) -> SessionContainer:
        if self.blocking:
            return session_syncio.create_new_session(self.request, "public", user_id, payload, **more)
        return await session_asyncio.create_new_session(self.request, "public", user_id, payload, **more)

    async def merge(self, update: dict[str, Any]) -> None:
        assert self.session is not None
        if self.blocking:
            self.session.sync_merge_into_access_token_payload(update)
        else:
            await self.session.merge_into_access_token_payload(update)

    async def pause(self) -> None:
        """Let the other requests run."""
        if not self.blocking:
            await asyncio.sleep(0)


View = Callable[[Visit], Awaitable[Any]]


@dataclass
class Route:
    """A view at a path, for every method; `verify` holds the arguments of `verify_session`, if it is used."""

    path: str
    view: View
    verify: Mapping[str, Any] | None = None


@dataclass
class Site:
    """An application, as an ASGI or a WSGI callable."""

    kind: str
    app: Any
    native: Any = None

    @property
    def is_async(self) -> bool:
        return self.kind in ("fastapi", "fastapi-def", "django-async")

    def browser(self, **headers: str) -> Browser:
        """Return a client with a cookie jar of its own that sends these headers (`_` for `-`) each time."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return Browser(self, sent)


@dataclass
class Browser:
    site: Site
    headers: dict[str, str]
    cookies: httpx2.Cookies = field(default_factory=httpx2.Cookies)

    async def send(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **more: Any
    ) -> httpx2.Response:
        if not self.site.is_async:
            return await asyncio.to_thread(self.send_blocking, method, path, headers, **more)
        transport = httpx2.ASGITransport(app=self.site.app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url=API, cookies=self.cookies) as client:
            response = await client.request(method, path, headers={**self.headers, **(headers or {})}, **more)
            self.cookies = client.cookies
        return response

    def send_blocking(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **more: Any
    ) -> httpx2.Response:
        """Send to a WSGI application in this thread."""
        transport = httpx2.WSGITransport(app=self.site.app, raise_app_exceptions=False)
        with httpx2.Client(transport=transport, base_url=API, cookies=self.cookies) as client:
            response = client.request(method, path, headers={**self.headers, **(headers or {})}, **more)
            self.cookies = client.cookies
        return response

    async def get(self, path: str, **more: Any) -> httpx2.Response:
        return await self.send("GET", path, **more)

    async def post(self, path: str, **more: Any) -> httpx2.Response:
        return await self.send("POST", path, **more)

    def fork(self) -> Browser:
        """Return a second browser with a copy of the cookies, as a thief would have."""
        return Browser(self.site, {**self.headers}, httpx2.Cookies(self.cookies))


def set_cookies(response: httpx2.Response) -> dict[str, str]:
    """Return the Set-Cookie lines by cookie name; each name may come once."""
    found: dict[str, str] = {}
    for line in response.headers.get_list("set-cookie"):
        name, _, value = line.strip().partition("=")
        assert name not in found, f"{name} is set twice"
        found[name] = value
    return found


@contextmanager
def opened(kind: str, routes: list[Route]) -> Iterator[Site]:
    """Make an application of `kind` for as long as the block lasts."""
    if kind.startswith("fastapi"):
        yield fastapi_site(routes, blocking=kind == "fastapi-def")
    elif kind == "flask":
        yield flask_site(routes)
    else:
        with django_site(kind, routes) as site:
            yield site


METHODS = ["GET", "POST", "PUT", "OPTIONS", "TRACE"]


def fastapi_site(routes: list[Route], *, middleware: bool = True, blocking: bool = False) -> Site:
    from fastapi import Depends, FastAPI, Request
    from fastapi.responses import JSONResponse

    from supertokens_py.framework.fastapi import get_middleware
    from supertokens_py.recipe.session.framework.fastapi import verify_session

    app = FastAPI()
    if middleware:
        app.add_middleware(get_middleware())

    def add(route: Route) -> None:
        dependency = Depends((lambda: None) if route.verify is None else verify_session(**route.verify))

        async def endpoint(request: Request, session: Any = dependency) -> JSONResponse:
            return JSONResponse(await route.view(Visit(request, session, blocking=False)))

        def endpoint_in_a_thread(request: Request, session: Any = dependency) -> JSONResponse:
            return JSONResponse(step(route.view(Visit(request, session, blocking=True))))  # type: ignore[arg-type]

        view: Any = endpoint_in_a_thread if blocking else endpoint
        view.__annotations__ = {"request": Request, "session": Any}
        app.add_api_route(route.path, view, methods=METHODS)

    for route in routes:
        add(route)
    return Site("fastapi-def" if blocking else "fastapi", app, app)


def flask_site(routes: list[Route]) -> Site:
    from flask import Flask, g, jsonify, request

    from supertokens_py.framework.flask import Middleware
    from supertokens_py.recipe.session.framework.flask import verify_session

    app = Flask("tests")
    Middleware(app)

    def add(route: Route) -> None:
        def endpoint() -> Any:
            visit = Visit(request, g.get("supertokens"), blocking=True)
            return jsonify(step(route.view(visit)))  # type: ignore[arg-type]

        view = endpoint if route.verify is None else verify_session(**route.verify)(endpoint)
        app.add_url_rule(route.path, route.path, view, methods=METHODS, provide_automatic_options=False)

    for route in routes:
        add(route)
    return Site("flask", app, app)


@contextmanager
def django_settings(urlpatterns: list[Any]) -> Iterator[None]:
    """Have Django serve these patterns behind our middleware."""
    from django.test import override_settings

    import tests.framework.clients.django_settings  # noqa: F401  a process can set Django up only once

    urls: Any = ModuleType("urls_of_this_test")
    urls.urlpatterns = urlpatterns
    with override_settings(
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=urls,
        MIDDLEWARE=["supertokens_py.framework.django.django_middleware.middleware"],
    ):
        yield


@contextmanager
def django_site(kind: str, routes: list[Route]) -> Iterator[Site]:
    import django.core.handlers.asgi
    import django.core.handlers.wsgi
    from django.http import JsonResponse
    from django.urls import path

    from supertokens_py.recipe.session.framework.django import asyncio as decorators
    from supertokens_py.recipe.session.framework.django import syncio

    def endpoint(route: Route) -> Any:
        async def async_view(request: Any) -> JsonResponse:
            visit = Visit(request, getattr(request, "supertokens", None), blocking=False)
            return JsonResponse(await route.view(visit), safe=False)

        def sync_view(request: Any) -> JsonResponse:
            visit = Visit(request, getattr(request, "supertokens", None), blocking=True)
            return JsonResponse(step(route.view(visit)), safe=False)  # type: ignore[arg-type]

        view: Any = async_view if kind == "django-async" else sync_view
        if route.verify is None:
            return view
        verify = decorators.verify_session if kind == "django-async" else syncio.verify_session
        return verify(**route.verify)(view)

    patterns = [path(route.path.lstrip("/"), endpoint(route)) for route in routes]
    with django_settings(patterns):
        handlers = django.core.handlers
        handler = handlers.asgi.ASGIHandler() if kind == "django-async" else handlers.wsgi.WSGIHandler()
        yield Site(kind, handler)
