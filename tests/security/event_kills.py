"""Processes that keep events and are killed under load: no event without its change, and none missing
(`scripts/fuzz events`)."""

from __future__ import annotations

import multiprocessing
import os
import random
import threading
import time
from base64 import b64encode
from collections import Counter
from multiprocessing.context import ForkServerProcess

from supertokens_py.engine.event_records import TERMINAL
from supertokens_py.engine.session_records import Ending, SessionFeatures
from supertokens_py.engine.webhook_records import Webhook
from tests.engine.driver import Driver
from tests.support.databases import TestDatabase
from tests.support.receiver import Receiver, receiving

from .storms import Tally, database

SECRET = "whsec_" + b64encode(b"k" * 32).decode()
THREADS = 3
LOAD_S = (0.2, 0.8)
#: How long the first event of a process may take, on a machine that is busy with other things.
PATIENCE_S = 60.0
_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
_PRELOADED = [__name__, "psycopg", "sqlalchemy"]


def features(url: str) -> SessionFeatures:
    """Return what the processes use: everything that writes events."""
    webhook = Webhook(url=url, secret=SECRET)
    return SessionFeatures(details=True, events=True, events_of_refreshes=True, webhooks=(webhook,))


def kill(kind: str, seed: int, count: int) -> Tally:
    """Kill a process under load so many times, and look after each; deliver what is left at the end."""
    dice, tally = random.Random(seed), Tally()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    with database(kind) as (place, *_), receiving() as receiver:
        first = Driver(place.uri, features=features(receiver.url))
        first.create("first")
        first.close()
        for _ in range(count):
            if tally.problems:
                break
            process = context.Process(
                target=_load, args=(place.uri, receiver.url, dice.random()), daemon=True
            )
            process.start()
            _kill(process, place, dice.uniform(*LOAD_S))
            tally.done["kills"] += 1
            _check(place, tally)
        _deliver_the_rest(place, receiver, tally)
    return tally


def _load(uri: str, url: str, seed: float) -> None:
    """Create, refresh and end sessions until this process is killed."""
    driver = Driver(uri, features=features(url))
    threads = [
        threading.Thread(target=_client, args=(driver, random.Random(seed + number), f"user-{number}"))
        for number in range(THREADS)
    ]
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    for thread in threads:
        thread.start()


def _end_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _client(driver: Driver, dice: random.Random, user_id: str) -> None:
    live = [driver.create(user_id)]
    while True:
        roll = dice.random()
        if roll < 0.4 or not live:
            live.append(driver.create(user_id))
        elif roll < 0.7:
            number = dice.randrange(len(live))
            live[number] = driver.refresh(live[number])
        elif roll < 0.95:
            driver.sessions.revoke([live.pop().handle], ending=Ending(reason="signout"))
        else:
            driver.sessions.revoke_user(user_id, tenant_id=None, ending=Ending(reason="admin"))
            live = []


def _kill(process: ForkServerProcess, place: TestDatabase, load_s: float) -> None:
    before = _latest(place)
    deadline = time.monotonic() + PATIENCE_S
    while _latest(place) == before and time.monotonic() < deadline and process.is_alive():
        time.sleep(0.01)
    time.sleep(load_s)
    process.kill()
    process.join()
    # PostgreSQL ends what a process had sent before it died: the two queries below must not see that between.
    while place.kind == "postgresql" and place.query(_OTHERS)[0][0] and time.monotonic() < deadline:
        time.sleep(0.01)


def _latest(place: TestDatabase) -> int:
    return int(place.query("SELECT COALESCE(max(seq), 0) FROM supertokens_py_events")[0][0])


def _check(place: TestDatabase, tally: Tally) -> None:
    rows = place.query("SELECT session_handle, refresh_token_rotated_at FROM session_info")
    live: dict[str, int | None] = dict(rows)
    events: dict[str, list[str]] = {}
    for handle, type_ in place.query("SELECT session_handle, type FROM supertokens_py_events ORDER BY seq"):
        events.setdefault(handle, []).append(type_)
    tally.expect(set(live) <= set(events), "sessions without events", set(live) - set(events))
    for handle, types in events.items():
        counts = Counter(types)
        ends = sum(counts[one] for one in TERMINAL)
        tally.expect(types[0] == "session.created" and counts["session.created"] == 1, "creation", types)
        tally.expect(
            ends == (handle not in live), "an end without its event, or the reverse", (handle, types)
        )
        tally.expect(not ends or types[-1] in TERMINAL, "something after the end", types)
        if handle in live:
            was_refreshed = counts["session.refreshed"] > 0
            tally.expect(was_refreshed == (live[handle] is not None), "a refresh", (handle, types))
    tally.done["sessions checked"] = len(events)


def _deliver_the_rest(place: TestDatabase, receiver: Receiver, tally: Tally) -> None:
    """Deliver what the last process left, and compare what was received with what happened."""
    later = time.time_ns() // 1_000_000 + 3_600_000
    driver = Driver(place.uri, features=features(receiver.url), now_ms=lambda: later)
    while driver.events.deliveries.all(state="waiting", limit=1) or not receiver.messages:
        driver.engine.flush()
    driver.engine.flush()
    while driver.events.deliveries.all(state="waiting", limit=1):
        driver.engine.flush()
    driver.close()
    happened = place.query("SELECT session_handle, type FROM supertokens_py_events ORDER BY seq")
    received: dict[str, list[str]] = {}
    seen: set[str] = set()
    for message in receiver.messages:
        if message.id not in seen:
            received.setdefault(message.json["data"]["session_handle"], []).append(message.json["type"])
        seen.add(message.id)
    for handle in {handle for handle, _ in happened}:
        expected = [type_ for one, type_ in happened if one == handle]
        got = received.get(handle, [])
        tally.expect(got == expected, "not delivered, or in another order", (handle, expected, got))
    tally.done["events"] = len(happened)
    tally.done["messages"] = len(receiver.messages)
