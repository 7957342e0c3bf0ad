"""Whatever ends every session of a user ends the one that is taking the place of another at that moment.

A session is replaced by deleting its row and inserting another. What ends all of them would see neither, if
it did not wait: the former one is gone, and the new one was not there when it began to look.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from supertokens_py.engine.records import IssuedSession, Unauthorised
from supertokens_py.engine.session_records import Actor, Limit, Replaces, SessionFeatures
from tests.engine.conftest import POSTGRES, Opener
from tests.engine.driver import Driver
from tests.support.databases import TestDatabase
from tests.support.interleaving import await_waiting
from tests.support.units import before_each_commit, before_each_statement

Work = Callable[["Scene"], Any]

QUICK: dict[str, Any] = {"argon2_memory_kb": 1024, "argon2_parallelism": 1}
GONE = Unauthorised("Session does not exist.", "session_gone")
COPY: dict[str, bool] = {"must_exist": True, "copies": True}


@dataclass
class Scene:
    """A user of tenant `t1` with a session there, one elsewhere, and one in which they act as `ada`.

    A guest waits there, too.
    """

    core: Driver
    database: TestDatabase
    user: str
    own: IssuedSession
    elsewhere: IssuedSession
    acting: IssuedSession
    guest: IssuedSession

    @staticmethod
    def of(core: Driver, database: TestDatabase) -> Scene:
        core.tenants.put("t1", {})
        user = core.email_password.sign_up("t1", f"{uuid4()}@example.com", "correct horse 1").id
        own = core.create(user, tenant_id="t1")
        actor = Actor(user_id=user, handle=own.handle)
        acting = core.create("ada", tenant_id="t1", actor=actor, counts=False)
        return Scene(core, database, user, own, core.create(user), acting, core.create("guest"))

    def create(self, user: str, **changes: Any) -> Any:
        return self.core.create(user, tenant_id="t1", **changes)

    def in_its_place(self, **how: Any) -> Any:
        return self.create(self.user, replaces=Replaces(handle=self.own.handle, **how))

    def left(self) -> list[str]:
        """Return which sessions live, but the one elsewhere: the user's, and of those as whom they act."""
        handles = self.core.sessions.user_handles
        found = (one for name in (self.user, "42", "ada") for one in handles(name, tenant_id=None))
        return [one for one in found if one != self.elsewhere.handle]

    def meanwhile(self, first: Work, second: Work) -> tuple[Any, Any]:
        """Return what both answer, where the second begins when the first is about to commit."""
        reached, commit = threading.Event(), threading.Event()

        def hold() -> None:
            if not reached.is_set():
                reached.set()
                assert commit.wait(30)

        with before_each_commit(self.core.database, hold), ThreadPoolExecutor(2) as people:
            one = people.submit(first, self)
            assert reached.wait(30), one.result(0)
            other = people.submit(second, self)
            await_waiting(self.database, other)
            commit.set()
            return one.result(30), other.result(30)


@pytest.fixture
def core(users_database: TestDatabase, start: Opener) -> Driver:
    return start(users_database.uri, keeps_users=True, features=SessionFeatures(details=True), **QUICK)


def reauthentication(scene: Scene) -> Any:
    return scene.in_its_place(**COPY)


def beginning_to_act(scene: Scene) -> Any:
    actor = Actor(user_id=scene.user, handle=scene.own.handle)
    return scene.create("ada", actor=actor, counts=False)


def return_from_acting(scene: Scene) -> Any:
    return scene.in_its_place(**COPY, keeps_end=True, also=scene.acting.handle)


def log_in_over_a_session(scene: Scene) -> Any:
    return scene.in_its_place()


def log_in_of_a_guest(scene: Scene) -> Any:
    replaces = Replaces(handle=scene.guest.handle, must_exist=True, with_others=True)
    return scene.create(scene.user, replaces=replaces)


def log_in_at_a_limit(scene: Scene) -> Any:
    return scene.create(scene.user, limit=Limit(max_sessions=1, when_reached="end_oldest"))


def every_session(scene: Scene) -> None:
    scene.core.sessions.revoke_user(scene.user, tenant_id=None)


def every_session_in_the_tenant(scene: Scene) -> None:
    scene.core.sessions.revoke_user(scene.user, tenant_id="t1")


def every_other_session(scene: Scene) -> None:
    scene.core.sessions.revoke_user(scene.user, tenant_id=None, keep=scene.elsewhere.handle)


def new_password(scene: Scene) -> None:
    change = {"email": None, "password": "correct horse 2", "revoke_sessions": True}
    assert scene.core.email_password.update(scene.user, **change) is None


def deletion_of_the_user(scene: Scene) -> None:
    scene.core.users.remove(scene.user)


def end_of_the_membership(scene: Scene) -> None:
    assert scene.core.users.dissociate("t1", scene.user) is True


def deletion_of_the_tenant(scene: Scene) -> None:
    assert scene.core.tenants.delete("t1") is True


#: These need a session of the user, and end with it.
DERIVED = [reauthentication, beginning_to_act, return_from_acting]
REPLACING = [*DERIVED, log_in_over_a_session, log_in_of_a_guest, log_in_at_a_limit]
ENDING = [
    every_session,
    every_session_in_the_tenant,
    every_other_session,
    new_password,
    deletion_of_the_user,
    end_of_the_membership,
    deletion_of_the_tenant,
]

each_ending = pytest.mark.parametrize("ending", ENDING, ids=lambda one: one.__name__)


@each_ending
def test_a_session_that_is_being_made_ends_with_the_others(
    core: Driver, users_database: TestDatabase, ending: Work
) -> None:
    """Whatever it takes the place of."""
    left: dict[str, list[str]] = {}
    for replacing in REPLACING:
        scene = Scene.of(core, users_database)
        made, _ = scene.meanwhile(replacing, ending)
        assert isinstance(made, IssuedSession)
        left[replacing.__name__] = scene.left()
    assert left == {one.__name__: [] for one in REPLACING}


@each_ending
def test_no_session_is_made_out_of_one_that_is_being_ended(
    core: Driver, users_database: TestDatabase, ending: Work
) -> None:
    made: dict[str, Any] = {}
    for replacing in DERIVED:
        scene = Scene.of(core, users_database)
        _, made[replacing.__name__] = scene.meanwhile(ending, replacing)
        assert scene.left() == []
    assert made == {one.__name__: GONE for one in DERIVED}


def test_a_guest_who_logs_in_leaves_no_session_of_the_guest(
    core: Driver, users_database: TestDatabase
) -> None:
    """Whoever has another one, which is being replaced, must not go on as the guest."""
    scene, other = Scene.of(core, users_database), core.create("guest")
    replaces = Replaces(handle=other.handle, **COPY)
    _, logged_in = scene.meanwhile(lambda _: core.create("guest", replaces=replaces), log_in_of_a_guest)
    assert core.sessions.user_handles("guest", tenant_id=None) == []
    assert logged_in.handle in scene.left()


@pytest.mark.parametrize("users_database", [POSTGRES], indirect=True)
def test_an_id_that_the_user_has_got_meanwhile_counts(core: Driver, users_database: TestDatabase) -> None:
    """The session in the place of another has the new id, which was not known when the end began.

    A new password locks the user first, so that nobody gives them another id meanwhile.
    """
    scene, made = Scene.of(core, users_database), list[Any]()

    def work() -> None:
        if not made:
            made.append(scene.own)
            assert core.id_mappings.create(scene.user, "42", None, force=True) is None
            made.append(reauthentication(scene))

    with before_each_statement(core.database, "pg_advisory_xact_lock", work):
        every_session(scene)
    assert [type(one) for one in made] == [IssuedSession, IssuedSession]
    assert scene.left() == []
