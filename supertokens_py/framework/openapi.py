"""Sessions in OpenAPI documents: how requests authenticate, what they are refused with, the SDK's own routes.

Documents are plain dicts. Whatever an application says itself, of a response or of a path, stays.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from copy import deepcopy
from typing import Final

from .adapter import base_path, refusal_statuses, sdk_methods
from .openapi_parts import SESSION_SCHEMAS, SIGN_IN_SCHEMAS, Document, refusals, titled
from .openapi_routes import REFRESH, REFRESH_COOKIE, Described, Sessions, described

__all__ = ["complete_document"]

#: What is not named by the adapter: where the access token is not a header.
COOKIE: Final = "SuperTokensCookie"

_SCHEMES: Final[Document] = {
    COOKIE: {"type": "apiKey", "in": "cookie", "name": "sAccessToken", "description": "The access token"},
    REFRESH: {"type": "http", "scheme": "bearer", "description": "The refresh token, in header mode"},
    REFRESH_COOKIE: {
        "type": "apiKey",
        "in": "cookie",
        "name": "sRefreshToken",
        "description": "The refresh token, in cookie mode",
    },
}


def complete_document(document: Document, bearer: str, cookie: str = COOKIE) -> Document:
    """Add to an OpenAPI document what clients should know of sessions; return it.

    Operations that ask for the scheme `bearer` get the cookie as an alternative, and the responses 401, 403
    and 503 (or the statuses of `session.init`). The routes of the SDK that are in use are added. To do it
    again changes nothing.

    Args:
        document: is changed.
        bearer: the name of the security scheme by which the framework describes `verify_session`.
        cookie: the name of the scheme of the cookie.

    Raises:
        GeneralError: `init` was not called.
    """
    sessions = Sessions([{bearer: []}, {cookie: []}], *refusal_statuses())
    routes = [*_routes_in_use(sessions)]
    own = _paths_of(routes)
    for operation in _operations(document, but=own):
        security: list[Document] = operation.get("security", [])
        asked = [index for index, one in enumerate(security) if bearer in one]
        if asked:
            if not any(cookie in one for one in security):
                security.insert(asked[-1] + 1, {cookie: []})
            _add_missing(operation.setdefault("responses", {}), refusals(*refusal_statuses()))
    paths = document.setdefault("paths", {})
    for path, operations in own.items():
        _add_missing(paths.setdefault(path, {}), operations)
    components = document.setdefault("components", {})
    schemas = {**SESSION_SCHEMAS, **(SIGN_IN_SCHEMAS if any(one.is_of_sign_in for one in routes) else {})}
    _add_missing(components.setdefault("schemas", {}), titled(schemas))
    _add_missing(components.setdefault("securitySchemes", {}), _schemes_of(document, bearer, cookie))
    return document


def _operations(document: Document, but: Container[str] = ()) -> Iterator[Document]:
    for path, operations in document.get("paths", {}).items():
        if path not in but:
            yield from (one for one in operations.values() if isinstance(one, dict))


def _add_missing(known: Document, more: Document) -> None:
    for name, value in more.items():
        if name not in known:
            known[name] = deepcopy(value)


def _schemes_of(document: Document, bearer: str, cookie: str) -> Document:
    """Return the schemes that the document refers to, as far as they are ours."""
    used = {name for one in _operations(document) for each in one.get("security", []) for name in each}
    ours = {bearer: {"type": "http", "scheme": "bearer"}, cookie: _SCHEMES[COOKIE], **_SCHEMES}
    return {name: scheme for name, scheme in ours.items() if name in used}


def _routes_in_use(sessions: Sessions) -> Iterator[Described]:
    for route in described(sessions):
        if route.method.upper() in sdk_methods(f"{base_path()}{route.path}"):
            yield route


def _paths_of(routes: list[Described]) -> Document:
    """Return the operations of routes, by path."""
    found: Document = {}
    for route in routes:
        here = found.setdefault(f"{base_path()}{route.path}", {})
        name = f"supertokens_{route.path.strip('/').replace('/', '_')}{f'_{route.method}' if here else ''}"
        here[route.method] = {**route.operation, "operationId": name}
    return found
