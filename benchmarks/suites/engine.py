"""Create, refresh and verify with the database, on SQLite and PostgreSQL."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator, Mapping

import psycopg

from apps.sdk import OURS, THEIRS
from support.postgres import postgres
from support.report import RESULTS, Claim, Report, ratio, sampled
from support.rounds import Samples, Worker, WorkerError, interleave, median, sized
from support.servers import standin_core

CALLS = ("create", "refresh", "verify with database")
BY_HAND = {"create": "sign + insert + commit", "refresh": "select + sign + update + commit"}


@contextlib.contextmanager
def stores(name: str = "bench", *, running: Mapping[str, str] | None = None) -> Iterator[dict[str, str]]:
    """Yield an empty SQLite file (on the disk of the checkout) and an empty PostgreSQL database, by store.

    `running` are stores already open, whose PostgreSQL server gets one more database.
    """
    RESULTS.mkdir(exist_ok=True)
    server = contextlib.nullcontext(running["PostgreSQL"]) if running else postgres()
    with tempfile.TemporaryDirectory(dir=RESULTS, prefix="store-") as directory, server as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        yield {"SQLite": f"sqlite:///{directory}/{name}.db", "PostgreSQL": f"{url.rpartition('/')[0]}/{name}"}


def run(options: Namespace) -> Report:
    rounds, budget, slice_ms = sized(options, once=(1, 0, 0), quick=(5, 14, 40), full=(21, 120, 80))
    contestants: list[Worker] = []
    with standin_core() as core, stores() as uris:
        try:
            contestants.append(Worker("contestants.stores:sdk_cases", THEIRS, core, "").ready())
            for store, uri in uris.items():
                try:
                    contestants.append(Worker("contestants.stores:sdk_cases", OURS, uri, store).ready())
                    # By hand on the table that the engine has made: the same columns, indexes and settings.
                    contestants.append(Worker("contestants.stores:hand_cases", uri, store).ready())
                except WorkerError as error:
                    print(f"  left out: {error}", file=sys.stderr)
            samples = interleave(
                contestants,
                rounds=rounds,
                budget_s=budget,
                slice_ms=slice_ms,
                clock="wall",
            )
        finally:
            for contestant in contestants:
                contestant.close()
    groups = []
    for call in CALLS:
        wanted = [
            name for name in samples if f": {call}" in name or (call in BY_HAND and BY_HAND[call] in name)
        ]
        if call == "verify with database":
            wanted += [name for name in samples if "indexed read" in name]
        labels = [
            (name, "us" if name.startswith("ours") else "peer" if name.startswith("super") else "floor")
            for name in wanted
        ]
        base = f"supertokens-python: {call}, async"
        groups.append(sampled(call.capitalize(), samples, labels, base=base, clock="wall", log=True))
        for row in groups[-1].rows:
            row.extra["CPU"] = median(samples[row.label].cpu)
    notes = [
        "Wall time: a durable commit waits for the disk. CPU is that of the calling process alone. The "
        "stand-in core keeps sessions in memory: supertokens-python's figures hold no commit at all."
    ]
    return Report("engine", options.quick, groups, _claims(samples, list(uris)), notes)


def _claims(samples: dict[str, Samples], names: list[str]) -> list[Claim]:
    claims = []
    for store in names:
        for call in ("create", "refresh"):
            times = ratio(
                samples, f"supertokens-python: {call}, async", f"ours, {store}: {call}, async", "wall"
            )
            claims.append(
                Claim(f"{store}: {call}, times faster than supertokens-python", 20, times, at_least=True)
            )
            pair = f"ours, {store}: {call}, sync", f"by hand, {store}: {BY_HAND[call]}"
            claims += _both(samples, f"{store}: {call} / the same by hand", 2, *pair)
        pair = f"ours, {store}: verify with database, sync", f"SQLAlchemy Core, {store}: one indexed read"
        text = f"{store}: verify with database / the read through SQLAlchemy Core"
        claims += _both(samples, text, 1.5, *pair)
    return claims


def _both(samples: dict[str, Samples], text: str, target: float, mine: str, base: str) -> list[Claim]:
    """Judge by wall time and by CPU time: on a busy machine, wall time is mostly that of others."""
    clocks = ("wall", "cpu")
    return [Claim(text, target, ratio(samples, mine, base, clock), note=clock) for clock in clocks]
