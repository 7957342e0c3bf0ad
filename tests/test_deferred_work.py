"""What is done after an answer: by itself, in threads of its own, and never more than there is room for."""

from __future__ import annotations

import asyncio
import contextvars
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from supertokens_py.runtime import deferred_work
from supertokens_py.runtime.bridge import AppBridge, call_app, lend, offload, running_loop, step
from supertokens_py.runtime.deferred_work import DeferredWork
from tests.support.threads import no_new_threads

PLACE: contextvars.ContextVar[str] = contextvars.ContextVar("place", default="nowhere")


def start(later: DeferredWork, work: Callable[[], Any], *, size: int = 0) -> bool:
    async def wrapped() -> None:
        work()

    return later.start(wrapped, size=size)


@pytest.mark.parametrize("in_a_loop", [True, False])
def test_started_work_keeps_neither_its_caller_nor_an_event_loop(in_a_loop: bool) -> None:
    """It has the caller's context, and no loop: what blocks it, blocks nobody else."""
    later, go, done = DeferredWork("test", 1), threading.Event(), threading.Event()
    seen: list[Any] = []

    def work() -> None:
        seen.extend((PLACE.get(), running_loop()))
        assert go.wait(30)
        done.set()

    async def call() -> bool:
        PLACE.set("there")
        return start(later, work)

    if in_a_loop:
        assert asyncio.run(call())
    else:
        assert contextvars.copy_context().run(step, call())
    assert not done.is_set()
    go.set()
    assert done.wait(30)
    assert seen == ["there", None]


async def test_started_work_may_be_async_in_part() -> None:
    """Application code gets an event loop that is not the caller's, also where a framework lent a bridge."""
    later, done, here = DeferredWork("test", 1), threading.Event(), running_loop()
    found: list[Any] = []

    class Lent(AppBridge):
        def wait_for(self, result: Any) -> Any:
            raise AssertionError("the request is over")

    async def hook() -> None:
        await asyncio.sleep(0)
        found.append(running_loop())

    async def work() -> None:
        await call_app(hook)
        done.set()

    lend(Lent())
    assert later.start(work)
    assert await offload(done.wait, 30)
    assert found[0] not in (None, here)


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """In number and in memory; what has been done makes room."""
    monkeypatch.setattr(deferred_work, "MOST_WAITING", 3)
    monkeypatch.setattr(deferred_work, "MOST_WAITING_BYTES", 100)
    later, go, done = DeferredWork("test", 1), threading.Event(), threading.Semaphore(0)

    def work() -> None:
        assert go.wait(30)
        done.release()

    assert [start(later, work, size=60), start(later, work, size=60)] == [True, False]
    assert [start(later, work, size=20) for _ in range(3)] == [True, True, False]
    go.set()
    assert [done.acquire(timeout=30) for _ in range(3)] == [True] * 3
    assert later.wait(30)
    assert [start(later, work, size=100), start(later, work, size=101)] == [True, False]


def test_what_no_thread_can_be_started_for_is_refused() -> None:
    """It is refused at once, and a thread is started as soon as there is room for one."""
    later, go, done = DeferredWork("test", 2), threading.Event(), threading.Semaphore(0)

    def work() -> None:
        assert go.wait(30)
        done.release()

    with no_new_threads():
        assert [start(later, work, size=60) for _ in range(3)] == [False] * 3
        assert later.wait(0)
    assert start(later, work)
    with no_new_threads():
        assert start(later, work)  # by the one that there is
    assert start(later, work)
    go.set()
    assert [done.acquire(timeout=30) for _ in range(3)] == [True] * 3
    assert later.wait(30)


def test_a_process_that_ends_does_what_is_left_but_not_for_long() -> None:
    """A mail server that is silent must not keep a process that is to be replaced."""
    program = """
import threading, time
from supertokens_py.runtime import deferred_work
from supertokens_py.runtime.deferred_work import DeferredWork
from tests.support.threads import no_new_threads
def work(what):
    async def wrapped():
        print(what.__name__ + chr(10), end="", flush=True)
        what()
    return wrapped
def quick(): pass
begun = threading.Event()
def forever():
    begun.set()
    threading.Event().wait()
deferred_work.LAST_SECONDS = 60
early = DeferredWork("test", 1)
for _ in range(3): early.start(work(quick))
deferred_work.LAST_SECONDS = 0.1
late = DeferredWork("test", 1)
late.start(work(forever))
begun.wait()
late.start(work(quick))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.split()) == ["forever", *["quick"] * 3]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows forks nothing")
def test_a_child_begins_anew() -> None:
    later, done = DeferredWork("test", 1), threading.Event()
    assert start(later, done.set)
    assert done.wait(30)
    child = os.fork()
    if child == 0:
        here = threading.Event()
        started = start(later, here.set)
        os._exit(7 if started and here.wait(30) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
