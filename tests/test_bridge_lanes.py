"""Lanes: threads of their own for units of work that take long, and answers at a fixed time."""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
import time

import pytest

from supertokens_py.runtime.bridge import offload, running_loop
from supertokens_py.runtime.lanes import Lane

PLACE: contextvars.ContextVar[str] = contextvars.ContextVar("place", default="nowhere")


def test_a_blocking_caller_does_the_work_itself() -> None:
    lane = Lane("test", 1)
    coroutine = lane.offload(threading.current_thread)
    with pytest.raises(StopIteration) as done:
        coroutine.send(None)
    assert done.value.value is threading.current_thread()


async def test_long_work_leaves_the_other_threads_alone() -> None:
    """Sixteen units fill the threads that everything else uses; those of a lane wait for each other only."""
    lane, go, started = Lane("test", 2), threading.Event(), threading.Semaphore(0)

    def long() -> str:
        started.release()
        assert go.wait(30)
        return threading.current_thread().name

    tasks = [asyncio.create_task(lane.offload(long)) for _ in range(20)]
    for _ in range(2):
        assert await offload(started.acquire, timeout=30)
    assert await offload(lambda: "short") == "short"
    assert not started.acquire(blocking=False)  # eighteen wait for the two
    go.set()
    names = await asyncio.gather(*tasks)
    assert {name.rpartition("_")[0] for name in names} == {"supertokens-test"}


async def test_errors_and_context_variables_go_through() -> None:
    lane = Lane("test", 1)
    PLACE.set("here")
    assert await lane.offload(PLACE.get) == "here"
    with pytest.raises(ZeroDivisionError):
        await lane.offload(lambda: 1 // 0)


async def test_an_answer_comes_at_its_time_and_the_work_goes_on() -> None:
    """On the loop of the caller, which is what async hooks need."""
    lane, done, loop = Lane("test", 1), asyncio.Event(), running_loop()
    go = asyncio.Event()

    async def work() -> None:
        assert running_loop() is loop
        await go.wait()
        done.set()

    started = time.monotonic()
    await lane.within(0.05, work)
    assert time.monotonic() - started >= 0.05
    assert not done.is_set()
    go.set()
    await asyncio.wait_for(done.wait(), 30)


def test_a_blocking_answer_comes_at_its_time_too() -> None:
    """In a thread, with the context of the caller."""
    lane, go, done = Lane("test", 1), threading.Event(), threading.Event()
    seen: list[str] = []

    async def work() -> None:
        seen.append(PLACE.get())
        assert go.wait(30)
        done.set()

    def call() -> None:
        PLACE.set("there")
        with pytest.raises(StopIteration):
            lane.within(0.05, work).send(None)

    started = time.monotonic()
    contextvars.copy_context().run(call)
    assert time.monotonic() - started >= 0.05
    assert not done.is_set()
    go.set()
    assert done.wait(30)
    assert seen == ["there"]


def test_work_that_is_quick_changes_nothing() -> None:
    lane, done = Lane("test", 1), threading.Event()

    async def work() -> None:
        done.set()

    started = time.monotonic()
    with pytest.raises(StopIteration):
        lane.within(0.05, work).send(None)
    assert time.monotonic() - started >= 0.05
    assert done.wait(30)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows forks nothing")
def test_a_child_has_threads_of_its_own() -> None:
    lane = Lane("test", 1)
    assert asyncio.run(lane.offload(lambda: 1)) == 1
    child = os.fork()
    if child == 0:
        os._exit(asyncio.run(lane.offload(lambda: 7)))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
