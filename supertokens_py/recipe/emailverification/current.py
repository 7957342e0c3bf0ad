"""What the claim and the APIs ask of the current app's recipe, which is made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

from supertokens_py.app import Supertokens
from supertokens_py.exceptions import GeneralError

if TYPE_CHECKING:
    from .addresses import EmailOfUser
    from .functions import RecipeInterface

RECIPE_ID = "emailverification"
NOT_INITIALISED = (
    "Initialisation not done. Did you forget to call the SuperTokens.init or EmailVerification.init "
    'function? In Python it is supertokens_py.init(...) with emailverification.init(mode="REQUIRED") in '
    "recipe_list."
)


class CurrentRecipe(Protocol):
    """The recipe, as far as it is asked."""

    recipe_implementation: RecipeInterface

    async def get_email_for_recipe_user_id(
        self, recipe_user_id: str, user_context: dict[str, Any]
    ) -> EmailOfUser: ...


def current_recipe() -> CurrentRecipe:
    """Return the recipe of the current app.

    Raises:
        GeneralError: it is not in `recipe_list`.
    """
    app = Supertokens.current()
    for recipe in app.recipe_modules if app is not None else ():
        if recipe.recipe_id == RECIPE_ID:
            return cast("CurrentRecipe", recipe)
    raise GeneralError(NOT_INITIALISED)
