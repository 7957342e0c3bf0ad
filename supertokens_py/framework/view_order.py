"""Finds views that a `verify_session()` above their `@app.route` leaves open to everybody."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from weakref import WeakSet

from .adapter import ConfigError

# Views as they were before `verify_session` guarded them. Whoever keeps one of them calls it unguarded.
_unguarded: WeakSet[Callable[..., Any]] = WeakSet()


def remember_unguarded(view: Callable[..., Any]) -> None:
    """Note what `verify_session` is about to guard."""
    if isinstance(view, types.FunctionType):
        _unguarded.add(view)


def refuse_unguarded_views(views: Mapping[str, Any], route: str = "@app.route(...)") -> None:
    """Look at the views of an app, by name, for such that are guarded elsewhere only.

    Args:
        views: what the framework calls, by the name that its users know.
        route: how the framework registers a view, for the message.

    Raises:
        ConfigError: names the first of them, and the right order.
    """
    guarded = {inner for view in views.values() for inner in _inside(view)}
    for name, view in views.items():
        if _is_unguarded(view) and view not in guarded and not any(_inside(view)):
            raise ConfigError(
                f"the view {name} is open to everybody: verify_session() stands above its route, "
                f"which registers the view as it is. Put {route} above @verify_session()"
            )


def _is_unguarded(view: Any) -> bool:
    return isinstance(view, types.FunctionType) and view in _unguarded


def _inside(view: Any) -> Iterator[Any]:
    """Yield the guarded functions inside a view."""
    while (view := getattr(view, "__wrapped__", None)) is not None:
        if _is_unguarded(view):
            yield view
