"""The conversation under the servers that `docs/production.md` names beside uvicorn and gunicorn."""

from __future__ import annotations

import sys

import pytest

from tests.servers.harness import EXAMPLES, Kind
from tests.servers.test_conversation import server, test_a_session_lives_rotates_and_ends_on_theft, visitor

__all__ = ["server", "test_a_session_lives_rotates_and_ends_on_theft", "visitor"]

PYTHON = (sys.executable, "-m")
GRANIAN = (*PYTHON, "granian", "--host", "127.0.0.1", "--port", "{port}", "--interface")
WAITRESS = (*PYTHON, "waitress", "--host", "127.0.0.1", "--port", "{port}")
SERVERS = [
    Kind("hypercorn", EXAMPLES / "fastapi", (*PYTHON, "hypercorn", "--bind", "fd://{fd}", "main:app")),
    Kind("granian-asgi", EXAMPLES / "fastapi", (*GRANIAN, "asgi", "main:app")),
    Kind("granian-wsgi", EXAMPLES / "flask", (*GRANIAN, "wsgi", "app:app")),
    Kind("waitress", EXAMPLES / "flask", (*WAITRESS, "app:app")),
]


@pytest.fixture(scope="module", params=SERVERS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


@pytest.fixture(scope="module")
def database(sqlite: str) -> str:
    """One kind of database is enough: servers do not know of it."""
    return sqlite
