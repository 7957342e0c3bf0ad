"""`delete_user`, in both colours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from supertokens_py import asyncio as app_async
from supertokens_py import syncio as app
from supertokens_py.recipe import session, usermetadata, userroles
from supertokens_py.recipe.session import syncio as sessions
from supertokens_py.recipe.session.exceptions import UnauthorisedError
from supertokens_py.recipe.usermetadata.syncio import get_user_metadata, update_user_metadata
from supertokens_py.recipe.userroles.syncio import (
    add_role_to_user,
    create_new_role_or_add_permissions,
    get_roles_for_user,
)
from tests.recipe.conftest import Start


@pytest.mark.parametrize("delete", [app.delete_user, lambda user: asyncio.run(app_async.delete_user(user))])
def test_nothing_is_left_of_a_deleted_user(start: Start, delete: Callable[[str], None]) -> None:
    """Sessions, roles, metadata; a token that is out is refused where the database is asked."""
    start(session.init(), userroles.init(), usermetadata.init())
    issued = sessions.create_new_session_without_request_response("public", "ada")
    create_new_role_or_add_permissions("admin", [])
    add_role_to_user("public", "ada", "admin")
    update_user_metadata("ada", {"a": 1})
    delete("ada")
    delete("nobody")
    assert sessions.get_all_session_handles_for_user("ada") == []
    assert get_roles_for_user("public", "ada").roles == []
    assert get_user_metadata("ada").metadata == {}
    with pytest.raises(UnauthorisedError):
        sessions.get_session_without_request_response(issued.get_access_token(), check_database=True)
