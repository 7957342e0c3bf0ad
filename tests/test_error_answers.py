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
