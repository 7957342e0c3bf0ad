"""Deprecation warnings that point at the application's own line, whichever way the call came."""

from __future__ import annotations

import sys
import warnings

_PACKAGE = f"{__name__.partition('.')[0]}."


def warn_deprecated(message: str) -> None:
    """Warn at the nearest caller outside this package, past blocking twins and overrides."""
    depth, frame = 2, sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame.f_back is not None and f"{frame.f_globals.get('__name__', '')}.".startswith(_PACKAGE):
        depth, frame = depth + 1, frame.f_back
    warnings.warn(message, DeprecationWarning, stacklevel=depth)
