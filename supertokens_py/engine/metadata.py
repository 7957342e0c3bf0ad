"""What recipes need of an engine for metadata of users; see `engine.interface`."""

from __future__ import annotations

from typing import Protocol

from supertokens_py.types.base import JSONObject


class Metadata(Protocol):
    """User metadata, one JSON object per user (engine: Metadata)."""

    def read(self, user_id: str) -> JSONObject:
        """Return the metadata of a user; that of an unknown one is empty."""
        ...

    def merge(self, user_id: str, update: JSONObject) -> JSONObject:
        """Merge at the root, None removing a key, and return the result.

        Concurrent updates of one user all survive.
        """
        ...

    def clear(self, user_id: str) -> None:
        """Delete the metadata of a user."""
        ...
