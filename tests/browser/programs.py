"""The programs that browser tests need, and what to say when one is missing."""

from __future__ import annotations

import os
import shutil

import pytest


def chromium() -> str:
    """Return the path of the browser; without one, skip here and fail in CI."""
    wanted = os.environ.get("SUPERTOKENS_TEST_CHROMIUM", "chromium")
    found = shutil.which(wanted)
    if not found:
        _missing(
            f"browser tests need {wanted} (Debian: apt-get install chromium), or its path in "
            "SUPERTOKENS_TEST_CHROMIUM"
        )
    return found


def npm() -> str:
    """Return the path of npm; without it, skip here and fail in CI."""
    found = shutil.which("npm")
    if not found or not shutil.which("node"):
        _missing("browser tests need node and npm, version 20 or later (Debian: apt-get install nodejs npm)")
    return found


def _missing(message: str) -> None:
    if os.environ.get("CI", "").lower() in ("true", "1"):
        pytest.fail(message)
    pytest.skip(message)
