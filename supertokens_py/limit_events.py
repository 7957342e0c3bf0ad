"""What limits of clients, contacts and tenants refused; `supertokens_py.events` has these as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .event_dispatch import Event


@dataclass(frozen=True, kw_only=True)
class ClientRefused(Event):
    """One client has done something too often in an hour.

    `kind` is "sign_in", "sign_up", "reset", "code", "exists" or "authorise" (the address of a provider).
    """

    name: ClassVar[str] = "client.refused"
    kind: str
    retry_after_ms: int


@dataclass(frozen=True, kw_only=True)
class EmailDropped(Event):
    """An e-mail that was asked for was not even prepared; whoever asked was answered as usual.

    `reason` is "address" (it gets no more for now) or "queue" (too many wait for the delivery service).
    """

    name: ClassVar[str] = "email.dropped"
    recipe_id: str
    tenant_id: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ContactRefused(Event):
    """A code or link was not even made: its contact gets no more messages now, and whoever asked knows.

    `kind` is "email" or "phone".
    """

    name: ClassVar[str] = "contact.refused"
    kind: str
    tenant_id: str
    retry_after_ms: int


@dataclass(frozen=True, kw_only=True)
class TextMessageRefused(Event):
    """A tenant has had its text messages of the hour: somebody may be after the money that they cost."""

    name: ClassVar[str] = "text_message.refused"
    tenant_id: str
    retry_after_ms: int
