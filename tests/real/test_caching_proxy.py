"""nginx with a cache before a real server of each framework: nobody gets another visitor's page."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.servers.harness import DJANGO_ASGI, DJANGO_WSGI, FASTAPI, FLASK, Kind, client, running
from tests.servers.visitor import Mode, Visitor
from tests.support.ports import free_port
from tests.support.programs import program

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]

#: Two caches before one application: the first obeys every header, the second only `Vary`.
CONFIG = """
{user}
daemon off;
worker_processes 1;
error_log stderr warn;
pid {folder}/nginx.pid;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_cache_path {folder}/obedient keys_zone=obedient:1m;
    proxy_cache_path {folder}/stubborn keys_zone=stubborn:1m;
    proxy_cache_valid any 60s;
    proxy_buffer_size 16k;
    proxy_buffers 8 16k;
    proxy_set_header Host $http_host;
    add_header X-Cache $upstream_cache_status always;
    server {{
        listen 127.0.0.1:{obedient};
        location / {{ proxy_pass http://127.0.0.1:{application}; proxy_cache obedient; }}
    }}
    server {{
        listen 127.0.0.1:{stubborn};
        location / {{
            proxy_pass http://127.0.0.1:{application};
            proxy_cache stubborn;
            proxy_ignore_headers Cache-Control Expires Set-Cookie;
        }}
    }}
}}
"""


@contextlib.contextmanager
def nginx(folder: Path, application: int) -> Iterator[tuple[str, str]]:
    """Run nginx before an application; yield the URLs of the obedient and of the stubborn cache."""
    ports = {"obedient": free_port(), "stubborn": free_port()}
    config, log = folder / "nginx.conf", folder / "log"
    user = "user root;" if os.getuid() == 0 else ""  # else its workers may not enter the folder
    config.write_text(CONFIG.format(folder=folder, application=application, user=user, **ports))
    command = [program("nginx", "nginx-light"), "-p", str(folder), "-e", "stderr", "-c", str(config)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        urls = [f"http://127.0.0.1:{port}" for port in ports.values()]
        for url in urls:
            _wait_for(url, process, log)
        yield urls[0], urls[1]
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx2.HTTPError), client(url) as http:
            http.get("/nothing-there")
            return
    raise AssertionError(f"nginx did not start:\n{log.read_text(errors='replace')}")


@pytest.fixture(scope="module", params=[FASTAPI, FLASK, DJANGO_ASGI, DJANGO_WSGI], ids=lambda kind: kind.name)
def caches(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Kind, tuple[str, str]]]:
    """A server of each framework in turn, and the two caches before it."""
    program("nginx", "nginx-light")
    folder = tmp_path_factory.mktemp("nginx")
    with (
        running(request.param, f"sqlite:///{folder}/sessions.db") as server,
        nginx(folder, server.port) as urls,
    ):
        yield request.param, urls


def seen(visitor: Visitor) -> tuple[int, str | None, str | None]:
    answer = visitor.get("/api/me")
    return answer.status_code, answer.json().get("user"), answer.headers.get("x-cache")


@pytest.mark.parametrize("mode", ["cookie", "header"])
def test_each_visitor_gets_their_own_page(caches: tuple[Kind, tuple[str, str]], mode: Mode) -> None:
    """ada, bob and a stranger, twice: kept for nobody by default, and by `Vary` alone for each of them."""
    kind, urls = caches
    for url, first, second in ((urls[0], "MISS", "MISS"), (urls[1], "MISS", "HIT")):
        with client(url) as http:
            ada, bob, stranger = (Visitor(http, mode, kind.prefix) for _ in range(3))
            ada.login("ada")
            bob.login("bob")
            pages = [(200, "ada"), (200, "bob"), (401, None)]
            for expected in (first, second):
                got = [seen(visitor) for visitor in (ada, bob, stranger)]
                assert [page[:2] for page in got] == pages
                assert [page[2] for page in got[:2]] == [expected] * 2


def test_a_page_from_before_the_log_in(caches: tuple[Kind, tuple[str, str]]) -> None:
    """A refusal is not kept for the time after the log-in, nor a page for the time after it."""
    kind, urls = caches
    for url in urls:
        with client(url) as http:
            visitor = Visitor(http, "cookie", kind.prefix)
            assert visitor.get("/api/me").status_code == 401
            visitor.login("eve")
            assert visitor.get("/api/me").json()["user"] == "eve"
            visitor.sign_out()
            assert visitor.get("/api/me").status_code == 401
