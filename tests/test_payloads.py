"""Sizes that both engines refuse before anything is written (engine: Limits)."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.exceptions import BadInputError
from supertokens_py.payloads import validate_json


def test_a_small_value_with_a_huge_text_is_refused_without_making_it() -> None:
    """Forty lists, each twice in the next: as text they would fill the memory."""
    value: list[Any] = []
    for _ in range(40):
        value = [value, value]
    with pytest.raises(BadInputError, match="metadata_update is too large"):
        validate_json("metadata_update", {"a": value})
