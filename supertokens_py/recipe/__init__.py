"""The recipes, one sub-package each: `session`, the sign-in recipes, and those that both build on."""

from typing import Final

from supertokens_py.missing_names import LOGIN_RECIPES, explain, explain_modules

__getattr__: Final = explain(__name__, LOGIN_RECIPES)
explain_modules(__name__, LOGIN_RECIPES)
