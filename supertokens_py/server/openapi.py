"""The OpenAPI description of the server, made from the tables that it routes by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from supertokens_py.constants import VERSION
from supertokens_py.types.base import JSONObject

from .endpoint_request import EndpointRequest
from .routing import Endpoint, Scope
from .schemas import OBJECT, Schema, Shape, object_of

_TEXT: JSONObject = {"text/html; charset=UTF-8": {"schema": {"type": "string"}}}
_REFUSALS = {
    "400": "The request cannot be understood, or names what does not exist",
    "401": "API key missing or wrong",
    "403": "Not from this address, not for this tenant, or from a web page",
    "404": "There is nothing at this path",
    "405": "The path has no such method",
    "413": "The body is too large",
    "500": "Something is broken: the log says what",
    "503": "The store cannot be reached",
}
_TENANT: JSONObject = {
    "name": "tenantId",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^[a-z0-9-]{1,64}$"},
}


def describe(endpoints: Iterable[Endpoint], versions: Sequence[str], *, base_path: str = "") -> JSONObject:
    """Return the OpenAPI 3.1 document of a server that offers `versions` of the interface."""
    version: JSONObject = {
        "name": "cdi-version",
        "in": "header",
        "required": False,
        "description": "The version of the interface; left out, the newest one",
        "schema": {"type": "string", "enum": list(versions)},
    }
    paths: dict[str, JSONObject] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, version)
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
        if endpoint.scope in (Scope.TENANT, Scope.SELF) and endpoint.path != "/":
            of_tenant = {**operation, "parameters": [_TENANT, *operation["parameters"]]}
            paths.setdefault(f"/{{tenantId}}{endpoint.path}", {})[endpoint.method.lower()] = of_tenant
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "supertokens_py: core driver interface",
            "version": VERSION,
            "description": "Sessions, users, roles, metadata, tenants and keys, for SDKs of any language.",
        },
        "servers": [{"url": base_path or "/"}],
        "security": [{}, {"apiKey": []}, {"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "apiKey": {"type": "apiKey", "in": "header", "name": "api-key"},
                "bearer": {"type": "http", "scheme": "bearer"},
            }
        },
    }


def described(
    endpoints: Sequence[Endpoint], versions: Sequence[str], *, base_path: str = ""
) -> list[Endpoint]:
    """Return `endpoints` and one more, which shows the description of all of them."""

    async def show(request: EndpointRequest) -> JSONObject:
        return document

    shown = Endpoint("GET", "/openapi.json", Scope.APP, show, answer=OBJECT, versioned=False)
    document = describe([*endpoints, shown], versions, base_path=base_path)
    return [*endpoints, shown]


def _operation(endpoint: Endpoint, version: JSONObject) -> JSONObject:
    parameters = [_parameter(name, schema) for name, schema in endpoint.query.items()]
    operation: JSONObject = {
        "tags": [_tag(endpoint.path)],
        "parameters": [*parameters, version] if endpoint.versioned else parameters,
        "responses": {
            "200": {
                "description": "Handled; `status` says how it went",
                "content": _content(endpoint.answer),
            },
            **{status: {"description": text, "content": _TEXT} for status, text in _REFUSALS.items()},
        },
    }
    if endpoint.open:
        operation["security"] = []
    if endpoint.method in ("POST", "PUT") and not endpoint.open:
        operation["requestBody"] = _body(endpoint.body)
    return operation


def _parameter(name: str, schema: Schema) -> JSONObject:
    return {
        "name": name.removesuffix("?"),
        "in": "query",
        "required": not name.endswith("?"),
        "schema": schema,
    }


def _body(shape: Shape) -> JSONObject:
    return {"required": True, "content": {"application/json": {"schema": object_of(shape)}}}


def _content(answer: Schema | None) -> dict[str, Any]:
    return _TEXT if answer is None else {"application/json; charset=UTF-8": {"schema": answer}}


def _tag(path: str) -> str:
    first, _, rest = path.strip("/").partition("/")
    return rest.partition("/")[0] if first == "recipe" else "core"
