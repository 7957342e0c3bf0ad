"""One of several processes that refresh, read, sign in and sign out through a pooler, in several threads.

    python -m tests.real.pooled_worker URI ROUNDS

It prints JSON: what failed, and the sessions that nobody ended.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from supertokens_py.engine.interface import IssuedSession, Verified
from tests.engine.driver import Driver

THREADS = 4


def step(core: Driver, kept: IssuedSession, number: int) -> IssuedSession:
    """Refresh and read a session, and make and end others; return the session with its new tokens."""
    assert core.verify(kept) == Verified(), "a session that nobody ended cannot be verified"
    refreshed = core.refresh(kept)
    assert isinstance(refreshed, IssuedSession), repr(refreshed)
    assert refreshed.handle == kept.handle
    assert core.session_information(kept.handle).user_id == kept.user_id
    passing = core.create(f"passing-{number}", data={"n": number})
    core.merge_session_payload(passing.handle, {"n": number})
    core.merge_metadata(kept.user_id, {"n": number})
    assert core.revoke_sessions([passing.handle]) == [passing.handle]
    return refreshed


def work(core: Driver, rounds: int, thread: int) -> dict[str, Any]:
    kept, failures = core.create(f"kept-{thread}"), []
    for number in range(rounds):
        try:
            kept = step(core, kept, number)
        except Exception as error:
            failures.append(f"{type(error).__name__}: {error}")
    return {"kept": kept.handle, "failures": failures}


def main(uri: str, rounds: int) -> None:
    core = Driver(uri, pool_size=3)
    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(THREADS) as threads:
        results = list(threads.map(lambda thread: work(core, rounds, thread), range(THREADS)))
    core.close()
    print(json.dumps(results), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
