"""Programs that some tests drive, and what becomes of a test when one is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import NoReturn

import pytest

#: Names of *.test and *.example.com lead to this machine.
CHROMIUM_OPTIONS = (
    "--disable-gpu",
    "--disable-quic",
    "--host-resolver-rules=MAP *.test 127.0.0.1, MAP *.example.com 127.0.0.1, MAP localhost 127.0.0.1",
)
#: The oldest that Vite, which builds the frontend examples, runs on.
NODE = (20, 19)


def missing(message: str) -> NoReturn:
    """Skip the test; in CI, where everything is installed, fail it."""
    if os.environ.get("CI", "").lower() in ("true", "1"):
        pytest.fail(message)
    pytest.skip(message)


def program(name: str, package: str | None = None) -> str:
    """Return the path of a program; `package` is Debian's name for it, where it is another one."""
    return shutil.which(name) or missing(
        f"this test needs {name} (Debian: apt-get install {package or name})"
    )


def chromium() -> str:
    """Return the path of the whole browser."""
    chosen = os.environ.get("SUPERTOKENS_TEST_CHROMIUM")
    names = [chosen] if chosen else ["chromium", "chromium-browser", "google-chrome"]
    return next(filter(None, map(shutil.which, names)), None) or missing(
        f"this test needs {names[0]} (Debian: apt-get install chromium), or its path in "
        "SUPERTOKENS_TEST_CHROMIUM"
    )


def headless_chromium() -> str:
    """Return the path of a browser for pages: without Chromium's own interface, a tab is a fifth of the work.

    It keeps third-party cookies, reads no preferences of a profile and has no device-bound sessions.
    """
    chosen = "SUPERTOKENS_TEST_CHROMIUM" in os.environ
    return (None if chosen else shutil.which("chromium-headless-shell")) or chromium()


def node() -> str:
    """Return the path of a Node.js that is new enough."""
    found = program("node", "nodejs")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if tuple(int(part) for part in version.removeprefix("v").split(".")[:2]) < NODE:
        missing(f"this test needs node {'.'.join(map(str, NODE))} or later, not {version}")
    return found


def npm() -> str:
    """Return the path of npm, beside a Node.js that is new enough."""
    node()
    return program("npm")
