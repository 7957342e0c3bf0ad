"""The class form of `urls.api_origin`, for code that imports it."""

from __future__ import annotations

from .urls import api_origin


class NormalisedURLDomain(str):
    """An origin such as "https://api.example.com"; a plain `str` with the older accessor."""

    __slots__ = ()

    def __new__(cls, url: str) -> NormalisedURLDomain:
        return super().__new__(cls, api_origin(url))

    def get_as_string_dangerous(self) -> str:
        """Return the origin as text."""
        return str(self)
