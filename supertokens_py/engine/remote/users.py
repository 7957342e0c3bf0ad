"""Users kept by a core: they can be removed."""

from __future__ import annotations

from supertokens_py.bridge import offload
from supertokens_py.engine import validation
from supertokens_py.types.base import JSONObject

from .core import Core, ok


class RemoteUsers:
    """Users over a core, which removes the log-in data that it keeps of one, too."""

    _core: Core

    async def remove_user(self, user_id: str) -> None:
        if validation.is_possible_user_id(user_id):
            body: JSONObject = {"userId": user_id, "removeAllLinkedAccounts": True}
            ok(await offload(self._core.post, "/user/remove", body))
