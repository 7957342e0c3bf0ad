"""Applications with a layer of their own, between ours and the views, that makes a 500 of every exception.

All have the same views, whichever framework and layer.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web
from fastapi import FastAPI
from fastapi import Request as FastApiRequest
from flask import Blueprint as FlaskBlueprint
from flask import Flask
from flask import request as flask_request
from litestar import Litestar, Response, Router, route
from litestar import Request as LitestarRequest
from quart import Blueprint, Quart
from quart import request as quart_request
from sanic import Blueprint as SanicBlueprint
from sanic import json as sanic_json
from sanic.handlers import ErrorHandler
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse
from tornado.web import Application, RequestHandler

from supertokens_py.exceptions import SuperTokensError
from supertokens_py.framework import aiohttp, asgi, flask, litestar, quart, sanic, starlette, tornado, wsgi
from supertokens_py.framework.fastapi import get_middleware
from supertokens_py.recipe.session import asyncio, syncio
from supertokens_py.recipe.session.claims import PrimitiveClaim
from supertokens_py.recipe.session.exceptions import UnauthorisedError
from supertokens_py.recipe.session.framework import aiohttp as for_aiohttp
from supertokens_py.recipe.session.framework import flask as for_flask
from supertokens_py.recipe.session.framework import litestar as for_litestar
from supertokens_py.recipe.session.framework import quart as for_quart
from supertokens_py.recipe.session.framework import sanic as for_sanic
from supertokens_py.recipe.session.framework import starlette as for_starlette
from supertokens_py.recipe.session.framework import tornado as for_tornado
from supertokens_py.testing.conformance import AsgiClient, SocketClient, WsgiClient

from .clients.aiohttp import serving as serving_aiohttp
from .clients.sanic import new_app
from .clients.sanic import serving as serving_sanic
from .clients.tornado import serving as serving_tornado

INTERNAL = {"detail": "internal"}  #: what the layers answer
HANDLED = {"detail": "handled"}  #: what the view answers that catches an error itself
OWN = {"detail": "own"}  #: what handlers for our errors answer

PLAN: Any = PrimitiveClaim("plan", lambda *_: None)
IS_PRO = PLAN.validators.has_value("pro")
WANTED: dict[str, Any] = {"override_global_claim_validators": lambda given, *_: [*given, IS_PRO]}

#: The first two are guarded, but in plain ASGI and WSGI, which know no guards.
PATHS = ("/me", "/admin", "/got", "/wanted", "/asserted", "/renewed", "/broken", "/handled")


async def view(path: str, request: Any) -> int:
    """Do what the view at a path does, and return its status."""
    if path == "/got":
        await asyncio.get_session(request)
    elif path == "/wanted":
        await asyncio.get_session(request, **WANTED)
    elif path == "/asserted":
        session = await asyncio.get_session(request)
        await session.assert_claims([IS_PRO])
    elif path == "/renewed":
        await asyncio.refresh_session(request)
    elif path == "/broken":
        await asyncio.get_session(request, session_required=False)
        raise LookupError("a mistake of the view")
    elif path == "/handled":
        try:
            await asyncio.get_session(request)
        except UnauthorisedError:
            return 500
    return 200


def blocking_view(path: str, request: Any) -> int:
    """Do the same in a thread."""
    if path == "/got":
        syncio.get_session(request)
    elif path == "/wanted":
        syncio.get_session(request, **WANTED)
    elif path == "/asserted":
        syncio.get_session(request).sync_assert_claims([IS_PRO])
    elif path == "/renewed":
        syncio.refresh_session(request)
    elif path == "/broken":
        syncio.get_session(request, session_required=False)
        raise LookupError("a mistake of the view")
    elif path == "/handled":
        try:
            syncio.get_session(request)
        except UnauthorisedError:
            return 500
    return 200


def guarded(path: str, verify_session: Any, handler: Any) -> Any:
    if path == "/me":
        return verify_session()(handler)
    return verify_session(**WANTED)(handler) if path == "/admin" else handler


def is_looked_at(path: str) -> bool:
    """Whether the middlewares want a session there that look for it before the view."""
    return path in ("/me", "/admin", "/got", "/wanted", "/asserted")


def decorator_of(answer: Callable[..., Any]) -> Any:
    """Return a decorator for coroutine functions that answers every exception."""

    def catching(handler: Any) -> Any:
        @functools.wraps(handler)
        async def caught(*args: Any, **named: Any) -> Any:
            try:
                return await handler(*args, **named)
            except Exception:
                return answer()

        return caught

    return catching


def as_it_is(handler: Any) -> Any:
    return handler


# -- aiohttp ----------------------------------------------------------------------------------------------


@web.middleware
async def aiohttp_catch(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        return await handler(request)
    except Exception:
        return web.json_response(INTERNAL, status=500)


@web.middleware
async def aiohttp_raise(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        return await handler(request)
    except Exception as error:
        raise web.HTTPInternalServerError(text=json.dumps(INTERNAL)) from error


@web.middleware
async def aiohttp_look(request: web.Request, handler: Any) -> web.StreamResponse:
    if is_looked_at(request.path):
        await asyncio.get_session(request)
    return await handler(request)


def aiohttp_handler(path: str) -> Any:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.json_response(HANDLED, status=await view(path, request))

    return guarded(path, for_aiohttp.verify_session, handler)


def of_aiohttp(first: Any = (), last: Any = (), inner: Any = (), decorate: Any = as_it_is) -> SocketClient:
    """The middlewares stand around those of `setup`, in them, and in a sub-application."""
    app, members = web.Application(middlewares=first), web.Application(middlewares=inner)
    aiohttp.setup(app)
    app.middlewares.extend(last)
    for path in PATHS:
        members.router.add_get(path, decorate(aiohttp_handler(path)))
    app.add_domain("api.example.com", members)
    return SocketClient(serving_aiohttp(app))


aiohttp_decorator = decorator_of(lambda: web.json_response(INTERNAL, status=500))


# -- Sanic ------------------------------------------------------------------------------------------------


def sanic_catch(request: Any, error: Exception) -> Any:
    return sanic_json(INTERNAL, 500)


class CatchingHandler(ErrorHandler):
    def default(self, request: Any, exception: Exception) -> Any:
        return sanic_json(INTERNAL, 500)


async def sanic_look(request: Any) -> None:
    if is_looked_at(request.path):
        await asyncio.get_session(request)


def sanic_handler(path: str) -> Any:
    async def handler(request: Any) -> Any:
        return sanic_json(HANDLED, await view(path, request))

    return guarded(path, for_sanic.verify_session, handler)


def of_sanic(layer: str, *, looks: bool = False) -> SocketClient:
    app = new_app()
    members = SanicBlueprint("members")
    if layer == "error_handler":
        app.error_handler = CatchingHandler()
    if layer == "handler":
        app.exception(Exception)(sanic_catch)
    if layer == "blueprint":
        members.exception(Exception)(sanic_catch)
    if layer == "own":
        app.exception(SuperTokensError)(lambda request, error: sanic_json(OWN, 503))
    if looks:
        app.on_request(sanic_look)
    decorate = decorator_of(lambda: sanic_json(INTERNAL, 500)) if layer == "decorator" else as_it_is
    for path in PATHS:
        members.add_route(decorate(sanic_handler(path)), path, name=path[1:])
    app.blueprint(members)
    sanic.setup(app)
    return SocketClient(serving_sanic(app))


# -- Tornado ----------------------------------------------------------------------------------------------


class WritingBase(RequestHandler):
    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.finish(INTERNAL)


class SendingBase(RequestHandler):
    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        self.set_status(500)
        self.finish(INTERNAL)


def tornado_handler(path: str, base: Any, *, looks: bool) -> Any:
    class Handler(tornado.SuperTokensMixin, base):  # type: ignore[misc]
        async def prepare(self) -> None:
            if looks and is_looked_at(path):
                await asyncio.get_session(self)

        async def get(self) -> None:
            self.set_status(await view(path, self))
            self.finish(HANDLED)

    Handler.get = guarded(path, for_tornado.verify_session, Handler.get)
    return Handler


def of_tornado(base: type[RequestHandler], *, looks: bool = False) -> SocketClient:
    app = Application([(path, tornado_handler(path, base, looks=looks)) for path in PATHS])
    tornado.setup(app)
    return SocketClient(serving_tornado(app))


# -- Quart and Flask --------------------------------------------------------------------------------------


class CatchingQuart(Quart):
    async def dispatch_request(self, *args: Any) -> Any:
        try:
            return await super().dispatch_request(*args)
        except Exception:
            return INTERNAL, 500


class CatchingFlask(Flask):
    def dispatch_request(self) -> Any:
        try:
            return super().dispatch_request()
        except Exception:
            return INTERNAL, 500


def flask_decorator(handler: Any) -> Any:
    @functools.wraps(handler)
    def caught() -> Any:
        try:
            return handler()
        except Exception:
            return INTERNAL, 500

    return caught


async def quart_look() -> None:
    if is_looked_at(quart_request.path):
        await asyncio.get_session(quart_request)


def flask_look() -> None:
    if is_looked_at(flask_request.path):
        syncio.get_session(flask_request)


def quart_view(path: str) -> Any:
    async def handler() -> Any:
        return HANDLED, await view(path, quart_request)

    return guarded(path, for_quart.verify_session, handler)


def flask_view(path: str) -> Any:
    def handler() -> Any:
        return HANDLED, blocking_view(path, flask_request)

    return guarded(path, for_flask.verify_session, handler)


def completed(app: Any, members: Any, layer: str, view_of: Any, decorate: Any) -> None:
    """Add layer and views to an application of Flask or Quart; the two have the same words."""
    app.logger.disabled = True
    if layer == "handler":
        app.register_error_handler(Exception, lambda error: (INTERNAL, 500))
    if layer == "blueprint":
        members.register_error_handler(Exception, lambda error: (INTERNAL, 500))
    if layer == "own":
        app.register_error_handler(SuperTokensError, lambda error: (OWN, 503))
    for path in PATHS:
        made = view_of(path)
        members.add_url_rule(path, path[1:], decorate(made) if layer == "decorator" else made)
    app.register_blueprint(members)


def of_quart(layer: str, *, kind: type[Quart] = Quart, looks: bool = False) -> AsgiClient:
    app = kind("tests")
    quart.Middleware(app)
    if looks:
        app.before_request(quart_look)
    completed(app, Blueprint("members", "tests"), layer, quart_view, decorator_of(lambda: (INTERNAL, 500)))
    return AsgiClient(app)


def of_flask(layer: str, *, kind: type[Flask] = Flask, looks: bool = False) -> WsgiClient:
    app = kind("tests")
    flask.Middleware(app)
    if looks:
        app.before_request(flask_look)
    completed(app, FlaskBlueprint("members", "tests"), layer, flask_view, flask_decorator)
    return WsgiClient(app)


# -- Litestar ---------------------------------------------------------------------------------------------


def litestar_catch(app: Any) -> Any:
    async def catch(scope: Any, receive: Any, send: Any) -> None:
        try:
            await app(scope, receive, send)
        except Exception:
            response: Any = Response(INTERNAL, status_code=500)
            await response.to_asgi_response(None, LitestarRequest(scope))(scope, receive, send)

    return catch


def litestar_look(app: Any) -> Any:
    async def look(scope: Any, receive: Any, send: Any) -> None:
        if is_looked_at(scope["path"]):
            await asyncio.get_session(LitestarRequest(scope, receive))
        await app(scope, receive, send)

    return look


def litestar_handler(path: str, decorate: Any) -> Any:
    async def handler(request: Any) -> Response[Any]:
        return Response(HANDLED, status_code=await view(path, request))

    handler.__annotations__ = {"request": LitestarRequest, "return": Response[Any]}
    guards = {"/me": [for_litestar.verify_session()], "/admin": [for_litestar.verify_session(**WANTED)]}
    return route(path, http_method=["GET"], guards=guards.get(path, []))(decorate(handler))


def of_litestar(layer: str = "", key: Any = Exception, middleware: Any = ()) -> AsgiClient:
    def catch(request: Any, error: Exception) -> Any:
        return Response(OWN, status_code=503) if layer == "own" else Response(INTERNAL, status_code=500)

    decorate = decorator_of(lambda: Response(INTERNAL, status_code=500))
    handlers = [litestar_handler(path, decorate if layer == "decorator" else as_it_is) for path in PATHS]
    of_router: Any = {key: catch} if layer == "router" else {}
    of_app: Any = {key: catch} if layer in ("app", "own") else {}
    app = Litestar(
        [Router("/", route_handlers=handlers, exception_handlers=of_router)],
        plugins=[litestar.SuperTokensPlugin()],
        exception_handlers=of_app,
        middleware=middleware,
        openapi_config=None,
        logging_config=None,
    )
    return AsgiClient(app)


# -- Starlette and FastAPI, with decorators; for their middlewares see test_errors_below_middlewares.py ---


def starlette_handler(path: str) -> Any:
    async def handler(request: StarletteRequest) -> Any:
        return JSONResponse(HANDLED, await view(path, request))

    return guarded(path, for_starlette.verify_session, handler)


def of_starlette(kind: type[Starlette], middleware: Any) -> AsgiClient:
    app = kind()
    app.add_middleware(middleware)
    for path in PATHS:
        handler = decorator_of(lambda: JSONResponse(INTERNAL, 500))(starlette_handler(path))
        handler.__annotations__ = {"request": FastApiRequest}
        app.router.add_route(path, handler)
    return AsgiClient(app)


# -- plain ------------------------------------------------------------------------------------------------

LINES = [("content-type", "application/json")]
PLAIN = {"/me": "/got", "/admin": "/wanted", "/handled": "/broken"}  # nobody can tell a view from a layer


def of_wsgi() -> WsgiClient:
    def app(environ: Any, start: Any) -> Any:
        path = environ["PATH_INFO"]
        blocking_view(PLAIN.get(path, path), wsgi.Environ(environ))
        raise NotImplementedError  # nobody gets here

    def catch(environ: Any, start: Any) -> Any:
        try:
            return app(environ, start)
        except Exception:
            start("500 Internal Server Error", LINES)
            return [json.dumps(HANDLED if environ["PATH_INFO"] == "/handled" else INTERNAL).encode()]

    return WsgiClient(wsgi.SuperTokensMiddleware(catch))


def of_asgi() -> AsgiClient:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await view(PLAIN.get(scope["path"], scope["path"]), asgi.Connection(scope, receive))
        raise NotImplementedError  # nobody gets here

    async def catch(scope: Any, receive: Any, send: Any) -> None:
        try:
            await app(scope, receive, send)
        except Exception:
            headers = [(name.encode(), value.encode()) for name, value in LINES]
            body = json.dumps(HANDLED if scope["path"] == "/handled" else INTERNAL).encode()
            await send({"type": "http.response.start", "status": 500, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    return AsgiClient(asgi.SuperTokensMiddleware(catch))


CATCHING: dict[str, Callable[[], AsgiClient | SocketClient | WsgiClient]] = {
    "aiohttp-first": lambda: of_aiohttp(first=[aiohttp_catch]),
    "aiohttp-last": lambda: of_aiohttp(last=[aiohttp_catch]),
    "aiohttp-raise": lambda: of_aiohttp(last=[aiohttp_raise]),
    "aiohttp-sub": lambda: of_aiohttp(inner=[aiohttp_catch]),
    "aiohttp-decorator": lambda: of_aiohttp(decorate=aiohttp_decorator),
    "aiohttp-first-look": lambda: of_aiohttp(first=[aiohttp_catch, aiohttp_look], last=[aiohttp_catch]),
    "aiohttp-last-look": lambda: of_aiohttp(last=[aiohttp_catch, aiohttp_look]),
    "aiohttp-sub-look": lambda: of_aiohttp(inner=[aiohttp_catch, aiohttp_look]),
    "sanic-handler": lambda: of_sanic("handler"),
    "sanic-blueprint": lambda: of_sanic("blueprint"),
    "sanic-error_handler": lambda: of_sanic("error_handler"),
    "sanic-decorator": lambda: of_sanic("decorator"),
    "sanic-handler-look": lambda: of_sanic("handler", looks=True),
    "tornado-write_error": lambda: of_tornado(WritingBase),
    "tornado-send_error": lambda: of_tornado(SendingBase),
    "tornado-look": lambda: of_tornado(WritingBase, looks=True),
    "quart-handler": lambda: of_quart("handler"),
    "quart-blueprint": lambda: of_quart("blueprint"),
    "quart-decorator": lambda: of_quart("decorator"),
    "quart-dispatch": lambda: of_quart("", kind=CatchingQuart),
    "quart-handler-look": lambda: of_quart("handler", looks=True),
    "flask-handler": lambda: of_flask("handler"),
    "flask-blueprint": lambda: of_flask("blueprint"),
    "flask-decorator": lambda: of_flask("decorator"),
    "flask-dispatch": lambda: of_flask("", kind=CatchingFlask),
    "flask-handler-look": lambda: of_flask("handler", looks=True),
    "litestar-app": lambda: of_litestar("app"),
    "litestar-app-500": lambda: of_litestar("app", 500),
    "litestar-router": lambda: of_litestar("router"),
    "litestar-decorator": lambda: of_litestar("decorator"),
    "litestar-middleware": lambda: of_litestar(middleware=[litestar_catch]),
    "litestar-middleware-look": lambda: of_litestar(middleware=[litestar_catch, litestar_look]),
    "starlette-decorator": lambda: of_starlette(Starlette, starlette.SuperTokensMiddleware),
    "fastapi-decorator": lambda: of_starlette(FastAPI, get_middleware()),
    "wsgi": of_wsgi,
    "asgi": of_asgi,
}

#: With a handler of the application for our errors, which answers 503.
ANSWERING: dict[str, Callable[[], AsgiClient | SocketClient | WsgiClient]] = {
    "sanic": lambda: of_sanic("own"),
    "quart": lambda: of_quart("own"),
    "flask": lambda: of_flask("own"),
    "litestar": lambda: of_litestar("own", SuperTokensError),
}
