"""`supertokens webhooks`."""

from __future__ import annotations

from base64 import b64encode

import pytest

from supertokens_py.engine.embedded.events import webhooks
from supertokens_py.engine.session_records import SessionFeatures
from supertokens_py.engine.webhook_records import Webhook
from tests.cli.conftest import Runner
from tests.engine.driver import Driver
from tests.support.databases import TestDatabase
from tests.support.receiver import receiving


def test_deliveries_are_listed_and_tried_again(
    run: Runner, fresh_shared: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By programs and people; what is listed names no secret."""
    monkeypatch.setattr(webhooks.Webhooks, "wake", lambda _: None)
    store = ("--connection-uri", fresh_shared.uri)
    with receiving() as receiver:
        hook = Webhook(url=receiver.url, secret="whsec_" + b64encode(b"k" * 32).decode())
        driver = Driver(fresh_shared.uri, features=SessionFeatures(events=True, webhooks=(hook,)))
        receiver.answers = [204, 410]
        handles = [driver.create(user).handle for user in ("ann", "bob")]
        driver.engine.flush()
        listed = run("webhooks", "list", "--json", *store).json
        assert listed["disabled"] == [hook.endpoint]
        assert [
            (one["session_handle"], one["state"], one["attempts"], one["outcome"])
            for one in listed["deliveries"]
        ] == [(handles[1], "waiting", 1, "410"), (handles[0], "delivered", 1, "204")]
        assert run("webhooks", "list", "--state", "parked", "--json", *store).json["deliveries"] == []
        lines = run("webhooks", "list", *store).out.splitlines()
        assert lines[0].split()[:4] == ["EVENT", "TYPE", "ENDPOINT", "STATE"]
        assert len(lines) == 4
        assert lines[3] == (
            f"{hook.endpoint} answered 410 and gets no more events; `supertokens webhooks retry` changes that"
        )
        assert run("webhooks", "retry", *store).out == "0 events will be sent again by the application\n"
        assert run("webhooks", "list", "--json", *store).json["disabled"] == []
        driver.close()


def test_the_doctor_sees_what_is_delivered_no_more(
    run: Runner, fresh_shared: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events that failed at every try, and endpoints that want no more; nothing without webhooks."""
    monkeypatch.setattr(webhooks.Webhooks, "wake", lambda _: None)
    monkeypatch.setattr("supertokens_py.engine.webhook_records.BACK_OFF_MS", ())
    store = ("--connection-uri", fresh_shared.uri)

    def seen() -> list[tuple[str, str, str]]:
        findings = run("doctor", "--json", *store).json["findings"]
        return [
            (one["level"], one["text"], one.get("advice", ""))
            for one in findings
            if one["topic"] == "webhooks"
        ]

    driver = Driver(fresh_shared.uri, features=SessionFeatures(events=True))
    driver.create()
    driver.close()
    assert seen() == []
    with receiving() as receiver:
        hook = Webhook(url=receiver.url, secret="whsec_" + b64encode(b"k" * 32).decode())
        driver = Driver(fresh_shared.uri, features=SessionFeatures(events=True, webhooks=(hook,)))
        receiver.answers = [204, 500, 410]
        driver.create()
        driver.engine.flush()
        assert seen() == [("ok", "no event is parked", "")]
        for user in ("ann", "bob"):
            driver.create(user)
            driver.engine.flush()
        parked = (
            "`supertokens webhooks list --state parked` says how; `supertokens webhooks retry` tries again"
        )
        assert seen() == [
            ("warning", "2 events parked: the last of all tries has failed", parked),
            (
                "warning",
                f"{hook.endpoint} answered 410 and gets no more events",
                "`supertokens webhooks retry` changes that",
            ),
        ]
        driver.close()
    run("webhooks", "retry", *store)
    assert seen() == [("ok", "no event is parked", "")]


def test_a_database_without_webhooks(run: Runner, fresh_shared: TestDatabase) -> None:
    """It is said what to switch on, in either case."""
    store = ("--connection-uri", fresh_shared.uri)
    off = run("webhooks", "list", *store)
    assert (off.code, "events=EventSettings()" in off.err) == (2, True)
    driver = Driver(fresh_shared.uri, features=SessionFeatures(events=True))
    driver.create()
    none = run("webhooks", "list", *store)
    assert (none.code, "webhooks=[Webhook(...)]" in none.err) == (2, True)
    driver.close()
