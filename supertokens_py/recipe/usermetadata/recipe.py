"""`UserMetadataRecipe`: a JSON object per user."""

from __future__ import annotations

from dataclasses import dataclass

from supertokens_py.app import Supertokens
from supertokens_py.recipe.base import OverrideConfig, check_override, install
from supertokens_py.recipe_module import App, RecipeModule

from .interfaces import APIInterface, RecipeInterface


class UserMetadataRecipe(RecipeModule):
    """User metadata of one app."""

    recipe_id = "usermetadata"
    name = "Usermetadata"

    def __init__(self, app: App, config: UserMetadataInit) -> None:
        super().__init__(app)
        self.config = config
        override = config.override or OverrideConfig()
        self.recipe_implementation: RecipeInterface
        self.recipe_implementation, _ = install(
            RecipeInterface(app), override.functions, "usermetadata.init(override=…functions)"
        )
        self.api_implementation: APIInterface
        self.api_implementation, _ = install(
            APIInterface(), override.apis, "usermetadata.init(override=…apis)"
        )

    @classmethod
    def default(cls, app: App) -> UserMetadataRecipe:
        return cls(app, UserMetadataInit())

    @staticmethod
    def get_instance() -> UserMetadataRecipe:
        """Return the user metadata recipe of the current app."""
        return Supertokens.get_instance().recipe(UserMetadataRecipe)


@dataclass(frozen=True)
class UserMetadataInit:
    """The arguments of `usermetadata.init`.

    Args:
        override: your changes.
    """

    override: OverrideConfig | None = None

    def __post_init__(self) -> None:
        check_override(self.override)

    def __call__(self, app: App) -> UserMetadataRecipe:
        return UserMetadataRecipe(app, self)
