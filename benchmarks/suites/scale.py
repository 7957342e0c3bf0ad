"""Does it stay as fast with many sessions? A thousand against a million (or `--rows`)."""

from __future__ import annotations

import contextlib
import os
import sys
from argparse import Namespace
from collections.abc import Iterator

from support.report import Claim, Group, Report, ratio, sampled
from support.rounds import Samples, Worker, interleave, sized

from .engine import stores

FEW = 1000
#: What is called, and how much dearer it may be among many.
CALLS = {"refresh": 1.2, "verify with database": 1.2, "list by user": 1.3, "revoke by user": 1.3}
TARGET = "contestants.stores:scale_cases"


def run(options: Namespace) -> Report:
    many = options.rows or sized(options, once=2 * FEW, quick=100_000, full=1_000_000)
    rounds, budget, slice_ms = sized(options, once=(1, 0, 0), quick=(7, 5, 40), full=(25, 60, 40))
    groups: list[Group] = []
    claims: list[Claim] = []
    with contextlib.ExitStack() as stack:
        with on_core(1):
            small = stack.enter_context(stores("few"))
            large = stack.enter_context(stores("many", running=small))
        for store in small:
            print(f"{store}: inserting {many:,} sessions", file=sys.stderr)
            contestants: list[Worker] = []
            try:
                with on_core(0):
                    for uri, rows in ((small[store], FEW), (large[store], many)):
                        contestants.append(Worker(TARGET, uri, _label(store, rows), str(rows)).ready())
                samples = interleave(
                    contestants, rounds=rounds, budget_s=budget, slice_ms=slice_ms, clock="wall"
                )
            finally:
                for contestant in contestants:
                    contestant.close()
            groups += [_group(store, call, samples, many) for call in CALLS]
            claims += [_claim(store, call, samples, many) for call in CALLS]
    return Report(
        "scale",
        options.quick,
        groups,
        claims,
        ["Wall time, blocking API; the sessions in use are spread over the table."],
    )


@contextlib.contextmanager
def on_core(number: int) -> Iterator[None]:
    """Have processes started on one core: client and server apart.

    A short query takes 75 us while the scheduler has both on one core and 130 else: rows matter less.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(allowed)[number % len(allowed)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def _label(store: str, rows: int) -> str:
    return f"{store}, {rows:,} sessions"


def _group(store: str, call: str, samples: dict[str, Samples], many: int) -> Group:
    names = [f"{_label(store, rows)}: {call}" for rows in (FEW, many)]
    return sampled(
        f"{store}: {call}", samples, [(names[0], "base"), (names[1], "us")], base=names[0], clock="wall"
    )


def _claim(store: str, call: str, samples: dict[str, Samples], many: int) -> Claim:
    names = [f"{_label(store, rows)}: {call}" for rows in (many, FEW)]
    return Claim(
        f"{store}: {call} with {many:,} sessions / with {FEW:,}",
        CALLS[call],
        ratio(samples, *names, "wall"),
    )
