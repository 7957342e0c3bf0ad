"""Delivery of text messages: the interface, a Twilio client, and what is used in development."""

from __future__ import annotations

from .development import LoggingSMSService
from .types import SMSDeliveryConfig, SMSDeliveryInterface

__all__ = ["LoggingSMSService", "SMSDeliveryConfig", "SMSDeliveryInterface"]
