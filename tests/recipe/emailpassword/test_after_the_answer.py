"""A request for a reset is answered before anything depends on whether its address is known."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from supertokens_py.ingredients.emaildelivery.types import EmailDeliveryInterface
from supertokens_py.recipe.emailpassword import EmailDeliveryConfig, InputOverrideConfig, api
from supertokens_py.runtime.bridge import offload, running_loop

from .conftest import ADDRESS, Browser, Start


@pytest.fixture(autouse=True)
def _everything_is_sent_before_the_answer(start: Start) -> Iterator[None]:
    """Not here, but before the app of the test is gone."""
    yield
    assert api.DEFERRED_WORK.wait(60)


class Blocking(EmailDeliveryInterface[Any]):
    """Blocks its thread in an `async def`, as a client for blocking code does there."""

    def __init__(self) -> None:
        self.go, self.begun, self.done = (threading.Event() for _ in range(3))
        self.loops: list[Any] = []

    async def send_email(self, template_vars: Any, user_context: dict[str, Any]) -> None:
        self.loops.append(running_loop())
        self.begun.set()
        assert self.go.wait(60)
        self.done.set()


class BlockingFunction(Blocking):
    """The same, as a plain function."""

    def send_email(self, template_vars: Any, user_context: dict[str, Any]) -> None:  # type: ignore[override]
        self.begun.set()
        assert self.go.wait(60)
        self.done.set()


@pytest.mark.parametrize("kind", [Blocking, BlockingFunction])
async def test_a_service_that_blocks_keeps_nobody_waiting(
    start: Start, browser: Browser, kind: type[Blocking]
) -> None:
    """Neither whoever asks nor the event loop, which would tell that the address is known."""
    service = kind()
    start(email_delivery=EmailDeliveryConfig(service))
    await browser.sign_up()
    assert (await browser.ask_for_reset()).json() == {"status": "OK"}
    assert await offload(service.begun.wait, 60)
    assert (await browser.ask_for_reset("eve@example.com")).json() == {"status": "OK"}
    assert (await browser.sign_in()).json()["status"] == "OK"
    assert not service.done.is_set()
    service.go.set()
    assert await offload(service.done.wait, 60)
    assert running_loop() not in service.loops


async def test_known_and_unknown_addresses_are_looked_up_after_the_answer(
    start: Start, browser: Browser
) -> None:
    """Even the look into the database waits for the answer."""
    asked, go, done = list[str](), threading.Event(), threading.Semaphore(0)

    def functions(original: Any) -> Any:
        def get_user_by_email(email: str, tenant_id: str, user_context: dict[str, Any]) -> Any:
            assert go.wait(60)
            asked.append(email)
            done.release()

        original.get_user_by_email = get_user_by_email
        return original

    start(override=InputOverrideConfig(functions=functions))
    for email in (ADDRESS, "eve@example.com"):
        assert (await browser.ask_for_reset(email)).json() == {"status": "OK"}
    assert asked == []
    go.set()
    for _ in range(2):
        assert await offload(done.acquire, timeout=60)
    assert sorted(asked) == [ADDRESS, "eve@example.com"]
