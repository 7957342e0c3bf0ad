"""Each example application works as its README says."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.examples.documents import ROOT, blocks, run_shell, venv_environment
from tests.servers.harness import Kind, running
from tests.support.ports import free_port

APPS = ROOT / "example_apps"
# (application, which of its "run: server" blocks)
STARTS = [
    ("fastapi", 0),
    ("starlette", 0),
    ("litestar", 0),
    ("flask", 0),
    ("django", 0),
    ("django", 1),
    ("django_rest", 0),
    ("django_ninja", 0),
    ("aws_lambda", 0),
    ("django_channels", 0),
    ("quart", 0),
    ("aiohttp", 0),
    ("sanic", 0),
    ("tornado", 0),
]


def _starts() -> list[Any]:
    others = {name for name, _ in STARTS} - {"fastapi", "flask", "django"}
    return [pytest.param(*start, marks=[pytest.mark.real] * (start[0] in others)) for start in STARTS]


@pytest.mark.parametrize(("name", "number"), _starts(), ids=lambda value: str(value))
def test_the_commands_of_the_readme(name: str, number: int, tmp_path: Path) -> None:
    """Start the server with the README's own command, then send the README's own requests."""
    readme = APPS / name / "README.md"
    install, command = blocks(readme, "server")[number].splitlines()
    assert install.startswith("pip install")  # the environment has it already
    port = free_port()
    words = tuple(word.replace("8000", str(port)) for word in shlex.split(command))
    kind = Kind(f"{name}-readme", APPS / name, words)
    with running(kind, f"sqlite:///{tmp_path}/sessions.db", venv_environment(), port=port):
        for requests in blocks(readme, "requests"):
            printed = run_shell(requests, tmp_path, port)
            assert ('"user":' if name == "django_channels" else '"visits":') in printed.replace(" ", "")
            assert printed.replace(" ", "").rstrip().endswith('{"status":"OK"}')
