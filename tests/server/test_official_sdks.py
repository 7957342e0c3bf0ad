"""CS-102: the unmodified official SDKs for Python and Node hold a whole conversation with our server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.processes import API_KEY, ServerProcess, serving
from tests.support.databases import Sqlite
from tests.support.programs import missing, node, npm

SCRIPTS = Path(__file__).parent / "official"
INSTALL_S = 300
FRESH_S = 24 * 3600
PARTS = (
    "done: create, verify with and without database, payload and data, refresh, theft, garbage, revoke, "
    "roles, metadata, tenants, jwt"
)


@pytest.fixture(scope="module")
def server(sqlite_files: Sqlite) -> Iterator[ServerProcess]:
    grace = {"SUPERTOKENS_REFRESH_TOKEN_ROTATION_GRACE_PERIOD": "1"}
    with serving(sqlite_files.create().uri, environ=grace) as server:
        yield server


def _cache() -> Path:
    given = os.environ.get("SUPERTOKENS_TEST_CACHE")
    return Path(given) if given else Path.home() / ".cache" / "supertokens-py-tests"


def _install(kind: str, *commands: list[str], directory: Path) -> None:
    """Install the newest release, at most once a day."""
    stamp = directory / ".installed"
    if stamp.exists() and time.time() - stamp.stat().st_mtime < FRESH_S:
        return
    directory.mkdir(parents=True, exist_ok=True)
    for command in commands:
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=INSTALL_S)
        if done.returncode != 0:
            if stamp.exists():
                return  # offline today: the release of another day will do
            missing(f"the official {kind} SDK cannot be installed: {done.stderr[-500:]}")
    stamp.touch()


def _converse(command: list[str], server: ServerProcess, directory: Path) -> str:
    done = subprocess.run(
        [*command, server.address, API_KEY], cwd=directory, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()


@pytest.mark.timeout(INSTALL_S + 60)
def test_the_official_python_sdk(server: ServerProcess) -> None:
    """supertokens-python, newest release, in an interpreter of its own."""
    directory = _cache() / f"official-python-{sys.version_info.major}.{sys.version_info.minor}"
    python = directory / "bin" / "python"
    _install(
        "Python",
        [sys.executable, "-m", "venv", str(directory)],
        [str(python), "-m", "pip", "install", "-q", "--upgrade", "supertokens-python"],
        directory=directory,
    )
    assert _converse([str(python), str(SCRIPTS / "conversation.py")], server, directory) == PARTS


@pytest.mark.timeout(INSTALL_S + 60)
def test_the_official_node_sdk(server: ServerProcess) -> None:
    """supertokens-node, newest release."""
    directory = _cache() / "official-node"
    flags = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    _install(
        "Node",
        [npm(), "init", "-y"],
        [npm(), "install", *flags, "supertokens-node@latest"],
        directory=directory,
    )
    script = directory / "conversation.js"  # Node looks for packages beside the script
    shutil.copyfile(SCRIPTS / "conversation.js", script)
    assert _converse([node(), str(script)], server, directory) == PARTS
