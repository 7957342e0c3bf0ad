"""Whether the time of an answer tells which addresses have an account: sign-in, and a request for a reset."""

from __future__ import annotations

import random
import tempfile
from argparse import Namespace
from pathlib import Path

from support.rank_test import p_of_no_difference
from support.report import RESULTS, Claim, Group, Report, Row
from support.rounds import Worker, median, progress, sized

RUNS = 3
QUESTIONS = ("sign-in", "reset")


def run(options: Namespace) -> Report:
    pairs = sized(options, once=3, quick=60, full=500)
    groups: list[Group] = []
    claims: list[Claim] = []
    RESULTS.mkdir(exist_ok=True)
    for question in QUESTIONS:
        rows = [_run(question, pairs, number) for number in range(1, RUNS + 1)]
        groups.append(
            Group(f"{question}: known and unknown addresses, {pairs} pairs", "p", rows, chart=False)
        )
        middle = sorted(row.value for row in rows)[1]
        claims.append(Claim(f"{question}: p of two runs in three", 0.01, middle, at_least=True))
    notes = [
        "p is that of a Mann-Whitney test: how often times as different as these would come from one "
        "distribution. Pairs are in random order; each request is one of its own, in process. The other "
        "columns are medians in milliseconds."
    ]
    return Report("enumeration", options.quick, groups, claims, notes)


def _run(question: str, pairs: int, number: int) -> Row:
    times: dict[str, list[float]] = {"known": [], "unknown": []}
    with tempfile.TemporaryDirectory(dir=RESULTS, prefix="users-") as directory:
        uri = f"sqlite:///{Path(directory) / 'users.db'}"
        worker = Worker("contestants.sign_in:enumeration_cases", uri, question).ready()
        try:
            order = random.Random(number)
            for case in times:
                worker.measure(case, 3)
            for done in range(pairs):
                for case in order.sample(list(times), 2):
                    times[case].append(worker.measure(case, 1)[1])
                progress(done + 1, pairs)
        finally:
            worker.close()
    extra = {name: median(values) / 1000 for name, values in times.items()}
    return Row(f"run {number}", p_of_no_difference(times["known"], times["unknown"]), owner="us", extra=extra)
