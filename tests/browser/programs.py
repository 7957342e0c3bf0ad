"""The programs that browser tests need, and what to say when one is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import NoReturn

import pytest

#: Names of *.test lead to this machine.
CHROMIUM_OPTIONS = (
    "--disable-gpu",
    "--disable-quic",
    "--host-resolver-rules=MAP *.test 127.0.0.1, MAP localhost 127.0.0.1",
)
#: The oldest that Vite, which builds the frontend examples, runs on.
NODE = (20, 19)


def chromium() -> str:
    """Return the path of the browser; without one, skip here and fail in CI."""
    chosen = os.environ.get("SUPERTOKENS_TEST_CHROMIUM")
    names = [chosen] if chosen else ["chromium", "chromium-browser", "google-chrome"]
    found = next(filter(None, map(shutil.which, names)), None)
    if not found:
        _missing(
            f"browser tests need {names[0]} (Debian: apt-get install chromium), or its path in "
            "SUPERTOKENS_TEST_CHROMIUM"
        )
    return found


def npm() -> str:
    """Return the path of npm; without it, skip here and fail in CI."""
    found, node = shutil.which("npm"), shutil.which("node")
    if not found or not node:
        _missing(f"browser tests need node {'.'.join(map(str, NODE))} or later, and npm")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if tuple(int(part) for part in version.removeprefix("v").split(".")[:2]) < NODE:
        _missing(f"browser tests need node {'.'.join(map(str, NODE))} or later, not {version}")
    return found


def _missing(message: str) -> NoReturn:
    if os.environ.get("CI", "").lower() in ("true", "1"):
        pytest.fail(message)
    pytest.skip(message)
