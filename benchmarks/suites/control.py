"""What devices and lifetimes cost: create and refresh with and without, and a list of 50 among a million."""

from __future__ import annotations

import contextlib
import sys
from argparse import Namespace

from support.report import Claim, Group, Report, ratio, sampled
from support.rounds import Samples, Worker, interleave, sized

from .engine import stores
from .scale import FEW

WRITES = "contestants.control:write_cases"
LISTS = "contestants.control:list_cases"
CALLS = ("create", "refresh")
#: How much dearer a call may be with devices and lifetimes, and a list among many.
WRITE_TARGET, LIST_TARGET = 1.25, 1.3


def run(options: Namespace) -> Report:
    many = options.rows or sized(options, once=2 * FEW, quick=100_000, full=1_000_000)
    groups: list[Group] = []
    claims: list[Claim] = []
    with contextlib.ExitStack() as stack:
        off = stack.enter_context(stores("off"))
        on, few, large = (stack.enter_context(stores(name, running=off)) for name in ("on", "few", "many"))
        for store in off:
            written = _measured(
                options, [(WRITES, off[store], store, "off"), (WRITES, on[store], store, "on")]
            )
            print(f"{store}: inserting {many:,} sessions", file=sys.stderr)
            names = [f"{store}, {rows:,} sessions" for rows in (FEW, many)]
            listed = _measured(
                options, [(LISTS, few[store], names[0], str(FEW)), (LISTS, large[store], names[1], str(many))]
            )
            for call in CALLS:
                pair = (f"{store}, off: {call}", f"{store}, on: {call}")
                groups.append(_group(f"{store}: {call}", written, pair))
                claims += _claims(
                    f"{store}: {call} with devices and lifetimes / without", WRITE_TARGET, written, pair
                )
            pair = (f"{names[0]}: list 50", f"{names[1]}: list 50")
            groups.append(_group(f"{store}: list 50", listed, pair))
            claims += _claims(
                f"{store}: list of 50 among {many:,} / among {FEW:,}", LIST_TARGET, listed, pair
            )
    notes = [
        "Wall time, the engine's own blocking calls. The claims are judged by CPU time of this process, too."
    ]
    return Report("control", options.quick, groups, claims, notes)


def _measured(options: Namespace, contestants: list[tuple[str, ...]]) -> dict[str, Samples]:
    rounds, budget, slice_ms = sized(options, once=(1, 0, 0), quick=(7, 6, 40), full=(25, 60, 40))
    workers: list[Worker] = []
    try:
        for target, *arguments in contestants:
            workers.append(Worker(target, *arguments).ready())
        return interleave(workers, rounds=rounds, budget_s=budget, slice_ms=slice_ms, clock="wall")
    finally:
        for worker in workers:
            worker.close()


def _group(title: str, samples: dict[str, Samples], pair: tuple[str, str]) -> Group:
    return sampled(title, samples, [(pair[0], "base"), (pair[1], "us")], base=pair[0], clock="wall")


def _claims(text: str, target: float, samples: dict[str, Samples], pair: tuple[str, str]) -> list[Claim]:
    """Judge by both clocks: on a busy machine, wall time is mostly that of others."""
    base, mine = pair
    return [Claim(text, target, ratio(samples, mine, base, clock), note=clock) for clock in ("wall", "cpu")]
