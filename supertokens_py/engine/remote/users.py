"""Users kept by a core: they can be removed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from supertokens_py.engine import validation
from supertokens_py.engine.records import UserQuery
from supertokens_py.exceptions import ConfigError
from supertokens_py.types.base import JSONObject
from supertokens_py.types.users import AccountInfo

from .core import Core, ok

NO_USERS = "the users of a SuperTokens core are not read yet: only removing one is sent to it"


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

    def find(self, user_id: str) -> NoReturn:
        raise ConfigError(NO_USERS)

    def page(self, tenant_id: str, query: UserQuery) -> NoReturn:
        raise ConfigError(NO_USERS)

    def count(self, *, tenant_id: str | None, recipe_ids: Sequence[str] | None = None) -> NoReturn:
        raise ConfigError(NO_USERS)

    def by_account_info(self, tenant_id: str, info: AccountInfo, *, any_of: bool = False) -> NoReturn:
        raise ConfigError(NO_USERS)
