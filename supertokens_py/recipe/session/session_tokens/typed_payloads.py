"""Payloads as types of the application: dataclasses and pydantic models are checked, TypedDicts are not."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints, is_typeddict

from supertokens_py.exceptions import ConfigError, PayloadTypeError

T = TypeVar("T")

_PLAIN: Mapping[Any, tuple[type, ...]] = {
    str: (str,),
    int: (int,),
    float: (int, float),
    bool: (bool,),
    type(None): (type(None),),
}


def read_payload(kind: type[T], payload: dict[str, Any]) -> T:
    """Return a payload as `kind`; claims that `kind` does not name are left out.

    Raises:
        PayloadTypeError: the payload does not fit; names the field, and no value.
        ConfigError: `kind` is nothing that a payload could be read as.
    """
    return cast("T", _reader_of(kind)(payload, ""))


def require_readable(kind: type[Any]) -> None:
    """Raise ConfigError where `kind` is nothing that a payload could be read as."""
    if not isinstance(kind, type):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigError(f"payload must be a TypedDict, a dataclass or a pydantic model, not {kind!r}")
    _reader_of(kind)


#: `(value, name of the field)` to the value as it is wanted.
_Reader = Callable[[Any, str], Any]


@lru_cache(maxsize=256)
def _reader_of(kind: Any) -> _Reader:
    if is_typeddict(kind) or kind is dict:
        return lambda value, _: value
    if hasattr(kind, "__pydantic_validator__"):
        return _reader_of_pydantic(kind)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _reader_of_dataclass(kind)
    raise ConfigError(f"payload must be a TypedDict, a dataclass or a pydantic model, not {kind!r}")


def _reader_of_pydantic(kind: Any) -> _Reader:
    def read(value: Any, name: str) -> Any:
        try:
            return kind.__pydantic_validator__.validate_python(value)
        except ValueError as error:
            details: Any = error
            first = details.errors(include_url=False, include_input=False, include_context=False)[0]
            field = ".".join([*([name] if name else []), *map(str, first["loc"])])
            problem = PayloadTypeError(kind.__name__, field, first["msg"])
        raise problem  # outside, so that it has no context: that has the values

    return read


def _reader_of_dataclass(kind: type[Any]) -> _Reader:
    hints = get_type_hints(kind)
    fields = [field for field in dataclasses.fields(kind) if field.init]
    readers = {field.name: _reader_of_value(hints[field.name], kind) for field in fields}

    def read(value: Any, name: str) -> Any:
        if not isinstance(value, dict):
            raise PayloadTypeError(kind.__name__, name, f"expected an object, not {_named(value)}")
        given, found = cast("dict[str, Any]", value), dict[str, Any]()
        for field in fields:
            full = f"{name}.{field.name}" if name else field.name
            if field.name in given:
                found[field.name] = readers[field.name](given[field.name], full)
            elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                raise PayloadTypeError(kind.__name__, full, "missing")
        return kind(**found)

    return read


def _reader_of_value(hint: Any, owner: type[Any]) -> _Reader:
    """Return the reader of a dataclass' field, which JSON can hold."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in (Any, object):
        return lambda value, _: value
    if hint in _PLAIN:
        return _checking(owner, _PLAIN[hint], _named(None) if hint is type(None) else hint.__name__)
    if origin is Literal:
        return _reader_of_literal(arguments, owner)
    if origin in (Union, types.UnionType):
        return _reader_of_union([_reader_of_value(one, owner) for one in arguments], hint, owner)
    if hint is list or origin is list:
        return _reader_of_list(_reader_of_value(arguments[0] if arguments else Any, owner), owner)
    if hint is dict or (origin is dict and arguments[0] is str):
        return _reader_of_dict(_reader_of_value(arguments[1] if arguments else Any, owner), owner)
    try:
        return _reader_of(hint)
    except ConfigError:
        raise ConfigError(
            f"{owner.__name__} has a field of type {hint!r}, which JSON cannot hold: use a pydantic model"
        ) from None


def _checking(owner: type[Any], kinds: tuple[type, ...], wanted: str) -> _Reader:
    def read(value: Any, name: str) -> Any:
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise PayloadTypeError(owner.__name__, name, f"expected {wanted}, not {_named(value)}")
        return value

    return read


def _reader_of_literal(values: tuple[Any, ...], owner: type[Any]) -> _Reader:
    def read(value: Any, name: str) -> Any:
        if not any(type(value) is type(one) and value == one for one in values):
            raise PayloadTypeError(owner.__name__, name, f"expected one of {values}")
        return value

    return read


def _reader_of_union(readers: list[_Reader], hint: Any, owner: type[Any]) -> _Reader:
    def read(value: Any, name: str) -> Any:
        for one in readers:
            try:
                return one(value, name)
            except PayloadTypeError:
                continue
        raise PayloadTypeError(owner.__name__, name, f"expected {hint}, not {_named(value)}")

    return read


def _reader_of_list(item: _Reader, owner: type[Any]) -> _Reader:
    check = _checking(owner, (list,), "list")
    return lambda value, name: [item(one, f"{name}.{at}") for at, one in enumerate(check(value, name))]


def _reader_of_dict(item: _Reader, owner: type[Any]) -> _Reader:
    check = _checking(owner, (dict,), "dict")
    return lambda value, name: {key: item(one, f"{name}.{key}") for key, one in check(value, name).items()}


def _named(value: Any) -> str:
    return "None" if value is None else type(value).__name__
