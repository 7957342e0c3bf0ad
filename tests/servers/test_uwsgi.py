"""uWSGI in its default mode: the application is loaded once and used, then workers are forked in C."""

from __future__ import annotations

import os
import shutil
import signal
import site
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from tests.servers.harness import client
from tests.servers.visitor import Visitor
from tests.support.ports import free_port
from tests.support.programs import missing

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]
THREADS_OFF = ("--processes", "4")
THREADS_ON = ("--processes", "2", "--threads", "4")


def uwsgi_command() -> list[str]:
    """Return the program of this environment, or Debian's with the plugin for the same Python."""
    own = Path(sys.executable).with_name("uwsgi")
    if own.exists():
        return [str(own)]
    plugin = f"python{sys.version_info[0]}{sys.version_info[1]}"
    if (found := shutil.which("uwsgi")) and Path(f"/usr/lib/uwsgi/plugins/{plugin}_plugin.so").exists():
        return [found, "--plugin", plugin]
    missing(f"this test needs uwsgi for {plugin} (pip install uwsgi, or Debian: uwsgi-plugin-python3)")


@contextmanager
def uwsgi(app: str, database: str, log: Path, *options: str) -> Iterator[str]:
    """Run an application of `uwsgi_apps`; yield its address."""
    port = free_port()
    environ = os.environ | {
        "SUPERTOKENS_CONNECTION_URI": database,
        "PYTHONPATH": os.pathsep.join([str(ROOT), *site.getsitepackages()]),
    }
    command = [*uwsgi_command(), "--http-socket", f"127.0.0.1:{port}", "--master", "--die-on-term"]
    command += [
        "--need-app",
        "--buffer-size",
        "16384",
        "--module",
        f"tests.servers.uwsgi_apps:{app}",
        *options,
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=output, start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while True:
            with suppress(httpx2.HTTPError), client(f"http://127.0.0.1:{port}") as http:
                http.get("/none")
                break
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)


def conversation(address: str, number: int) -> tuple[list[str], set[int]]:
    """Log in, verify, refresh and verify again; return what went wrong, and which workers answered."""
    wrong: list[str] = []
    workers: set[int] = set()
    user = f"user-{number}"
    with client(address) as http:
        http.headers["connection"] = "close"  # uWSGI's HTTP socket closes without saying so
        visitor = Visitor(http)
        headers = {"st-auth-mode": "header", "rid": "session"}
        answers = [http.post("/login", json={"user": user}, headers=headers)]
        visitor.absorb(answers[0])
        answers.append(visitor.get("/me"))
        refreshed = visitor.refresh()
        answers.append(visitor.get("/me"))
    for answer in (*answers, refreshed):
        if answer.status_code != 200:
            wrong.append(f"{answer.request.url.path}: {answer.status_code} {answer.text[:200]}")
        elif answer is not refreshed:
            body = answer.json()
            workers.add(body["pid"])
            if body.get("user", user) != user:
                wrong.append(f"{user} got {body}")
    return wrong, workers


@pytest.mark.parametrize("app", ["flask_app", "django_app"])
@pytest.mark.parametrize("options", [THREADS_OFF, THREADS_ON], ids=["processes", "threads"])
def test_workers_of_uwsgi_share_nothing(
    app: str, options: tuple[str, ...], database: str, tmp_path: Path
) -> None:
    """Sessions were made before the fork; sixty conversations, each answer right and of the right user."""
    log = tmp_path / "uwsgi.log"
    with uwsgi(app, database, log, *options) as address, ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda number: conversation(address, number), range(60)))
    assert [text for wrong, _ in results for text in wrong] == [], log.read_text()[-3000:]
    assert len({worker for _, workers in results for worker in workers}) > 1
