"""The embedded engine, served to SuperTokens SDKs of any language over the core driver interface (CDI)."""

from .app import create_app

__all__ = ["create_app"]
