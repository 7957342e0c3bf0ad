"""Which adapter's request class wraps a framework's own request: the most specific one for its type."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final, cast

from supertokens_py.exceptions import GeneralError
from supertokens_py.runtime.callers import PACKAGE

from .request import BaseRequest

# Of this package: whoever passes a framework's request may not have imported its adapter.
_ADAPTERS: Final = {
    "starlette.requests.HTTPConnection": "supertokens_py.framework.starlette.StarletteRequest",
    "litestar.connection.base.ASGIConnection": "supertokens_py.framework.litestar.LitestarRequest",
    "werkzeug.wrappers.request.Request": "supertokens_py.framework.flask.flask_request.FlaskRequest",
    "django.http.request.HttpRequest": "supertokens_py.framework.django.django_request.DjangoRequest",
    "rest_framework.request.Request": "supertokens_py.framework.django.django_request.DjangoRequest",
    "quart.wrappers.request.Request": "supertokens_py.framework.quart.QuartRequest",
    "quart.wrappers.websocket.Websocket": "supertokens_py.framework.quart.QuartRequest",
    "aiohttp.web_request.Request": "supertokens_py.framework.aiohttp.AiohttpRequest",
    "sanic.request.types.Request": "supertokens_py.framework.sanic.SanicRequest",
    "tornado.httputil.HTTPServerRequest": "supertokens_py.framework.tornado.TornadoRequest",
    "tornado.web.RequestHandler": "supertokens_py.framework.tornado.TornadoRequest",
}

_NAMES: Final = (
    "FastAPI, Starlette, Flask, Django, Django REST framework, Django Ninja, Channels, Litestar, Quart, "
    "aiohttp, Sanic, Tornado or AWS Lambda"
)

_registered: dict[type[Any], type[BaseRequest]] = {}

# The class of each request type met so far; there are as many as frameworks in use.
_known: dict[type[Any], type[BaseRequest]] = {}


def register(native: type[Any], request_class: type[BaseRequest]) -> None:
    """Let `get_session(request)` and its likes take requests of a framework's type and its subclasses."""
    _registered[native] = request_class
    _known.clear()


def as_base_request(native: Any) -> BaseRequest:
    """Return the neutral request of a framework's request; the same one for the whole request.

    Raises:
        GeneralError: no adapter knows the type.
    """
    given = cast("type[Any]", type(native))
    known = _known.get(given)
    if known is not None:
        return known.of(native)
    if isinstance(native, BaseRequest):
        return native
    if hasattr(given, "_get_current_object"):  # werkzeug's proxy stands for requests of any type
        return as_base_request(native._get_current_object())
    found = _class_for(given)
    if found is None:
        raise GeneralError(
            f"{given.__name__} is not a request of {_NAMES}, and no adapter that is loaded knows it"
            f"{_others()}; pass the request object that your view received"
        )
    _known[given] = found
    return found.of(native)


def _others() -> str:
    """Name the types that adapters from elsewhere know."""
    others = [kind for kind, known in _registered.items() if not known.__module__.startswith(f"{PACKAGE}.")]
    listed = ", ".join(f"{kind.__module__}.{kind.__qualname__}" for kind in others)
    return f" (they know {listed})" if listed else ""


def _class_for(given: type[Any]) -> type[BaseRequest] | None:
    for kind in given.__mro__:
        found = _registered.get(kind)
        if found is not None:
            return found
        module, _, name = _ADAPTERS.get(f"{kind.__module__}.{kind.__qualname__}", "").rpartition(".")
        if module:
            return getattr(import_module(module), name)
    return None
