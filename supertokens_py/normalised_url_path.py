"""The class form of `urls.base_path`, for code that imports it."""

from __future__ import annotations

from .urls import base_path


class NormalisedURLPath(str):
    """A path such as "/auth"; a plain `str` with the older accessors."""

    __slots__ = ()

    def __new__(cls, url: str) -> NormalisedURLPath:
        return super().__new__(cls, base_path(url))

    def get_as_string_dangerous(self) -> str:
        """Return the path as text."""
        return str(self)

    def append(self, other: NormalisedURLPath) -> NormalisedURLPath:
        """Return this path followed by `other`."""
        return NormalisedURLPath(str(self) + str(other))

    def equals(self, other: NormalisedURLPath) -> bool:
        """Return whether both are the same path."""
        return self == other

    def is_a_recipe_path(self) -> bool:
        """Return whether the first or second segment is "recipe"."""
        segments = self.split("/")
        return "recipe" in segments[1:3]
