"""Checks of the types of arguments, which a caller may have out of a form; an error names the argument."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from supertokens_py.exceptions import BadInputError


def require_strings(**arguments: object) -> None:
    """Check arguments that have to be text. Give secrets masked, as always.

    Raises:
        BadInputError: one is no string, as anybody can leave out a field, or send a file in its place.
    """
    for name, value in arguments.items():
        if not isinstance(value, str):
            raise BadInputError(f"{name} must be a string, not {type(value).__name__}")


def require_strings_or_none(**arguments: object) -> None:
    """Check the same of arguments that may be left out; they are None then."""
    require_strings(**{name: value for name, value in arguments.items() if value is not None})


def require_instance(name: str, value: object, *kinds: type[Any]) -> None:
    """Check an argument that is an object of the SDK's.

    Raises:
        BadInputError: it is of another type.
    """
    if not isinstance(value, kinds):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise BadInputError(f"{name} must be of the type {wanted}, not {type(value).__name__}")


def require_list(name: str, values: object) -> None:
    """Check an argument that is several strings, whose own checks say whether they are.

    Raises:
        BadInputError: it is one string, or nothing that can be gone through.
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        what = "one string" if isinstance(values, str) else type(values).__name__
        raise BadInputError(f"{name} must be a list of strings, not {what}")
