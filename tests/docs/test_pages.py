"""Every Python block of the documentation runs, and does what its page says."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import importlib
import inspect
import logging
import os
import re
import runpy
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any
from unittest import mock

import httpx2
import pytest

import tests.framework.clients.django_settings
import tests.support.pyramid  # noqa: F401  its import warns
from supertokens_py import Supertokens, SupertokensConfig
from supertokens_py.audit import LOGGER_NAME
from tests.docs.azure_host import AzureHost
from tests.docs.blocks import PAGES, ROOT, Module, all_modules, files, first_module
from tests.docs.served import in_a_thread, serving
from tests.seeds.sites import django_settings

HERE = "http://localhost:8000"
COOKIE = {"st-auth-mode": "cookie"}
ASGI = ("fastapi", "starlette", "litestar", "quart", "connexion")


class Runner:
    """Runs blocks in one namespace and gives their checks a browser."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        module = sys.modules["documentation"] = ModuleType("documentation")  # Litestar looks there for types
        stack.callback(sys.modules.pop, "documentation")
        self.namespace: dict[str, Any] = vars(module)

    def run(self, module: Module) -> None:
        if module.setup is not None:
            self.run(first_module(module.setup))
        os.environ.update(module.environment)
        self.namespace |= {"browser": self.browser, "conversation": self.conversation}
        if "from connexion import" in module.parts[0][1]:
            importlib.import_module("tests.support.connexion")  # takes a second
        for line, text, _ in module.parts:
            self.run_block(module.page, line, text)

    def run_block(self, page: Path, line: int, text: str) -> None:
        """Run one block; `await` may stand outside of functions, as in a notebook."""
        source = "\n" * (line - 1) + text
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code = compile(source, str(page), "exec", flags=flags, dont_inherit=True)
        result = eval(code, self.namespace)
        if inspect.iscoroutine(result):
            asyncio.run(result)

    def conversation(
        self, ask: Callable[[Any], Any], answer: object = MappingProxyType({"user": "ada"}), app: Any = None
    ) -> None:
        """Be refused as the frontend expects, log in, ask, refresh, and ask again."""
        client = self.browser(app)
        refused = ask(client)
        assert (refused.status_code, refused.json()) == (401, {"message": "unauthorised"})
        assert refused.headers["www-authenticate"] == "Bearer"
        assert client.post("/login?user=ada").json() == {"welcome": "ada"}
        assert ask(client).json() == answer
        before = client.cookies["sAccessToken"]
        assert client.post("/auth/session/refresh").status_code == 200
        assert client.cookies["sAccessToken"] != before
        assert ask(client).json() == answer

    def browser(self, app: Any = None, **headers: str) -> httpx2.Client:
        """Return a client with cookies, of whichever framework the blocks used."""
        sent = COOKIE | {name.replace("_", "-"): value for name, value in headers.items()}
        app = app or self.namespace.get("app")
        if "urlpatterns" in self.namespace:
            from django.core.handlers.wsgi import WSGIHandler

            self._stack.enter_context(django_settings(self.namespace["urlpatterns"]))
            app = WSGIHandler()
        elif (served := serving(app)) is not None:
            url = self._stack.enter_context(in_a_thread(served))
            return self._stack.enter_context(httpx2.Client(base_url=url, headers=sent, timeout=60))
        elif type(app).__module__.partition(".")[0] in ASGI:
            from starlette.testclient import TestClient

            return self._stack.enter_context(TestClient(app, base_url=HERE, headers=sent))
        azure = type(app).__module__.partition(".")[0] == "azure"
        transport = AzureHost(app) if azure else httpx2.WSGITransport(app=app)
        return self._stack.enter_context(httpx2.Client(transport=transport, base_url=HERE, headers=sent))


#: Each module of a quick start, imports and first database included. On a laptop it is well below a second.
QUICK_START_S = 10.0


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runner]:
    """An empty directory, no app, and an environment that the block may change."""
    Supertokens.reset()
    monkeypatch.chdir(tmp_path)
    loggers = [logging.getLogger(name) for name in ("supertokens_py", LOGGER_NAME)]
    before = [(logger.level, logger.handlers[:]) for logger in loggers]
    with contextlib.ExitStack() as stack, mock.patch.dict(os.environ):
        yield Runner(stack)
    Supertokens.reset()
    for logger, (level, handlers) in zip(loggers, before, strict=True):
        logger.setLevel(level)
        logger.handlers[:] = handlers


@pytest.mark.parametrize("module", all_modules(), ids=lambda module: module.name)
def test_block(module: Module, runner: Runner, record_property: Callable[[str, object], None]) -> None:
    """A module does what its checks say; of a quick start also in the time of somebody who waits for it."""
    before = time.process_time()
    runner.run(module)
    if module.page.name.startswith("quickstart-"):
        spent = time.process_time() - before
        record_property("cpu_seconds", round(spent, 2))  # in the report of `pytest --junit-xml`
        print(f"{module.name}: {spent:.2f} s of CPU time")  # `pytest -rP` shows it
        assert spent < QUICK_START_S


@pytest.mark.parametrize(("page", "is_async"), [("quickstart-fastapi", True), ("quickstart-flask", False)])
def test_the_shape_of_vercel(page: str, is_async: bool, runner: Runner, tmp_path: Path) -> None:
    """It runs `api/index.py`; `app` there is ASGI if a call of it is a coroutine, else WSGI."""
    runner.run(first_module(page))
    index = tmp_path / "api" / "index.py"
    index.parent.mkdir()
    index.write_text("from documentation import app\n")
    app = runpy.run_path(str(index))["app"]
    assert inspect.iscoroutinefunction(type(app).__call__) is is_async
    runner.conversation(lambda client: client.get("/me"), app=app)


def test_no_python_block_is_overlooked() -> None:
    """A block that is indented, or fenced in another way, would not be run."""
    for page in PAGES:
        fences = re.findall(
            r"^[ \t]*(?:`{3,}|~{3,}|:{3,})\s*\{?(?:code-block\}\s*)?py.*$", page.read_text(), re.M
        )
        assert set(fences) <= {"```python"}, page
    ran = sum(text.count("```python\n") for text in (page.read_text() for page in PAGES))
    parts = [part for module in all_modules() for part in module.parts]
    checks = sum(page.read_text().count("<!-- check\n") for page in PAGES)
    in_files = sum(name.endswith(".py") for page in PAGES for name, _ in files(page))
    assert len(parts) == ran + checks - in_files


def test_no_page_sends_readers_to_a_repository_of_this_project() -> None:
    """Its address is not known: files are named by their path, and pages linked by their names."""
    texts = {page.name: page.read_text() for page in [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]}
    assert [name for name, text in texts.items() if re.search(r"://[^\s)]*supertokens[-_]py\b", text)] == []


def test_the_table_of_engine_settings() -> None:
    """The page holds the table itself, for those who read the files; the code says what is in it."""
    table = runpy.run_path(str(ROOT / "docs" / "settings_table.py"))["table"]()
    assert table in (ROOT / "docs" / "settings.md").read_text(), f"docs/settings.md should hold\n{table}"


def test_numbers_are_found_by_the_search() -> None:
    """Sphinx skips numbers that are no entry of the index: comments of the pages make some."""
    with_search_words = runpy.run_path(str(ROOT / "docs" / "conf.py"))["with_search_words"]
    for page, words in (("errors", "400, 403, 500, 503"), ("errors", "401"), ("questions", "401")):
        text = with_search_words((ROOT / "docs" / f"{page}.md").read_text())
        assert f"\n\n```{{index}} {words}\n```\n\n" in text
        assert "<!-- search" not in text


def test_blocks_of_the_readme() -> None:
    """Blocks with a name run in real servers (tests/examples); the others run here, `...` being the rest."""
    text = (ROOT / "README.md").read_text()
    blocks = re.findall(r"(<!-- run: [^\n]+ -->\n)?```python\n(.*?)^```", text, re.S | re.M)
    assert blocks
    settings: dict[str, Any] = {}
    for marker, block in blocks:
        if not marker:
            names = {
                "init": lambda _, **given: settings.update(given),
                "SupertokensConfig": SupertokensConfig,
            }
            exec(compile(block, "README.md", "exec", dont_inherit=True), names)
    for config in settings.values():
        assert isinstance(config, SupertokensConfig)
