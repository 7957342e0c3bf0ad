"""How soon another process refuses a revoked session, and what knowing that costs each verification."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from argparse import Namespace

from support.report import Claim, Group, Report, Row, sampled
from support.rounds import BENCHMARKS, interleave, median, sized, spread, worker_environment, workers

from .engine import stores

#: What most revocations have to be seen within, and all of them (seconds).
USUAL_S, BOUND_S = 1.5, 5
PLAIN, WATCHED = "ours: a known token", "ours: a known token, instant_revocation"


def run(options: Namespace) -> Report:
    count = sized(options, once=1, quick=10, full=50)
    rounds, budget, slice_ms = sized(options, once=(1, 0, 0), quick=(9, 8, 8), full=(51, 60, 20))
    with workers(("contestants.revocations:verify_cases",)) as contestants:
        samples = interleave(contestants, rounds=rounds, budget_s=budget, slice_ms=slice_ms)
    groups = [sampled("One verification", samples, [(PLAIN, "base"), (WATCHED, "us")], base=PLAIN)]
    more = [a - b for a, b in zip(samples[WATCHED].cpu, samples[PLAIN].cpu, strict=True)]
    claims = [Claim("instant_revocation: us more per verification", 0.2, median(more))]
    with stores() as uris:
        for store, uri in uris.items():
            seconds = _seconds_to_refusal(uri, count)
            groups.append(_group(store, seconds))
            claims.append(Claim(f"{store}: slowest of {count} refusals, seconds", BOUND_S, max(seconds)))
            share = sum(one <= USUAL_S for one in seconds) / count
            claims.append(Claim(f"{store}: share within {USUAL_S} s", 0.95, share, at_least=True))
    notes = [
        "Two processes: one revokes at a random moment, the other verifies the access token all the time. "
        "The time goes from the return of the call that revokes to the first refusal."
    ]
    return Report("revocation", options.quick, groups, claims, notes)


def _group(store: str, seconds: list[float]) -> Group:
    rows = [
        Row(label, 1000 * value, 1000 * spread(seconds) if label == "median" else 0.0, owner="us")
        for label, value in (("median", median(seconds)), ("slowest", max(seconds)))
    ]
    return Group(f"{store}: from revoking to the refusal by another process", "ms", rows)


def _seconds_to_refusal(uri: str, count: int) -> list[float]:
    """Return how long each of `count` revocations took to be seen by a process of its own."""
    from contestants import revocations

    environment = worker_environment()
    command = [sys.executable, "-c", _REVOKING, uri, str(count)]
    other = subprocess.Popen(
        [sys.executable, "-m", revocations.__name__, uri],
        cwd=BENCHMARKS,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    revoking = subprocess.Popen(
        command, cwd=BENCHMARKS, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        return [_one(revoking, other) for _ in range(count)]
    finally:
        for process in (revoking, other):
            process.kill()
            process.communicate()


def _one(revoking: subprocess.Popen[str], other: subprocess.Popen[str]) -> float:
    assert revoking.stdin is not None
    assert revoking.stdout is not None
    assert other.stdin is not None
    assert other.stdout is not None
    other.stdin.write(revoking.stdout.readline())
    other.stdin.flush()
    if other.stdout.readline() != "accepted\n":
        raise RuntimeError("the other process did not accept the access token")
    time.sleep(random.random())
    revoking.stdin.write("revoke\n")
    revoking.stdin.flush()
    revoked_s = float(revoking.stdout.readline())
    return max(0.0, float(other.stdout.readline()) - revoked_s)


#: Signs in and says the access token, then revokes the session when it is asked to and says when it was done.
_REVOKING = """
import sys, time
from contestants.revocations import start
start(sys.argv[1])
from supertokens_py.recipe.session.syncio import create_new_session_without_request_response, revoke_session
for _ in range(int(sys.argv[2])):
    made = create_new_session_without_request_response("public", "user")
    print(made.get_access_token(), flush=True)
    sys.stdin.readline()
    assert revoke_session(made.get_handle())
    print(time.monotonic(), flush=True)
"""
