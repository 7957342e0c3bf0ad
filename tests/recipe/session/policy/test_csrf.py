"""When a request must prove that it is not forged (protocol: Anti-CSRF)."""

from __future__ import annotations

import pytest

from supertokens_py.recipe.session.exceptions import TryRefreshTokenError
from supertokens_py.recipe.session.policy.csrf import require_token
from supertokens_py.tokens.access_token import AccessToken


def token(anti_csrf: str | None) -> AccessToken:
    return AccessToken("x", 5, "d-1", {"antiCsrfToken": anti_csrf}, "{}")


def test_the_right_token() -> None:
    """FP-53: equal passes."""
    require_token(token("a-b"), "a-b")


@pytest.mark.parametrize(
    ("expected", "sent"),
    [
        ("a", None),
        ("a", ""),
        ("a", "A"),
        ("a", "ab"),
        ("ab", "a"),
        (None, "a"),
        (None, None),
        ("a", "é"),
        ("a", "\ud800"),
    ],
)
def test_the_wrong_token(expected: str | None, sent: str | None) -> None:
    """FP-53: anything else is try-refresh, also text that is not ASCII."""
    with pytest.raises(TryRefreshTokenError):
        require_token(token(expected), sent)
