"""A process that used the engine and then forks: as gunicorn with `--preload`, or a daemon."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig
from supertokens_py.engine.interface import Engine
from supertokens_py.recipe import session
from supertokens_py.recipe.usermetadata.recipe import UserMetadataRecipe
from tests.engine.conftest import EVERY_KIND, Opener
from tests.engine.driver import Driver
from tests.engine.test_background import IMPATIENT, background_threads
from tests.support.clock import Clock
from tests.support.databases import TestDatabase
from tests.support.forks import fork, in_child

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


@EVERY_KIND
def test_a_child_goes_on_with_the_same_engine(database: TestDatabase, start: Opener, clock: Clock):
    """Connections, locks and threads are its own; keys and sessions are the same."""
    core = start(database.uri, now_ms=clock)
    session = core.create()

    def work() -> str:
        refreshed = core.refresh(session)
        core.create("child")
        return refreshed.refresh_token.text

    text = in_child(work)
    assert text.endswith(".V2"), text
    assert core.refresh(session).refresh_token.text == text
    handles = core.sessions.user_handles("child", tenant_id=None)
    assert len(handles) == (0 if database.kind == "sqlite-memory" else 1)
    assert in_child(lambda: core.refresh(session).refresh_token.text) == text


def test_an_engine_that_was_never_used_forks_as_well(shared_database: TestDatabase, start: Opener):
    """The usual pre-forking server: `init` before, the first request after."""
    core = start(shared_database.uri)
    texts = [in_child(lambda: core.create().refresh_token.text) for _ in range(2)]
    assert len({core.refresh(text).handle for text in texts}) == 2


def test_a_fork_waits_for_a_thread_that_opens_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The first request of a server that forks then: the child has an engine as well."""
    app = Supertokens(
        InputAppInfo(app_name="a", api_domain="http://localhost", website_domain="http://localhost"),
        framework=None,
        supertokens_config=SupertokensConfig(f"sqlite:///{tmp_path}/sessions.db"),
        recipe_list=[session.init()],
    )
    opening, slowly = threading.Event(), app.open_engine

    def open_engine() -> Engine:
        opening.set()
        time.sleep(0.2)
        return slowly()

    monkeypatch.setattr(app, "open_engine", open_engine)
    thread = threading.Thread(target=lambda: app.engine)
    thread.start()
    assert opening.wait(40)
    assert in_child(lambda: len(app.engine.keys.jwks().keys)) == "2"
    thread.join()
    with ThreadPoolExecutor(1) as other:  # and the parent goes on, in every thread
        assert other.submit(app.recipe, UserMetadataRecipe).result(40) is not None
    app.close()


def test_a_fork_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A thread that is stuck while it opens the engine holds up neither the child nor the parent."""
    monkeypatch.setattr("supertokens_py.app._FORK_TIMEOUT_S", 0.01)
    app = Supertokens(
        InputAppInfo(app_name="a", api_domain="http://localhost", website_domain="http://localhost"),
        framework=None,
        supertokens_config=SupertokensConfig(f"sqlite:///{tmp_path}/sessions.db"),
        recipe_list=[session.init()],
    )
    holding, done = threading.Event(), threading.Event()

    opened = app.open_engine

    def open_engine() -> Engine:
        if not holding.is_set():
            holding.set()
            done.wait(40)
        return opened()

    monkeypatch.setattr(app, "open_engine", open_engine)
    stuck = threading.Thread(target=lambda: app.engine)
    stuck.start()
    assert holding.wait(40)
    assert in_child(lambda: len(app.engine.keys.jwks().keys)) == "2"
    assert stuck.is_alive()
    done.set()
    stuck.join()
    assert len(app.engine.keys.jwks().keys) == 2
    app.close()


def test_a_fork_waits_for_running_units(shared_database: TestDatabase, start: Opener, clock: Clock):
    """A busy parent: no lock is copied while it is held, in four forks under load."""
    core = start(shared_database.uri, sqlite_synchronous="NORMAL", now_ms=clock)  # grace does not end
    session = core.create()
    stop = threading.Event()
    errors: list[BaseException] = []

    def load() -> None:
        try:
            while not stop.is_set():
                core.refresh(core.create("load"))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(4):
            assert in_child(lambda: core.refresh(session).handle) == session.handle
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert errors == []


def test_a_daemon_whose_parent_ends(sqlite_database: TestDatabase, start: Opener):
    """The parent's end must not take the child's write-ahead log away: what it wrote is there."""
    core = start(sqlite_database.uri)
    core.create()
    reading, writing = os.pipe()
    parent = fork()
    if parent == 0:
        core.create("middle")
        middle = os.getpid()
        if fork() == 0:
            with suppress(BaseException):
                core.create("daemon")
                while os.getppid() == middle:  # until something else adopts this process
                    time.sleep(0.02)
                core.create("daemon")
            core.close()
            os.write(writing, b"x")
            os._exit(0)
        core.close()  # what a normal exit of the interpreter does
        os._exit(0)
    os.close(writing)
    os.waitpid(parent, 0)
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read() == b"x"
    assert len(core.sessions.user_handles("daemon", tenant_id=None)) == 2
    assert sqlite_database.query("PRAGMA integrity_check") == [("ok",)]


def test_the_child_starts_its_own_background_thread(shared_database: TestDatabase, start: Opener):
    """Threads do not survive a fork; activity of a child is still written, and that of the parent as well."""
    core: Driver = start(shared_database.uri, pace=IMPATIENT)
    core.create("parent")
    assert background_threads()

    def work() -> None:
        assert background_threads() == set()
        core.create("child")
        assert background_threads()
        core.close()

    assert in_child(work) == "None"
    core.close()
    assert core.users.count_active(0) == 2
