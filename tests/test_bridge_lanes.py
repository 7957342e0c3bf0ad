"""Lanes: threads of their own for units of work that take long, and answers at a fixed time."""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading

import pytest

from supertokens_py.runtime.bridge import offload
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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows forks nothing")
def test_a_child_has_threads_of_its_own() -> None:
    lane = Lane("test", 1)
    assert asyncio.run(lane.offload(lambda: 1)) == 1
    child = os.fork()
    if child == 0:
        os._exit(asyncio.run(lane.offload(lambda: 7)))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
