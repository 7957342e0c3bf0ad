"""Numbers that others write: which texts are one."""

from __future__ import annotations


def whole_number(text: str, *, digits: int = 18) -> int | None:
    """Return the number that a text is, which has at most so many ASCII digits and nothing else; else None.

    Methods of `str` and patterns take the digits of every script for digits, and some that `int` refuses, as
    it does thousands of them.
    """
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= digits else None
