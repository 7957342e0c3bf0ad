"""The functions of `supertokens_py.asyncio` and `syncio` for ids of the app's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from supertokens_py import EngineConfig, InputAppInfo, Supertokens, SupertokensConfig, init, syncio
from supertokens_py import asyncio as functions
from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.interfaces import (
    CreateUserIdMappingOkResult,
    DeleteUserIdMappingOkResult,
    GetUserIdMappingOkResult,
    UnknownMappingError,
    UnknownSupertokensUserIDError,
    UpdateOrDeleteUserIdMappingInfoOkResult,
    UserIdMappingAlreadyExistsError,
)
from supertokens_py.recipe import emailpassword, session, usermetadata, userroles
from supertokens_py.recipe.emailpassword.interfaces import SignUpOkResult
from supertokens_py.recipe.emailpassword.syncio import sign_up
from supertokens_py.recipe.usermetadata.asyncio import update_user_metadata as update_metadata
from supertokens_py.recipe.usermetadata.syncio import get_user_metadata, update_user_metadata
from supertokens_py.recipe.userroles.syncio import (
    add_role_to_user,
    create_new_role_or_add_permissions,
    get_roles_for_user,
)
from supertokens_py.types import RecipeUserId
from tests.support.databases import TestDatabase


@pytest.fixture
def app(sqlite_database: TestDatabase) -> Iterator[None]:
    Supertokens.reset()
    init(
        app_info=InputAppInfo("A", "http://localhost", website_domain="http://localhost"),
        supertokens_config=SupertokensConfig(
            sqlite_database.uri,
            engine=EngineConfig(clean_up_interval=0, argon2_memory_kb=1024, argon2_parallelism=1),
        ),
        recipe_list=[session.init(), emailpassword.init(), usermetadata.init(), userroles.init()],
    )
    yield
    Supertokens.reset()


def signed_up(email: str = "ada@example.com") -> RecipeUserId:
    result = sign_up("public", email, "correct horse 1")
    assert isinstance(result, SignUpOkResult)
    return result.recipe_user_id


def test_an_app_uses_ids_of_its_own(app: None) -> None:
    """SI-68. Roles and metadata that are kept under it belong to the user, and end with them."""
    ada = signed_up()
    assert syncio.create_user_id_mapping(ada, "42", "note") == CreateUserIdMappingOkResult()
    user = syncio.get_user("42")
    assert user is not None
    assert user.id == "42"
    assert [one.id for one in syncio.get_users_newest_first("public").users] == ["42"]
    create_new_role_or_add_permissions("admin", [])
    add_role_to_user("public", "42", "admin")
    update_user_metadata("42", {"a": 1})
    found = GetUserIdMappingOkResult(str(ada), "42", "note")
    assert syncio.get_user_id_mapping("42") == syncio.get_user_id_mapping(ada, "SUPERTOKENS") == found
    assert syncio.update_or_delete_user_id_mapping_info("42", "EXTERNAL", None) == (
        UpdateOrDeleteUserIdMappingInfoOkResult()
    )
    assert syncio.get_user_id_mapping("42") == GetUserIdMappingOkResult(str(ada), "42", None)
    syncio.delete_user("42")
    assert syncio.get_user(ada) is None
    assert get_user_metadata("42").metadata == {}
    assert get_roles_for_user("public", "42").roles == []
    assert syncio.get_user_id_mapping("42") == UnknownMappingError()


@pytest.mark.asyncio
async def test_outcomes_are_values(app: None) -> None:
    create = functions.create_user_id_mapping
    assert await create("nobody", "42") == UnknownSupertokensUserIDError()
    from supertokens_py.recipe.emailpassword.asyncio import sign_up

    made = await sign_up("public", "ada@example.com", "correct horse 1")
    assert isinstance(made, SignUpOkResult)
    ada = made.user.id
    assert await create(ada, "42", user_context={}) == CreateUserIdMappingOkResult()
    assert await create(ada, "43", force=True) == UserIdMappingAlreadyExistsError(
        does_super_tokens_user_id_exist=True, does_external_user_id_exist=False
    )
    assert await functions.get_user_id_mapping("42", "SUPERTOKENS") == UnknownMappingError()
    update = functions.update_or_delete_user_id_mapping_info
    assert await update("nobody", external_user_id_info="x") == UnknownMappingError()
    await update_metadata("42", {"a": 1})
    with pytest.raises(BadInputError, match="already in use in UserMetadata recipe"):
        await functions.delete_user_id_mapping("42")
    assert await functions.delete_user_id_mapping("42", "ANY", True) == DeleteUserIdMappingOkResult(True)
    assert await functions.delete_user_id_mapping("42", force=True) == DeleteUserIdMappingOkResult(False)


def test_an_unknown_type_of_id_is_refused(app: None) -> None:
    with pytest.raises(BadInputError, match="'SUPERTOKENS', 'EXTERNAL' or 'ANY'"):
        syncio.get_user_id_mapping("42", "OTHER")  # type: ignore[arg-type]


def test_an_app_of_sessions_alone_maps_nobody() -> None:
    Supertokens.reset()
    init(
        app_info=InputAppInfo("A", "http://localhost", website_domain="http://localhost"),
        supertokens_config=SupertokensConfig("sqlite://"),
        recipe_list=[session.init()],
    )
    with pytest.raises(ConfigError, match=r"emailpassword\.init"):
        syncio.create_user_id_mapping("u", "42")
    Supertokens.reset()
