"""`EventSettings`: what it accepts."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from supertokens_py.exceptions import ConfigError
from supertokens_py.recipe.session import EventSettings, Webhook

HOOK = Webhook(url="https://example.com/hook", secret=f"whsec_{b64encode(bytes(24)).decode()}")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"retention_days": 0}, "retention_days must be at least 1, not 0"),
        ({"retention_days": True}, "retention_days must be at least 1, not True"),
        ({"webhooks": HOOK}, "webhooks must be a list of Webhook"),
        ({"webhooks": [HOOK.url]}, "webhooks must be a list of Webhook"),
        ({"webhooks": [HOOK, HOOK]}, "two webhooks have the same url; give one of them both types"),
    ],
)
def test_settings_that_cannot_work(wrong: dict[str, Any], message: str) -> None:
    """They are refused where they are written."""
    with pytest.raises(ConfigError) as refused:
        EventSettings(**wrong)
    assert str(refused.value) == f"EventSettings: {message}"
