"""Which endpoint a path means, and for which tenant."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from starlette.responses import Response

from supertokens_py.constants import DEFAULT_APP_ID, DEFAULT_TENANT_ID
from supertokens_py.engine.validation import RESERVED_TENANT_IDS
from supertokens_py.exceptions import ConfigError
from supertokens_py.types.base import JSONObject

from .endpoint_request import EndpointRequest, Refused
from .schemas import Schema, Shape

Handler: TypeAlias = Callable[[EndpointRequest], Awaitable[JSONObject | Response]]

_TENANT = re.compile(r"[a-z0-9-]+")
_APP = re.compile(r"appid-([a-z0-9-]*)")


class Scope(Enum):
    """What a tenant in the path means to an endpoint."""

    APP = "the app: from CDI 5.0 only the public tenant may ask"
    PUBLIC = "the app: only the public tenant may ask"
    TENANT = "that tenant, which must exist"
    SELF = "that tenant, which may be missing"
    IGNORED = "nothing, but it must exist: token or handle name the tenant"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path. Open endpoints need neither API key nor version."""

    method: str
    path: str
    scope: Scope
    handle: Handler
    #: The members of the JSON body.
    body: Shape = field(default_factory=dict[str, Schema], kw_only=True)
    query: Shape = field(default_factory=dict[str, Schema], kw_only=True)
    #: The schema of the JSON answer; None where it is text.
    answer: Schema | None = field(kw_only=True)
    open: bool = field(default=False, kw_only=True)
    versioned: bool = field(default=True, kw_only=True)


@dataclass(frozen=True, slots=True)
class Target:
    """What a path led to."""

    methods: dict[str, Endpoint]
    tenant_id: str


class Router:
    """Finds `[base path][/appid-<app>][/<tenant>]<path>[/]`, whatever its case; exact paths first."""

    def __init__(self, endpoints: Iterable[Endpoint], base_path: str) -> None:
        self._base = normalised_base_path(base_path)
        self._table: dict[str, dict[str, Endpoint]] = {}
        for endpoint in endpoints:
            self._table.setdefault(endpoint.path.lower(), {})[endpoint.method] = endpoint

    def find(self, path: str) -> Target:
        """Return the endpoint of a path.

        Raises:
            Refused: there is none (404), or it names another app (400).
        """
        path = "/" + path.lower().strip("/")
        if self._base:
            if path != self._base and not path.startswith(self._base + "/"):
                raise Refused(404, "Not found")
            path = path[len(self._base) :] or "/"
        target = self._lookup(path, DEFAULT_TENANT_ID)
        if target is not None:
            return target
        first, rest = _split(path)
        app = _APP.fullmatch(first)
        if app:
            path = rest
            target = self._lookup(path, DEFAULT_TENANT_ID)
            first, rest = _split(path)
        if target is None and rest != "/" and _TENANT.fullmatch(first) and first not in RESERVED_TENANT_IDS:
            target = self._lookup(rest, first)
        if target is None:
            raise Refused(404, "Not found")
        if app and app[1] not in ("", DEFAULT_APP_ID):
            raise Refused(400, f"AppId or tenantId not found => app {app[1]!r} does not exist")
        return target

    def _lookup(self, path: str, tenant_id: str) -> Target | None:
        methods = self._table.get(path)
        return None if methods is None else Target(methods, tenant_id)


def normalised_base_path(base_path: str) -> str:
    """Return `/x/y` in lower case, or nothing for the root.

    Raises:
        ConfigError: it cannot be part of a URL.
    """
    text = base_path.strip().strip("/").lower()
    if any(mark in text for mark in " ?#"):
        raise ConfigError(f"base_path {base_path!r} may hold no blank, '?' or '#'")
    return f"/{text}" if text else ""


def _split(path: str) -> tuple[str, str]:
    first, _, rest = path.lstrip("/").partition("/")
    return first, "/" + rest
