"""One request to the server: what it says, read with the checks and the error texts of the interface."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NoReturn, ParamSpec, TypeVar, cast

from supertokens_py import payloads
from supertokens_py.cdi.versions import Version
from supertokens_py.constants import DEFAULT_TENANT_ID
from supertokens_py.engine import validation
from supertokens_py.engine.call import call_engine, call_engine_hashing, call_engine_hashing_bounded
from supertokens_py.engine.interface import Engine
from supertokens_py.exceptions import EngineUnavailableError, TooBusyError
from supertokens_py.secret import SecretText
from supertokens_py.types.base import JSONObject

P = ParamSpec("P")
T = TypeVar("T")

_MAX_DEPTH = payloads.MAX_DEPTH + 1  # a payload is one level below its body
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_APP_ONLY = "Only public tenantId can call this app specific API"


class Refused(Exception):  # noqa: N818  (an answer, not a fault)
    """The request ends here, with this status and text."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        self.text = text
        super().__init__(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointRequest:
    """A request after its path, key and version were accepted."""

    engine: Engine
    version: Version
    tenant_id: str
    #: Which recipe the client is of (header `rid`); it matters where several share a path.
    recipe_id: str = ""
    #: Whom an SDK of ours makes the request for (header `st-client`): an IPv4 address or an IPv6 network.
    #: Only who may call the server at all can say so: the API key was accepted.
    client: str | None = None
    query: Mapping[str, str]
    body: JSONObject = field(repr=False)
    now_ms: Callable[[], int]

    def ask(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, T]:
        """Call a method of one of the engine's services."""
        return call_engine(None, work, *args, **kwargs)

    def ask_at_length(
        self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, T]:
        """Call a method that computes a password hash."""
        return call_engine_hashing(None, work, *args, **kwargs)

    async def ask_in_turn(self, most: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a method that computes a password hash, unless so many are at it already.

        Raises:
            EngineUnavailableError: they are. No answer of a core says that, and an SDK does not ask again.
        """
        try:
            return await call_engine_hashing_bounded(None, most, work, *args, **kwargs)
        except TooBusyError as error:
            raise EngineUnavailableError(str(error)) from None

    def only_for_app(self) -> None:
        """Refuse the call if it came through a tenant other than the public one; below CDI 5.0 it may."""
        if self.version.restricts_app_calls:
            self.only_for_public()

    def only_for_public(self) -> None:
        """Refuse the call if it came through a tenant other than the public one, in every version."""
        if self.tenant_id != DEFAULT_TENANT_ID:
            raise Refused(403, _APP_ONLY)

    # Members of a JSON body. A member that is optional must be left out, not null.

    def text(self, name: str) -> str:
        return _text(name, self.body.get(name))

    def is_null(self, name: str) -> bool:
        """Return whether a member is there and null, which few may be."""
        return name in self.body and self.body[name] is None

    def optional_text(self, name: str) -> str | None:
        return _text(name, self.body[name]) if name in self.body else None

    def secret(self, name: str) -> SecretText:
        """Return a text that nothing may show."""
        return SecretText(self.text(name))

    def optional_secret(self, name: str) -> SecretText | None:
        """Return such a text where it is there."""
        return self.secret(name) if name in self.body else None

    def user_id(self) -> str:
        """Return the id of a user, as databases can keep it."""
        text = self.text("userId")
        return text if validation.is_storable(text) else _invalid("userId")

    def name(self, name: str) -> str:
        """Return the name of a role, permission or user without surrounding white space."""
        return validation.validate_name(name, self.text(name))

    def flag(self, name: str, default: bool | None = None) -> bool:
        value = self.body.get(name) if default is None or name in self.body else default
        return value if isinstance(value, bool) else _invalid(name)

    def optional_flag(self, name: str) -> bool | None:
        return self.flag(name) if name in self.body else None

    def integer(self, name: str) -> int:
        value = self.body.get(name)
        if isinstance(value, str) and _INTEGER.fullmatch(value):
            return int(value)
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return value if isinstance(value, int) and not isinstance(value, bool) else _invalid(name)

    def optional_integer(self, name: str) -> int | None:
        return self.integer(name) if name in self.body else None

    def object(self, name: str) -> JSONObject:
        value: object = self.body.get(name)
        return cast("JSONObject", value) if isinstance(value, dict) else _invalid(name)

    def member_of(self, name: str) -> EndpointRequest:
        """Return the request with an object within its body in place of the body."""
        return replace(self, body=self.object(name))

    def optional_object(self, name: str) -> JSONObject | None:
        return self.object(name) if name in self.body else None

    def texts(self, name: str) -> list[str]:
        value: object = self.body.get(name)
        if not isinstance(value, list):
            _invalid(name)
        return [_text(name, item) for item in cast("list[object]", value)]

    def optional_texts(self, name: str) -> list[str] | None:
        return self.texts(name) if name in self.body else None

    def optional_names(self, name: str) -> list[str] | None:
        """Return names without surrounding white space, each of them once."""
        values = self.optional_texts(name)
        return None if values is None else validation.validate_names(name, values)

    # Query parameters

    def param(self, name: str) -> str:
        value = self.query.get(name)
        if value is None:
            raise Refused(400, f"Field name '{name}' is missing in GET request")
        return value

    def optional_param(self, name: str) -> str | None:
        return self.query.get(name)

    def param_name(self, name: str) -> str:
        return validation.validate_name(name, self.param(name))

    def param_flag(self, name: str, *, default: bool) -> bool:
        value = self.query.get(name)
        return default if value is None else value.strip().lower() == "true"

    def param_number(self, name: str, kind: Literal["an int", "a long"] = "a long") -> int:
        """Return a whole number; where it is none, the refusal calls it by a name of the official core."""
        value = self.param(name)
        if not _INTEGER.fullmatch(value):
            raise Refused(400, f"Field name '{name}' must be {kind} in the GET request")
        return int(value)


def read_json(raw: bytes) -> JSONObject:
    """Return the JSON object in a body.

    Raises:
        Refused: it is not JSON, or nested too deeply.
    """
    try:
        value: object = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Refused(400, "Invalid Json Input") from None
    if not isinstance(value, dict):
        raise Refused(400, "Invalid Json Input")
    if raw.count(b"{") + raw.count(b"[") > _MAX_DEPTH and _depth(cast("object", value)) > _MAX_DEPTH:
        raise Refused(400, f"Invalid Json Input: nested deeper than {_MAX_DEPTH} levels")
    return cast("JSONObject", value)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _depth(value: object) -> int:
    deepest, pending = 0, [(value, 1)]
    while pending:
        item, depth = pending.pop()
        deepest = max(deepest, depth)
        if isinstance(item, dict):
            pending.extend((child, depth + 1) for child in cast("dict[str, Any]", item).values())
        elif isinstance(item, list):
            pending.extend((child, depth + 1) for child in cast("list[Any]", item))
    return deepest


def _text(name: str, value: object) -> str:
    return value if isinstance(value, str) else _invalid(name)


def _invalid(name: str) -> NoReturn:
    raise Refused(400, f"Field name '{name}' is invalid in JSON input")
