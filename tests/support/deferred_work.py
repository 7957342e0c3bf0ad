"""Work that goes on after an answer, done before it: for tests that look at what it has done."""

from __future__ import annotations

import threading

import pytest

from supertokens_py.runtime.deferred_work import DeferredWork, Work


def finish_before_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have whoever leaves work for afterwards wait for its end, however busy the machine is."""
    start = DeferredWork.start

    def start_and_wait(self: DeferredWork, work: Work, *, size: int = 0) -> bool:
        done = threading.Event()

        async def noted() -> None:
            try:
                await work()
            finally:
                done.set()

        started = start(self, noted, size=size)
        assert not started or done.wait(60)
        return started

    monkeypatch.setattr(DeferredWork, "start", start_and_wait)
