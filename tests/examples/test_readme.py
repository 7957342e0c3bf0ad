"""What the README shows runs as it stands there, in real server processes."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.examples.documents import ROOT, block, run_shell, venv_environment
from tests.servers.harness import Kind, Server, gunicorn, launched, running, uvicorn
from tests.servers.visitor import Visitor
from tests.support.ports import free_port

README = ROOT / "README.md"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("example_apps/*.md"), *ROOT.glob("example_apps/*/*.md")])


@contextlib.contextmanager
def started(name: str, folder: Path, command: tuple[str, ...]) -> Iterator[Server]:
    """Run an application in `folder` with no setting at all: the database is a file there."""
    kind = Kind(name, folder, command)
    with launched(kind) as server:
        yield server
    assert (folder / "supertokens.db").exists()


def log_in_and_ask(server: Server) -> None:
    """Have the conversation that each of the three beginnings supports."""
    with server.client() as http:
        visitor = Visitor(http, "cookie")
        assert visitor.get("/me").status_code == 401
        answer = visitor.send("POST", "/login?user=ada")
        assert (answer.status_code, answer.json()) == (200, {"welcome": "ada"})
        assert visitor.get("/me").json() == {"user": "ada"}
        assert visitor.refresh().status_code == 200
        assert visitor.get("/me").json() == {"user": "ada"}
        assert visitor.sign_out().json() == {"status": "OK"}
        assert visitor.access == ""


@pytest.mark.quick
def test_the_fastapi_beginning(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(block(README, "fastapi main.py"))
    with started("readme-fastapi", tmp_path, uvicorn("main:app")) as server:
        log_in_and_ask(server)


def test_the_frontend_on_another_origin(tmp_path: Path) -> None:
    """The preflight is answered and the tokens can be read by the page of the other origin."""
    text = block(README, "fastapi main.py") + block(README, "fastapi main.py more")
    (tmp_path / "main.py").write_text(text)
    origin = {"origin": "http://localhost:3000"}
    with started("readme-cors", tmp_path, uvicorn("main:app")) as server, server.client() as http:
        wanted = "content-type,fdi-version,rid,st-auth-mode,authorization,anti-csrf"
        asked = {"access-control-request-method": "POST", "access-control-request-headers": wanted}
        preflight = http.options("/auth/session/refresh", headers=origin | asked)
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == origin["origin"]
        for path, status in (("/login?user=ada", 200), ("/auth/session/refresh", 401)):
            answer = http.post(path, headers=origin | {"rid": "session", "st-auth-mode": "header"})
            assert answer.status_code == status
            assert answer.headers["access-control-allow-origin"] == origin["origin"]
            assert answer.headers["access-control-allow-credentials"] == "true"
            assert "front-token" in answer.headers["access-control-expose-headers"]


@pytest.mark.quick
def test_the_flask_beginning(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(block(README, "flask app.py"))
    with started("readme-flask", tmp_path, gunicorn("app:app")) as server:
        log_in_and_ask(server)


@pytest.mark.quick
@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_the_django_beginning(tmp_path: Path, interface: str) -> None:
    """The README's settings and views inside a project that has nothing else."""
    site = tmp_path / "site_"
    site.mkdir()
    settings = block(README, "django settings.py")
    settings += "\nSECRET_KEY = 'x' * 50\nALLOWED_HOSTS = ['*']\nROOT_URLCONF = 'site_.urls'\n"
    (site / "settings.py").write_text(settings)
    (site / "views.py").write_text(block(README, "django views.py"))
    (site / "urls.py").write_text(
        "from django.urls import path\nfrom site_ import views\n"
        "urlpatterns = [path('login', views.login), path('me', views.me)]\n"
    )
    (tmp_path / "run.py").write_text(
        "import os\nos.environ['DJANGO_SETTINGS_MODULE'] = 'site_.settings'\n"
        f"from django.core.{interface} import get_{interface}_application as make\napplication = make()\n"
    )
    asgi = uvicorn("run:application", "--lifespan", "off")
    command = asgi if interface == "asgi" else gunicorn("run:application")
    with started("readme-django", tmp_path, command) as server:
        log_in_and_ask(server)


@pytest.mark.quick
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_inside_the_repository_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


# -- scripts/demo ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('demo')}/demo.db"


@pytest.fixture(scope="module")
def demo(database: str) -> Iterator[Server]:
    """Run `scripts/demo`, which finds its environment ready, on a free port."""
    port = free_port()
    kind = Kind("demo", ROOT, ("scripts/demo", "--port", str(port)))
    short = {"SUPERTOKENS_REFRESH_TOKEN_ROTATION_GRACE_PERIOD": "1"}
    with running(kind, database, venv_environment() | short, port=port) as server:
        yield server


def test_the_demo_serves_its_page_and_says_where(demo: Server) -> None:
    printed = demo.logs()
    assert f"http://localhost:{demo.port}" in printed
    assert "demo.db" in printed
    with demo.client() as http:
        assert "<title>" in http.get("/").text
        for name, kind in (("page.js", "javascript"), ("client.js", "javascript"), ("page.css", "text/css")):
            assert kind in http.get(f"/{name}").headers["content-type"]


def test_the_curl_lines_of_the_demo(demo: Server, tmp_path: Path) -> None:
    printed = run_shell(block(README, "demo"), tmp_path, demo.port)
    for expected in ('{"user":"ada"}', '"visits":0', '{"visits":1}', '{}\n{"status":"OK"}'):
        assert expected in printed


def test_the_command_line(demo: Server, database: str, tmp_path: Path) -> None:
    """Doctor, sessions and keys, beside the running demo."""
    with demo.client() as http:
        assert Visitor(http).login("ada").status_code == 200
    environ = {"SUPERTOKENS_CONNECTION_URI": database}
    printed = run_shell(block(README, "command line"), tmp_path, demo.port, environ=environ)
    assert "ok" in printed
    assert "public" in printed
    assert "dynamic" in printed


def test_the_curl_lines_that_the_demo_prints(demo: Server, tmp_path: Path) -> None:
    lines = [line for line in demo.logs().splitlines() if line.strip().startswith("curl")]
    assert len(lines) == 5
    assert run_shell("\n".join(lines), tmp_path, demo.port).endswith('{}{"status":"OK"}')


def test_the_curl_lines_of_the_theft(demo: Server, tmp_path: Path) -> None:
    text = block(README, "theft").replace("sleep 6", "sleep 1.2")  # the demo above forgives for 1 s
    printed = run_shell(text, tmp_path, demo.port, fail_on_errors=False)
    assert printed.endswith('{"message":"token theft detected"}{"message":"unauthorised"}')


def test_a_taken_port_is_explained(demo: Server) -> None:
    """The second demo says what is wrong and what to do instead of a traceback."""
    kind = Kind("second", ROOT, ("scripts/demo", "--port", str(demo.port)))
    with pytest.raises(AssertionError) as failure, running(kind, "sqlite://", venv_environment(), port=1):
        pass
    assert "Cannot listen on" in str(failure.value)
    assert "scripts/demo --port" in str(failure.value)
    assert "Traceback" not in str(failure.value)
