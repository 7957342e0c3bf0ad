"""Ending all sessions of a user while their sessions are replaced as fast as can be: none may be left."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from supertokens_py.engine.records import IssuedSession, Unauthorised
from supertokens_py.engine.session_records import Actor, Replaces, SessionFeatures
from tests.engine.driver import Driver

from .storms import Tally

QUICK: dict[str, Any] = {"argon2_memory_kb": 1024, "argon2_parallelism": 1}
ACTED_AS = "ada"

ENDINGS: dict[str, Callable[[Driver, str], object]] = {
    "revocation": lambda core, user: core.sessions.revoke_user(user, tenant_id=None),
    "new password": lambda core, user: core.email_password.update(
        user, email=None, password="correct horse 2", revoke_sessions=True
    ),
    "deletion": lambda core, user: core.users.remove(user),
    "end of a membership": lambda core, user: core.users.dissociate("public", user),
}


def end_beside_replacements(uri: str, count: int, seed: int, *, sessions: int = 3) -> Tally:
    """Have everything of a user end `count` times, beside a thread for each session that replaces it again.

    Each thread acts as another user now and then, too.
    """
    dice, tally = random.Random(seed), Tally()
    core = Driver(uri, keeps_users=True, features=SessionFeatures(details=True), **QUICK)
    try:
        for number in range(count):
            _round(core, number, dice.choice(sorted(ENDINGS)), sessions, tally)
    finally:
        core.close()
    return tally


def _round(core: Driver, number: int, ending: str, sessions: int, tally: Tally) -> None:
    user = core.email_password.sign_up("public", f"{number}@example.com", "correct horse 1").id
    begun, stop = threading.Barrier(sessions + 1), threading.Event()
    with ThreadPoolExecutor(sessions) as people:
        works = [people.submit(_replace, core, core.create(user), begun, stop) for _ in range(sessions)]
        begun.wait(30)
        ENDINGS[ending](core, user)
        left = _left(core, user)
        stop.set()  # whoever has a session left would go on for ever
        tally.expect(not left, f"left after a {ending}", left)
        tally.done["replacements"] += sum(work.result(30) for work in works)
    tally.done[ending] += 1
    core.sessions.revoke_user(ACTED_AS, tenant_id=None)


def _left(core: Driver, user: str) -> list[str]:
    handles = core.sessions.user_handles
    return [*handles(user, tenant_id=None), *handles(ACTED_AS, tenant_id=None)]


def _replace(core: Driver, own: IssuedSession, begun: threading.Barrier, stop: threading.Event) -> int:
    """Replace a session until it has ended; return how often."""
    count = 0
    while not stop.is_set():
        replaces = Replaces(handle=own.handle, must_exist=True, copies=True)
        made = core.create(own.recipe_user_id, replaces=replaces)
        if isinstance(made, Unauthorised):
            return count
        own, count = made, count + 1
        if count == 1:
            begun.wait(30)
        if count % 3 == 0:
            actor = Actor(user_id=own.user_id, handle=own.handle)
            core.create(ACTED_AS, actor=actor, counts=False)
    return count
