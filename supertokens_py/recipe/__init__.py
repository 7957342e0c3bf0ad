"""The recipes: session and its companions."""

from typing import Final

from supertokens_py.missing_names import LOGIN_RECIPES, explain

__getattr__: Final = explain(__name__, LOGIN_RECIPES)
