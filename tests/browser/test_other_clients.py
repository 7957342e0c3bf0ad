"""The clients that are no browser: the httpx2 program and the curl script, on every example application."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import httpx2
import pytest

from tests.servers.harness import DJANGO_ASGI, DJANGO_WSGI, EXAMPLES, FASTAPI, FLASK, Kind, Server, running
from tests.support.programs import program

CLIENTS = EXAMPLES / "clients"


@pytest.fixture(scope="module", params=[FASTAPI, FLASK, DJANGO_ASGI, DJANGO_WSGI], ids=lambda kind: kind.name)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An example application."""
    kind: Kind = request.param
    database = f"sqlite:///{tmp_path_factory.mktemp('clients')}/sessions.db"
    # Times in tokens are whole seconds, so that one of 3 s lives for two or more: this machine may be busy.
    with running(kind, database, {"SUPERTOKENS_ACCESS_TOKEN_VALIDITY": "3"}) as server:
        yield server


def run(command: list[str], server: Server, user: str) -> list[str]:
    """Run a client and return the lines that it printed."""
    done = subprocess.run(
        [*command, server.url, user],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_the_httpx2_program(server: Server) -> None:
    """Log in, call, refresh by itself, sign out."""
    lines = run([sys.executable, str(CLIENTS / "header_mode.py")], server, "ada")
    assert [line.split(":")[0].split(",")[0] for line in lines] == [
        "200 POST /login",
        "200 GET /api/me",
        "200 POST /api/visits",
        "200 GET /api/me",
        "200 POST /auth/signout",
        "signed out",
    ]
    assert "after a refresh" in lines[3]
    assert lines[-1].endswith("['', '']")


def test_the_curl_script(server: Server) -> None:
    """FP-112: header mode end to end, with curl only."""
    program("curl")
    lines = run(["sh", str(CLIENTS / "header_mode.sh")], server, "grace")
    wanted = [
        "200 POST /login",
        "200 GET /api/me",
        "200 POST /api/visits",
        "200 POST /auth/session/refresh",
        "200 GET /api/me",
        "200 POST /auth/signout",
        "signed out, tokens left",
    ]
    said = [line.split(":")[0] for line in lines]
    # Where a token happens to expire between two calls, there is one more refresh.
    assert [line for line in said if "refresh" not in line] == [
        line for line in wanted if "refresh" not in line
    ]
    assert "200 POST /auth/session/refresh" in said
    assert lines[-1] == "signed out, tokens left: '' ''"


def test_an_access_token_that_really_expires(server: Server) -> None:
    """The program's session goes on across several lives of an access token."""
    program = load(CLIENTS / "header_mode.py")
    tokens = program.SessionTokens(server.url)
    with httpx2.Client(base_url=server.url, auth=tokens, trust_env=False, timeout=40) as client:
        assert client.post("/login", json={"user": "ada", "password": "demo"}).status_code == 200
        handle = client.get("/api/me").json()["handle"]
        # The refresh token stays for a grace period after it was changed; each access token is new.
        seen = {tokens.access_token}
        deadline = time.monotonic() + 60
        while len(seen) < 3:
            assert time.monotonic() < deadline, "the access token does not expire"
            assert client.get("/api/me").json()["handle"] == handle
            seen.add(tokens.access_token)
            time.sleep(0.02)  # others need the processor, too


def load(file: Path) -> ModuleType:
    """Import a program by its file."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
