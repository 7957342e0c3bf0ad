"""Dedicated thread pools for slow work, and answers at a fixed time."""

from __future__ import annotations

import asyncio
import contextvars
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from supertokens_py.exceptions import TooBusyError
from supertokens_py.runtime import dedicated_pools, workers
from supertokens_py.runtime.bridge import offload
from supertokens_py.runtime.dedicated_pools import DedicatedPool
from tests.support.threads import no_new_threads

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


@pytest.mark.parametrize("busy", [0, 1, 2], ids=["first thread", "second thread", "no thread needed"])
async def test_work_that_no_thread_can_be_started_for_is_refused_for_good(busy: int) -> None:
    """It is never run, and the bound of what may wait stays what it was, however often that happens."""
    pool, go, ran = DedicatedPool("test", 2), threading.Event(), list[int]()
    working = [asyncio.create_task(pool.offload(go.wait, 30)) for _ in range(busy)]
    await asyncio.sleep(0)
    with no_new_threads():
        for n in range(5):
            if busy < 2:
                with pytest.raises(RuntimeError, match="can't start new thread"):
                    await pool.offload_within(3, ran.append, n)
            else:
                working.append(asyncio.create_task(pool.offload(go.wait, 30)))
                await asyncio.sleep(0)
    assert pool.inside == len(working)
    go.set()
    assert await asyncio.gather(*working) == [True] * len(working)
    assert await asyncio.gather(*(pool.offload(lambda: 1) for _ in range(3))) == [1] * 3
    assert (ran, pool.inside) == ([], 0)
    go.clear()
    many = [asyncio.create_task(pool.offload_within(3, go.wait, 30)) for _ in range(5)]
    done, _ = await asyncio.wait(many[3:])
    assert [type(one.exception()) for one in done] == [TooBusyError] * 2
    go.set()
    assert await asyncio.gather(*many[:3]) == [True] * 3


async def test_a_refusal_that_comes_too_late_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that had just become free took the unit before the other one could not start."""
    first, second = threading.Event(), threading.Event()
    begins: list[threading.Event] = []

    class Overtaken(ThreadPoolExecutor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            begun = begins.pop(0)
            super().submit(fn, *args, **kwargs)
            assert begun.wait(30)
            raise RuntimeError("can't start new thread")

    def nested() -> None:
        first.set()
        threads.submit(inner)  # to the other threads: the preferred one is busy

    for module in (dedicated_pools, workers):
        monkeypatch.setattr(module, "ThreadPoolExecutor", Overtaken)
    pool, threads, loop = DedicatedPool("test", 1), workers.Workers(), asyncio.get_running_loop()
    begins.append(first)
    await pool.offload(first.set)
    assert pool.inside == 0
    for _ in range(2):
        begins += [first, second]
        for begun in begins:
            begun.clear()
        inner, outer = workers.Unit(loop, second.set), workers.Unit(loop, nested)
        outcomes = outer.outcome, inner.outcome
        threads.submit(outer)
        await asyncio.gather(*outcomes)
        assert second.is_set()


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
@pytest.mark.parametrize("platform", ["linux", "darwin"])
async def test_threads_give_way_to_others(
    monkeypatch: pytest.MonkeyPatch, low_priority: bool, platform: str
) -> None:
    """Hashes leave the processor to requests that want it, too: this thread keeps its priority."""

    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    own = priority()
    monkeypatch.setattr(sys, "platform", platform)
    pool = DedicatedPool("test", 1, low_priority=low_priority)
    gives_way = low_priority and platform == "linux"
    assert await pool.offload(priority) == (min(19, own + 10) if gives_way else own)
    assert priority() == own
