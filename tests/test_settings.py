"""One helper for all settings: a field says its default and what it may be, and nothing else repeats it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from supertokens_py.exceptions import ConfigError
from supertokens_py.settings import resolve, setting


def _url(value: Any, source: str) -> str:
    if "://" not in str(value):
        raise ConfigError(f"{source} must be a URL, not {value!r}")
    return str(value).lower()


@dataclass(frozen=True, kw_only=True)
class Tea:
    """Settings as anybody would write them."""

    cups: int = setting(2, int, 1, 12)
    warmth: float = setting(80, float, 0.5, 100)
    kind: str = setting("GREEN", choices=("GREEN", "BLACK"))
    shop: str | None = setting(None, check=_url)
    secret: str = setting("", is_secret=True)


def test_arguments_beat_the_environment_and_that_the_defaults() -> None:
    """Each value is converted, wherever it comes from; a blank variable is as if unset."""
    environ = {"TEA_CUPS": " 3 ", "TEA_WARMTH": "99.5", "TEA_KIND": " ", "TEA_SHOP": "HTTP://T"}
    assert resolve(Tea(), {}, prefix="TEA_") == {
        "cups": 2,
        "warmth": 80,
        "kind": "GREEN",
        "shop": None,
        "secret": "",
    }
    assert resolve(Tea(warmth=70, kind="black"), environ, prefix="TEA_") == {
        "cups": 3,
        "warmth": 70,
        "kind": "BLACK",
        "shop": "http://t",
        "secret": "",
    }


@pytest.mark.parametrize(
    ("given", "environ", "message"),
    [
        ({"cups": 13}, {}, "Tea.cups must be a whole number from 1 to 12, not 13"),
        ({"cups": True}, {}, "Tea.cups must be a whole number from 1 to 12, not True"),
        ({}, {"TEA_CUPS": "1.5"}, "TEA_CUPS must be a whole number from 1 to 12, not '1.5'"),
        ({}, {"TEA_WARMTH": "nan"}, "TEA_WARMTH must be a number from 0.5 to 100, not 'nan'"),
        ({"kind": "mint"}, {}, "Tea.kind must be one of GREEN, BLACK, not 'mint'"),
        ({}, {"TEA_SHOP": "corner"}, "TEA_SHOP must be a URL, not 'corner'"),
    ],
)
def test_an_error_names_the_field_or_the_variable(
    given: dict[str, Any], environ: dict[str, str], message: str
) -> None:
    """And what it may be."""
    with pytest.raises(ConfigError) as caught:
        resolve(Tea(**given), environ, prefix="TEA_")
    assert str(caught.value) == message


def test_a_secret_is_not_shown() -> None:
    """Settings may be logged."""
    assert "hush" not in repr(Tea(secret="hush"))
