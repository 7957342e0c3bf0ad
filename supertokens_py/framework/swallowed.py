"""Session errors that a layer of the application has caught, between a view and the middleware.

A client that should refresh its session would not, if such a layer made a server error of the 401.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from traceback import walk_tb
from types import CodeType
from typing import Any, Final

from .adapter import ANSWERED

#: The adapters themselves: an error with frames of theirs comes out of a guard.
_GUARDS: Final = "supertokens_py.framework."


def handled_error() -> Exception | None:
    """Return the error of the SDK in whose `except` block the caller is; None where it is in none.

    Who starts a server error there makes it of that error.
    """
    error = sys.exc_info()[1]
    return error if isinstance(error, ANSWERED) else None


def is_swallowed(error: Exception, layers: tuple[str, ...], own: Iterable[Any] = ()) -> bool:
    """Return whether an error left a view, a middleware or a guard before somebody caught it.

    A traceback begins with the frame that caught the error. A view that catches what it has called itself,
    and a handler that the framework calls for errors of this class, have the last word; who sends the server
    error while he still handles this one does not.

    Args:
        error: the error.
        layers: how the names of those modules begin through which errors pass that leave a view.
        own: the view and the middlewares of the request, for frameworks that stand between none of them.
    """
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    names: list[str] = [frame.f_globals.get("__name__", "") for frame in frames]
    if not names or names[0].startswith(layers):
        return False  # it was the framework that caught it, for a handler that was made for it
    if handled_error() is error:
        return True
    passed = (*layers, _GUARDS)
    codes = frozenset(_codes_of(own))
    return any(
        name.startswith(passed) or frame.f_code in codes
        for name, frame in zip(names[1:], frames[1:], strict=True)
    )


def _codes_of(functions: Iterable[Any]) -> Iterator[CodeType]:
    """Return the code of functions, and of what decorators have put around them."""
    for outer in functions:
        function = outer
        while function is not None:
            code = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
            if code is not None:
                yield code
            function = getattr(function, "__wrapped__", None)
