"""More passwords at once than a process can hash: some wait, and the others are told to."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from supertokens_py.engine import call
from supertokens_py.engine.embedded.signin.passwords import Passwords
from supertokens_py.exceptions import TooBusyError
from supertokens_py.recipe.emailpassword import asyncio as users
from supertokens_py.runtime.bridge import offload
from supertokens_py.runtime.dedicated_pools import DedicatedPool

from .conftest import ADDRESS, PASSWORD, Browser, Outbox, Start

BUSY = {
    "status": "GENERAL_ERROR",
    "message": "Too many people are signing in at this moment. Please try again in 10 seconds",
}


class Held:
    """Hashes that are computed when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pool, self.started, self.go = DedicatedPool("passwords", 1), threading.Event(), threading.Event()
        verify = Passwords.verify

        def held(own: Passwords, *args: Any) -> bool:
            self.started.set()
            assert self.go.wait(30)
            return verify(own, *args)

        monkeypatch.setattr(Passwords, "verify", held)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    """A pool of its own: others may have left work in that of the process."""
    held = Held(monkeypatch)
    monkeypatch.setattr(call, "_HASHING", held.pool)
    return held


async def test_a_storm_is_told_to_wait(start: Start, browser: Browser, outbox: Outbox, held: Held) -> None:
    """Whoever was refused is counted for nothing; a reset by a link, which is used up, waits for its turn."""
    start(
        client_ip=lambda request: request.get_header("x-real-ip"),
        engine={
            "argon2_hashing_queue_size": 2,
            "sign_in_failures_per_client_and_hour": 3,
            "sign_ups_per_client_and_hour": 1,
            "sign_in_free_failures": 3,
        },
    )
    assert (await browser.sign_up()).json()["status"] == "OK"
    await browser.ask_for_reset()
    fields: dict[str, Any] = {"email": ADDRESS, "password": "wrong password 1"}
    waiting = [asyncio.create_task(browser.form_from("192.0.2.1", "/signin", **fields)) for _ in range(2)]
    assert await offload(held.started.wait, 30)
    for _ in range(3000):
        if held.pool.inside == 2:
            break
        await asyncio.sleep(0.01)
    assert held.pool.inside == 2
    for _ in range(5):
        refused = await browser.form_from("192.0.2.7", "/signin", email=ADDRESS, password=PASSWORD)
        assert (refused.status_code, refused.json()) == (200, BUSY)
        assert refused.headers["retry-after"] == "10"
    for number in range(5):
        refused = await browser.form_from("192.0.2.7", "/signup", email=f"{number}@a.org", password=PASSWORD)
        assert refused.json() == BUSY
    with pytest.raises(TooBusyError):
        await users.verify_credentials("public", ADDRESS, PASSWORD)
    reset = asyncio.create_task(browser.reset(outbox.token))
    held.go.set()
    assert [reply.json()["status"] for reply in await asyncio.gather(*waiting)] == [
        "WRONG_CREDENTIALS_ERROR"
    ] * 2
    assert (await reset).json() == {"status": "OK"}
    up = await browser.form_from("192.0.2.7", "/signup", email="eve@a.org", password=PASSWORD)
    assert up.json()["status"] == "OK"
