"""Functions of the whole app: a user can be deleted.

Elsewhere this is also the place of lists of users and of user id mappings. Both belong to login recipes,
and there are none here: sessions, roles and metadata take any text of yours as user id.
"""

from __future__ import annotations

from typing import Any, Final

from supertokens_py.app import Supertokens
from supertokens_py.engine.call import call_engine
from supertokens_py.missing_names import USER_FUNCTIONS, explain
from supertokens_py.types.base import context_of

__all__ = ["delete_user"]

__getattr__: Final = explain(__name__, USER_FUNCTIONS)


async def delete_user(user_id: str, user_context: dict[str, Any] | None = None) -> None:
    """Delete a user: sessions, roles and metadata, in every tenant and at once. Unknown users are no error.

    A core also deletes the log-in data that it keeps of the user.

    Raises:
        BadInputError: the database is a core's, too, and has log-in data of the user: delete it there.
    """
    engine = Supertokens.get_instance().engine
    await call_engine(context_of(user_context), engine.users.remove, user_id)
