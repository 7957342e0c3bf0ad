"""The embedded engine: sessions in SQLite or PostgreSQL, without any service to run.

What reads and writes rows is in classes, even without state: statements depend on the prefix, schema and
layout of the tables, so each engine builds its own, once.
"""

from .engine import EmbeddedEngine

__all__ = ["EmbeddedEngine"]
