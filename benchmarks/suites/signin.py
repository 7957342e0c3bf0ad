"""What a sign-in costs beside the hash and the session that it cannot do without, and beside others."""

from __future__ import annotations

import tempfile
from argparse import Namespace
from pathlib import Path

from contestants.sign_in import BY_HAND, DJANGO, FASTAPI_USERS, OURS
from support.report import RESULTS, Claim, Report, ratio, sampled
from support.rounds import interleave, sized, workers


def run(options: Namespace) -> Report:
    rounds, budget, slice_ms = sized(options, once=(1, 0, 0), quick=(9, 25, 1), full=(41, 240, 1))
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RESULTS, prefix="users-") as directory:
        uri = f"sqlite:///{Path(directory) / 'users.db'}"
        peers = ("contestants.sign_in:fastapi_users_cases", "contestants.sign_in:django_cases")
        with workers(("contestants.sign_in:our_cases", uri), *((p,) for p in peers), optional=peers) as known:
            samples = interleave(known, rounds=rounds, budget_s=budget, slice_ms=slice_ms, clock="wall")
    labels = [(OURS, "us"), (BY_HAND, "floor"), (FASTAPI_USERS, "peer"), (DJANGO, "peer")]
    groups = [
        sampled("Sign-in, Argon2id 86 MiB, 1 pass, 2 lanes", samples, labels, base=BY_HAND, clock="wall")
    ]
    cost = ratio(samples, OURS, BY_HAND, "wall")
    claims = [Claim("a sign-in against one hash and one session", 1.15, cost)]
    notes = [
        "Ours is the whole request POST /auth/signin on SQLite, session and cookies included. fastapi-users "
        "is UserManager.authenticate and a JWT, its users in memory; Django is authenticate(), on SQLite in "
        "memory, without a session: both hash by argon2-cffi, we by OpenSSL."
    ]
    return Report("signin", options.quick, groups, claims, notes)
