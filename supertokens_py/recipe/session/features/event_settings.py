"""Which events of sessions are kept, and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from supertokens_py.engine.webhook_records import Webhook
from supertokens_py.exceptions import ConfigError

__all__ = ["EventSettings", "Webhook"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSettings:
    """`session.init(events=EventSettings())`: keep what happened to sessions, written with each change.

    Args:
        retention_days: for how many days.
        refreshed: keep every refresh, too.
        keep_audit: keep the events of a deleted user, without their id.
        webhooks: whom events are sent to, each at least once.

    Raises:
        ConfigError: an argument cannot work; the message names it.
    """

    retention_days: int = 30
    refreshed: bool = False
    keep_audit: bool = False
    webhooks: Sequence[Webhook] = ()

    def __post_init__(self) -> None:
        if type(self.retention_days) is not int or self.retention_days < 1:
            raise ConfigError(
                f"EventSettings: retention_days must be at least 1, not {self.retention_days!r}"
            )
        given: list[object] = [*self.webhooks] if isinstance(self.webhooks, list | tuple) else [None]
        if not all(isinstance(one, Webhook) for one in given):
            raise ConfigError("EventSettings: webhooks must be a list of Webhook")
        if len({one.url for one in self.webhooks}) < len(self.webhooks):
            raise ConfigError("EventSettings: two webhooks have the same url; give one of them both types")
