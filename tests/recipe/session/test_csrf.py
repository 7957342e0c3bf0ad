"""When a request must prove that it is not forged (protocol: Anti-CSRF)."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from supertokens_py import InputAppInfo
from supertokens_py.config import AppInfo
from supertokens_py.framework.fastapi.fastapi_request import FastApiRequest
from supertokens_py.recipe.session.credentials import Credentials
from supertokens_py.recipe.session.csrf import require_token
from supertokens_py.recipe.session.exceptions import TryRefreshTokenError
from supertokens_py.recipe.session.settings import SessionSettings, resolve
from supertokens_py.recipe.session.verification import VerifyOptions, decide
from supertokens_py.tokens.access_token import AccessToken


@pytest.mark.parametrize(
    ("given", "method", "due"),
    [
        (None, "GET", False),
        (None, "HEAD", False),
        (None, "POST", True),
        (None, "DELETE", True),
        (True, "GET", True),
        (True, "HEAD", True),
        (False, "POST", False),
    ],
)
def test_when_a_check_is_due(given: bool | None, method: str, due: bool) -> None:
    """FP-54, FP-55: explicit, or every method but GET and HEAD."""
    website = InputAppInfo("Test", "https://api.example.com", website_domain="https://example.com")
    policy = resolve(SessionSettings(anti_csrf="VIA_TOKEN"), AppInfo.from_input(website, None, None))
    scope = {"type": "http", "method": method, "headers": [(b"cookie", b"sAccessToken=x")]}
    options = VerifyOptions(anti_csrf_check=given)
    request = FastApiRequest(Request(scope))
    presented = decide(Credentials(request), request, "any", options, policy, lambda _: token("a"), {})
    assert presented is not None
    assert presented[3] is due


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
