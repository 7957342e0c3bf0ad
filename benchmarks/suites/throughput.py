"""Refreshes per second of one PostgreSQL: 1, 2 and 4 processes beside the same by hand and beside pgbench."""

from __future__ import annotations

import contextlib
import random
import re
import subprocess
import tempfile
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psycopg

from contestants import throughput
from support.checkout import checked_out, resolve
from support.postgres import postgres, programs
from support.report import Claim, Group, Report, Row
from support.rounds import WORKING_TREE, Side, Worker, median, progress, sized, spread

OURS, HAND, BENCH = "ours", "RSA signature and the statement by hand", "pgbench, the statement alone"
NO_WAIT = "ours, synchronous_commit=off"
WATCHED, BESIDE = "ours, instant_revocation", "ours, instant_revocation, beside 100 revocations/s"
#: What share of the same processes by hand, and of pgbench with as many connections, is asked for.
OF_HAND, OF_BENCH = 0.85, 0.35
OWNERS = {HAND: "floor", BENCH: "base"}
#: How many processes refresh where revocations are the question.
WATCHING = 2


@dataclass(frozen=True)
class Rate:
    """What some processes did together."""

    per_second: float
    cpu_us: float | None = None  #: of a process, per refresh; the server's is not in it


#: By contestant and number of processes; one value per round.
Rates = Mapping[tuple[str, int], list[Rate]]


class Contestant(Protocol):
    """Who refreshes."""

    def rate(self, count: int, milliseconds: int) -> Rate:
        """Return what `count` processes or connections do together."""
        ...


def run(options: Namespace) -> Report:
    rounds, slice_ms = sized(options, once=(1, 20), quick=(5, 1000), full=(11, 1000))
    counts = sized(options, once=(1, 2), quick=(1, 2, 4), full=(1, 2, 4))
    with contextlib.ExitStack() as stack:
        contestants = _contestants(stack, max(counts), options.against)
        rates = _measured(contestants, counts, rounds=rounds, slice_ms=slice_ms)
    groups = [_group(count, rates) for count in counts]
    notes = [
        "Each process refreshes sessions of its own, one after the other. All use one server, with fsync and "
        "synchronous_commit on; the processes and the server share the cores of this machine.",
        _reachable(rates, counts),
    ]
    return Report("throughput", options.quick, groups, _claims(rates, counts), notes)


# -- who refreshes ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Processes:
    workers: Sequence[Worker]

    def rate(self, count: int, milliseconds: int) -> Rate:
        chosen = self.workers[:count]
        for worker in chosen:
            worker.begin({"case": "refresh", "n": milliseconds})
        answers = [worker.end() for worker in chosen]
        per_second = sum(answer["done"] * 1e9 / answer["wall_ns"] for answer in answers)
        done, cpu_ns = (sum(answer[name] for answer in answers) for name in ("done", "cpu_ns"))
        return Rate(per_second, cpu_ns / 1000 / max(1, done))


@dataclass(frozen=True)
class _BesideRevocations:
    refreshing: _Processes
    revoking: Worker

    def rate(self, count: int, milliseconds: int) -> Rate:
        self.revoking.ask({"case": "stock", "n": milliseconds})
        self.revoking.begin({"case": "revoke", "n": milliseconds})
        found = self.refreshing.rate(count, milliseconds)
        self.revoking.end()
        return found


class _PgBench:
    """PostgreSQL's own load program, with the statement and nothing else."""

    def __init__(self, url: str, clients: int, script: Path) -> None:
        self._url, self._script = url, script
        for client in range(clients):
            throughput.populate(url, str(client))
        prefix = throughput.handle_prefix("").removesuffix("-")
        statement = throughput.STATEMENT.format(
            hash="lpad((:n)::text, 64, '0')",
            now="(extract(epoch from clock_timestamp()) * 1000)::bigint",
            handle=f"'{prefix}' || (:client_id)::text || '-' || (:n)::text",
        )
        script.write_text(f"\\set n random(0, {throughput.SESSIONS - 1})\n{statement};\n")

    def rate(self, count: int, milliseconds: int) -> Rate:
        how_long = ["-T", str(round(milliseconds / 1000))] if milliseconds >= 1000 else ["-t", "20"]
        command = [programs() / "pgbench", "-n", "-M", "prepared", "-c", str(count), "-j", str(count)]
        done = subprocess.run(
            [*command, *how_long, "-f", self._script, self._url], capture_output=True, text=True, check=False
        )
        found = re.search(r"tps = ([\d.]+) \(without", done.stdout)
        if found is None:
            raise RuntimeError(f"pgbench: {done.stderr}")
        return Rate(float(found[1]))


def _contestants(stack: contextlib.ExitStack, most: int, against: str | None) -> dict[str, Contestant]:
    """Start everybody, each on a database of its own of one server."""
    url = stack.enter_context(postgres())
    place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="st-throughput-")))

    def started(
        function: str, uri: str, count: int, *arguments: str, side: Side = WORKING_TREE
    ) -> _Processes:
        workers = []
        for number in range(count):
            words = [word.format(number) for word in arguments]
            workers.append(Worker(f"contestants.throughput:{function}", uri, *words, side=side))
            stack.callback(workers[-1].close)
            if number == 0:
                workers[0].ready()  # it makes the tables; the others start side by side
        for worker in workers[1:]:
            worker.ready()
        return _Processes(workers)

    found: dict[str, Contestant] = {OURS: started("ours", _database(url, "ours"), most)}
    if against:
        side = stack.enter_context(checked_out(resolve(against)))
        found[f"{OURS} {side.label}"] = started("ours", _database(url, "then"), most, side=side)
    hand, bench = _database(url, "hand"), _database(url, "pgbench")
    for uri in (hand, bench):  # the tables are those of our engine: the same columns and indexes
        started("ours", uri, 1).workers[0].close()
    found[HAND] = started("by_hand", hand, most, "{}")
    found[BENCH] = _PgBench(bench, most, place / "refresh.sql")
    found[NO_WAIT] = started("ours", _database(url, "no_wait", synchronous_commit="off"), most)
    watched = _database(url, "watched")
    found[WATCHED] = refreshing = started("ours", watched, WATCHING, "instant_revocation")
    found[BESIDE] = _BesideRevocations(refreshing, started("revoking", watched, 1).workers[0])
    return found


def _database(url: str, name: str, **settings: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        for setting, value in settings.items():
            connection.execute(f'ALTER DATABASE "{name}" SET {setting} = {value}')
    return f"{url.rpartition('/')[0]}/{name}"


# -- measuring -------------------------------------------------------------------------------------


def _measured(
    contestants: Mapping[str, Contestant], counts: Sequence[int], *, rounds: int, slice_ms: int
) -> Rates:
    turns = [(name, count) for name in contestants for count in counts if name not in (WATCHED, BESIDE)]
    turns += [(name, WATCHING) for name in (WATCHED, BESIDE)]
    rates: dict[tuple[str, int], list[Rate]] = {turn: [] for turn in turns}
    order = random.Random(1)
    for contestant in contestants.values():
        contestant.rate(max(counts), min(slice_ms, 200))  # connections are opened, statements prepared
    for number in range(rounds):
        order.shuffle(turns)
        for name, count in turns:
            rates[name, count].append(contestants[name].rate(count, slice_ms))
        progress(number + 1, rounds)
    return rates


def _group(count: int, rates: Rates) -> Group:
    rows = []
    for (name, number), found in rates.items():
        if number == count:
            values = [one.per_second for one in found]
            row = Row(name, median(values), spread(values), owner=OWNERS.get(name, "us"))
            row.extra["best"] = max(values)
            if times := [one.cpu_us for one in found if one.cpu_us is not None]:
                row.extra["us CPU of a process"] = median(times)
            rows.append(row)
    return Group(f"{count} process{'es' if count > 1 else ''}", "refreshes per second", rows, HAND)


def _reachable(rates: Rates, counts: Sequence[int]) -> str:
    """Return what share of pgbench, which signs nothing, a program that signs each token comes to."""
    shares = []
    for count in counts:
        pairs = zip(rates[HAND, count], rates[BENCH, count], strict=True)
        share = median([hand.per_second / bench.per_second for hand, bench in pairs])
        shares.append(f"{share:.2f} with {count}")
    return f"Of pgbench, by hand reaches {', '.join(shares)}: about what Python that signs each token can."


def _claims(rates: Rates, counts: Sequence[int]) -> list[Claim]:
    def claim(count: int, base: str, target: float, *, mine: str = OURS, other: int | None = None) -> Claim:
        """Compare by the median over rounds, since all that is measured in one has the same neighbours."""
        pairs = zip(rates[mine, count], rates[base, other or count], strict=True)
        text = f"{mine}, {count} at a time / {base}" + (f", {other}" if other else "")
        return Claim(text, target, median([a.per_second / b.per_second for a, b in pairs]), at_least=True)

    targets = ((HAND, OF_HAND), (BENCH, OF_BENCH))
    claims = [claim(count, base, target) for base, target in targets for count in counts]
    claims.append(claim(counts[-1], OURS, 1, other=counts[-2]))
    claims.append(claim(WATCHING, OURS, 0.9, mine=WATCHED))
    claims.append(claim(WATCHING, WATCHED, 0.8, mine=BESIDE))
    then = dict.fromkeys(name for name, _ in rates if name.startswith(f"{OURS} at "))
    return claims + [claim(count, base, 0.95) for base in then for count in counts]
