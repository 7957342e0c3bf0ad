"""What is noteworthy about the deliveries of events to webhooks."""

from __future__ import annotations

from collections.abc import Iterator

from supertokens_py.engine.embedded.events.webhook_rows import Undelivered
from supertokens_py.formatting import counted

from .findings import Finding

_TOPIC = "webhooks"


def undelivered_events(undelivered: Undelivered) -> Iterator[Finding]:
    """Yield what waits for somebody who has it sent again, or that nothing does."""
    if undelivered.parked:
        text = f"{counted(undelivered.parked, 'event')} parked: the last of all tries has failed"
        advice = (
            "`supertokens webhooks list --state parked` says how; `supertokens webhooks retry` tries again"
        )
        yield Finding("warning", _TOPIC, text, advice)
    for endpoint in undelivered.disabled:
        text = f"{endpoint} answered 410 and gets no more events"
        yield Finding("warning", _TOPIC, text, "`supertokens webhooks retry` changes that")
    if not (undelivered.parked or undelivered.disabled):
        yield Finding("ok", _TOPIC, "no event is parked")
