"""What a request presents, and whether it has to prove that it is not forged (protocol: Verify)."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from supertokens_py.config import AppInfo, InputAppInfo
from supertokens_py.framework.fastapi.fastapi_request import FastApiRequest
from supertokens_py.recipe.session.session_tokens.request_tokens import RequestTokens
from supertokens_py.recipe.session.settings import SessionSettings, resolve
from supertokens_py.recipe.session.verification.verification import VerifyOptions, decide
from supertokens_py.tokens.access_token import AccessToken

TOKEN = AccessToken("x", 5, "d-1", {"antiCsrfToken": "a"}, "{}")


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
    presented = decide(RequestTokens(request), request, "any", options, policy, lambda _: TOKEN, {})
    assert presented is not None
    assert presented[3] is due
