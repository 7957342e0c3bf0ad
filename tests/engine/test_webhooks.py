"""Webhooks against a receiver on this machine: at least once, in order, signed, whatever goes wrong."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook as Oracle
from standardwebhooks import WebhookVerificationError

from supertokens_py.engine.embedded.events import webhook_rows, webhooks
from supertokens_py.engine.embedded.events.webhook_posts import post
from supertokens_py.engine.session_records import Ending, SessionFeatures
from supertokens_py.engine.webhook_records import BACK_OFF_MS, Webhook
from supertokens_py.exceptions import ConfigError
from tests.browser.certificates import self_signed
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.clock import Clock
from tests.support.databases import TestDatabase
from tests.support.ports import free_port
from tests.support.receiver import Receiver, receiving

SECRET = "whsec_" + b64encode(b"k" * 32).decode()
OTHER = "whsec_" + b64encode(b"o" * 24).decode()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deliver where the test says so (`flush`), and in no thread."""
    monkeypatch.setattr(webhooks.Webhooks, "wake", lambda _: None)


def opened(start: Opener, database: TestDatabase, clock: Clock, receiver: Receiver, **hook: Any) -> Driver:
    webhook = Webhook(**({"url": receiver.url, "secret": SECRET} | hook))
    features = SessionFeatures(events=True, webhooks=(webhook,))
    return start(database.uri, now_ms=clock, features=features)


@pytest.fixture
def core(
    fresh_shared: TestDatabase, start: Opener, clock: Clock, receiver: Receiver, by_hand: None
) -> Driver:
    return opened(start, fresh_shared, clock, receiver)


@pytest.fixture
def on_sqlite(
    sqlite_database: TestDatabase, start: Opener, clock: Clock, receiver: Receiver, by_hand: None
) -> Driver:
    return opened(start, sqlite_database, clock, receiver)


def waiting(core: Driver) -> int:
    return len(core.events.deliveries.all(state="waiting"))


def test_what_is_sent(core: Driver, clock: Clock, receiver: Receiver) -> None:
    """CP-27: the body says what happened, to whom, why, and until when an access token may be around."""
    began = clock()
    session = core.create("u1")
    clock.advance(s=5)
    core.sessions.revoke([session.handle], ending=Ending(reason="admin", actor_id="boss"))
    core.engine.flush()
    first, second = receiver.messages
    assert first.path == "/hooks/token-in-path?key=1"
    assert first.headers["content-type"] == "application/json"
    assert first.json["type"] == "session.created"
    assert second.json == {
        "type": "session.revoked",
        "timestamp": _iso(clock()),
        "data": {
            "session_handle": session.handle,
            "user_id": "u1",
            "tenant_id": "public",
            "actor_id": "boss",
            "reason": "admin",
            "access_token_exp": (clock() + 3_600_000) // 1000,
        },
    }
    assert first.json["data"]["access_token_exp"] >= session.access_token.expires_ms // 1000
    assert first.json["timestamp"] == _iso(began)
    assert [one.state for one in core.events.deliveries.all()] == ["delivered", "delivered"]
    core.engine.flush()
    assert len(receiver.messages) == 2


def _iso(ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03}Z"


def test_signatures_verify_with_the_library_of_the_standard(
    sqlite_database: TestDatabase, start: Opener, clock: Clock, receiver: Receiver, by_hand: None
) -> None:
    """CP-27: with either secret while one is replaced, and with no other."""
    core = opened(start, sqlite_database, clock, receiver, secret=[SECRET, OTHER])
    core.create()
    core.engine.flush()
    (message,) = receiver.messages
    for secret in (SECRET, OTHER):
        assert Oracle(secret).verify(message.body, message.headers) == message.json
    with pytest.raises(WebhookVerificationError):
        Oracle("whsec_" + b64encode(b"x" * 32).decode()).verify(message.body, message.headers)
    with pytest.raises(WebhookVerificationError):
        Oracle(SECRET).verify(message.body + b" ", message.headers)


def test_a_receiver_that_fails_is_tried_for_17_hours(core: Driver, clock: Clock, receiver: Receiver) -> None:
    """CP-27: by the back-off, with one id; then the event is parked until somebody asks for it."""
    receiver.answers = [503] * (len(BACK_OFF_MS) + 1)
    core.create()
    core.engine.flush()
    for number, wait_ms in enumerate(BACK_OFF_MS, 1):
        clock.advance(ms=wait_ms - 1)
        core.engine.flush()
        assert len(receiver.messages) == number
        clock.advance(ms=1)
        core.engine.flush()
        assert len(receiver.messages) == number + 1
    (parked,) = core.events.deliveries.all()
    assert (parked.state, parked.attempts, parked.outcome) == ("parked", 7, "503")
    clock.advance(days=1)
    core.engine.flush()
    assert len(receiver.messages) == 7
    assert core.events.deliveries.retry() == 1
    core.engine.flush()
    assert len({message.id for message in receiver.messages}) == 1
    assert len({message.body for message in receiver.messages}) == 1
    assert len({message.headers["webhook-timestamp"] for message in receiver.messages}) == 8
    assert [one.state for one in core.events.deliveries.all()] == ["delivered"]


def test_nothing_is_lost_while_a_receiver_is_away(
    fresh_shared: TestDatabase, start: Opener, clock: Clock, by_hand: None
) -> None:
    """CP-25: it is asked once a round, and gets everything when it is back, in order."""
    port = free_port()
    with receiving(port) as away:
        pass
    core = opened(start, fresh_shared, clock, away)
    session = core.create("u1")
    for _ in range(3):
        core.create("u2")
    core.sessions.revoke([session.handle])
    core.engine.flush()
    assert sorted(one.attempts for one in core.events.deliveries.all()) == [0, 0, 0, 0, 1]
    assert {one.outcome for one in core.events.deliveries.all()} == {None, "no answer"}
    with receiving(port) as receiver:
        clock.advance(minutes=60)
        core.engine.flush()
        assert receiver.types == ["session.created"] * 4 + ["session.revoked"]


def test_events_of_a_session_come_in_order(core: Driver, clock: Clock, receiver: Receiver) -> None:
    """CP-25: a later one waits for an earlier one that failed; other sessions do not."""
    receiver.answers = [500]
    session = core.create("u1")
    core.sessions.revoke([session.handle])
    core.create("u2")
    core.engine.flush()
    assert [message.json["data"]["user_id"] for message in receiver.messages] == ["u1", "u2"]
    assert waiting(core) == 2
    clock.advance(s=5)
    core.engine.flush()
    assert receiver.types[2:] == ["session.created", "session.revoked"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 199, 400, 404, 500])
def test_only_success_is_success(on_sqlite: Driver, clock: Clock, receiver: Receiver, status: int) -> None:
    """CP-27: a redirect is a failure like any other, and is not followed."""
    receiver.answers = [status]
    on_sqlite.create()
    on_sqlite.engine.flush()
    assert len(receiver.messages) == 1
    assert waiting(on_sqlite) == 1
    clock.advance(s=5)
    on_sqlite.engine.flush()
    assert [message.path for message in receiver.messages] == ["/hooks/token-in-path?key=1"] * 2
    assert waiting(on_sqlite) == 0


def test_an_answer_that_never_ends_is_none(
    on_sqlite: Driver, clock: Clock, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time is one of everything together: a byte now and then does not prolong it."""
    has_ended = threading.Event()

    def drip(answer: Any) -> None:
        for _ in range(400):
            if has_ended.wait(0.05):
                return
            answer.write(b"H")
            answer.flush()

    receiver.before_answer = drip
    on_sqlite.create()
    with monkeypatch.context() as hasty:
        hasty.setattr(webhooks, "TIMEOUT_S", 0.5)
        on_sqlite.engine.flush()
    has_ended.set()
    (late,) = on_sqlite.events.deliveries.all()
    assert (late.state, late.attempts, late.outcome) == ("waiting", 1, "no answer")
    receiver.before_answer = lambda _: None
    clock.advance(s=5)
    on_sqlite.engine.flush()
    assert waiting(on_sqlite) == 0


@pytest.mark.parametrize("error", [UnicodeError("label too long"), ValueError("x"), RuntimeError("x")])
def test_whatever_goes_wrong_is_tried_again_later(
    on_sqlite: Driver, clock: Clock, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """By the back-off, as where nobody answers: not at once, and not for ever."""

    def fail(*_: object) -> int:
        raise error

    monkeypatch.setattr(webhooks, "post", fail)
    on_sqlite.create()
    for wait_ms in (*BACK_OFF_MS, 0):
        on_sqlite.engine.flush()
        clock.advance(ms=wait_ms)
    (parked,) = on_sqlite.events.deliveries.all()
    assert (parked.state, parked.attempts, parked.outcome) == ("parked", 7, "no answer")


def test_a_receiver_has_to_prove_who_it_is(tmp_path: Path) -> None:
    """By a certificate that somebody vouches for; else nothing is sent."""
    pem = tmp_path / "receiver.pem"
    pem.write_bytes(self_signed("localhost"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    with receiving(tls=tls) as receiver:
        url = f"https://localhost:{receiver.port}/hooks"
        with pytest.raises(ssl.SSLCertVerificationError):
            post(url, {}, b"{}", 30)
        assert receiver.messages == []
        assert post(url, {}, b"{}", 30, trust=lambda: ssl.create_default_context(cafile=pem)) == 204
        assert [one.path for one in receiver.messages] == ["/hooks"]


def test_nothing_is_sent_once_time_is_up(receiver: Receiver) -> None:
    """To look up a host may take longer than everything may."""
    with pytest.raises(TimeoutError):
        post(receiver.url, {}, b"{}", 0)
    assert receiver.messages == []


def test_an_event_of_no_session_is_sent_as_well(core: Driver, receiver: Receiver) -> None:
    """It says nothing of access tokens of a session."""
    core.rotate_signing_key()
    core.engine.flush()
    (message,) = receiver.messages
    assert message.json["type"] == "key.rotated"
    assert message.json["data"] == {
        **dict.fromkeys(("session_handle", "user_id", "actor_id")),
        "tenant_id": "public",
        "keys": "dynamic",
        "earlier_dropped": False,
    }


def test_a_receiver_that_is_gone_gets_no_more(core: Driver, clock: Clock, receiver: Receiver) -> None:
    """410 ends it for every process, until somebody asks: then it gets what it has missed."""
    receiver.answers = [410]
    core.create()
    core.engine.flush()
    core.create()
    clock.advance(hours=20)
    core.engine.flush()
    assert len(receiver.messages) == 1
    assert core.events.deliveries.disabled() == [Webhook(url=receiver.url, secret=SECRET).endpoint]
    core.events.deliveries.retry("another.example.com#00000000")
    assert len(core.events.deliveries.disabled()) == 1
    core.events.deliveries.retry()
    core.engine.flush()
    assert core.events.deliveries.disabled() == []
    assert len(receiver.messages) == 3
    assert waiting(core) == 0


def test_a_receiver_that_goes_while_others_are_at_it(core: Driver, clock: Clock, receiver: Receiver) -> None:
    """A process that had looked before does not switch the webhook on again."""
    hook = Webhook(url=receiver.url, secret=SECRET)
    core.create()
    core.engine.flush()
    clock.advance(ms=webhook_rows.LATEST_COMMIT_MS + 1)
    core.create()
    write, rows = core.database.write, webhook_rows.DeliveryRows(core.database, [hook])

    def late(unit: Callable[[Any], object]) -> object:
        core.database.write = write
        rows.disable(hook)
        return write(unit)

    core.database.write = late  # type: ignore[method-assign]
    rows.spread(hook)
    assert core.events.deliveries.disabled() == [hook.endpoint]
    core.engine.flush()
    assert len(receiver.messages) == 1
    core.events.deliveries.retry()
    core.engine.flush()
    assert len(receiver.messages) == 2


def test_a_webhook_gets_the_types_that_it_asks_for(
    fresh_shared: TestDatabase, start: Opener, clock: Clock, receiver: Receiver, by_hand: None
) -> None:
    """And none of the others."""
    core = opened(start, fresh_shared, clock, receiver, types=["session.revoked", "session.reuse"])
    session = core.create()
    core.sessions.revoke([session.handle])
    core.engine.flush()
    assert receiver.types == ["session.revoked"]


def test_a_new_webhook_gets_what_happens_from_then_on(
    fresh_shared: TestDatabase, start: Opener, clock: Clock, receiver: Receiver, by_hand: None
) -> None:
    """And so does one whose table was made later than events were switched on."""
    before = start(fresh_shared.uri, now_ms=clock, features=SessionFeatures(events=True))
    session = before.create()
    core = opened(start, fresh_shared, clock, receiver)
    core.sessions.revoke([session.handle])
    core.engine.flush()
    assert receiver.types == ["session.revoked"]


def test_what_a_command_does_is_sent_by_the_application(
    core: Driver, fresh_shared: TestDatabase, start: Opener, clock: Clock, receiver: Receiver
) -> None:
    """A program that knows of no webhook writes events; whoever has them sends them."""
    session = core.create()
    command = start(fresh_shared.uri, now_ms=clock, features=SessionFeatures(events=True))
    command.sessions.revoke([session.handle])
    core.engine.flush()
    assert receiver.types == ["session.created", "session.revoked"]


@pytest.mark.postgres
def test_an_event_that_is_committed_late_is_sent(
    fresh_postgres_database: TestDatabase, start: Opener, clock: Clock, receiver: Receiver, by_hand: None
) -> None:
    """CP-25: PostgreSQL numbers rows before their commit: a lower number may appear after a higher one."""
    import psycopg

    core = opened(start, fresh_postgres_database, clock, receiver)
    core.create("u1")
    with psycopg.connect(fresh_postgres_database.uri) as slow:
        slow.execute(
            "INSERT INTO supertokens_py_events (at_ms, type, tenant_id, user_id, session_handle, facts) "
            "VALUES (%s, 'session.refreshed', 'public', 'slow', 'h', '{}')",
            [clock()],
        )
        core.create("u2")
        core.engine.flush()
        assert [message.json["data"]["user_id"] for message in receiver.messages] == ["u1", "u2"]
        slow.commit()
    core.engine.flush()
    assert receiver.messages[2].json["data"]["user_id"] == "slow"


def test_events_that_were_looked_at_long_ago_are_left_alone(
    core: Driver, clock: Clock, receiver: Receiver, fresh_shared: TestDatabase
) -> None:
    """No event is sent again, though deliveries older than the latest commit are not compared any more."""
    core.create()
    core.engine.flush()
    clock.advance(ms=webhook_rows.LATEST_COMMIT_MS + 1)
    core.engine.flush()
    (value,) = fresh_shared.query("SELECT value FROM key_value WHERE name LIKE 'supertokens_py_webhook%%'")[0]
    assert json.loads(value) == {"after": 1, "disabled": False}
    fresh_shared.query("DELETE FROM supertokens_py_deliveries")
    core.engine.flush()
    assert len(receiver.messages) == 1


def test_a_process_that_ends_before_it_notes_the_answer(
    core: Driver, clock: Clock, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CP-25: the event is sent again, with the same id, once its time is up; not before."""

    def ended(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(webhook_rows.DeliveryRows, "succeeded", ended)
        core.create()
        with pytest.raises(KeyboardInterrupt):
            core.engine.flush()
    core.engine.flush()
    assert len(receiver.messages) == 1
    clock.advance(ms=webhook_rows.LEASE_MS)
    core.engine.flush()
    first, second = receiver.messages
    assert first.id == second.id


_KILLED = """
import os, signal, sys
from supertokens_py.engine.embedded.events import webhooks
from supertokens_py.engine.session_records import SessionFeatures
from supertokens_py.engine.webhook_records import Webhook
from tests.engine.driver import Driver

uri, url, secret, before = sys.argv[1:]
webhooks.Webhooks.wake = lambda self: None
if before == "answered":
    webhooks.post = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
features = SessionFeatures(events=True, webhooks=(Webhook(url=url, secret=secret),))
driver = Driver(uri, features=features)
handle = driver.create("u1").handle
print(handle, flush=True)
if before == "sent":
    os.kill(os.getpid(), signal.SIGKILL)
driver.engine.flush()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no kill -9")
@pytest.mark.parametrize("before", ["sent", "answered"])
def test_a_process_that_is_killed(
    fresh_shared: TestDatabase, start: Opener, clock: Clock, receiver: Receiver, by_hand: None, before: str
) -> None:
    """CP-25: between the commit and the delivery, or in the middle of it: the next process delivers."""
    arguments = (fresh_shared.uri, receiver.url, SECRET, before)
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, *arguments],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    clock.advance(minutes=10)
    core = opened(start, fresh_shared, clock, receiver)
    core.engine.flush()
    assert [one.json["data"]["session_handle"] for one in receiver.messages] == [done.stdout.decode().strip()]


def test_two_processes_share_the_work(
    core: Driver, fresh_shared: TestDatabase, start: Opener, clock: Clock, receiver: Receiver
) -> None:
    """Each event is sent by one of them."""
    other = opened(start, fresh_shared, clock, receiver)
    for number in range(20):
        core.create(f"u{number}")
    threads = [threading.Thread(target=one.engine.flush) for one in (core, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    core.engine.flush()
    users = [message.json["data"]["user_id"] for message in receiver.messages]
    assert sorted(users) == sorted(f"u{number}" for number in range(20))


def test_a_thread_delivers_by_itself(
    sqlite_database: TestDatabase, start: Opener, clock: Clock, receiver: Receiver
) -> None:
    """Nobody has to ask; closing the engine ends the thread."""
    core = opened(start, sqlite_database, clock, receiver)
    core.create()
    deadline = time.monotonic() + 60
    while not receiver.messages and time.monotonic() < deadline:
        time.sleep(0.01)
    assert receiver.types == ["session.created"]
    core.close()


def test_the_events_of_a_removed_user_are_not_sent(core: Driver, receiver: Receiver) -> None:
    """What was not delivered goes with the rest; that the session ended is sent, without the user."""
    session = core.create("u1")
    core.users.remove("u1")
    core.engine.flush()
    (message,) = receiver.messages
    data = message.json["data"]
    assert (message.json["type"], data["session_handle"], data["user_id"], data["reason"]) == (
        "session.revoked",
        session.handle,
        None,
        "user_removed",
    )


def test_neither_secret_nor_address_is_in_the_database(
    core: Driver, receiver: Receiver, fresh_shared: TestDatabase
) -> None:
    """The path of a URL may be a secret; the host says where events go."""
    core.create()
    core.engine.flush()
    rows = fresh_shared.query("SELECT * FROM supertokens_py_deliveries")
    rows += fresh_shared.query("SELECT * FROM key_value WHERE name LIKE 'supertokens_py_webhook%%'")
    text = str(rows)
    assert f"127.0.0.1:{receiver.port}#" in text
    assert [part for part in ("token-in-path", "key=1", SECRET, SECRET[6:]) if part in text] == []


URL = "https://hooks.example.com/x"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"url": "http://hooks.example.com/"}, "url must be https; http is for localhost alone"),
        ({"url": "ftp://hooks.example.com/"}, "url must be an absolute https:// URL"),
        ({"url": "hooks.example.com"}, "url must be an absolute https:// URL"),
        ({"url": "https://"}, "url must be an absolute https:// URL"),
        ({"url": "https://hooks.example.com/ü"}, "url must be printable ASCII without spaces"),
        ({"url": "https://hööks.example.com/"}, "url must be printable ASCII without spaces"),
        ({"url": "https://hooks.example.com/a b"}, "url must be printable ASCII without spaces"),
        ({"url": "https://hooks.example.com/\n"}, "url must be printable ASCII without spaces"),
        ({"url": None}, "url must be an absolute https:// URL"),
        ({"url": "https://me:pw@hooks.example.com/"}, "neither a user name nor a fragment"),
        ({"url": "https://hooks.example.com/#x"}, "neither a user name nor a fragment"),
        ({"url": "https://[x/"}, "url is not a URL"),
        ({"url": "https://hooks.example.com:x/"}, "url is not a URL"),
        ({"secret": "x"}, "secret must be 'whsec_' and 24 to 64 bytes"),
        ({"secret": "whsec_" + b64encode(b"x" * 23).decode()}, "secret must be 'whsec_' and 24 to 64 bytes"),
        ({"secret": "whsec_$$$$"}, "secret must be 'whsec_' and 24 to 64 bytes"),
        ({"secret": None}, "secret must be"),
        ({"secret": []}, "there is no secret"),
        ({"types": ["session.exploded"]}, "types must be some of session.created, "),
        ({"types": "session.revoked"}, "types must be some of session.created, "),
    ],
)
def test_what_is_no_webhook(arguments: dict[str, Any], message: str) -> None:
    """It is refused where it is written, and its secret is not in the message."""
    with pytest.raises(ConfigError, match=message):
        Webhook(**({"url": URL, "secret": SECRET} | arguments))


@pytest.mark.parametrize("url", ["http://localhost:8000/x", "http://127.0.0.1/x", "http://[::1]:8000/x", URL])
def test_what_is_a_webhook(url: str) -> None:
    """Its `repr` shows neither secret nor address."""
    shown = repr(Webhook(url=url, secret=[SECRET, OTHER]))
    assert "whsec" not in shown
    assert "/x" not in shown
