"""Users kept by a core: they can be removed."""

from __future__ import annotations

from supertokens_py.engine import validation
from supertokens_py.types.base import JSONObject

from .core import Core, ok


class RemoteUsers:
    """Users over a core, which removes the log-in data that it keeps of one, too."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def remove(self, user_id: str) -> None:
        if validation.is_possible_user_id(user_id):
            body: JSONObject = {"userId": user_id, "removeAllLinkedAccounts": True}
            ok(self._core.post("/user/remove", body))

    def count_active(self, since_ms: int) -> int | None:
        """Return None: a core counts by its own users' activity, which this SDK does not ask for."""
        return None
