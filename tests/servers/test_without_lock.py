"""Browsers whose pages make several calls at once, and refresh on every 401 without a lock between them."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.security.storms import Tally, database, shown
from tests.security.workers import Workers
from tests.servers.harness import client
from tests.servers.visitor import Visitor

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

BROWSERS, CALLS, LIVES = 16, 6, 5
LIFE_S, GRACE_S = 2, 6
SETTINGS = {
    "SUPERTOKENS_ACCESS_TOKEN_VALIDITY": str(LIFE_S),
    "SUPERTOKENS_REFRESH_TOKEN_ROTATION_GRACE_PERIOD": str(GRACE_S),
}


class Browser:
    """One cookie jar, shared by all calls of a page: an answer that comes late overwrites newer tokens."""

    def __init__(self, url: str, name: str, dice: random.Random) -> None:
        self.tally = Tally()
        self._dice = dice
        self._jar = Visitor(client(url), "cookie")
        self._name = name
        self._generations: set[str] = set()

    def browse(self) -> None:
        """Load pages until the access token has expired `LIVES` times."""
        with ThreadPoolExecutor(CALLS) as calls, self._jar.http:
            answer = self._jar.login(self._name)
            self.tally.expect(answer.status_code == 200, "no log-in", shown(answer))
            self._generations.add(self._jar.refresh_token)  # which the first refresh rotates
            until = time.monotonic() + LIVES * LIFE_S
            while time.monotonic() < until:
                list(calls.map(self._call, [self._dice.random() * 0.15 for _ in range(CALLS)]))
                time.sleep(self._dice.random() * LIFE_S / 4)
        self.tally.done["rotations"] = len(self._generations) - 1

    def _call(self, pause_s: float) -> None:
        time.sleep(pause_s)
        answer = self._jar.get("/api/verified")
        if answer.status_code == 401:
            began = time.monotonic()
            refreshed = self._jar.refresh()
            self.tally.done["refreshes"] += 1
            stalled = time.monotonic() - began > GRACE_S  # this machine, not the library
            self.tally.done["stalled"] += stalled
            self.tally.expect(refreshed.status_code == 200 or stalled, "log-out", shown(refreshed))
            self._generations.add(self._jar.refresh_token)


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_browsers_without_a_lock_stay_logged_in(kind: str, tmp_path: Path) -> None:
    """16 browsers, six calls at once, five lives of an access token, two processes: no log-out."""
    with database(kind) as (made, _, _):
        workers = Workers(made.uri, tmp_path / "log", SETTINGS)
        workers.start(2)
        browsers = [Browser(workers.url, f"user-{n}", random.Random(n)) for n in range(BROWSERS)]
        with ThreadPoolExecutor(BROWSERS) as pages:
            for page in [pages.submit(browser.browse) for browser in browsers]:
                page.result()
        workers.kill()
    tally = Tally()
    for browser in browsers:
        tally.add(browser.tally)
    assert tally.problems == []
    assert tally.done["refreshes"] > 2 * BROWSERS, str(tally)
    assert tally.done["rotations"] >= BROWSERS, str(tally)
