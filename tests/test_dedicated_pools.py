"""Dedicated thread pools for slow work, and answers at a fixed time."""

from __future__ import annotations

import asyncio
import contextvars
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from supertokens_py.exceptions import TooBusyError
from supertokens_py.runtime.bridge import offload
from supertokens_py.runtime.dedicated_pools import DedicatedPool

PLACE: contextvars.ContextVar[str] = contextvars.ContextVar("place", default="nowhere")


def test_a_blocking_caller_does_the_work_itself() -> None:
    pool = DedicatedPool("test", 1)
    coroutine = pool.offload(threading.current_thread)
    with pytest.raises(StopIteration) as done:
        coroutine.send(None)
    assert done.value.value is threading.current_thread()


async def test_long_work_leaves_the_other_threads_alone() -> None:
    """Sixteen units fill the threads that everything else uses; those of a pool wait for each other only."""
    pool, go, started = DedicatedPool("test", 2), threading.Event(), threading.Semaphore(0)

    def long() -> str:
        started.release()
        assert go.wait(30)
        return threading.current_thread().name

    tasks = [asyncio.create_task(pool.offload(long)) for _ in range(20)]
    for _ in range(2):
        assert await offload(started.acquire, timeout=30)
    assert await offload(lambda: "short") == "short"
    assert not started.acquire(blocking=False)  # eighteen wait for the two
    go.set()
    names = await asyncio.gather(*tasks)
    assert {name.rpartition("_")[0] for name in names} == {"supertokens-test"}


async def test_no_more_wait_than_there_is_room_for() -> None:
    """Of forty, three run or wait; the others are told at once, and there is room again afterwards."""
    pool, go, started = DedicatedPool("test", 1), threading.Event(), threading.Event()

    def long() -> str:
        started.set()
        assert go.wait(30)
        return "done"

    tasks = [asyncio.create_task(pool.offload_within(3, long)) for _ in range(40)]
    assert await offload(started.wait, 30)
    unbounded = asyncio.create_task(pool.offload(long))
    done, _ = await asyncio.wait(tasks[3:])
    refusals = [task.exception() for task in done]
    assert {type(error) for error in refusals} == {TooBusyError}
    assert str(refusals[0]).endswith("Please try again in 10 seconds")
    go.set()
    assert await asyncio.gather(*tasks[:3], unbounded) == ["done"] * 4
    assert await pool.offload_within(1, long) == "done"


def test_blocking_callers_wait_for_the_same_room() -> None:
    """Each in a thread of its own, as those of a WSGI server; one that fails leaves its place, too."""
    pool, go, inside = DedicatedPool("test", 1), threading.Event(), threading.Semaphore(0)

    def long() -> None:
        inside.release()
        assert go.wait(30)
        raise ZeroDivisionError

    def call(_: int) -> str:
        try:
            pool.offload_within(4, long).send(None)
        except (TooBusyError, ZeroDivisionError) as error:
            return type(error).__name__
        raise AssertionError

    with ThreadPoolExecutor(4) as threads:
        first = threads.map(call, range(4))
        for _ in range(4):
            assert inside.acquire(timeout=30)
        assert [call(n) for n in range(8)] == ["TooBusyError"] * 8
        go.set()
        assert list(first) == ["ZeroDivisionError"] * 4
    assert call(0) == "ZeroDivisionError"


async def test_a_caller_who_goes_away_leaves_its_place() -> None:
    pool, go, started = DedicatedPool("test", 1), threading.Event(), threading.Event()

    def long() -> bool:
        started.set()
        return go.wait(30)

    first = asyncio.create_task(pool.offload(long))
    assert await offload(started.wait, 30)
    gone = asyncio.create_task(pool.offload_within(2, long))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    go.set()
    assert await first
    assert await pool.offload(lambda: True)  # after the one that was cancelled
    assert await pool.offload_within(1, lambda: True)


async def test_errors_and_context_variables_go_through() -> None:
    pool = DedicatedPool("test", 1)
    PLACE.set("here")
    assert await pool.offload(PLACE.get) == "here"
    with pytest.raises(ZeroDivisionError):
        await pool.offload(lambda: 1 // 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows forks nothing")
def test_a_child_has_threads_of_its_own() -> None:
    pool = DedicatedPool("test", 1)
    assert asyncio.run(pool.offload(lambda: 1)) == 1
    child = os.fork()
    if child == 0:
        os._exit(asyncio.run(pool.offload(lambda: 7)))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


@pytest.mark.skipif(sys.platform != "linux", reason="priorities of single threads are Linux's")
@pytest.mark.parametrize("low_priority", [True, False])
async def test_threads_give_way_to_others(low_priority: bool) -> None:
    """Hashes leave the processor to requests that want it, too: this thread keeps its priority."""

    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    own = priority()
    pool = DedicatedPool("test", 1, low_priority=low_priority)
    assert await pool.offload(priority) == (min(19, own + 10) if low_priority else own)
    assert priority() == own
