"""Session errors that a layer of the application has caught, between a view and the middleware.

A client that should refresh its session would not, if such a layer made a server error of the 401.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from traceback import walk_tb
from types import CodeType
from typing import Any

from .adapter import ANSWERED


def handled_error() -> Exception | None:
    """Return the error of the SDK in whose `except` block the caller is; None where it is in none.

    Who starts a server error there makes it of that error.
    """
    error = sys.exc_info()[1]
    return error if isinstance(error, ANSWERED) else None


def is_swallowed(
    error: Exception, layers: tuple[str, ...], view: Any, middlewares: Iterable[Any] = ()
) -> bool:
    """Return whether an error left the view, or what guards it, before somebody caught it.

    A traceback begins with the frame that caught the error. Whoever catches what they have called themselves,
    a view or a hook that asks a guard, has done with it: a server error that follows is another one. So have
    handlers that the framework calls for errors of this class; who sends the server error while still
    handling this one has not.

    Args:
        error: the error.
        layers: how the names of those modules begin through which errors pass that leave a view.
        view: the view of the request, with its decorators; None: the framework does not say.
        middlewares: those of the request, for frameworks that do not stand between them.
    """
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    names: list[str] = [frame.f_globals.get("__name__", "") for frame in frames]
    if not names or names[0].startswith(layers):
        return False  # it was the framework that caught it, for a handler that was made for it
    if handled_error() is error:
        return True
    around_view = list(_codes_of(view))
    caught_by = frames[0].f_code
    if around_view[-1:] == [caught_by]:
        return False  # the view itself did
    if any(name.startswith(layers) for name in names[1:]):
        return True
    own = {*around_view, *(code for each in middlewares for code in _codes_of(each))}
    return caught_by in own and any(frame.f_code in own for frame in frames[1:])


def headers_to_keep(lines: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the headers of a replaced response without which a page of another origin may not read any."""
    return [(name, value) for name, value in lines if name.lower().startswith(("access-control-", "vary"))]


def _codes_of(function: Any) -> Iterator[CodeType]:
    """Return the code of what decorators have put around a function, and of itself, from outside."""
    while function is not None:
        code = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
        if code is not None:
            yield code
        function = getattr(function, "__wrapped__", None)
