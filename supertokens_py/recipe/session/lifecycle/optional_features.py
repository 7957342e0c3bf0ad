"""The optional features of sessions that `session.init` switches on, and what they need of the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from supertokens_py.engine.device_keys import CONFIRMATION_KEY
from supertokens_py.engine.session_records import SessionFeatures
from supertokens_py.types.base import JSONObject

from ..claim_validation.authentication import UNSAID, Authentication
from ..device_binding.settings import DeviceBinding, is_choice
from ..devices.settings import DeviceSettings
from ..features.event_settings import EventSettings
from ..features.guests import NO_GUESTS, GuestSettings
from ..features.instant_revocation import InstantRevocation
from ..features.lifetimes import LifetimeChoice, SessionLifetime
from ..features.limits import LimitChoice, SessionLimit
from ..responses.pages import PageSettings
from ..session_tokens.reserved_claims import RESERVED, RESERVED_WITH_ACTOR
from .impersonation_settings import Impersonation


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionalFeatures:
    """What an application wants beyond plain sessions; None is off, as if the feature did not exist."""

    devices: DeviceSettings | None = None
    lifetime: SessionLifetime | LifetimeChoice | None = None
    limit: SessionLimit | LimitChoice | None = None
    events: EventSettings | None = None
    instant_revocation: InstantRevocation | None = None
    impersonation: Impersonation | None = None
    step_up: bool = False
    guests: GuestSettings = NO_GUESTS
    pages: PageSettings | None = None
    device_binding: DeviceBinding | None = None

    @property
    def notes_authentication(self) -> bool:
        """Whether sessions say when their users authenticated, which other features ask for as well."""
        wants_fresh = self.devices is not None and self.devices.require_fresh is not None
        return self.step_up or wants_fresh or self.impersonation is not None

    def claims_of_new(self, now_ms: int, how: Authentication = UNSAID) -> JSONObject:
        """Return the reserved claims of a session whose user has just authenticated."""
        return how.claims(now_ms) if self.notes_authentication else {}

    @property
    def reserved_claims(self) -> frozenset[str]:
        """The claims that only the SDK writes, besides the protected ones."""
        reserved = RESERVED if self.impersonation is None else RESERVED_WITH_ACTOR
        return reserved if self.device_binding is None else reserved | {CONFIRMATION_KEY}

    @property
    def engine_features(self) -> SessionFeatures:
        """What the engine has to keep for them."""
        events = self.events or EventSettings()
        revocation = self.instant_revocation or InstantRevocation()
        keeps_clients = self.devices is not None and self.devices.keeps_something
        return SessionFeatures(
            details=any((keeps_clients, self.lifetime, self.impersonation)),
            events=self.events is not None,
            revocations=self.instant_revocation is not None,
            revocation_max_staleness_ms=revocation.max_staleness_ms,
            limits=self.limit is not None,
            device_keys=self.device_binding is not None,
            events_retention_days=events.retention_days,
            events_of_refreshes=events.refreshed,
            events_keep_audit=events.keep_audit,
            webhooks=tuple(events.webhooks),
        )


def revocation_settings(given: InstantRevocation | bool | None) -> InstantRevocation | None:
    """Return the settings that an argument of `session.init` means; None is off."""
    return InstantRevocation() if given is True else given or None


def feature_checks() -> tuple[tuple[str, Callable[[Any], bool], str], ...]:
    """Return, for each argument of `session.init`, what it must be and how to say so."""

    def is_a(kind: Any, *, or_function: bool = False) -> Callable[[Any], bool]:
        return lambda value: isinstance(value, kind) or (or_function and callable(value))

    return (
        ("devices", is_a(DeviceSettings), "a DeviceSettings or None"),
        ("lifetime", is_a(SessionLifetime, or_function=True), "a SessionLifetime, a function or None"),
        ("limit", is_a(SessionLimit, or_function=True), "a SessionLimit, a function or None"),
        ("events", is_a(EventSettings), "an EventSettings or None"),
        ("instant_revocation", is_a(bool | InstantRevocation), "True, False, an InstantRevocation or None"),
        ("pages", is_a(PageSettings), "a PageSettings or None"),
        ("impersonation", is_a(Impersonation), "an Impersonation or None"),
        ("guests", is_a(GuestSettings), "a GuestSettings or None"),
        ("device_binding", is_choice, 'a DeviceBinding, "auto" or None'),
        ("step_up", is_a(bool), "True, False or None"),
    )
