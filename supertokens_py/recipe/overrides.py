"""How applications replace parts of a recipe: overrides are found once, at `init`."""

from __future__ import annotations

import difflib
import functools
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from supertokens_py.exceptions import ConfigError
from supertokens_py.runtime.bridge import call_app

T = TypeVar("T")

_NEARLY = 0.85

log: logging.Logger = logging.getLogger(__name__)


class OverrideConfig:
    """Functions that receive the default implementation and return the one to use.

    Args:
        functions: changes what the recipe does.
        apis: changes the HTTP APIs.
    """

    def __init__(
        self,
        functions: Callable[[Any], Any] | None = None,
        apis: Callable[[Any], Any] | None = None,
    ) -> None:
        for name, override in (("functions", functions), ("apis", apis)):
            if override is not None and not callable(override):
                raise ConfigError(
                    f"{name} must be a function that gets the original implementation and returns it with "
                    f"your changes, not {type(override).__name__}"
                )
        self.functions = functions
        self.apis = apis


@dataclass(frozen=True, slots=True)
class Result:
    """What a hook of the application must return."""

    kinds: tuple[type[Any], ...]
    wanted: str  #: as errors say it

    def require(self, value: Any, name: str, hook: Callable[..., Any]) -> None:
        """Refuse any other result of a hook.

        Raises:
            ConfigError: says where the hook is written, what it returned and what it must return.
        """
        if isinstance(value, self.kinds):
            return
        line = _line_of(hook)
        where = f"{name} ({line})" if line else name
        raise ConfigError(f"{where} returned {_kind_of(value)}; it must return {self.wanted}")


#: By the name of a function: what gives its replacement the arguments that it declares, what it must return.
Adapters: TypeAlias = Mapping[str, Callable[[Callable[..., Any]], Callable[..., Any]]]
Results: TypeAlias = Mapping[str, Result]


def _kind_of(value: object) -> str:
    return "None" if value is None else type(value).__name__


def _line_of(hook: Any) -> str | None:
    while isinstance(hook, functools.partial):
        hook = hook.func
    code = getattr(inspect.unwrap(hook), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else None


def install(
    default: T,
    override: Callable[[T], T] | None,
    source: str,
    adapters: Adapters | None = None,
    results: Results | None = None,
) -> tuple[T, frozenset[str]]:
    """Apply an override; return the implementation and the names of the methods that it replaced.

    Only what was replaced is wrapped, so that it may be sync or async; the rest stays as fast as it was.
    `adapters` give a replacement the arguments that it declares; `results` are checked at each call.

    Raises:
        ConfigError: the override returned something else than an implementation.
    """
    if override is None:
        return default, frozenset()
    kind: type[Any] = default.__class__
    known = {*dir(default)}
    implementation: T | None = override(default)
    if implementation is None:
        raise ConfigError(f"the override in {source} returned None; it must return the implementation")
    _warn_of_unknown_names(implementation, kind, known, source)
    names = [name for name in dir(kind) if not name.startswith("_") and callable(getattr(kind, name))]
    for name in names:
        if not callable(getattr(implementation, name, None)):
            raise ConfigError(
                f"the override in {source} returned {_kind_of(implementation)}, which has no {name}; "
                "it must return the implementation"
            )
    replaced = frozenset(name for name in names if _is_replaced(implementation, kind, name))
    for name in replaced:
        written = adapted = getattr(implementation, name)
        if adapters and name in adapters:
            adapted = adapters[name](written)
        call = _awaitable(adapted)
        if results and name in results:
            call = _checked(call, f"{name} of {source}", written, results[name])
        setattr(implementation, name, call)
    return implementation, replaced


def _warn_of_unknown_names(implementation: object, kind: type[Any], known: set[str], source: str) -> None:
    """Warn of what an override sets under a name that nothing calls: most likely a typo."""
    on_instance = {*vars(implementation)} if hasattr(implementation, "__dict__") else set[str]()
    for name in sorted({*dir(implementation)} - known - {*dir(kind)}):
        nearest = difflib.get_close_matches(name, known, n=1, cutoff=_NEARLY)
        never_runs = name in on_instance and callable(getattr(implementation, name))
        if not name.startswith("_") and (nearest or never_runs):
            hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
            log.warning("the override in %s sets %r, which nothing calls%s", source, name, hint)


def _is_replaced(implementation: Any, kind: type[Any], name: str) -> bool:
    member = getattr(implementation, name, None)
    return getattr(member, "__func__", None) is not getattr(kind, name)


def _awaitable(hook: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(hook)
    async def call(*args: Any, **kwargs: Any) -> Any:
        result: Any = await call_app(hook, *args, **kwargs)
        if not hasattr(result, "__await__"):
            return result
        return await call_app(lambda: result)  # it returned what the original gave, and forgot to await it

    return call


def _checked(
    call: Callable[..., Awaitable[Any]], name: str, written: Callable[..., Any], result: Result
) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(call)
    async def checked(*args: Any, **kwargs: Any) -> Any:
        value = await call(*args, **kwargs)
        result.require(value, name, written)
        return value

    return checked


def parameter_names(hook: Callable[..., Any]) -> list[str] | None:
    """Return the names of a function's positional parameters; None where it takes any (`*args`)."""
    try:
        parameters = inspect.signature(hook).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return None
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [parameter.name for parameter in parameters if parameter.kind in positional]


def takes_argument(hook: Callable[..., Any], name: str) -> bool:
    """Return whether a function can be given `name=…`, by position-or-name or by name only."""
    try:
        parameter = inspect.signature(hook).parameters.get(name)
    except (TypeError, ValueError):
        return False
    return parameter is not None and parameter.kind in (
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.KEYWORD_ONLY,
    )


def check_override(override: Any, name: str = "InputOverrideConfig") -> None:
    """Refuse an `override=` argument of the wrong type; `name` is what the recipe calls the right one.

    Raises:
        ConfigError: says what it must be.
    """
    if override is not None and not isinstance(override, OverrideConfig):
        raise ConfigError(f"override must be an instance of {name} or None")
