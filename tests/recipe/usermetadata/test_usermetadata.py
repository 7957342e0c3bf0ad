"""User metadata: shallow merge, on every database."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from supertokens_py import RecipeUserId, Supertokens
from supertokens_py.exceptions import BadInputError, ConfigError, GeneralError
from supertokens_py.recipe import session, usermetadata
from supertokens_py.recipe.usermetadata import asyncio as metadata
from supertokens_py.recipe.usermetadata import syncio
from supertokens_py.recipe.usermetadata.interfaces import (
    ClearUserMetadataResult,
    MetadataResult,
    RecipeInterface,
)
from tests.recipe.conftest import Start
from tests.support.databases import TestDatabase


async def test_metadata_is_merged_at_the_root(start: Start, database: TestDatabase) -> None:
    """Keys not named stay, None removes at the root, nested objects are replaced, their None is kept."""
    start(usermetadata.init(), uri=database.uri)
    assert await metadata.get_user_metadata("ada") == MetadataResult({})

    stored = await metadata.update_user_metadata("ada", {"name": "Ada", "prefs": {"a": 1, "b": 2}, "n": 1})
    assert stored == MetadataResult({"name": "Ada", "prefs": {"a": 1, "b": 2}, "n": 1})

    stored = await metadata.update_user_metadata("ada", {"prefs": {"c": None}, "n": None, "gone": None})
    assert stored == MetadataResult({"name": "Ada", "prefs": {"c": None}})
    assert await metadata.get_user_metadata("ada") == stored
    assert await metadata.get_user_metadata("bob") == MetadataResult({})

    assert isinstance(await metadata.clear_user_metadata("ada"), ClearUserMetadataResult)
    assert await metadata.get_user_metadata("ada") == MetadataResult({})
    assert isinstance(await metadata.clear_user_metadata("ada"), ClearUserMetadataResult)


async def test_concurrent_updates_of_one_user_all_survive(start: Start, database: TestDatabase) -> None:
    """Twenty tasks write a key each."""
    start(usermetadata.init(), uri=database.uri)
    keys = [f"key{number}" for number in range(20)]
    await asyncio.gather(*(metadata.update_user_metadata("ada", {key: 1}) for key in keys))
    assert await metadata.get_user_metadata("ada") == MetadataResult(dict.fromkeys(keys, 1))


def test_concurrent_updates_from_threads_all_survive(start: Start, database: TestDatabase) -> None:
    """The blocking twins, from ten threads."""
    start(usermetadata.init(), uri=database.uri)
    threads = [
        threading.Thread(target=syncio.update_user_metadata, args=("ada", {f"key{number}": number}))
        for number in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = syncio.get_user_metadata("ada").metadata
    assert stored == {f"key{number}": number for number in range(10)}
    syncio.clear_user_metadata("ada")
    assert syncio.get_user_metadata("ada").metadata == {}


async def test_the_recipe_need_not_be_listed(start: Start) -> None:
    """It has no settings that matter, so it is made at first need."""
    app = start(session.init())
    assert not app.has_recipe("usermetadata")
    await metadata.update_user_metadata("ada", {"a": 1})
    assert await metadata.get_user_metadata("ada") == MetadataResult({"a": 1})
    assert app.has_recipe("usermetadata")


async def test_a_recipe_user_id_names_the_same_user(start: Start) -> None:
    """Both spellings of a user id."""
    start(usermetadata.init())
    await metadata.update_user_metadata(RecipeUserId("ada"), {"a": 1})
    assert await metadata.get_user_metadata("ada") == MetadataResult({"a": 1})


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_functions_can_be_replaced(start: Start, kind: str) -> None:
    """An override sees the same arguments and the caller's own user context."""
    seen: list[Any] = []

    def functions(original: RecipeInterface) -> RecipeInterface:
        original_update = original.update_user_metadata

        async def update(user_id: str, metadata_update: dict[str, Any], user_context: dict[str, Any]) -> Any:
            seen.append((user_id, metadata_update, user_context))
            user_context["written"] = True
            return await original_update(user_id, {**metadata_update, "by": "override"}, user_context)

        def get(user_id: str, user_context: dict[str, Any]) -> Any:
            return MetadataResult({"fixed": user_id})

        original.update_user_metadata = update
        if kind == "sync":
            original.get_user_metadata = get  # type: ignore[assignment, method-assign]
        return original

    start(usermetadata.init(override=usermetadata.InputOverrideConfig(functions=functions)))
    context: dict[str, Any] = {"mine": 1}
    stored = await metadata.update_user_metadata("ada", {"a": 1}, context)
    assert stored == MetadataResult({"a": 1, "by": "override"})
    assert seen == [("ada", {"a": 1}, {"mine": 1, "written": True})]
    assert context == {"mine": 1, "written": True}
    expected = {"fixed": "ada"} if kind == "sync" else {"a": 1, "by": "override"}
    assert (await metadata.get_user_metadata("ada")).metadata == expected


async def test_what_is_no_object_is_refused(start: Start) -> None:
    """The message names the argument."""
    start(usermetadata.init())
    with pytest.raises(BadInputError, match=r"must be a JSON object"):
        await metadata.update_user_metadata("ada", ["a"])  # type: ignore[arg-type]
    assert await metadata.get_user_metadata("ada") == MetadataResult({})


async def test_before_init_the_functions_say_what_is_missing() -> None:
    Supertokens.reset()
    with pytest.raises(GeneralError, match=r"^Initialisation not done\. Did you forget"):
        await metadata.get_user_metadata("ada")


def test_a_wrong_override_is_told_at_init() -> None:
    with pytest.raises(ConfigError, match=r"override must be an instance of InputOverrideConfig or None"):
        usermetadata.init(override="x")  # type: ignore[arg-type]


def test_listing_it_twice_is_told_at_init(start: Start) -> None:
    with pytest.raises(ConfigError, match=r"Usermetadata recipe has already been initialised"):
        start(usermetadata.init(), usermetadata.init())
