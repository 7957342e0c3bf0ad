"""Does it stay as fast with many sessions? A thousand against a million (or `--rows`)."""

from __future__ import annotations

import sys
import time
from argparse import Namespace

from apps.sdk import OURS
from contestants.stores import populate
from support.report import Claim, Report, Row, Group
from support.rounds import Samples, Worker, interleave, median, spread

from .engine import stores

FEW = 1000
CALLS = ("refresh, sync", "verify with database, sync")


def run(options: Namespace) -> Report:
    many = options.rows or (100_000 if options.quick else 1_000_000)
    rounds, budget = (7, 6) if options.quick else (25, 60)
    found: dict[tuple[str, int], dict[str, Samples]] = {}
    for rows in (FEW, many):  # two servers at a time would halve the memory of each
        pass
    with stores() as small, stores() as large:
        for store in small:
            contestants: list[Worker] = []
            try:
                for uris, rows in ((small, FEW), (large, many)):
                    begin = time.monotonic()
                    contestants.append(Worker("contestants.stores:scale_cases", uris[store], f"{store}, {rows:,} sessions"))
                    populate(uris[store], rows)
                    contestants[-1].ask({"case": f"ours, {store}, {rows:,} sessions: more", "n": 1})
                    print(f"  {store}: {rows:,} sessions in {time.monotonic() - begin:.1f} s", file=sys.stderr)
                samples = interleave(contestants, rounds=rounds, budget_s=budget, slice_ms=40)
            finally:
                for contestant in contestants:
                    contestant.close()
    return Report("scale", options.quick, [], [])
