"""Delivery of e-mails: the interface, an SMTP client, and what is used in development."""

from __future__ import annotations

from .development import LoggingEmailService
from .types import EmailDeliveryConfig, EmailDeliveryInterface

__all__ = ["EmailDeliveryConfig", "EmailDeliveryInterface", "LoggingEmailService"]
