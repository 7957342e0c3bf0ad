"""What an outage writes into the log: a line now and then, however many requests it fails."""

from __future__ import annotations

import logging

import pytest

from supertokens_py.error_answers import OutageLog
from supertokens_py.exceptions import EngineUnavailableError
from tests.support.clock import Stopwatch


def test_an_outage_is_one_line_in_ten_seconds(caplog: pytest.LogCaptureFixture) -> None:
    """The next line says how many were left out; the debug log has them all."""
    later = Stopwatch()
    outages = OutageLog(monotonic_s=later)
    gone = EngineUnavailableError("the database is down")
    with caplog.at_level(logging.DEBUG, "supertokens_py.error_answers"):
        for _ in range(101):
            outages.note(gone)
        later.advance(10)
        outages.note(EngineUnavailableError("no connection is free"))
        later.advance(10)
        outages.note(gone)
    lines = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert [text for level, text in lines if level == "ERROR"] == [
        "the session engine is out of reach: the database is down",
        "the session engine is out of reach: no connection is free (and 100 more since the line before)",
        "the session engine is out of reach: the database is down",
    ]
    assert len([text for level, text in lines if level == "DEBUG"]) == 100


def test_another_cause_is_told_at_once(caplog: pytest.LogCaptureFixture) -> None:
    """Each cause has its own ten seconds."""
    later = Stopwatch()
    outages = OutageLog(monotonic_s=later)
    down, full = EngineUnavailableError("PostgreSQL is away"), EngineUnavailableError("the disk is full")
    with caplog.at_level(logging.ERROR, "supertokens_py.error_answers"):
        for _ in range(3):
            outages.note(down)
            outages.note(full)
            later.advance(4)
        outages.note(down)
    assert [record.getMessage() for record in caplog.records] == [
        "the session engine is out of reach: PostgreSQL is away",
        "the session engine is out of reach: the disk is full",
        "the session engine is out of reach: PostgreSQL is away (and 4 more since the line before)",
    ]


def test_causes_without_end_do_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever a text says each time anew, a time that was waited for say: there is an end to it."""
    later = Stopwatch()
    outages = OutageLog(monotonic_s=later)
    with caplog.at_level(logging.ERROR, "supertokens_py.error_answers"):
        for number in range(100):
            outages.note(EngineUnavailableError(f"after {number} ms"))
        later.advance(10)
        outages.note(EngineUnavailableError("after 100 ms"))
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
        *(f"after {number} ms" for number in range(8)),
        "after 100 ms (and 92 more since the line before)",
    ]
