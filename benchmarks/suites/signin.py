"""What a sign-in costs, beside what it cannot do without and beside others; what many do to other routes."""

from __future__ import annotations

import statistics
import tempfile
from argparse import Namespace
from pathlib import Path

from contestants.sign_in import (
    BY_HAND,
    BY_HAND_BY_OPENSSL,
    DJANGO,
    FASTAPI_USERS,
    OURS,
    OURS_BY_OPENSSL,
)
from support.report import RESULTS, Claim, Group, Report, Row, ratio, sampled
from support.rounds import interleave, progress, sized, workers
from support.servers import running
from support.storm import CLIENTS, Storm, latencies_ms

IDLE, STORM = "idle", f"{CLIENTS} clients sign in all the time"


def run(options: Namespace) -> Report:
    rounds, budget, slice_ms = sized(options, once=(1, 0, 0), quick=(9, 25, 1), full=(41, 240, 1))
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RESULTS, prefix="users-") as directory:
        ours, by_openssl = (f"sqlite:///{Path(directory) / name}.db" for name in ("ours", "by_openssl"))
        own = (
            ("contestants.sign_in:our_cases", ours),
            ("contestants.sign_in:our_cases_by_openssl", by_openssl),
        )
        peers = ("contestants.sign_in:fastapi_users_cases", "contestants.sign_in:django_cases")
        with workers(*own, *((p,) for p in peers), optional=peers) as known:
            samples = interleave(known, rounds=rounds, budget_s=budget, slice_ms=slice_ms, clock="wall")
    labels = [
        (OURS, "us"),
        (BY_HAND, "floor"),
        (OURS_BY_OPENSSL, "us"),
        (BY_HAND_BY_OPENSSL, "floor"),
        (FASTAPI_USERS, "peer"),
        (DJANGO, "peer"),
    ]
    groups = [
        sampled("Sign-in, Argon2id 86 MiB, 1 pass, 2 lanes", samples, labels, base=BY_HAND, clock="wall")
    ]
    others, slower = _storm(options)
    groups.append(others)
    cost = ratio(samples, OURS, BY_HAND, "wall")
    claims = [
        Claim("a sign-in against one hash and one session", 1.15, cost),
        Claim("p99 of a guarded route during a storm of sign-ins against idle", 1.2, slower),
    ]
    notes = [
        "Ours is the whole request POST /auth/signin on SQLite, session and cookies included. fastapi-users "
        "is UserManager.authenticate and a JWT, its users in memory; Django is authenticate(), on SQLite in "
        "memory, without a session. All hash by argon2-cffi; without [argon2] we do by OpenSSL.",
        "The guarded route is one of FastAPI under uvicorn, asked by one client 5 ms after each answer. On a "
        "machine with no more cores than a hash has lanes, client, server and hashes share them.",
    ]
    return Report("signin", options.quick, groups, claims, notes)


def _storm(options: Namespace) -> tuple[Group, float]:
    """Return how long a guarded route takes, and how many times as long its p99 is during a storm."""
    rounds, seconds, at_least = sized(options, once=(1, 0, 3), quick=(3, 2, 100), full=(10, 5, 100))
    times: dict[str, list[float]] = {IDLE: [], STORM: []}
    with running("storm", ["ours"], "cookie", "") as (server,):
        storm = Storm(server)
        for number in range(rounds):
            times[IDLE] += latencies_ms(server, seconds=seconds, at_least=at_least)
            with storm.raging():
                times[STORM] += latencies_ms(server, seconds=seconds, at_least=at_least)
            progress(number + 1, rounds)
    rows = []
    for (name, values), signed_in in zip(times.items(), (0, storm.sign_ins), strict=True):
        parts = statistics.quantiles(values, n=100, method="inclusive")
        extra = {"p99": parts[98], "max": max(values), "requests": len(values), "sign-ins": signed_in}
        rows.append(Row(name, parts[49], parts[74] - parts[24], None, "us", extra))
    group = Group("A guarded route beside a storm of sign-ins", "ms", rows, base=IDLE)
    return group, rows[1].extra["p99"] / rows[0].extra["p99"]
