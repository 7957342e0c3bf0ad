"""Work that goes on after an answer, done before it: for tests that look at what it has done."""

from __future__ import annotations

import threading

import pytest

from supertokens_py.runtime.afterwards import Afterwards, Work


def finish_before_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have whoever leaves work for afterwards wait for its end, however busy the machine is."""
    start = Afterwards.start

    def start_and_wait(self: Afterwards, work: Work, *, size: int = 0) -> bool:
        done = threading.Event()

        async def noted() -> None:
            try:
                await work()
            finally:
                done.set()

        started = start(self, noted, size=size)
        assert not started or done.wait(60)
        return started

    monkeypatch.setattr(Afterwards, "start", start_and_wait)
