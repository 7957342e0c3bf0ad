"""Whoever changes what another one is changing waits for the other: no two wait for each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from supertokens_py import events
from supertokens_py.engine.code_records import NewCode, PresentedCode
from tests.engine.driver import Driver
from tests.support.databases import TestDatabase
from tests.support.interleaving import await_waiting, meanwhile

pytestmark = pytest.mark.postgres

OLD, NEW, THIRD = "ada@example.com", "ada@example.org", "ada@example.net"
HASH = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"


@dataclass
class Shown:
    """What is there to be used at the same moment: `ext` has both kinds of users' address OLD."""

    codes: list[PresentedCode]
    code_for_new: PresentedCode
    verification: str
    reset: str


def code(core: Driver, email: str, tenant_id: str = "public") -> PresentedCode:
    made = core.passwordless.create_code(
        tenant_id, NewCode(email=email, phone_number=None, device_id=None, user_input_code=None)
    )
    return PresentedCode(
        pre_auth_session_id=made.pre_auth_session_id,
        link_code=made.link_code,
        device_id=None,
        user_input_code=None,
    )


@pytest.fixture
def deadlocks() -> Iterator[list[events.DatabaseFailed]]:
    """Yield what the databases refused: a transaction that loses is repeated, and nobody sees it."""
    failed: list[events.DatabaseFailed] = []

    def note(event: events.Event) -> None:
        if isinstance(event, events.DatabaseFailed):
            failed.append(event)

    unsubscribe = events.subscribe(note)
    yield failed
    unsubscribe()


def set_up(core: Driver) -> Shown:
    """Make a user of codes, `codes`, and one with a password, `ext`."""
    user = core.passwordless.consume("public", code(core, OLD)).user.id
    core.tenants.put("t1", {})
    core.users.associate("t1", user)
    code(core, OLD, "t1")
    core.id_mappings.create(user, "codes", None, force=False)
    user = core.hash_import.put("public", OLD, HASH).user.id
    core.id_mappings.create(user, "ext", None, force=False)
    reset = core.email_password.create_reset_token("public", "ext", OLD)
    verification = core.email_verification.create_token("public", "codes", NEW)
    return Shown([code(core, OLD), code(core, OLD)], code(core, NEW), verification, reset)


DOES: dict[str, Callable[[Driver, Shown], Any]] = {
    "use a code": lambda core, shown: core.passwordless.consume("public", shown.codes[0]),
    "use another code": lambda core, shown: core.passwordless.consume("public", shown.codes[1]),
    "use a code for NEW": lambda core, shown: core.passwordless.consume("public", shown.code_for_new),
    "change a contact": lambda core, _: core.passwordless.update("codes", email=NEW),
    "remove who uses codes": lambda core, _: core.users.remove("codes"),
    "delete a tenant": lambda core, _: core.tenants.delete("t1"),
    "end a mapping": lambda core, _: core.id_mappings.delete("codes", force=True),
    "verify": lambda core, shown: core.email_verification.verify("public", shown.verification),
    "unverify": lambda core, _: core.email_verification.unverify("codes", OLD),
    "make a link": lambda core, _: core.email_password.create_reset_token("public", "ext", OLD),
    "use a link": lambda core, shown: core.email_password.consume_reset_token("public", shown.reset),
    "change an address": lambda core, _: core.email_password.update(
        "ext", email=THIRD, password=None, revoke_sessions=False
    ),
    "put a hash": lambda core, _: core.hash_import.put("public", OLD, HASH),
    "remove": lambda core, _: core.users.remove("ext"),
}
#: What one does, the statement before which another begins, and what that one does.
MEET = [
    ("use a code", "SELECT passwordless_users.email", "change a contact"),
    ("use a code", "SELECT passwordless_users.email", "remove who uses codes"),
    ("use a code for NEW", "INSERT INTO app_id_to_user_id", "change a contact"),
    ("change a contact", "DELETE FROM emailverification_tokens", "use a code"),
    ("change a contact", "DELETE FROM emailverification_tokens", "use a code for NEW"),
    ("change a contact", "DELETE FROM emailverification_tokens", "remove who uses codes"),
    ("change a contact", "DELETE FROM emailverification_verified", "end a mapping"),
    ("remove who uses codes", "DELETE FROM passwordless_devices", "change a contact"),
    ("remove who uses codes", "DELETE FROM app_id_to_user_id", "delete a tenant"),
    ("end a mapping", "DELETE FROM emailverification_verified", "verify"),
    ("end a mapping", "DELETE FROM emailverification_verified", "unverify"),
    ("unverify", "DELETE FROM emailverification_verified", "end a mapping"),
    ("make a link", "INSERT INTO emailpassword_pswd_reset_tokens", "remove"),
    ("remove", "DELETE FROM app_id_to_user_id", "make a link"),
    ("remove", "DELETE FROM app_id_to_user_id", "change an address"),
    ("change an address", "DELETE FROM emailpassword_pswd_reset_tokens", "remove"),
    ("put a hash", "UPDATE emailpassword_users", "remove"),
    ("use a link", "SELECT emailpassword_users.user_id", "change an address"),
]


@pytest.mark.parametrize(("does", "words", "meets"), MEET)
def test_nobody_who_is_waited_for_waits(
    stored: TestDatabase,
    core: Driver,
    other: Driver,
    deadlocks: list[events.DatabaseFailed],
    does: str,
    words: str,
    meets: str,
) -> None:
    shown = set_up(core)
    with meanwhile(core.database, words, lambda: DOES[meets](other, shown), stored=stored, when="before"):
        DOES[does](core, shown)
    assert deadlocks == []


def test_devices_of_a_contact_are_locked_in_one_order(
    stored: TestDatabase, core: Driver, other: Driver, deadlocks: list[events.DatabaseFailed]
) -> None:
    """By their hashes, also where all of them end: who is made to wait for one has locked no later one."""
    codes = [code(core, OLD), code(core, OLD)]
    while codes[0].pre_auth_session_id < codes[1].pre_auth_session_id:
        core.passwordless.revoke_codes("public", email=OLD)
        codes = [code(core, OLD), code(core, OLD)]
    with psycopg.connect(stored.uri) as blocker, ThreadPoolExecutor(2) as threads:
        lock = "SELECT FROM passwordless_devices WHERE device_id_hash = %s FOR UPDATE"
        assert blocker.execute(lock, [codes[1].pre_auth_session_id]).rowcount == 1
        used = threads.submit(core.passwordless.consume, "public", codes[0])
        await_waiting(stored, used)
        revoked = threads.submit(other.passwordless.revoke_codes, "public", email=OLD)
        await_waiting(stored, revoked, count=2)
        blocker.rollback()
    assert (used.result().user.emails, revoked.result(), deadlocks) == ([OLD], None, [])
