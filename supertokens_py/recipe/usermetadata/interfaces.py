"""The user metadata recipe's functions and results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from supertokens_py.engine.call import call_engine
from supertokens_py.types.response import Shown

if TYPE_CHECKING:
    from supertokens_py.recipe_module import App


@dataclass
class MetadataResult:
    """A user's metadata; `{}` where nothing was stored."""

    metadata: dict[str, Any]


class ClearUserMetadataResult(Shown):
    """The user has no metadata now."""


class RecipeInterface:
    """The functions, with their default behaviour; overrides assign to an instance."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def get_user_metadata(self, user_id: str, user_context: dict[str, Any]) -> MetadataResult:
        """Return what is stored."""
        return MetadataResult(await call_engine(user_context, self._app.engine.metadata.read, user_id))

    async def update_user_metadata(
        self, user_id: str, metadata_update: dict[str, Any], user_context: dict[str, Any]
    ) -> MetadataResult:
        """Merge at the root, in one transaction: None removes a key, nested objects are replaced."""
        return MetadataResult(
            await call_engine(user_context, self._app.engine.metadata.merge, user_id, metadata_update)
        )

    async def clear_user_metadata(
        self, user_id: str, user_context: dict[str, Any]
    ) -> ClearUserMetadataResult:
        """Delete what is stored."""
        await call_engine(user_context, self._app.engine.metadata.clear, user_id)
        return ClearUserMetadataResult()


class APIInterface:
    """This recipe has no HTTP API."""
