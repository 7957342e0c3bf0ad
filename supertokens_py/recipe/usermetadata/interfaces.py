"""The user metadata recipe's functions and results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from supertokens_py.engine.context import in_its_context

if TYPE_CHECKING:
    from supertokens_py.recipe_module import App


@dataclass
class MetadataResult:
    """A user's metadata; `{}` where nothing was stored."""

    metadata: dict[str, Any]


class ClearUserMetadataResult:
    """The user has no metadata now."""


class RecipeInterface:
    """The functions, with their default behaviour; overrides assign to an instance."""

    def __init__(self, app: App) -> None:
        self._app = app

    @in_its_context
    async def get_user_metadata(self, user_id: str, user_context: dict[str, Any]) -> MetadataResult:
        """Return what is stored."""
        return MetadataResult(await self._app.engine.metadata(user_id))

    @in_its_context
    async def update_user_metadata(
        self, user_id: str, metadata_update: dict[str, Any], user_context: dict[str, Any]
    ) -> MetadataResult:
        """Merge at the root, in one transaction: None removes a key, nested objects are replaced."""
        return MetadataResult(await self._app.engine.merge_metadata(user_id, metadata_update))

    @in_its_context
    async def clear_user_metadata(
        self, user_id: str, user_context: dict[str, Any]
    ) -> ClearUserMetadataResult:
        """Forget what is stored."""
        await self._app.engine.clear_metadata(user_id)
        return ClearUserMetadataResult()


class APIInterface:
    """This recipe has no HTTP API."""
