"""`UserMetadataRecipe`: a JSON object per user."""

from __future__ import annotations

from dataclasses import dataclass

from supertokens_py.recipe.base import Recipe, RecipeSettings
from supertokens_py.recipe.overrides import OverrideConfig, check_override
from supertokens_py.recipe_module import App
from supertokens_py.settings import explains_unknown_arguments

from .interfaces import APIInterface, RecipeInterface


@explains_unknown_arguments("usermetadata.init")
@dataclass(frozen=True)
class UserMetadataInit(RecipeSettings):
    """The arguments of `usermetadata.init`.

    Args:
        override: your changes.
    """

    override: OverrideConfig | None = None

    def __post_init__(self) -> None:
        check_override(self.override)


class UserMetadataRecipe(Recipe[UserMetadataInit, RecipeInterface, APIInterface], settings=UserMetadataInit):
    """User metadata of one app."""

    recipe_id = "usermetadata"
    name = "Usermetadata"

    def __init__(self, app: App, config: UserMetadataInit) -> None:
        super().__init__(app, config)
        self.install_functions(RecipeInterface(app))
        self.install_apis(APIInterface())
