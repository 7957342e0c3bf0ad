"""The recipes: session and its companions."""

from supertokens_py.not_here import LOGIN_RECIPES, explain

__getattr__ = explain(__name__, LOGIN_RECIPES)
