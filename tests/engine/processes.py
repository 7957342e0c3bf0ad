"""What the tests of several processes run in them; each function is one process."""

from __future__ import annotations

import threading
from multiprocessing.context import BaseContext
from multiprocessing.synchronize import Barrier
from typing import Any

from supertokens_py.engine.code_records import ConsumedCode, PresentedCode
from supertokens_py.engine.records import IssuedSession
from supertokens_py.engine.session_records import Limit, LimitReached
from supertokens_py.types.users import User
from tests.engine.driver import Driver, header, new_session

PATIENT: dict[str, Any] = {"sqlite_busy_timeout": 60, "pool_timeout": 60, "sqlite_synchronous": "NORMAL"}


def run_all(context: BaseContext, target: Any, arguments: list[tuple[Any, ...]]) -> list[Any]:
    """Run `target(queue, barrier, *arguments)` in one process each; return what they put, in any order."""
    queue, barrier = context.Queue(), context.Barrier(len(arguments))
    processes = [
        context.Process(target=target, args=(queue, barrier, *each), daemon=True) for each in arguments
    ]
    for process in processes:
        process.start()
    results = [queue.get(timeout=150) for _ in processes]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    queue.close()
    return results


def refresh_many(queue: Any, barrier: Barrier, uri: str, token: str, threads: int, settings: Any) -> None:
    """Refresh one token in several threads at once; put the answers."""
    core = Driver(uri, **(PATIENT | settings))
    core.engine.keys.key_set()
    core.keys.jwks()
    answers: list[Any] = []

    def refresh() -> None:
        answers.append(core.refresh(token))

    workers = [threading.Thread(target=refresh) for _ in range(threads)]
    barrier.wait(120)
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    core.close()
    queue.put([a.refresh_token.text if isinstance(a, IssuedSession) else repr(a) for a in answers])


def first_start(queue: Any, barrier: Barrier, uri: str) -> None:
    """Create a session on a database that nobody has used yet; put its tokens."""
    core = Driver(uri, **PATIENT)
    barrier.wait(120)
    session = core.create()
    queue.put((session.refresh_token.text, header(session.access_token.text)["kid"]))
    core.close()


def merge_keys(queue: Any, barrier: Barrier, uri: str, token: str, handle: str, number: int) -> None:
    """Merge ten keys of one's own into a payload, by both ways; put how many answers said yes."""
    core = Driver(uri, **PATIENT)
    core.keys.jwks()
    barrier.wait(120)
    done = 0
    for index in range(5):
        done += core.sessions.merge_payload(handle, {f"merge-{number}-{index}": 1})
        answer = core.sessions.regenerate(token, merge={f"regenerate-{number}-{index}": 1})
        done += answer.payload[f"regenerate-{number}-{index}"]
    core.close()
    queue.put(done)


def write_until_killed(connection: Any, uri: str) -> None:
    """Create sessions and refresh them for ever; send each token that a client would now hold."""
    core = Driver(uri, **PATIENT)
    while True:
        session = core.create()
        connection.send((session.handle, session.refresh_token.text))
        for _ in range(3):
            session = core.refresh(session)
            connection.send((session.handle, session.refresh_token.text))


def sign_up_many(queue: Any, barrier: Barrier, uri: str, email: str, threads: int, number: int) -> None:
    """Sign one address up in several threads at once, each with another password; put who succeeded."""
    core = Driver(uri, keeps_users=True, argon2_memory_kb=1024, argon2_parallelism=1, **PATIENT)
    core.users.count(tenant_id=None)
    made: list[str] = []
    others: list[object] = []

    def sign_up(password: str) -> None:
        result = core.email_password.sign_up("public", email, password)
        if isinstance(result, User):
            made.append(password)
        else:
            others.append(result)

    workers = [threading.Thread(target=sign_up, args=(f"password {number} {n}",)) for n in range(threads)]
    barrier.wait(120)
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    core.close()
    queue.put((made, others))


def log_in_many(queue: Any, barrier: Barrier, uri: str, threads: int, limit: Limit) -> None:
    """Log one user in, in several threads at once; put handles, refusals and how many live ones were seen."""
    core = Driver(uri, **PATIENT)
    core.keys.jwks()
    handles: list[str] = []
    refusals: list[LimitReached] = []
    seen: list[int] = []

    def log_in() -> None:
        result = core.sessions.create(new_session("ada", limit=limit))
        if isinstance(result, LimitReached):
            refusals.append(result)
        else:
            handles.append(result.handle)
        seen.append(len(core.sessions.user_handles("ada", tenant_id=None)))

    workers = [threading.Thread(target=log_in) for _ in range(threads)]
    barrier.wait(120)
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    core.close()
    queue.put((handles, refusals, seen))


def consume_many(
    queue: Any, barrier: Barrier, uri: str, ways: list[PresentedCode], threads: int, settings: Any
) -> None:
    """Present codes and links in several threads at once, in turn; put the answers."""
    core = Driver(uri, keeps_users=True, **(PATIENT | settings))
    core.users.count(tenant_id=None)
    answers: list[Any] = []

    def consume(number: int) -> None:
        answers.append(core.passwordless.consume("public", ways[number % len(ways)]))

    workers = [threading.Thread(target=consume, args=(number,)) for number in range(threads)]
    barrier.wait(120)
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    core.close()
    queue.put([one.user.id if isinstance(one, ConsumedCode) else one for one in answers])
