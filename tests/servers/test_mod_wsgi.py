"""Flask and Django in Apache, by mod_wsgi: daemon processes with threads."""

from __future__ import annotations

import os
import signal
import site
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from tests.servers.harness import client
from tests.servers.test_uwsgi import conversation
from tests.support.ports import free_port
from tests.support.programs import missing, program

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]  # a start of Apache, twice an import

ROOT = Path(__file__).parents[2]
MODULES = Path("/usr/lib/apache2/modules")
WSGI = MODULES / f"mod_wsgi.so-{sys.version_info[0]}.{sys.version_info[1]}"
CONFIGURATION = """
ServerRoot {folder}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {folder}/pid
ErrorLog {folder}/error.log
Mutex file:{folder}
{user}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule wsgi_module {wsgi}
WSGISocketPrefix {folder}/wsgi
WSGIDaemonProcess shop processes=2 threads=4 python-path={path}
WSGIProcessGroup shop
WSGIApplicationGroup %{{GLOBAL}}
WSGIPassAuthorization {authorization}
WSGIScriptAlias / {folder}/shop.wsgi
<Directory {folder}>
  Require all granted
</Directory>
"""


def readable_for_all(path: Path) -> bool:
    """Return whether any user may enter a folder."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


@contextmanager
def apache(app: str, authorization: str = "On") -> Iterator[str]:
    """Run an application of `uwsgi_apps`, on an SQLite file of its own; yield its address."""
    command = program("apache2")
    if not WSGI.exists():
        missing(f"this test needs {WSGI} (Debian: apt-get install libapache2-mod-wsgi-py3)")
    as_root = os.geteuid() == 0  # mod_wsgi refuses to run applications as root
    if as_root and not all(map(readable_for_all, (ROOT, Path(httpx2.__file__).parent))):
        pytest.skip("applications in Apache do not run as root, and no other user can read this folder")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as made:
        folder = Path(made)
        folder.chmod(0o777)
        port = free_port()
        (folder / "shop.wsgi").write_text(f"from tests.servers.uwsgi_apps import {app} as application\n")
        (folder / "httpd.conf").write_text(
            CONFIGURATION.format(
                folder=folder,
                port=port,
                user="User www-data\nGroup www-data" if as_root else "",
                modules=MODULES,
                wsgi=WSGI,
                path=":".join([str(ROOT), *site.getsitepackages()]),
                authorization=authorization,
            )
        )
        environ = os.environ | {"SUPERTOKENS_CONNECTION_URI": f"sqlite:///{folder}/sessions.db"}
        process = subprocess.Popen(
            [command, "-D", "FOREGROUND", "-f", str(folder / "httpd.conf")],
            env=environ,
            start_new_session=True,
        )
        try:
            deadline = time.monotonic() + 60
            while True:
                with suppress(httpx2.HTTPError), client(f"http://127.0.0.1:{port}") as http:
                    http.get("/none")
                    break
                assert process.poll() is None, (folder / "error.log").read_text()
                assert time.monotonic() < deadline, (folder / "error.log").read_text()
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)


@pytest.mark.parametrize("app", ["flask_app", "django_app"])
def test_conversations_in_daemon_processes(app: str) -> None:
    """Each answer is right and of the right user, whichever process it comes from."""
    with apache(app) as address, ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda number: conversation(address, number), range(12)))
    assert [text for wrong, _ in results for text in wrong] == []


def test_apache_keeps_bearer_tokens_to_itself() -> None:
    """Unless it is told to pass them on: `WSGIPassAuthorization On`."""
    with apache("flask_app", authorization="Off") as address, client(address) as http:
        signed_in = http.post("/login", json={"user": "ada"}, headers={"st-auth-mode": "header"})
        bearer = {"authorization": f"Bearer {signed_in.headers['st-access-token']}"}
        refused = http.get("/me", headers=bearer)
        assert (refused.status_code, refused.json()) == (401, {"message": "unauthorised"})
        signed_in = http.post("/login", json={"user": "ada"}, headers={"st-auth-mode": "cookie"})
        cookie = signed_in.headers.get_list("set-cookie")
        pairs = "; ".join(line.partition(";")[0] for line in cookie)
        assert http.get("/me", headers={"cookie": pairs}).json()["user"] == "ada"
