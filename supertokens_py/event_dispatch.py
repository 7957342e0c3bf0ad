"""Hands events to those who subscribed; `events` has the kinds, and the names that applications import."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from .exceptions import ConfigError

log: logging.Logger = logging.getLogger("supertokens_py.events")


@dataclass(frozen=True, kw_only=True)
class Event:
    """Base class of all events."""

    name: ClassVar[str]  #: stable, such as "session.created"


Subscriber: TypeAlias = Callable[[Event], object]


class _Subscription:
    """One subscriber; compared by identity, so that a function may subscribe twice."""

    def __init__(self, function: Subscriber) -> None:
        self.function = function
        self.has_failed = False


# Appending and removing are atomic. There is no lock, since another thread might have acquired it at a fork.
_subscriptions: list[_Subscription] = []


def subscribe(function: Subscriber) -> Callable[[], None]:
    """Call `function` with every event from now on, in this process; return what ends that.

    It is called in the thread that did the work, often the one of an event loop, before the request goes on:
    hand over to a queue whatever takes time. Its errors are logged once and reach no request.

    Raises:
        ConfigError: it is no function, or an `async` one.
    """
    given: Any = function
    if not callable(given) or inspect.iscoroutinefunction(given):
        raise ConfigError("subscribe takes a plain function of one argument, the event; it is not awaited")
    subscription = _Subscription(function)
    _subscriptions.append(subscription)

    def unsubscribe() -> None:
        if subscription in _subscriptions:
            _subscriptions.remove(subscription)

    return unsubscribe


def emit(event: Event) -> None:
    """Hand `event` to every subscriber; call it after the commit."""
    for subscription in (*_subscriptions,):
        try:
            subscription.function(event)
        except Exception:
            if not subscription.has_failed:
                subscription.has_failed = True
                log.exception("a subscriber of events failed; its next failures are not logged")
