"""Messages to a contact: a few at once, then at a steady rate, so that nobody uses up somebody else's."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from supertokens_py.engine.limits import DAY_MS, OF_ALL_CLIENTS, SPACING_MS, Allowance
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

ADDRESS = "ada@example.com"
OWNER, THIEF = "192.0.2.7", "198.51.100.9"
MINUTE_MS = 60_000
HALF_AN_HOUR = 30 * MINUTE_MS


@pytest.fixture
def stored(users_database: TestDatabase) -> TestDatabase:
    """A database with tables of users, which the test may change."""
    return users_database


@pytest.fixture
def core(stored: TestDatabase, start: Opener, clock: Clock) -> Driver:
    """An engine that sends 24 links a day at the request of one client: one an hour, after five at once."""
    return start(stored.uri, keeps_users=True, now_ms=clock, password_reset_emails_per_day=24)


def sent(core: Driver, client: str | None, email: str = ADDRESS) -> bool:
    return core.email_password.may_send_reset("public", email, client)


def sent_of(core: Driver, clock: Clock, times: int, every_ms: int, client: str | None) -> int:
    """Return how many of so many requests send something."""
    count = 0
    for _ in range(times):
        clock.advance(ms=every_ms)
        count += sent(core, client)
    return count


@pytest.mark.parametrize(
    ("allowed", "step"),
    [(Allowance(5, 20), DAY_MS // 20), (Allowance(5, 1), DAY_MS), (Allowance(1, 48), 1_800_000)],
)
def test_messages_follow_at_a_steady_rate_after_the_first(allowed: Allowance, step: int) -> None:
    now, made_up, at_once = 1_700_000_000_000, 0, min(allowed.at_once, allowed.per_day)
    for _ in range(at_once):
        made_up, wait = allowed.after_one_more(made_up, now)
        assert wait == 0
    assert allowed.after_one_more(made_up, now)[1] == step
    assert allowed.after_one_more(made_up, now + step - 1)[1] == 1
    assert allowed.after_one_more(made_up, now + step)[1] == 0
    ahead = now + 400 * DAY_MS  # as a machine with a wrong clock counts
    assert allowed.after_one_more(ahead, now)[1] <= step


def test_the_first_five_are_a_quarter_of_a_minute_apart_and_others_an_hour(
    core: Driver, clock: Clock
) -> None:
    assert sent(core, OWNER)
    assert sent_of(core, clock, 4, SPACING_MS, OWNER) == 4
    assert sent_of(core, clock, 30, 2 * MINUTE_MS, OWNER) == 1
    assert sent_of(core, clock, 48, HALF_AN_HOUR, OWNER) == 24


def test_nobody_uses_up_the_messages_of_somebody_else(core: Driver, clock: Clock) -> None:
    """A client that asks without end gets the address its own share; its owner asks at any time."""
    for _ in range(3):
        assert sent_of(core, clock, 72, 10 * MINUTE_MS, THIEF) in (12, 16)
        clock.advance(ms=SPACING_MS)
        assert sent(core, OWNER)


@pytest.mark.parametrize("client", [None, OWNER])
def test_however_many_ask_a_link_follows_before_the_last_expires(
    core: Driver, clock: Clock, client: str | None
) -> None:
    """A link is valid for an hour, and goes to the owner whoever asks for it: nobody is locked out."""
    for number in range(40):  # as many clients as a thief may have
        sent(core, f"203.0.113.{number}")
        clock.advance(ms=SPACING_MS)
    for _ in range(4):
        clock.advance(ms=HALF_AN_HOUR)
        assert sent(core, client)
        clock.advance(ms=SPACING_MS)
        assert not sent(core, THIEF)
        clock.advance(ms=-SPACING_MS)


def test_a_mailbox_is_not_flooded(core: Driver, clock: Clock) -> None:
    """By all clients together, known or not: ten at once, and then one in half an hour."""
    many = [f"203.0.113.{number}" for number in range(20)]
    first = sum(sent_of(core, clock, 1, SPACING_MS, client) for client in many)
    assert first == 5 * OF_ALL_CLIENTS
    later = sum(sent_of(core, clock, 10, MINUTE_MS, client) for client in many[:12])
    assert later == 4  # in two hours


def test_parallel_requests_of_many_clients_send_one(core: Driver) -> None:
    together = threading.Barrier(8)

    def send(number: int) -> bool:
        together.wait(timeout=30)
        return sent(core, f"192.0.2.{number % 4}")

    with ThreadPoolExecutor(8) as clients:
        assert list(clients.map(send, range(8))).count(True) == 1


def test_a_message_that_was_not_sent_delays_no_other(core: Driver) -> None:
    """It stays counted, so that a refused address is tried as often as any."""
    tried = 0
    while sent(core, OWNER):
        tried += 1
        core.email_password.reset_not_sent("public", " ADA@example.com")
    assert tried == 5


def test_contacts_tenants_and_kinds_are_counted_by_themselves(core: Driver) -> None:
    assert sent(core, OWNER)
    assert not sent(core, OWNER, " ADA@example.com")
    assert sent(core, OWNER, "bob@example.com")
    assert core.email_password.may_send_reset("t1", ADDRESS, OWNER)
    assert core.email_verification.may_send("public", ADDRESS, OWNER)


def test_counts_in_the_form_of_before_are_read(core: Driver, stored: TestDatabase, clock: Clock) -> None:
    """As lists of the times at which something was sent."""
    assert sent(core, OWNER)
    for former in ("[]", f"[{clock() - 60_000}]", f"[{clock() - 120_000}, {clock() - 60_000}]"):
        stored.query("UPDATE key_value SET value = %s WHERE name LIKE %s", former, "supertokens_py_sends_%")
        assert sent(core, OWNER)


def counted(stored: TestDatabase) -> int:
    """Return how many counts are kept."""
    return stored.query("SELECT count(*) FROM key_value WHERE substr(name, 1, 21) = 'supertokens_py_sends_'")[
        0
    ][0]


def test_counts_of_made_up_addresses_give_way_to_others(
    core: Driver, stored: TestDatabase, clock: Clock
) -> None:
    """Those of a flood are there until they are made up for, in half an hour; none that counts is lost."""
    assert sent_of(core, clock, 12, SPACING_MS, None) == 10
    refused = []
    for number in range(240):
        assert sent(core, None, f"made-up-{number}@example.com")
        clock.advance(ms=MINUTE_MS)
        refused += [number] if number < 28 and not sent(core, None) else []
    assert len(refused) == 27  # one follows within half an hour
    assert 30 <= counted(stored) <= 55
