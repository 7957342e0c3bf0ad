"""The embedded engine: sessions in SQLite or PostgreSQL, without any service to run."""

from .engine import EmbeddedEngine

__all__ = ["EmbeddedEngine"]
