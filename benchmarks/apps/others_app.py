"""The same route in the frameworks with one way to guard it each: bare, and with our `verify_session`.

`python -m apps.others_app FRAMEWORK HOST:PORT` serves those that bring a server.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from apps import sdk
from support import tokens

CLAIMS = ("public", "user-1", dict(sdk.CLAIMS))


def from_environment() -> Any:
    """Return the ASGI application that uvicorn serves."""
    return APPLICATIONS[os.environ["BENCH_FRAMEWORK"]]()


def guarded() -> bool:
    return os.environ["BENCH_VARIANT"] == "ours"


def ours(framework: str) -> tuple[Any, Any]:
    """Start our SDK; return the adapter and `create_new_session`."""
    if not guarded():
        return None, None
    sdk.start(sdk.OURS, framework)
    adapter = sdk.module(sdk.OURS, f"framework.{framework}")
    return adapter, sdk.module(sdk.OURS, "recipe.session.asyncio").create_new_session


def minted() -> str:
    """Return a token for the bare route, so that every variant gets requests of one size."""
    return tokens.mint(tokens.new_key(), tokens.payload(), kid="d-1")


def cpu() -> dict[str, int]:
    return {"ns": time.process_time_ns()}


def user(session: Any) -> dict[str, str]:
    return {"user": "user-1" if session is None else session.get_user_id()}


def starlette() -> Any:
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    adapter, create = ours("starlette")

    async def me(request: Any) -> JSONResponse:
        return JSONResponse(user(getattr(request.state, "supertokens", None)))

    async def login(request: Any) -> JSONResponse:
        response = JSONResponse({})
        if create:
            await create(request, *CLAIMS)
        else:
            response.set_cookie("sAccessToken", minted())
        return response

    async def spent(request: Any) -> JSONResponse:
        return JSONResponse(cpu())

    view = adapter.verify_session()(me) if adapter else me
    routes = [Route("/me", view), Route("/login", login, methods=["POST"]), Route("/cpu", spent)]
    app = Starlette(routes=routes)
    if adapter:
        app.add_middleware(adapter.SuperTokensMiddleware)
    return app


def litestar() -> Any:
    from litestar import Litestar, Request, Response, get, post

    adapter, create = ours("litestar")

    async def me(request: Any) -> dict[str, str]:
        return user(request.scope.get("auth"))

    async def login(request: Any) -> Any:
        response = Response[dict[str, str]]({})
        if create:
            await create(request, *CLAIMS)
        else:
            response.set_cookie("sAccessToken", minted())
        return response

    async def spent() -> dict[str, int]:
        return cpu()

    # Litestar reads types, and looks for their names among those of the module.
    me.__annotations__ = {"request": Request, "return": dict[str, str]}
    login.__annotations__ = {"request": Request, "return": Response[dict[str, str]]}
    routes = [
        get("/me", guards=[adapter.verify_session()] if adapter else [])(me),
        post("/login", status_code=200)(login),
        get("/cpu")(spent),
    ]
    plugins = [adapter.SuperTokensPlugin()] if adapter else []
    return Litestar(routes, plugins=plugins, openapi_config=None, logging_config=None)


def quart() -> Any:
    from quart import Quart, g, jsonify, request

    adapter, create = ours("quart")
    app = Quart(__name__)
    if adapter:
        adapter.Middleware(app)

    async def me() -> dict[str, str]:
        return user(g.get("supertokens"))

    async def login() -> Any:
        response = jsonify({})
        if create:
            await create(request, *CLAIMS)
        else:
            response.set_cookie("sAccessToken", minted())
        return response

    async def spent() -> dict[str, int]:
        return cpu()

    app.add_url_rule("/me", "me", adapter.verify_session()(me) if adapter else me)
    app.add_url_rule("/login", "login", login, methods=["POST"])
    app.add_url_rule("/cpu", "cpu", spent)
    return app


def aiohttp(host: str, port: int) -> None:
    from aiohttp import web

    adapter, create = ours("aiohttp")
    app = web.Application()
    if adapter:
        adapter.setup(app)

    async def me(request: Any) -> Any:
        return web.json_response(user(request[adapter.SESSION] if adapter else None))

    async def login(request: Any) -> Any:
        response = web.json_response({})
        if create:
            await create(request, *CLAIMS)
        else:
            response.set_cookie("sAccessToken", minted())
        return response

    async def spent(request: Any) -> Any:
        return web.json_response(cpu())

    app.router.add_get("/me", adapter.verify_session()(me) if adapter else me)
    app.router.add_post("/login", login)
    app.router.add_get("/cpu", spent)
    web.run_app(app, host=host, port=port, access_log=None, print=None)


def sanic(host: str, port: int) -> None:
    from sanic import Sanic, json

    adapter, create = ours("sanic")
    app: Any = Sanic("bench", configure_logging=False)
    if adapter:
        adapter.setup(app)

    async def me(request: Any) -> Any:
        return json(user(getattr(request.ctx, "supertokens", None)))

    async def login(request: Any) -> Any:
        response = json({})
        if create:
            await create(request, *CLAIMS)
        else:
            response.add_cookie("sAccessToken", minted())
        return response

    async def spent(request: Any) -> Any:
        return json(cpu())

    app.add_route(adapter.verify_session()(me) if adapter else me, "/me", name="me")
    app.add_route(login, "/login", methods=["POST"], name="login")
    app.add_route(spent, "/cpu", name="cpu")
    app.run(host=host, port=port, single_process=True, access_log=False, motd=False)


def tornado(host: str, port: int) -> None:
    from tornado.httpserver import HTTPServer
    from tornado.ioloop import IOLoop
    from tornado.web import Application, RequestHandler

    adapter, create = ours("tornado")
    bases = (adapter.SuperTokensMixin, RequestHandler) if adapter else (RequestHandler,)

    async def me(self: Any) -> None:
        self.write(user(getattr(self.request, "supertokens", None)))

    async def login(self: Any) -> None:
        if create:
            await create(self.request, *CLAIMS)
        else:
            self.set_cookie("sAccessToken", minted())
        self.write({})

    async def spent(self: Any) -> None:
        self.write(cpu())

    view = adapter.verify_session()(me) if adapter else me
    handlers = [
        ("/me", type("Me", bases, {"get": view})),
        ("/login", type("Login", bases, {"post": login})),
        ("/cpu", type("Cpu", (RequestHandler,), {"get": spent})),
    ]
    app = Application(handlers, log_function=lambda handler: None)
    if adapter:
        adapter.setup(app)
    HTTPServer(app).listen(port, host)
    IOLoop.current().start()


APPLICATIONS: dict[str, Any] = {"starlette": starlette, "litestar": litestar, "quart": quart}
SERVERS = {"aiohttp": aiohttp, "sanic": sanic, "tornado": tornado}

if __name__ == "__main__":
    name, place = sys.argv[1:]
    address, _, number = place.partition(":")
    SERVERS[name](address, int(number))
