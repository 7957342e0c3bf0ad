"""Where blocking and async callers meet."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import inspect
import os
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from supertokens_py.runtime import bridge, workers
from supertokens_py.runtime.bridge import blocking, call_app, offload, running_loop, step

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


@pytest.fixture(autouse=True)
def _no_framework(monkeypatch: pytest.MonkeyPatch) -> None:
    """No framework has lent its bridge to this thread, as those of other tests may have."""
    monkeypatch.setattr(bridge, "_lent", contextvars.ContextVar("lent", default=None))


def where() -> int:
    return threading.get_ident()


async def offloaded_where() -> int:
    return await offload(where)


def test_offload_runs_inline_for_blocking_callers() -> None:
    """No thread is involved."""
    assert blocking(offloaded_where)() == threading.get_ident()


async def test_offload_runs_in_our_threads_under_a_loop() -> None:
    """The loop's thread stays free."""
    assert await offload(where) != threading.get_ident()
    name = await offload(lambda: threading.current_thread().name)
    assert name.startswith("supertokens")


async def test_offload_carries_context_variables() -> None:
    """What the caller set is seen inside; what the unit sets stays inside."""
    token = variable.set("mine")

    def work() -> str:
        seen = variable.get()
        variable.set("theirs")
        return seen

    assert await offload(work) == "mine"
    assert variable.get() == "mine"
    variable.reset(token)


async def test_offload_passes_arguments_and_errors() -> None:
    """As a plain call would."""

    def divide(a: int, *, by: int) -> float:
        return a / by

    assert await offload(divide, 6, by=3) == 2
    with pytest.raises(ZeroDivisionError):
        await offload(divide, 6, by=0)


async def test_a_cancelled_caller_does_not_stop_the_unit() -> None:
    """A unit commits or rolls back by itself."""
    started, finish, done = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        finish.wait(40)
        done.set()

    task = asyncio.create_task(offload(work))
    await asyncio.to_thread(started.wait, 40)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    finish.set()
    assert await asyncio.to_thread(done.wait, 40)


async def hook_async(value: int) -> int:
    await asyncio.sleep(0)
    return value + 1


def test_call_app_lends_a_loop_to_blocking_callers() -> None:
    """An async hook that really suspends works from blocking code, and no loop is left running."""

    async def core() -> int:
        return await call_app(hook_async, 1) + await call_app(lambda value: value, 1)

    assert blocking(core)() == 3
    assert running_loop() is None


async def test_call_app_awaits_under_a_loop() -> None:
    """In the caller's own loop."""
    assert await call_app(hook_async, 1) == 2
    assert await call_app(lambda: asyncio.get_running_loop()) is asyncio.get_running_loop()


def test_the_lent_loop_is_kept_per_thread() -> None:
    """One loop for all hooks of a thread, so connections that an application keeps stay usable."""

    async def loop_of() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    async def core() -> asyncio.AbstractEventLoop:
        return await call_app(loop_of)

    mine = blocking(core)()
    assert blocking(core)() is mine
    others: list[asyncio.AbstractEventLoop] = []
    thread = threading.Thread(target=lambda: others.append(blocking(core)()))
    thread.start()
    thread.join()
    assert others[0] is not mine
    gc.collect()
    assert others[0].is_closed()


async def test_a_blocking_call_inside_a_loop_says_what_to_do() -> None:
    """Before anything is done; no coroutine is left behind unawaited."""
    with pytest.raises(RuntimeError, match=r"offloaded_where\(\) would block the event loop") as caught:
        blocking(offloaded_where)()
    assert "Await its async twin instead" in str(caught.value)
    assert "sync_" in str(caught.value)


def test_a_twin_keeps_name_signature_and_docstring() -> None:
    """Help and editors show the same."""

    async def original(a: int, b: str = "x") -> None:
        """Say what it does."""

    twin = blocking(original)
    assert twin.__doc__ == "Say what it does."
    assert twin.__name__ == "original"
    assert str(inspect.signature(twin)) == str(inspect.signature(original))
    assert not inspect.iscoroutinefunction(twin)


def test_stepping_a_coroutine_that_suspends_is_an_error() -> None:
    """The core may not suspend outside a loop; one that does is named, and closed."""

    class Never:
        def __await__(self) -> Any:
            yield

    async def waits() -> None:
        await Never()

    with pytest.raises(RuntimeError, match=r"waits\(\) suspended outside an event loop"):
        step(waits())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_makes_threads_of_its_own() -> None:
    """An executor used before a fork would hang the child."""
    assert asyncio.run(offloaded_where())
    assert blocking(_core)() == 2
    child = os.fork()
    if child == 0:
        try:
            code = 0 if asyncio.run(asyncio.wait_for(offloaded_where(), 30)) and blocking(_core)() == 2 else 1
        except BaseException:
            code = 2
        os._exit(code)
    deadline = time.monotonic() + 45
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            assert os.waitstatus_to_exitcode(status) == 0
            return
        time.sleep(0.01)
    os.kill(child, 9)
    os.waitpid(child, 0)
    pytest.fail("the child hangs")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_leaves_the_parents_loop_alone() -> None:
    """A child that closes its copy of the lent loop must not take the parent's wake-up with it."""

    async def hook() -> int:
        return await asyncio.wait_for(offload(where), 3600)  # no timer wakes the loop in time

    async def core() -> int:
        return await call_app(hook)

    assert blocking(core)() != threading.get_ident()
    child = os.fork()
    if child == 0:
        gc.collect()  # the child drops its copy of the loop
        os._exit(0)
    os.waitpid(child, 0)
    assert blocking(core)() != threading.get_ident()


async def _core() -> int:
    return await call_app(hook_async, 1)


async def test_units_one_by_one_share_a_thread() -> None:
    """Also after one that failed."""

    def fail() -> None:
        raise ValueError("no")

    threads = {await offload(threading.get_ident) for _ in range(20)}
    with pytest.raises(ValueError, match="no"):
        await offload(fail)
    assert threads == {await offload(threading.get_ident)}


async def test_units_at_once_do_not_wait_for_each_other() -> None:
    """As many as there are threads."""
    together = threading.Barrier(workers.WORKER_THREADS)
    for _ in range(2):
        await asyncio.gather(*(offload(together.wait, 10) for _ in range(workers.WORKER_THREADS)))


async def test_a_unit_whose_caller_left_before_it_began_is_not_run() -> None:
    """Its thread goes to the next one."""
    gates = [threading.Event() for _ in range(workers.WORKER_THREADS)]
    busy = [asyncio.create_task(offload(gate.wait, 10)) for gate in gates]
    never: list[int] = []
    leaving = asyncio.create_task(offload(never.append, 1))
    await asyncio.sleep(0)
    leaving.cancel()
    next_one = asyncio.create_task(offload(where))
    with pytest.raises(asyncio.CancelledError):
        await leaving
    for gate in gates:
        gate.set()
    assert await asyncio.gather(*busy) == [True] * workers.WORKER_THREADS
    assert await next_one != threading.get_ident()
    assert never == []


def test_a_unit_outlives_the_loop_of_its_caller() -> None:
    """It is done to its end, and the thread is there for the next loop."""
    began, gate, done = threading.Event(), threading.Event(), threading.Event()

    def unit() -> None:
        began.set()
        gate.wait(40)
        done.set()

    async def leave() -> None:
        task = asyncio.create_task(offload(unit))
        await asyncio.sleep(0)
        began.wait(40)
        task.cancel()

    asyncio.run(leave())
    gate.set()
    assert done.wait(40)
    assert asyncio.run(offloaded_where()) != threading.get_ident()


def test_an_error_of_a_unit_leaves_no_ring_behind() -> None:
    """What its traceback holds (a connection, a payload) is freed at once, not by the garbage collector."""

    class Held:
        pass

    held: list[weakref.ref[Held]] = []
    began, gate = threading.Event(), threading.Event()

    def fail() -> None:
        value = Held()
        held.append(weakref.ref(value))
        raise ValueError("no")

    def fail_late() -> None:
        began.set()
        gate.wait(40)
        fail()

    async def leave() -> None:
        task = asyncio.create_task(offload(fail_late))
        await asyncio.sleep(0)
        began.wait(40)
        task.cancel()

    async def see() -> None:
        with contextlib.suppress(ValueError):
            await offload(fail)
        await offload(where)  # the thread has let go of the failed one

    gc.disable()
    try:
        asyncio.run(see())
        asyncio.run(leave())  # this loop is closed when the unit fails
        gate.set()
        asyncio.run(offloaded_where())
        for _ in range(4000):  # the unit that failed late may have had a thread of its own
            if [reference() for reference in held] == [None, None]:
                break
            time.sleep(0.01)
        assert [reference() for reference in held] == [None, None]
    finally:
        gc.enable()


@pytest.mark.parametrize("busy", [False, True], ids=["preferred", "others"])
async def test_a_thread_that_cannot_start_leaves_its_place(
    monkeypatch: pytest.MonkeyPatch, busy: bool
) -> None:
    """The unit fails and is never run; the next ones are, and their callers go on."""
    monkeypatch.setattr(workers, "_workers", workers.Workers())
    gate = threading.Event()
    holder = asyncio.create_task(offload(gate.wait, 10)) if busy else None
    await asyncio.sleep(0)
    never: list[int] = []

    def cannot(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", cannot)
        with pytest.raises(RuntimeError, match="can't start"):
            await offload(never.append, 1)
    for _ in range(3):
        assert await asyncio.wait_for(offload(lambda: 42), 10) == 42
    gate.set()
    assert holder is None or await holder is True
    assert await asyncio.wait_for(asyncio.gather(*(offload(lambda: 1) for _ in range(5))), 10) == [1] * 5
    assert never == []


async def test_a_unit_whose_caller_was_interrupted_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be in the queue of a thread already, which passes it over."""
    monkeypatch.setattr(workers, "_workers", workers.Workers())
    submit, queued, never = ThreadPoolExecutor.submit, list[Any](), list[int]()

    def interrupted(*given: Any) -> Any:
        queued.append(given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ThreadPoolExecutor, "submit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            await offload(never.append, 1)
    assert submit(*queued[0]).result(10) is None
    assert await asyncio.wait_for(offload(lambda: 42), 10) == 42
    assert never == []


async def test_a_unit_that_raises_stop_iteration_is_an_error() -> None:
    """As inside a generator (PEP 479): a future takes none, and the caller would wait for ever."""
    with pytest.raises(RuntimeError, match="StopIteration") as found:
        await asyncio.wait_for(offload(lambda: next(iter(()))), 10)
    assert isinstance(found.value.__cause__, StopIteration)


def test_many_threads_share_the_workers() -> None:
    """It is made once, whoever comes first."""
    made: list[object] = []
    threads = [threading.Thread(target=lambda: made.append(workers.workers())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, made))) == 1
