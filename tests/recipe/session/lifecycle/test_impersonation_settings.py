"""`Impersonation`: what it accepts."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.exceptions import ConfigError
from supertokens_py.recipe.session import Impersonation


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"may": "support"}, "may must be a function (actor, user_id, user_context)"),
        ({"max_age": 0}, "max_age must be a whole number of seconds, not 0"),
        ({"fresh": 0.5}, "fresh must be a whole number of seconds, not 0.5"),
        ({"routes": True, "end_path": "/stop"}, "give either routes or end_path"),
        ({"end_path": "stop"}, "end_path must be the path of one route, not 'stop'"),
        ({"end_path": "/"}, "end_path must be the path of one route, not '/'"),
        ({"end_path": "/a;b"}, "end_path must be the path of one route, not '/a;b'"),
    ],
)
def test_settings_that_cannot_work(wrong: dict[str, Any], message: str) -> None:
    """They are refused where they are written."""
    settings: dict[str, Any] = {"may": lambda *_: True, **wrong}
    with pytest.raises(ConfigError) as refused:
        Impersonation(**settings)
    assert str(refused.value) == f"Impersonation: {message}"
