"""A fork that Python does not see (uWSGI in its default mode, some daemonizers): nothing is shared."""

from __future__ import annotations

import os
import subprocess
import sys
import types

import pytest

from supertokens_py.engine.embedded.background import BackgroundThread
from supertokens_py.runtime import fork_hooks
from supertokens_py.server import create_app
from tests.engine.conftest import Opener
from tests.engine.remote.conftest import Host
from tests.support.databases import TestDatabase

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


def printed(*arguments: str) -> str:
    command = [sys.executable, "-m", "tests.engine.forked_in_c", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def test_children_of_a_fork_in_c_share_no_connection(shared_database: TestDatabase):
    """Each gets its own sessions, blocking and async; the end of a child closes nothing of the parent."""
    assert printed(shared_database.uri) == "done\n"


def test_children_of_a_fork_in_c_share_no_connection_to_a_core(sqlite_database: TestDatabase, start: Opener):
    """A response on a shared connection would be the session of another user."""
    host = Host()
    host.app = create_app(start(sqlite_database.uri).engine, allow_no_api_key=True)
    host.start()
    try:
        assert printed(host.address) == "done\n"
    finally:
        host.stop()


def test_a_file_in_use_during_a_fork_in_c_is_refused(sqlite_database: TestDatabase):
    """SQLite would believe in locks that the process does not have; the message says what to do."""
    lines = printed(sqlite_database.uri, "busy").splitlines()
    assert lines[-1] == "done"
    assert len(lines) == 5
    assert {line.partition(":")[0] for line in lines[:-1]} == {"EngineUnavailableError"}
    assert all("lazy-apps" in line for line in lines[:-1])


@pytest.mark.parametrize(
    ("options", "worker", "expected"),
    [
        ({}, 1, False),
        ({"enable-threads": True}, 1, True),
        ({b"enable-threads": True}, 1, True),
        ({"threads": b"4"}, 2, True),
        ({"threads": "1"}, 2, False),
        ({"gevent": b"100"}, 1, True),
        ({"enable-threads": True}, 0, False),
    ],
)
def test_threads_that_would_stop_are_not_started(
    options: dict[object, object], worker: int, expected: bool, monkeypatch: pytest.MonkeyPatch
):
    """uWSGI keeps the interpreter's lock in its master process, and in workers without enable-threads."""
    uwsgi = types.SimpleNamespace(opt=options, worker_id=lambda: worker)
    monkeypatch.setitem(sys.modules, "uwsgi", uwsgi)  # type: ignore[arg-type]
    assert fork_hooks.background_threads_run() is expected


def test_nor_are_they_on_aws_lambda(monkeypatch: pytest.MonkeyPatch):
    """It freezes a process between invocations."""
    assert fork_hooks.background_threads_run()
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "shop")
    assert not fork_hooks.background_threads_run()


def test_work_is_done_at_once_where_threads_would_stop(monkeypatch: pytest.MonkeyPatch):
    """Activity is recorded and expired rows are deleted there, too: by the requests, every two seconds."""
    uwsgi = types.SimpleNamespace(opt={}, worker_id=lambda: 1)
    monkeypatch.setitem(sys.modules, "uwsgi", uwsgi)  # type: ignore[arg-type]
    done: list[str] = []
    keeper = BackgroundThread(flush=lambda: done.append("flush"), clean_up=lambda: None, clean_up_every_s=0)
    keeper.wake()
    keeper.wake()
    assert done == ["flush"]
    uwsgi.worker_id = lambda: 0
    keeper = BackgroundThread(flush=lambda: done.append("master"), clean_up=lambda: None, clean_up_every_s=0)
    keeper.wake()
    assert done == ["flush"]


def test_a_hook_of_the_application_is_kept(monkeypatch: pytest.MonkeyPatch):
    """uWSGI has one hook for its forks, which the application may have taken."""
    called: list[str] = []
    uwsgi = types.SimpleNamespace(post_fork_hook=lambda: called.append("application"))
    monkeypatch.setitem(sys.modules, "uwsgi", uwsgi)  # type: ignore[arg-type]
    fork_hooks.join_uwsgi()
    uwsgi.post_fork_hook()
    assert called == ["application"]


def test_a_worker_of_uwsgi_is_reset_without_a_hook_of_the_application(monkeypatch: pytest.MonkeyPatch):
    reset: list[str] = []

    class Member(fork_hooks.ForkAware):
        def after_fork_in_child(self) -> None:
            reset.append("member")

    member = Member()
    fork_hooks.register(member)
    uwsgi = types.SimpleNamespace()
    monkeypatch.setitem(sys.modules, "uwsgi", uwsgi)  # type: ignore[arg-type]
    fork_hooks.join_uwsgi()
    uwsgi.post_fork_hook()
    assert reset == []  # no fork
    process = os.getpid()
    ids = iter([process + 1, process])  # as another thread has reset it meanwhile
    with monkeypatch.context() as patch:
        patch.setattr(fork_hooks.os, "getpid", lambda: next(ids))
        uwsgi.post_fork_hook()
    assert reset == []
