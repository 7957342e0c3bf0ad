"""Declarative settings: one dataclass field has default, type, range and environment variable.

    @dataclass(frozen=True, kw_only=True)
    class PoolConfig:
        #: Connections, at most [10].
        size: int = setting(10, int, 1, 10_000)

    resolve(PoolConfig(), os.environ, prefix="POOL_")  # {"size": 10}, or what POOL_SIZE says

A field that the application leaves out is None until it is resolved.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any, TypeAlias, TypeVar, cast

from .exceptions import ConfigError
from .secret import SecretEnviron, masked

#: Takes a value and what to call it in an error; returns it as it is used, or raises ConfigError.
Check: TypeAlias = Callable[[Any, str], Any]

S = TypeVar("S")

_KEY = "supertokens_py.setting"


@dataclass(frozen=True, slots=True)
class Setting:
    """What one setting may be. Numbers have a range, other settings a check, or choices in upper case."""

    default: Any
    kind: type[int] | type[float] | None
    low: float
    high: float
    choices: tuple[str, ...]
    check: Check | None
    is_secret: bool = False

    def validate(self, value: Any, source: str) -> Any:
        """Return a given value as it is used.

        Raises:
            ConfigError: it cannot work; the message begins with `source`.
        """
        if self.kind is not None:
            return self._number(value, source, self.kind)
        if self.choices:
            choice = str(value).strip().upper()
            if choice not in self.choices:
                raise ConfigError(f"{source} must be one of {', '.join(self.choices)}, not {value!r}")
            return choice
        return value if self.check is None else self.check(value, source)

    def _number(self, value: Any, source: str, kind: type[int] | type[float]) -> float:
        try:
            number = kind(value)
        except (TypeError, ValueError):
            number = None
        wrong_kind = isinstance(value, bool) or number is None or (kind is int and number != float(value))
        if wrong_kind or not self.low <= cast("float", number) <= self.high:
            noun = "a whole number" if kind is int else "a number"
            raise ConfigError(
                f"{source} must be {noun} from {self.low:.12g} to {self.high:.12g}, not {value!r}"
            )
        return cast("float", number)


def setting(
    default: Any,
    kind: type[int] | type[float] | None = None,
    low: float = 0,
    high: float = 0,
    *,
    choices: tuple[str, ...] = (),
    check: Check | None = None,
    is_secret: bool = False,
) -> Any:
    """Return a dataclass field that `resolve` fills in; see `Setting`. A secret is not in the `repr`."""
    rule = Setting(default, kind, low, high, choices, check, is_secret)
    return field(default=None, repr=not is_secret, metadata={_KEY: rule})


def settings_of(cls: type[Any]) -> dict[str, Setting]:
    """Return the settings of a dataclass by name, in the order of its fields."""
    return {item.name: item.metadata[_KEY] for item in fields(cls) if _KEY in item.metadata}


def resolve(given: Any, environ: Mapping[str, str], *, prefix: str) -> dict[str, Any]:
    """Return every setting of a dataclass: the given value, else the variable's, else the default.

    A variable is `prefix` and the name in upper case; a blank one is as if unset.

    Raises:
        ConfigError: names the first field or variable that cannot work.
    """
    cls, environ = cast("type[Any]", type(given)), SecretEnviron(environ)
    values: dict[str, Any] = {}
    for name, rule in settings_of(cls).items():
        value, source = getattr(given, name), f"{cls.__name__}.{name}"
        if value is None:
            source = prefix + name.upper()
            value = environ.get(source, "").strip() or None
        if rule.is_secret:
            value = masked(value)
        values[name] = rule.default if value is None else rule.validate(value, source)
    return values


def explains_unknown_arguments(title: str) -> Callable[[type[S]], type[S]]:
    """Class decorator: suggest the nearest names for an unknown argument of `title`, the public name.

    Not for classes that take secrets by position: error trackers would send them.
    """
    return functools.partial(_explain_unknown, title)


def _explain_unknown(title: str, kind: type[S]) -> type[S]:
    take: Any = kind.__init__
    known = list(inspect.signature(kind).parameters)

    @functools.wraps(take)
    def init(self: S, *given: Any, **named: Any) -> None:
        try:
            for name in named:
                if name not in known:
                    raise TypeError(f"{title} has no argument {name!r}; {_hint(name, known)}")
            take(self, *given, **named)
        finally:
            named.clear()  # error trackers send the variables of frames, and one may be a secret

    setattr(kind, "__init__", init)  # noqa: B010  type checkers go on seeing the fields
    return kind


def _hint(name: str, known: Iterable[str]) -> str:
    nearest = get_close_matches(name, known)
    return f"did you mean {' or '.join(nearest)}?" if nearest else f"there are {', '.join(known)}"
