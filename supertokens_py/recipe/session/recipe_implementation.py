"""Older home of the session recipe's default functions."""

from .functions import RecipeInterface as RecipeImplementation

__all__ = ["RecipeImplementation"]
