"""Interleaved rounds: every case once, then every case again, so that noise falls on all alike.

A case is a callable `prepare(n)` that does the untimed work and returns what is timed: a plain
function, or a coroutine function that runs on an event loop. Each contestant lives in a worker
process of its own, which holds its cases; the parent says whose turn it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import inspect
import json
import logging
import os
import random
import statistics
import subprocess
import sys
import time
import traceback
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"
_T = TypeVar("_T")
Cases = Mapping[str, Callable[[int], Callable[[], Any]]]


@dataclass(frozen=True)
class Side:
    """A checkout whose package is measured, by the benchmarks of this one."""

    label: str
    root: Path


WORKING_TREE = Side("now", ROOT)


def sized(options: Namespace, *, once: _T, quick: _T, full: _T) -> _T:
    """Return how much to measure; `once` shows that everything starts, and its figures mean nothing."""
    return once if options.once else quick if options.quick else full


@dataclass
class Samples:
    """Microseconds per operation of one case, one value per round."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def spread(values: Sequence[float]) -> float:
    """Return the interquartile range."""
    if len(values) < 2:
        return 0.0
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return high - low


class WorkerError(Exception):
    """A contestant could not be set up or failed while it was measured."""


class Worker:
    """A contestant in a process of its own. `target` is "module:function"; the function returns its cases."""

    def __init__(self, target: str, *arguments: str, side: Side = WORKING_TREE) -> None:
        self.target = target
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.rounds", target, *arguments],
            cwd=BENCHMARKS,
            env=worker_environment(side=side),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.cases: list[str] = []

    def ready(self) -> Worker:
        """Wait until the contestant is set up."""
        self.cases = self._receive()["cases"]
        return self

    def measure(self, case: str, n: int) -> tuple[float, float]:
        """Return CPU and wall microseconds per operation of `n` operations."""
        answer = self.ask({"case": case, "n": n})
        return answer["cpu_ns"] / n / 1000, answer["wall_ns"] / n / 1000

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        self.begin(question)
        return self.end()

    def begin(self, question: Mapping[str, Any]) -> None:
        """Put a question, so that several workers are at work at once."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()

    def end(self) -> dict[str, Any]:
        """Return the answer to what was begun."""
        return self._receive()

    def close(self) -> None:
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        answer = json.loads(line) if line else {"error": "the worker ended without a word"}
        if "error" in answer:
            self.close()
            raise WorkerError(f"{self.target}: {answer['error']}")
        return answer


def worker_environment(
    extra: Mapping[str, str] | None = None, *, side: Side = WORKING_TREE
) -> dict[str, str]:
    """Return the environment of a process that measures the package of `side`.

    The checkout is measured as it is; the peers' environment has the packages it needs. The benchmarks
    themselves are always those of this checkout, so that both sides do the same work.
    """
    return {
        **os.environ,
        "PYTHONPATH": f"{side.root}{os.pathsep}{BENCHMARKS}",
        "BENCH_ROOT": str(side.root),
        "PYTHONDONTWRITEBYTECODE": "",
        **(extra or {}),
    }


@contextlib.contextmanager
def workers(*specifications: tuple[str, ...], optional: Sequence[str] = ()) -> Iterator[list[Worker]]:
    """Start workers; one named in `optional` that cannot start is reported and left out."""
    pending = [Worker(*specification) for specification in specifications]  # they set up side by side
    started: list[Worker] = []
    try:
        for worker in pending:
            try:
                started.append(worker.ready())
            except WorkerError as error:
                if worker.target not in optional:
                    raise
                print(f"  left out: {error}", file=sys.stderr)
        yield started
    finally:
        for worker in pending:
            worker.close()


def interleave(
    contestants: Sequence[Worker],
    *,
    rounds: int,
    budget_s: float,
    slice_ms: float = 20,
    clock: str = "cpu",
    seed: int = 1,
) -> dict[str, Samples]:
    """Measure every case of every contestant, `rounds` times or until the budget is spent (at least 3).

    A slice is `slice_ms` of `clock`: wall time where a case waits for a disk, else CPU time, which
    others on the machine cannot shorten to a few cold operations. With 0 each case runs one operation.
    """
    turns = [(worker, case) for worker in contestants for case in worker.cases]
    sizes = {case: calibrated(worker, case, slice_ms, clock) for worker, case in turns}
    samples = {case: Samples() for _, case in turns}
    order, deadline = random.Random(seed), time.monotonic() + budget_s
    for number in range(rounds):
        if number >= 3 and time.monotonic() > deadline:
            break
        order.shuffle(turns)
        for worker, case in turns:
            cpu, wall = worker.measure(case, sizes[case])
            samples[case].cpu.append(cpu)
            samples[case].wall.append(wall)
        progress(number + 1, rounds)
    return samples


def progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(
            f"\r  round {done} of {total}",
            end="" if done < total else "\r\033[K",
            file=sys.stderr,
            flush=True,
        )


def calibrated(worker: Worker, case: str, slice_ms: float, clock: str) -> int:
    """Find how many operations fill a slice, after a first one that may sign in or fetch keys."""
    worker.measure(case, 1)
    n = 1
    while True:
        cpu, wall = worker.measure(case, n)
        taken = max(0.01, cpu if clock == "cpu" else wall)
        if taken * n > slice_ms * 250:
            return max(1, round(slice_ms * 1000 / taken))
        n *= 4


# The other side: a worker process.


def require_measured_package() -> None:
    """Stop if the package that was imported is not the one to be measured."""
    package, root = sys.modules.get("supertokens_py"), os.environ.get("BENCH_ROOT")
    if package is None or root is None:
        return
    place = Path(str(package.__file__)).resolve()
    if not place.is_relative_to(Path(root).resolve()):
        raise RuntimeError(f"measures {place.parent}, which is not in {root}")


def serve(target: str, arguments: Sequence[str]) -> None:
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a contestant prints must not disturb the conversation

    def say(answer: Mapping[str, Any]) -> None:
        out.write(json.dumps(answer) + "\n")
        out.flush()

    # "sessions are kept in memory" is no news to a benchmark.
    logging.getLogger("supertokens_py").setLevel(logging.ERROR)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    module, _, function = target.partition(":")
    try:
        made = getattr(importlib.import_module(module), function)(*arguments)
        cases: Cases = loop.run_until_complete(made) if inspect.isawaitable(made) else made
        require_measured_package()
        say({"cases": list(cases)})
        for line in sys.stdin:
            question = json.loads(line)
            say(_timed(loop, cases[question["case"]], question["n"]))
    except Exception as error:
        traceback.print_exc()
        say({"error": f"{type(error).__name__}: {error}"})


def _timed(loop: asyncio.AbstractEventLoop, case: Callable[[int], Any], n: int) -> dict[str, Any]:
    prepared = case(n)
    work = loop.run_until_complete(prepared) if inspect.isawaitable(prepared) else prepared
    gc.collect()
    if inspect.iscoroutinefunction(work):

        async def timed() -> tuple[int, int]:
            cpu, wall = time.process_time_ns(), time.perf_counter_ns()
            await work()
            return time.process_time_ns() - cpu, time.perf_counter_ns() - wall

        cpu_ns, wall_ns = loop.run_until_complete(timed())
    else:
        # A case of a blocking API must not find a running loop, as it would not in its application.
        cpu, wall = time.process_time_ns(), time.perf_counter_ns()
        done = work()
        cpu_ns, wall_ns = time.process_time_ns() - cpu, time.perf_counter_ns() - wall
        if isinstance(done, int):
            return {"cpu_ns": cpu_ns, "wall_ns": wall_ns, "done": done}
    return {"cpu_ns": cpu_ns, "wall_ns": wall_ns}


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2:])
