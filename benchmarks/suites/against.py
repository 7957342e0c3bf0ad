"""The working tree beside another commit: the same cases on both, in turn, and the ratio of each pair.

Two processes that run the same program differ by a few per cent (memory layout, hash seeds), which no
number of rounds averages out. So every case is measured in several pairs of processes, and a difference
counts where all pairs agree.
"""

from __future__ import annotations

import json
import random
import sys
import time
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field

from apps import VARIANTS
from apps.sdk import OURS
from suites.engine import stores
from suites.http import NAMES
from suites.micro import kinds_of
from support.checkout import Commit, changes_since, checked_out, resolve
from support.load import Load, client
from support.report import RESULTS, machine, print_table
from support.rounds import (
    WORKING_TREE,
    Side,
    Worker,
    WorkerError,
    calibrated,
    median,
    progress,
    sized,
    spread,
)
from support.servers import Server, running

CONTROLS = ("floor", "bare")  #: cases in which no code of ours takes part: their ratio shows the noise
SAME = 0.02


@dataclass
class Case:
    """Microseconds per operation on both sides, one list per pair of processes."""

    now: list[list[float]] = field(default_factory=list)
    then: list[list[float]] = field(default_factory=list)

    def ratios(self) -> list[float]:
        """Return the ratio now / then of each pair of processes: the median over its rounds."""
        return [
            median([mine / other for mine, other in zip(now, then, strict=True)])
            for now, then in zip(self.now, self.then, strict=True)
        ]


@dataclass
class Comparison:
    """One suite's cases, by name and clock."""

    suite: str
    clock: str
    cases: dict[str, Case] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def pair(self, name: str) -> tuple[list[float], list[float]]:
        """Return the lists of one more pair of processes."""
        case = self.cases.setdefault(name, Case())
        case.now.append([])
        case.then.append([])
        return case.now[-1], case.then[-1]


@dataclass(frozen=True)
class Effort:
    """How long to measure."""

    rounds: int
    slice_ms: float
    processes: int


def run(chosen: Sequence[str], options: Namespace) -> int:
    commit = resolve(options.against)
    processes = options.processes or sized(options, once=1, quick=3, full=5)
    slower = False
    with checked_out(commit) as then:
        print(f"Against {commit.short} ({commit.subject}); {changes_since(commit)}")
        for suite in chosen:
            print(
                f"\n== {suite}{' (quick)' if options.quick else ''}, now / at {commit.short} ==", flush=True
            )
            for comparison in _SUITES[suite](then, processes, options):
                _show(comparison, commit)
                _save(comparison, commit, quick=options.quick)
                slower |= bool(_slower(comparison, options.slower_than))
    return int(slower)


# -- suites ----------------------------------------------------------------------------------------


def _micro(then: Side, processes: int, options: Namespace) -> Iterator[Comparison]:
    effort = Effort(*sized(options, once=(1, 0), quick=(5, 8), full=(15, 20)), processes)
    specifications = [
        ("contestants.sdks:token_alone",),
        ("contestants.sdks:get_session", OURS, ""),
        ("contestants.sdks:get_session", OURS, "", "small"),
        *(("contestants.web:requests", kind, name, "") for kind in kinds_of(options) for name in _ours(kind)),
    ]
    found = Comparison("micro", "cpu")
    for number, specification in enumerate(specifications):
        print(f"{number + 1} of {len(specifications)}: {' '.join(specification)}", file=sys.stderr)
        for _ in range(processes):
            with _both(found, *((side, specification) for side in (WORKING_TREE, then))) as pair:
                _measure(found, pair, effort)
    yield found


def _engine(then: Side, processes: int, options: Namespace) -> Iterator[Comparison]:
    effort = Effort(*sized(options, once=(1, 0), quick=(5, 40), full=(15, 80)), processes)
    wall, cpu = Comparison("engine", "wall"), Comparison("engine", "cpu")
    with stores("now") as mine, stores("then", running=mine) as others:
        for store in mine:
            print(store, file=sys.stderr)
            for _ in range(processes):
                specifications = [
                    (side, ("contestants.stores:sdk_cases", OURS, uris[store], store))
                    for side, uris in ((WORKING_TREE, mine), (then, others))
                ]
                with _both(wall, *specifications) as pair:
                    _measure(wall, pair, effort, also=cpu)
    yield from (wall, cpu)


def _http(then: Side, processes: int, options: Namespace) -> Iterator[Comparison]:
    found = Comparison("http", "cpu")
    kinds = [kind for kind in NAMES if not options.only or options.only in kind]
    sizes = sized(options, once=(20, 1), quick=(150, 5), full=(400, 15))
    with client() as load:
        for kind in kinds:
            print(NAMES[kind], file=sys.stderr)
            for _ in range(processes):
                with ExitStack() as stack:
                    mine, others = (
                        stack.enter_context(running(kind, _ours(kind), "cookie", "", side=side))
                        for side in (WORKING_TREE, then)
                    )
                    _serve(found, kind, mine, others, load, sizes=sizes)
    yield found


_SUITES = {"micro": _micro, "engine": _engine, "http": _http}


def _ours(kind: str) -> list[str]:
    names = VARIANTS[kind.partition(" ")[0]]
    return [name for name in names if name == "bare" or name.startswith("ours")]


# -- measuring -------------------------------------------------------------------------------------


@contextmanager
def _both(
    comparison: Comparison, *specifications: tuple[Side, tuple[str, ...]]
) -> Iterator[list[Worker] | None]:
    """Start one contestant on both sides; None, and a word, if it cannot start on one of them."""
    pair = [Worker(*specification, side=side) for side, specification in specifications]
    try:
        for worker, (side, specification) in zip(pair, specifications, strict=True):
            try:
                worker.ready()
            except WorkerError as error:
                text = f"{' '.join(filter(None, specification))} {side.label}: {error}"
                if text not in comparison.left_out:
                    comparison.left_out.append(text)
                yield None
                return
        yield pair
    finally:
        for worker in pair:
            worker.close()


def _measure(
    comparison: Comparison, pair: list[Worker] | None, effort: Effort, *, also: Comparison | None = None
) -> None:
    """Measure the cases that both have; a round runs a case on one side, then on the other."""
    if pair is None:
        return
    mine, other = pair
    cases = [case for case in mine.cases if case in other.cases]
    sizes = {case: calibrated(mine, case, effort.slice_ms, comparison.clock) for case in cases}
    for case in cases:
        other.measure(case, sizes[case])  # warm, as calibrating has warmed the first
    lists = {case: [found.pair(case) for found in (comparison, also) if found] for case in cases}
    order = random.Random(len(comparison.cases))
    for number in range(effort.rounds):
        order.shuffle(cases)
        for case in cases:
            sides = [0, 1]
            order.shuffle(sides)
            for side in sides:
                cpu, wall = pair[side].measure(case, sizes[case])
                for values, clock in zip(lists[case], _clocks(comparison, also), strict=True):
                    values[side].append(cpu if clock == "cpu" else wall)
        progress(number + 1, effort.rounds)


def _clocks(*comparisons: Comparison | None) -> list[str]:
    return [comparison.clock for comparison in comparisons if comparison]


def _serve(
    comparison: Comparison,
    kind: str,
    mine: Sequence[Server],
    others: Sequence[Server],
    load: Load,
    *,
    sizes: tuple[int, int],
) -> None:
    requests, rounds = sizes
    pairs = [(one, two) for one in mine for two in others if one.variant == two.variant]
    lists = {one.variant: comparison.pair(f"{NAMES[kind]}: {one.variant}") for one, _ in pairs}
    order = random.Random(len(comparison.cases))
    for number in range(-1, rounds):  # the first one warms up
        order.shuffle(pairs)
        for pair in pairs:
            sides = [0, 1]
            order.shuffle(sides)
            for side in sides:
                before = pair[side].cpu_ns()
                load.apply(pair[side], requests)
                taken = (pair[side].cpu_ns() - before) / requests / 1000
                if number >= 0:
                    lists[pair[side].variant][side].append(taken)
        progress(number + 1, rounds)


# -- results ---------------------------------------------------------------------------------------


def _is_control(name: str) -> bool:
    return name.startswith(CONTROLS) or name.endswith(tuple(f": {control}" for control in CONTROLS))


def _verdict(ratios: Sequence[float]) -> str:
    if min(ratios) > 1 + SAME:
        return "slower"
    return "faster" if max(ratios) < 1 - SAME else ""


def _slower(comparison: Comparison, percent: float | None) -> list[str]:
    if percent is None:
        return []
    slower = [
        name
        for name, case in comparison.cases.items()
        if not _is_control(name) and min(case.ratios()) > 1 + percent / 100
    ]
    for name in slower:
        print(f"slower by more than {percent:g} % in every pair of processes: {name}", file=sys.stderr)
    return slower


def _show(comparison: Comparison, commit: Commit) -> None:
    print(f"\nus {comparison.clock.upper() if comparison.clock == 'cpu' else 'wall'} per operation")
    table = [["", "now", f"at {commit.short}", "ratio", "of pairs", "IQR of rounds", ""]]
    for name, case in comparison.cases.items():
        ratios = case.ratios()
        rounds = [
            mine / other
            for now, then in zip(case.now, case.then, strict=True)
            for mine, other in zip(now, then, strict=True)
        ]
        table.append(
            [
                f"{name}{' (control)' if _is_control(name) else ''}",
                *(f"{median([v for values in side for v in values]):.2f}" for side in (case.now, case.then)),
                f"{median(ratios):.3f}",
                f"{min(ratios):.3f}-{max(ratios):.3f}",
                f"{spread(rounds):.3f}",
                _verdict(ratios),
            ]
        )
    print_table(table)
    for text in comparison.left_out:
        print(f"  left out: {text}")
    print(
        "\nratio: now / then, median over pairs of processes of the median over rounds; 'slower' and "
        f"'faster' where all pairs agree on more than {SAME:.0%}."
    )


def _save(comparison: Comparison, commit: Commit, *, quick: bool) -> None:
    RESULTS.mkdir(exist_ok=True)
    name = f"against-{commit.short}-{comparison.suite}-{comparison.clock}{'-quick' if quick else ''}.json"
    cases: Mapping[str, object] = {
        name: asdict(case) | {"ratios": case.ratios()} for name, case in comparison.cases.items()
    }
    written = {
        "against": asdict(commit),
        "suite": comparison.suite,
        "clock": comparison.clock,
        "left_out": comparison.left_out,
        "cases": cases,
        "machine": machine(),
        "finished": time.time(),
    }
    (RESULTS / name).write_text(json.dumps(written, indent=2) + "\n")
    print(f"Written: {RESULTS.name}/{name}")
