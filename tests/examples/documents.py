"""The runnable blocks of a README: fenced code below a comment `<!-- run: NAME -->`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"<!-- run: (?P<name>[^>]+?) -->\n```\w+\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(document: Path, name: str) -> list[str]:
    """Return the code of every block called `name`; there must be one."""
    found = [match["text"] for match in _BLOCK.finditer(document.read_text()) if match["name"] == name]
    assert found, f"{document} has no block '{name}'"
    return found


def block(document: Path, name: str) -> str:
    """Return the code of the only block called `name`."""
    (text,) = blocks(document, name)
    return text


def run_shell(
    text: str,
    folder: Path,
    port: int,
    *,
    fail_on_errors: bool = True,
    environ: Mapping[str, str] | None = None,
) -> str:
    """Run a block that talks to port 8000 against `port` and return what it printed.

    curl is made quiet and, unless told otherwise, fails on any status from 400 on.
    """
    home = folder / "home"
    home.mkdir(exist_ok=True)
    (home / ".curlrc").write_text("silent\nshow-error\n" + ("fail\n" if fail_on_errors else ""))
    done = subprocess.run(
        ["sh", "-e", "-u", "-c", text.replace("localhost:8000", f"localhost:{port}")],
        cwd=folder,
        env={"HOME": str(home), "CURL_HOME": str(home), "NO_PROXY": "*", **programs(), **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def programs() -> dict[str, str]:
    """Return the PATH that finds this Python's programs first, for commands typed as in a README."""
    return {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def venv_environment() -> dict[str, str]:
    """Return the variables under which the scripts and servers use this Python's environment as it is."""
    return {
        **programs(),
        "VENV": sys.prefix,
        "SUPERTOKENS_SKIP_INSTALL": "1",
        "GUNICORN_CMD_ARGS": "--no-control-socket",
    }
