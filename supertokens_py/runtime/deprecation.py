"""Deprecation warnings that point at the application's own line, whichever way the call came."""

from __future__ import annotations

import warnings

from .callers import nearest_caller


def warn_deprecated(message: str) -> None:
    """Warn at the nearest caller outside this package, past blocking twins and overrides."""
    _, distance = nearest_caller()
    warnings.warn(message, DeprecationWarning, stacklevel=distance)
