"""Which frames are the application's: told by the names of modules, as an application may lie anywhere."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Final

PACKAGE: Final = __name__.partition(".")[0]


def package_of(frame: FrameType) -> str:
    """Return the top-level package whose code runs in a frame; "" if it has no module."""
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def nearest_caller() -> tuple[FrameType, int]:
    """Return the nearest frame outside this package, and how far it is from whoever calls this (1)."""
    distance, frame = 1, sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame.f_back is not None and package_of(frame) == PACKAGE:
        distance, frame = distance + 1, frame.f_back
    return frame, distance


def call_site() -> str:
    """Return "file:line" of the code that called into this package."""
    frame, _ = nearest_caller()
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
