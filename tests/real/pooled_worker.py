"""One of several processes that refresh, read, sign in and sign out through a pooler, in several threads.

    python -m tests.real.pooled_worker URI ROLE ROUNDS [deceived]

With `deceived` it takes the pooler for the server, as it would one that passes the server's greeting on.
It prints JSON: what failed, and the sessions that nobody ended.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from supertokens_py.engine.embedded.storage import postgres
from supertokens_py.engine.records import IssuedSession, Verified
from tests.engine.driver import Driver

THREADS = 4


def read(core: Driver, kept: IssuedSession, _number: int) -> IssuedSession:
    assert core.verify(kept) == Verified(), "a session that nobody ended cannot be verified"
    assert core.sessions.information(kept.handle).user_id == kept.user_id
    return kept


def refresh(core: Driver, kept: IssuedSession, number: int) -> IssuedSession:
    refreshed = core.refresh(kept)
    assert isinstance(refreshed, IssuedSession), repr(refreshed)
    assert refreshed.handle == kept.handle
    core.metadata.merge(kept.user_id, {"n": number})
    return refreshed


def sign_in_and_out(core: Driver, kept: IssuedSession, number: int) -> IssuedSession:
    passing = core.create(f"passing-{number}", data={"n": number})
    assert core.sessions.revoke([passing.handle]) == [passing.handle]
    return kept


def everything(core: Driver, kept: IssuedSession, number: int) -> IssuedSession:
    return refresh(core, read(core, sign_in_and_out(core, kept, number), number), number)


# Processes that do the same in the same order would give the same statements the same names.
ROLES = {each.__name__: each for each in (read, refresh, sign_in_and_out, everything)}


def work(core: Driver, role: str, rounds: int, thread: int) -> dict[str, Any]:
    kept, failures = core.create(f"kept-{thread}"), []
    for number in range(rounds):
        try:
            kept = ROLES[role](core, kept, number)
        except Exception as error:
            failures.append(f"{type(error).__name__}: {error}")
    return {"kept": kept.handle, "failures": failures}


def main(uri: str, role: str, rounds: int) -> None:
    core = Driver(uri, pool_size=3)
    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(THREADS) as threads:
        results = list(threads.map(lambda thread: work(core, role, rounds, thread), range(THREADS)))
    core.close()
    print(json.dumps(results), flush=True)


if __name__ == "__main__":
    if sys.argv[4:] == ["deceived"]:
        postgres.is_servers_own = lambda _: True
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
