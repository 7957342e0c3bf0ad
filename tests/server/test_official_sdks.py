"""CS-102: unmodified official SDKs hold a whole conversation with our server.

The newest releases for Python and Node speak CDI 5.4; Python 0.24 speaks 3.0, Go 3.1 and Node 16 4.0.
"""

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
from tests.support.programs import missing, node, npm, program

pytestmark = pytest.mark.real

SCRIPTS = Path(__file__).parent / "official"
INSTALL_S = 300
CONVERSATION_S = 120
FRESH_S = 24 * 3600
PARTS = (
    "done: create, verify with and without database, anti-csrf, payload and data, refresh, theft, garbage, "
    "revoke, roles, metadata, tenants, jwt"
)
USERS = (
    "done: sign-up, sign-in, session, reset, change, verification, list, delete, mapping, members, guesses"
)
CODES = "done: e-mail, phone, wrong codes, resend, devices, change"
PROVIDERS = "done: sign-in, find, providers of a tenant"
NPM_FLAGS = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")


@pytest.fixture
def server(sqlite_files: Sqlite) -> Iterator[ServerProcess]:
    environ = {
        "SUPERTOKENS_REFRESH_TOKEN_ROTATION_GRACE_PERIOD": "1",
        "SUPERTOKENS_ARGON2_MEMORY_KB": "1024",
    }
    with serving(sqlite_files.create().uri, environ=environ) as server:
        yield server


def _cache(name: str) -> Path:
    given = os.environ.get("SUPERTOKENS_TEST_CACHE")
    base = Path(given) if given else Path.home() / ".cache" / "supertokens-py-tests"
    return base / name


def _install(kind: str, *commands: list[str], directory: Path, pinned: str | None = None) -> None:
    """Install an SDK: what is pinned once, the newest release at most once a day."""
    stamp = directory / ".installed"
    if stamp.exists():
        if pinned is not None and stamp.read_text() == pinned:
            return
        if pinned is None and time.time() - stamp.stat().st_mtime < FRESH_S:
            return
    directory.mkdir(parents=True, exist_ok=True)
    for command in commands:
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=INSTALL_S)
        if done.returncode != 0:
            if stamp.exists() and pinned is None:
                return  # offline today: the release of another day will do
            missing(f"the official {kind} SDK cannot be installed: {done.stderr[-500:]}")
    stamp.write_text(pinned or "")


def _converse(command: list[str], server: ServerProcess, directory: Path) -> str:
    done = subprocess.run(
        [*command, server.address, API_KEY],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=CONVERSATION_S,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()


def _python(name: str, *wanted: str, pinned: str | None = None) -> tuple[Path, Path]:
    """Return an interpreter with the SDK, and the directory of its environment."""
    directory = _cache(f"{name}-{sys.version_info.major}.{sys.version_info.minor}")
    python = directory / "bin" / "python"
    _install(
        "Python",
        [sys.executable, "-m", "venv", str(directory)],
        [str(python), "-m", "pip", "install", "-q", *wanted],
        directory=directory,
        pinned=pinned,
    )
    return python, directory


@pytest.mark.timeout(INSTALL_S + CONVERSATION_S)
def test_the_official_python_sdk(server: ServerProcess) -> None:
    """supertokens-python, newest release, in an interpreter of its own."""
    python, directory = _python("official-python", "--upgrade", "supertokens-python")
    assert _converse([str(python), str(SCRIPTS / "conversation.py")], server, directory) == PARTS
    assert _converse([str(python), str(SCRIPTS / "users.py")], server, directory) == USERS
    assert _converse([str(python), str(SCRIPTS / "codes.py")], server, directory) == CODES
    assert _converse([str(python), str(SCRIPTS / "providers.py")], server, directory) == PROVIDERS


@pytest.mark.timeout(INSTALL_S + CONVERSATION_S)
def test_the_official_python_sdk_of_our_contract(server: ServerProcess) -> None:
    """supertokens-python 0.24, over CDI 3.0."""
    pins = SCRIPTS / "python-0.24.txt"
    python, directory = _python("official-python-0.24", "-r", str(pins), pinned=pins.read_text())
    assert _converse([str(python), str(SCRIPTS / "conversation.py")], server, directory) == PARTS
    assert _converse([str(python), str(SCRIPTS / "users.py")], server, directory) == USERS
    assert _converse([str(python), str(SCRIPTS / "codes.py")], server, directory) == CODES
    assert _converse([str(python), str(SCRIPTS / "providers.py")], server, directory) == PROVIDERS


def _node(directory: Path, server: ServerProcess, name: str) -> str:
    script = directory / name  # Node looks for packages beside the script
    shutil.copyfile(SCRIPTS / name, script)
    return _converse([node(), str(script)], server, directory)


@pytest.mark.timeout(INSTALL_S + CONVERSATION_S)
def test_the_official_node_sdk(server: ServerProcess) -> None:
    """supertokens-node, newest release."""
    directory = _cache("official-node")
    _install(
        "Node",
        [npm(), "init", "-y"],
        [npm(), "install", *NPM_FLAGS, "supertokens-node@latest"],
        directory=directory,
    )
    assert _node(directory, server, "conversation.js") == PARTS
    assert _node(directory, server, "users.js") == USERS
    assert _node(directory, server, "codes.js") == CODES
    assert _node(directory, server, "providers.js") == PROVIDERS


@pytest.mark.timeout(INSTALL_S + CONVERSATION_S)
def test_an_older_official_node_sdk(server: ServerProcess) -> None:
    """supertokens-node 16, over CDI 4.0."""
    directory, locked = _cache("official-node-16"), SCRIPTS / "node16"
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(locked / name, directory / name)
    lock = (locked / "package-lock.json").read_text()
    _install("Node", [npm(), "ci", *NPM_FLAGS], directory=directory, pinned=lock)
    assert _node(directory, server, "conversation.js") == PARTS
    assert _node(directory, server, "users.js") == USERS
    assert _node(directory, server, "codes.js") == CODES
    assert _node(directory, server, "providers.js") == PROVIDERS


@pytest.mark.timeout(INSTALL_S + CONVERSATION_S)
def test_the_official_go_sdk(server: ServerProcess) -> None:
    """supertokens-golang, over CDI 3.1, also with an override, its middleware and protected routes."""
    directory, sources = _cache("official-go"), SCRIPTS / "go"
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("main.go", "go.mod", "go.sum"):
        shutil.copyfile(sources / name, directory / name)
    binary = directory / "conversation"
    pinned = "".join((sources / name).read_text() for name in ("main.go", "go.mod", "go.sum"))
    build = [program("go", "golang-go"), "build", "-o", str(binary), "."]
    _install("Go", build, directory=directory, pinned=pinned)
    assert _converse([str(binary)], server, directory) == f"{PARTS}, application"
