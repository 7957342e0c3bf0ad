"""Whether an application can serve: ready, the store away, or something broken; asked at no cost."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from supertokens_py import asyncio as app_functions
from supertokens_py import syncio
from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.factory import open_engine
from supertokens_py.engine.interface import Engine
from supertokens_py.engine.readiness import MEMORY_S, Readiness, ReadinessCheck
from supertokens_py.exceptions import EngineUnavailableError, GeneralError
from supertokens_py.runtime.bridge import step
from tests.framework.site import Site
from tests.support.clock import Clock
from tests.support.databases import TestDatabase


class FakeEngine:
    """An engine that answers as it is told, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.error: Exception | None = None
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.tenants = SimpleNamespace(find=self._find)
        self.keys = SimpleNamespace(jwks=lambda: None)

    def _find(self, _: str) -> None:
        self.asked += 1
        self.may_answer.wait()
        if self.error is not None:
            raise self.error


class Seconds:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def check_of(engine: FakeEngine, seconds: Seconds, **settings: Any) -> ReadinessCheck:
    return ReadinessCheck(lambda: cast("Engine", engine), monotonic_s=seconds, **settings)


@pytest.mark.parametrize(
    ("error", "state", "status", "reason"),
    [
        (None, "ready", 200, None),
        (EngineUnavailableError("no route to db"), "unavailable", 503, "no route to db"),
        (RuntimeError("a key cannot be read"), "broken", 500, "RuntimeError: a key cannot be read"),
    ],
)
def test_what_is_wrong_decides_the_status(
    error: Exception | None, state: str, status: int, reason: str | None
) -> None:
    """A restart helps against none of them, and an orchestrator must be able to tell them apart."""
    engine, seconds = FakeEngine(), Seconds()
    engine.error = error
    found = step(check_of(engine, seconds).ask())
    assert (found.state, found.status_code, found.reason, found.is_ready) == (
        state,
        status,
        reason,
        error is None,
    )


def test_an_answer_holds_for_a_second() -> None:
    """Anybody may call a probe: the store is asked once a second, whoever asks."""
    engine, seconds = FakeEngine(), Seconds()
    check = check_of(engine, seconds)
    assert [step(check.ask()).state for _ in range(100)] == ["ready"] * 100
    engine.error = EngineUnavailableError("gone")
    seconds.now += MEMORY_S - 0.5
    assert (step(check.ask()).state, engine.asked) == ("ready", 1)
    seconds.now += 0.5
    assert (step(check.ask()).state, engine.asked) == ("unavailable", 2)


async def test_a_store_that_says_nothing_is_away() -> None:
    """One look at a time: others get the last answer at once, and the late one counts when it comes."""
    engine, seconds = FakeEngine(), Seconds()
    check = check_of(engine, seconds, patience_s=0.01)
    engine.may_answer.clear()
    first = asyncio.ensure_future(check.ask())
    await asyncio.sleep(0)
    assert await check.ask() == Readiness("unavailable", "the first look at the store is not over")
    assert await first == Readiness("unavailable", "the store gave no answer in 0.01 s")
    seconds.now += 10
    assert [(await check.ask()).state for _ in range(5)] == ["unavailable"] * 5
    assert engine.asked == 1
    engine.may_answer.set()
    while (await check.ask()).state != "ready":
        await asyncio.sleep(0)
        seconds.now += MEMORY_S


def test_a_look_that_was_lost_is_not_waited_for_for_ever() -> None:
    """As where a process is forked while another thread looks."""
    engine, seconds = FakeEngine(), Seconds()
    check = check_of(engine, seconds)
    engine.may_answer.clear()
    thread = threading.Thread(target=lambda: step(check.ask()))
    thread.start()
    while engine.asked == 0:
        pass
    assert step(check.ask()).state == "unavailable"
    seconds.now += 31
    engine.may_answer.set()
    assert step(check.ask()).state == "ready"
    thread.join()


def test_a_database_without_tables_is_broken_not_away(tmp_path: Path) -> None:
    """Where tables may not be made, somebody has to make them; waiting does not."""
    empty = tmp_path / "empty.db"
    empty.touch()
    settings = EngineConfig(clean_up_interval=0).resolve({})
    engine = open_engine(f"sqlite:///{empty}", settings, may_create=False)
    found = step(ReadinessCheck(lambda: engine).ask())
    engine.close()
    assert found.state == "broken"
    assert "lacks tables or columns" in (found.reason or "")


@pytest.mark.parametrize("framework", ["fastapi", "flask"])
def test_applications_have_a_function_for_it(
    framework: str, sqlite_database: TestDatabase, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """In both colours; what changes is logged once, with the reason; another app has an answer of its own."""
    site = Site(framework, sqlite_database.uri, clock).init()
    assert syncio.get_readiness() == Readiness("ready")
    assert asyncio.run(app_functions.get_readiness()) == Readiness("ready")
    site.uri = "sqlite:////dev"
    site.init()
    assert {syncio.get_readiness().status_code for _ in range(3)} == {503}
    logged = [record.getMessage() for record in caplog.records if record.name.endswith("readiness")]
    assert len(logged) == 1
    assert logged[0].startswith("sessions are unavailable: cannot use /dev")
    site.close()


def test_without_init_it_says_so() -> None:
    with pytest.raises(GeneralError, match="Initialisation not done"):
        syncio.get_readiness()
