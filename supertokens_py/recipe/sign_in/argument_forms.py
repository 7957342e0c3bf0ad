"""Functions whose arguments changed between 0.24 and later releases: both forms work.

Later releases put new arguments in the middle, so the forms differ by position. An application's replacement
gets the arguments that it declares, which is decided once; the original that it calls takes either form.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from supertokens_py.engine.arguments import require_strings
from supertokens_py.exceptions import ConfigError
from supertokens_py.recipe.base import APIOptions
from supertokens_py.recipe.overrides import parameter_names
from supertokens_py.secret import masked
from supertokens_py.types.base import RecipeUserId, context_of, user_id_text

if TYPE_CHECKING:
    from supertokens_py.recipe.session.container import SessionContainer

T = TypeVar("T")
Method: TypeAlias = Callable[..., Coroutine[Any, Any, T]]

_SAME = {"user_id": "recipe_user_id"}


class Ages:
    """The two forms of one function's arguments; names that only one of them has may be left out.

    Args:
        older: the names in 0.24's order.
        newer: the names in the order of later releases.
    """

    def __init__(self, older: str, newer: str) -> None:
        self.older: list[str] = older.split()
        self.newer: list[str] = newer.split()

    def named(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call in either form, by their newer names."""
        names = self.older if self._is_older(args, kwargs) else self.newer
        if len(args) > len(names):
            raise TypeError(f"takes {len(names)} arguments ({', '.join(names)}), but {len(args)} were given")
        if unknown := set(kwargs) - {*self.older, *self.newer}:
            raise TypeError(f"unexpected arguments: {', '.join(sorted(unknown))}")
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        return {self._newer_name(name): given[name] for name in given}

    def _newer_name(self, name: str) -> str:
        other = _SAME.get(name)
        return other if other in self.newer and name not in self.newer else name

    def _is_older(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
        if self.older == self.newer or len(args) > len(self.older):
            return False
        # Only the user context is a dict, and only the options of an API are what they are.
        for place, value in enumerate(args):
            kind = "user_context" if type(value) is dict else ""
            kind = "api_options" if isinstance(value, APIOptions) else kind
            if kind and self.older[place] == kind != self.newer[place]:
                return True
        return len(args) == len(self.older) and args[-1] is None and "user_context" not in kwargs

    def adapt(self, hook: Callable[..., Any]) -> Callable[..., Any]:
        """Return a form of an application's function that is called with the newer names.

        Raises:
            ConfigError: it wants an argument that neither form has.
        """
        adapted = self._adapted(hook)
        if not inspect.iscoroutinefunction(hook):
            return adapted

        async def call(**named: Any) -> Any:  # who calls it sees that it is async
            return await adapted(**named)

        return call

    def _adapted(self, hook: Callable[..., Any]) -> Callable[..., Any]:
        declared = _required_and_optional(hook)
        if declared is None:
            return functools.partial(_with_everything, hook, self)
        required, accepted = declared
        if parameter_names(hook) is None:  # *args
            return functools.partial(_by_position, hook, self.newer, self)
        known = {*self.older, *self.newer}
        if required <= known:
            return functools.partial(_with_declared, hook, self, accepted)
        order = parameter_names(hook) or []
        for form in (self.newer, self.older):
            if len(order) == len(form):  # it calls them something else
                return functools.partial(_by_position, hook, form, self)
        unknown = ", ".join(sorted(required - known))
        raise ConfigError(
            f"the override {getattr(hook, '__name__', hook)} wants {unknown}; it is called with "
            f"({', '.join(self.newer)}), or as in 0.24 with ({', '.join(self.older)})"
        )

    def values_of(self, form: list[str], named: Mapping[str, Any]) -> list[Any]:
        """Return the arguments in the order of a form."""
        return [named.get(name, named.get(_SAME.get(name, ""))) for name in form]

    def every(self, named: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call with None for those that it leaves out."""
        return {**dict.fromkeys(self.newer), **named}

    def chosen(self, named: Mapping[str, Any], accepted: set[str]) -> dict[str, Any]:
        """Return the arguments that a function accepts, by the names that it has for them."""
        every = self.every(named)
        chosen = {name: value for name, value in every.items() if name in accepted}
        for older, newer in _SAME.items():
            if older in accepted and older not in every and newer in every:
                chosen[older] = every[newer]
        return chosen


def _with_everything(hook: Callable[..., Any], ages: Ages, **named: Any) -> Any:
    return hook(**ages.every(named))


def _with_declared(hook: Callable[..., Any], ages: Ages, accepted: set[str], **named: Any) -> Any:
    return hook(**ages.chosen(named, accepted))


def _by_position(hook: Callable[..., Any], form: list[str], ages: Ages, **named: Any) -> Any:
    return hook(*ages.values_of(form, named))


def _required_and_optional(hook: Callable[..., Any]) -> tuple[set[str], set[str]] | None:
    """Return the names that a function must and may be given; None where it takes any."""
    parameters = inspect.signature(hook).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    usual = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY, p.POSITIONAL_ONLY)]
    return {p.name for p in usual if p.default is p.empty}, {p.name for p in usual}


_SECRETS = frozenset(("password", "new_password", "token", "user_input_code", "link_code", "device_id"))
_AGES = "_supertokens_ages"


def in_both_forms(older: str, newer: str) -> Callable[[Callable[..., Any]], Any]:
    """Have a method, which declares its newer arguments, take 0.24's, too."""
    ages = Ages(older, newer)

    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
        defaults = dict.fromkeys(ages.newer)

        @functools.wraps(method)
        async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            named: dict[str, Any] = {**defaults, **ages.named(args, kwargs)}
            del args, kwargs  # they may hold secrets, and error trackers read every frame's variables
            named.update((name, masked(named[name])) for name in _SECRETS & named.keys())
            named["user_context"] = {} if named.get("user_context") is None else named["user_context"]
            user_id = named.get("recipe_user_id")
            if isinstance(user_id, RecipeUserId):
                named["recipe_user_id"] = user_id.get_as_string()
            return await method(self, **{name: value for name, value in named.items() if name in defaults})

        setattr(call, _AGES, ages)
        return call

    return decorate


def adapters_of(kind: type[Any]) -> dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]]:
    """Return what gives replacements of a class's methods the arguments that they declare."""
    found = ((name, getattr(getattr(kind, name), _AGES, None)) for name in dir(kind))
    return {name: ages.adapt for name, ages in found if isinstance(ages, Ages)}


def named_user_id(recipe_user_id: str | None, user_id: str | None) -> str:
    """Return the id of the user that a call names by either keyword, as a plain string.

    Raises:
        TypeError: it names none.
        BadInputError: it is no string.
    """
    named = user_id if recipe_user_id is None else recipe_user_id
    if named is None:
        raise TypeError("missing required argument: 'recipe_user_id'")
    require_strings(recipe_user_id=named)
    return user_id_text(named)


def session_and_context(
    session: SessionContainer | dict[str, Any] | None, user_context: dict[str, Any] | None
) -> tuple[SessionContainer | None, dict[str, Any]]:
    """Read (session, user_context) of a public function, or 0.24's (user_context) alone."""
    if isinstance(session, dict):
        return None, session
    return session, context_of(user_context)
