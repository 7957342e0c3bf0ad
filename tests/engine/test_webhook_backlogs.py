"""Events that pile up while a receiver is away: what they cost, and whom they keep waiting."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from supertokens_py.engine.embedded import background
from supertokens_py.engine.embedded.accounts.user_tables import USER_TABLES
from supertokens_py.engine.embedded.all_tables import ALL_TABLES
from supertokens_py.engine.embedded.background import Pace
from supertokens_py.engine.embedded.engine import tables_of
from supertokens_py.engine.embedded.events import webhook_rows, webhooks
from supertokens_py.engine.embedded.events.webhook_rows import Claimed, DeliveryRows
from supertokens_py.engine.embedded.storage.tables import TableDefinition
from supertokens_py.engine.session_records import SessionFeatures
from supertokens_py.engine.webhook_records import Webhook
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.clock import Clock
from tests.support.databases import TestDatabase
from tests.support.effort import effort
from tests.support.receiver import Receiver, receiving
from tests.support.units import counted_units

SECRET = "whsec_" + b64encode(b"k" * 32).decode()
HOOK = Webhook(url="http://127.0.0.1:1/", secret=SECRET)
FEATURES = SessionFeatures(events=True, webhooks=(HOOK,))
MANY = 3_000
#: A plan without statistics may read each of them once; comparing them with each other takes far more.
FEW = 3 * MANY


def piled_up(
    start: Opener, database: TestDatabase, clock: Clock, count: int, *, sessions: int, since: int = 0
) -> tuple[Driver, DeliveryRows]:
    """Return an engine whose webhook has so many events to get, numbered from 1, and its deliveries."""
    core = start(database.uri, now_ms=clock, features=FEATURES)
    events: list[dict[str, Any]] = [
        {"at_ms": clock(), "type": "session.refreshed", "tenant_id": "public", "user_id": "u",
         "session_handle": f"h{n % sessions}", "facts": "{}"}
        for n in range(since + 1, count + 1)
    ]  # fmt: skip
    deliveries = [
        {"endpoint": HOOK.endpoint, "seq": n, "session_handle": one["session_handle"],
         "attempts": 0, "next_at": clock()}
        for n, one in enumerate(events, since + 1)
    ]  # fmt: skip
    if events:
        core.seed({"supertokens_py_events": events, "supertokens_py_deliveries": deliveries})
    return core, DeliveryRows(core.database, [HOOK])


@pytest.mark.parametrize("sessions", [1, MANY])
def test_a_claim_costs_the_same_however_many_events_wait(
    fresh_shared: TestDatabase, start: Opener, clock: Clock, sessions: int
) -> None:
    """CP-25: of one session or of many; so does the reading before it."""

    claimed: list[Claimed | None] = []

    def work() -> None:
        claimed.append(rows.claim(HOOK, rows.due(HOOK)))

    core, rows = piled_up(start, fresh_shared, clock, MANY, sessions=sessions)
    assert effort(core.database, fresh_shared, work) <= FEW
    assert claimed[0] is not None
    rows.succeeded(HOOK, claimed[0], "204")
    fresh_shared.query("ANALYZE")  # and with statistics
    assert effort(core.database, fresh_shared, work) <= FEW
    assert [one.event.seq for one in claimed if one] == [1, 2]


def test_a_claim_looks_at_its_candidates_alone(
    fresh_shared: TestDatabase, start: Opener, clock: Clock
) -> None:
    """Where all but a few wait for their next try, only a read looks at those, not the transaction."""
    core, rows = piled_up(start, fresh_shared, clock, MANY, sessions=MANY)
    later = f"UPDATE supertokens_py_deliveries SET next_at = next_at + 5000 WHERE seq <= {MANY - 3}"
    fresh_shared.query(later)
    due = rows.due(HOOK)
    assert due == [MANY - 2, MANY - 1, MANY]
    assert effort(core.database, fresh_shared, lambda: rows.claim(HOOK, due)) <= FEW


def test_a_look_for_what_is_due_looks_at_each_event_once(
    fresh_shared: TestDatabase, start: Opener, clock: Clock
) -> None:
    """Where the first event of each session was refused, all others wait for it."""
    core, rows = piled_up(start, fresh_shared, clock, MANY, sessions=MANY // 2)
    later = f"UPDATE supertokens_py_deliveries SET next_at = next_at + 5000 WHERE seq <= {MANY // 2}"
    fresh_shared.query(later)
    found: list[int] = []
    most = MANY * (100 if fresh_shared.kind == "sqlite-file" else 10)
    assert effort(core.database, fresh_shared, lambda: found.extend(rows.due(HOOK))) <= most
    fresh_shared.query("ANALYZE")
    assert effort(core.database, fresh_shared, lambda: found.extend(rows.due(HOOK))) <= most
    assert found == []


def test_candidates_are_claimed_in_order_and_once(
    fresh_shared: TestDatabase, start: Opener, clock: Clock
) -> None:
    """By two processes that looked at the same time: each event of a session only after the one before."""
    _, rows = piled_up(start, fresh_shared, clock, 6, sessions=2)
    _, other = piled_up(start, fresh_shared, clock, 0, sessions=2)
    due = rows.due(HOOK)
    assert due == other.due(HOOK) == [1, 2, 3, 4, 5, 6]
    first, second = rows.claim(HOOK, due), other.claim(HOOK, due)
    assert first is not None
    assert second is not None
    assert (first.event.seq, second.event.seq) == (1, 2)
    assert rows.claim(HOOK, due) is None  # the others are behind these
    assert rows.due(HOOK) == []
    rows.succeeded(HOOK, first, "204")
    other.failed(HOOK, second, "500")
    assert rows.due(HOOK) == [3, 5]
    third = other.claim(HOOK, due)
    assert third is not None
    assert third.event.seq == 3


def test_what_a_delivered_event_costs_does_not_grow(
    fresh_shared: TestDatabase, start: Opener, clock: Clock
) -> None:
    """The clean-up of old events finds their deliveries by an index, however many others there are."""
    core, _ = piled_up(start, fresh_shared, clock, MANY, sessions=MANY)
    if fresh_shared.kind == "postgresql":
        fresh_shared.query("ANALYZE")
        sql = "EXPLAIN DELETE FROM ONLY supertokens_py_deliveries WHERE seq = 5"
        assert any("supertokens_py_deliveries_pkey" in line for (line,) in fresh_shared.query(sql))
        return
    fresh_shared.query("UPDATE supertokens_py_events SET at_ms = 1 WHERE seq <= 10")
    steps = effort(core.database, fresh_shared, lambda: core.events.clean_up(clock()))
    assert core.count("supertokens_py_deliveries") == MANY - 10
    assert steps <= FEW


def test_a_look_for_new_events_costs_the_same_however_many_are_kept(
    fresh_shared: TestDatabase, start: Opener, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are kept for a month, and each thread looks every few seconds."""
    monkeypatch.setattr(webhooks.Webhooks, "wake", lambda _: None)  # no thread looks before

    core, rows = piled_up(start, fresh_shared, clock, 0, sessions=1)
    core.database.write(rows.register)
    core.create()
    piled_up(start, fresh_shared, clock, MANY, sessions=MANY, since=1)
    clock.advance(ms=webhook_rows.LATEST_COMMIT_MS + 1)
    assert rows.spread(HOOK)
    core.create()
    assert effort(core.database, fresh_shared, lambda: rows.spread(HOOK)) <= FEW
    assert core.count("supertokens_py_deliveries") == MANY + 1


@pytest.fixture
def without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that is frozen between requests."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "f")


def piled_up_for(
    start: Opener, database: TestDatabase, clock: Clock, receivers: list[Receiver], count: int
) -> tuple[Driver, Callable[[], None]]:
    """Return an engine with so many events to send to each receiver, and what has them sent; none was."""
    hooks = tuple(Webhook(url=one.url, secret=SECRET) for one in receivers)
    core = start(database.uri, now_ms=clock, features=SessionFeatures(events=True, webhooks=hooks))
    wake = core.engine.events.on_commit  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(webhooks.Webhooks, "wake", lambda _: None)
        patch.setattr(core.engine.events, "on_commit", lambda: None)
        for number in range(count):
            core.create(f"u{number}")
    return core, wake


def test_a_request_sends_a_few_events_of_a_backlog(
    fresh_shared: TestDatabase,
    start: Opener,
    clock: Clock,
    without_threads: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All webhooks together, where no thread goes on between requests; `flush` sends the rest."""
    monkeypatch.setattr(webhooks, "INLINE_S", 1_000.0)
    with receiving() as one, receiving() as other:
        core, wake = piled_up_for(start, fresh_shared, clock, [one, other], 8)
        wake()
        assert len(one.messages) + len(other.messages) == webhooks.INLINE_EVENTS
        core.engine.flush()
        assert len(one.messages) == len(other.messages) == 8


def test_a_request_begins_no_event_after_its_time(
    sqlite_database: TestDatabase,
    start: Opener,
    clock: Clock,
    without_threads: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """But always one, of each webhook in turn."""
    monkeypatch.setattr(webhooks, "INLINE_S", 0.0)
    monkeypatch.setattr(webhooks, "_PACE", Pace(start_s=0, batch_s=0))
    with receiving() as one, receiving() as other:
        _, wake = piled_up_for(start, sqlite_database, clock, [one, other], 2)
        wake()
        assert (len(one.messages), len(other.messages)) == (1, 0)
        wake()
        assert (len(one.messages), len(other.messages)) == (1, 1)


def test_a_request_does_not_wait_for_long(
    sqlite_database: TestDatabase,
    start: Opener,
    clock: Clock,
    without_threads: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A receiver has less time, and after one silence the next requests leave it alone."""
    times: list[float] = []

    def silent(_url: str, _headers: object, _body: object, timeout_s: float) -> int:
        times.append(timeout_s)
        raise TimeoutError

    monkeypatch.setattr(webhooks, "_PACE", Pace(start_s=0, batch_s=0))
    monkeypatch.setattr(webhooks, "POLL_S", 1_000.0)
    monkeypatch.setattr(webhooks, "post", silent)
    with receiving() as receiver:
        core, wake = piled_up_for(start, sqlite_database, clock, [receiver], 2)
        wake()
        wake()
        assert times == [webhooks.INLINE_TIMEOUT_S]
        core.engine.flush()
        assert times == [webhooks.INLINE_TIMEOUT_S, webhooks.TIMEOUT_S]


def test_closing_ends_a_sender_that_waits_for_an_answer(
    fresh_shared: TestDatabase, start: Opener, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It neither opens the database again nor sends more; the next start does."""
    monkeypatch.setattr(background, "_EXIT_PATIENCE_S", 0.01)
    is_asked, may_answer = threading.Event(), threading.Event()

    def wait(_: object) -> None:
        is_asked.set()
        assert may_answer.wait(60)

    with receiving() as receiver:
        receiver.before_answer = wait
        before = set(threading.enumerate())
        core, wake = piled_up_for(start, fresh_shared, clock, [receiver], 3)
        wake()
        assert is_asked.wait(60)
        senders = [one for one in set(threading.enumerate()) - before if one.name == "supertokens-background"]
        core.close()
        with counted_units(core.database) as units:
            may_answer.set()
            for one in senders:
                one.join(60)
            assert not any(one.is_alive() for one in senders)
            assert units == []
        assert len(receiver.messages) == 1
        clock.advance(minutes=10)
        core.engine.flush()
        assert len(receiver.messages) == 4
        assert len({one.id for one in receiver.messages}) == 3


def tables() -> list[TableDefinition]:
    everything = SessionFeatures(details=True, events=True, webhooks=(HOOK,), revocations=True)
    return [*ALL_TABLES, *USER_TABLES, *tables_of(everything)]


@pytest.mark.parametrize("table", [one for one in tables() if one.references], ids=lambda one: one.name)
def test_rows_that_go_with_others_are_found_by_an_index(table: TableDefinition) -> None:
    """Else each deletion of those reads the whole table, with its locks."""
    ways = [set(way[: len(one.columns)]) for one in table.references for way in _ways(table)]
    assert [one for one in table.references if set(one.columns) not in ways] == []


def _ways(table: TableDefinition) -> list[tuple[str, ...]]:
    return [table.key, *table.indexes.values(), *table.unique.values()]
