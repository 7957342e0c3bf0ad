"""What clients do is counted by the embedded engine only: a core has no place for it."""

from __future__ import annotations

from supertokens_py.engine.user_services import ClientKind


class RemoteClients:
    """Counts nothing."""

    def begin(self, kind: ClientKind, client: str) -> int:
        """Return 0: nobody has to wait."""
        return 0

    def take_back(self, kind: ClientKind, client: str) -> None:
        """Do nothing: nothing was counted."""
