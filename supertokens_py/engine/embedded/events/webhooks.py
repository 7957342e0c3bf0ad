"""Sends events to webhooks, from the rows of `webhook_rows`, in a thread for each address.

An event is sent at least once: a process that ends before it notes the answer leaves it to the next one.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from supertokens_py.constants import VERSION
from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.webhook_records import Webhook, message_body, message_id, signed_headers
from supertokens_py.runtime import fork_hooks

from ..background import BackgroundThread, Pace
from .webhook_posts import post

if TYPE_CHECKING:
    from .webhook_rows import Claimed, DeliveryRows

#: How long a receiver has for everything, up to its answer: less than `webhook_rows.LEASE_MS`.
TIMEOUT_S = 10.0
#: How often a thread looks for what is due, once it runs.
POLL_S = 5.0
_PACE = Pace(start_s=0.0, batch_s=0.1, first_clean_up_s=POLL_S)
#: What a request may spend on events where no thread goes on between requests: so many events of all webhooks
#: together, none of them begun after this time, and so long for each receiver.
INLINE_EVENTS = 5
INLINE_S = 0.5
INLINE_TIMEOUT_S = 3.0
_GONE = 410

log: logging.Logger = logging.getLogger(__name__)


class _Budget:
    """How much may be sent at once."""

    def __init__(self) -> None:
        self._left = INLINE_EVENTS
        self._ends_at = time.monotonic() + INLINE_S

    def is_spent(self) -> bool:
        """Return whether to stop; else one event more is sent."""
        is_first = self._left == INLINE_EVENTS
        self._left -= 1
        return self._left < 0 or (not is_first and time.monotonic() >= self._ends_at)


class _Sender:
    """Sends what is due to one webhook, until it is closed, which is for ever."""

    def __init__(self, webhook: Webhook, rows: DeliveryRows, settings: ResolvedEngineConfig) -> None:
        self._webhook = webhook
        self._rows = rows
        self._settings = settings
        self.is_closing = False
        self._silent_until = 0.0

    def run(self) -> None:
        """Send everything that is due; where one is not answered at all, the others wait for next time."""
        self._run(None)

    def run_within(self, budget: _Budget) -> None:
        """Send some of what is due, for a request waits."""
        if time.monotonic() >= self._silent_until:
            self._run(budget)

    def _run(self, budget: _Budget | None) -> None:
        if self.is_closing or not self._rows.spread(self._webhook):
            return
        while not self.is_closing and (candidates := self._rows.due(self._webhook)):
            if not self._send(candidates, budget):
                return

    def _send(self, candidates: list[int], budget: _Budget | None) -> bool:
        """Return whether to look for more; if other processes are at all of them, there is no use."""
        has_sent = False
        while not self.is_closing and not (budget and budget.is_spent()):
            claimed = self._rows.claim(self._webhook, candidates)
            if claimed is None or self.is_closing:
                return has_sent
            if not self._try(claimed, INLINE_TIMEOUT_S if budget else TIMEOUT_S):
                self._silent_until = time.monotonic() + POLL_S
                return False
            has_sent = True
        return False

    def _try(self, claimed: Claimed, timeout_s: float) -> bool:
        """Return whether to go on with the next one."""
        webhook, event = self._webhook, claimed.event
        body = message_body(event, access_token_validity_ms=self._settings.access_token_validity_ms)
        signed = signed_headers(webhook, message_id(event), body, now_s=self._settings.now_ms() // 1000)
        headers = {"content-type": "application/json", "user-agent": f"supertokens_py/{VERSION}"} | signed
        try:
            status: int | None = post(webhook.url, headers, body, timeout_s)
        except Exception as error:  # whatever it is, the event has to be noted as not delivered
            log.info("webhook %s did not answer: %s", webhook.endpoint, type(error).__name__)
            status = None
        if self.is_closing:
            return False  # the database is closed: whoever opens it next sends the event again
        return self._note(claimed, status)

    def _note(self, claimed: Claimed, status: int | None) -> bool:
        webhook = self._webhook
        if status is not None and 200 <= status < 300:
            self._rows.succeeded(webhook, claimed, str(status))
            return True
        self._rows.failed(webhook, claimed, "no answer" if status is None else str(status))
        if status == _GONE:
            log.warning("webhook %s answered 410 and gets no more events", webhook.endpoint)
            self._rows.disable(webhook)
        return status is not None and status != _GONE


class Webhooks:
    """The webhooks of an application and their threads."""

    def __init__(
        self,
        webhooks: Sequence[Webhook],
        rows: DeliveryRows,
        settings: ResolvedEngineConfig,
    ) -> None:
        self._made_from = (webhooks, rows, settings)
        self._senders, self._threads = self._made()
        self._turns = itertools.count()
        # It has no thread: it is woken only where work is done within requests.
        self._inline = BackgroundThread(
            flush=self._send_some, clean_up=_nothing, clean_up_every_s=0, pace=_PACE
        )

    def _made(self) -> tuple[list[_Sender], list[BackgroundThread]]:
        webhooks, rows, settings = self._made_from
        senders = [_Sender(one, rows, settings) for one in webhooks]
        threads = [
            BackgroundThread(flush=one.run, clean_up=_nothing, clean_up_every_s=POLL_S, pace=_PACE)
            for one in senders
        ]
        return senders, threads

    def wake(self) -> None:
        """Say that there may be events; where no thread would send them, send some here and now."""
        if not fork_hooks.background_threads_run():
            self._inline.wake()
            return
        for thread in self._threads:
            thread.wake()

    def _send_some(self) -> None:
        budget, senders = _Budget(), self._senders
        first = next(self._turns) % len(senders)  # so that each is the first at some time
        for sender in (*senders[first:], *senders[:first]):
            sender.run_within(budget)

    def run_due(self) -> None:
        """Send what is due now, in this thread."""
        for thread in self._threads:
            thread.run_due()

    def close(self) -> None:
        """End the threads; what was not sent is sent by whoever opens the database next.

        A thread that waits for an answer for longer than this does ends when it has it, and uses the
        database no more. `wake` starts others.
        """
        senders, threads = self._senders, self._threads
        for sender in senders:
            sender.is_closing = True
        for thread in threads:
            thread.stop()
        self._senders, self._threads = self._made()


def _nothing() -> None: ...
