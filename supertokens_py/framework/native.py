"""Raw requests are recognised by their type; the adapter of their framework is loaded at first need."""

from __future__ import annotations

from importlib import import_module
from typing import Any, cast

from supertokens_py.exceptions import GeneralError

from .request import BaseRequest

_ADAPTERS = {
    "starlette": ("supertokens_py.framework.fastapi.fastapi_request", "FastApiRequest"),
    "flask": ("supertokens_py.framework.flask.flask_request", "FlaskRequest"),
    "werkzeug": ("supertokens_py.framework.flask.flask_request", "FlaskRequest"),
    "django": ("supertokens_py.framework.django.django_request", "DjangoRequest"),
    "rest_framework": ("supertokens_py.framework.django.django_request", "DjangoRequest"),
}


# The adapter of each request type met so far; there are as many as frameworks in use.
_known: dict[type[Any], Any] = {}


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
    for kind in given.__mro__:
        found = _ADAPTERS.get(kind.__module__.partition(".")[0])
        if found and not hasattr(native, "status_code"):  # a response is no request
            module, name = found
            adapter = _known[given] = getattr(import_module(module), name)
            return adapter.of(native)
    raise GeneralError(
        f"{type(native).__name__} is not a request of FastAPI, Starlette, Flask or Django; "
        "pass the request object that your view received"
    )
