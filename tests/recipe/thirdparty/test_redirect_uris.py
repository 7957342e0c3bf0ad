"""Where browsers may be sent back to."""

from __future__ import annotations

import pytest

from supertokens_py.exceptions import BadInputError
from supertokens_py.recipe.thirdparty.providers.redirect_uris import check_redirect_uri, is_allowed

WEBSITE = "https://example.com"
LISTED = ("com.example.app:/callback", "https://other.example/callback", "")


@pytest.mark.parametrize(
    "uri",
    [
        "https://example.com/auth/callback/google",
        "https://EXAMPLE.com/auth/callback/google",
        "https://example.com:443/auth/callback/google",
        "https://example.com",
        "https://example.com/x?y=z",
        *LISTED,
    ],
)
def test_allowed(uri: str) -> None:
    assert is_allowed(uri, website=WEBSITE, listed=LISTED)


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/auth/callback/google",
        "http://example.com/auth/callback/google",
        "https://example.com:8443/callback",
        "https://sub.example.com/callback",
        "https://example.com.evil.example/callback",
        "https://example.comevil/callback",
        "https://example.com@evil.example/callback",
        "https://evil.example/?https://example.com",
        "https://evil.example#https://example.com",
        "https://example.com\\@evil.example/callback",
        "https://example.com\\.evil.example/callback",
        "https:\\\\evil.example/callback",
        "https://evil.example\\example.com/callback",
        "https:/example.com/callback",
        "https:example.com/callback",
        "//example.com/callback",
        "/callback",
        "example.com/callback",
        "javascript://example.com/%0aalert(1)",
        "JavaScript:alert(1)//https://example.com",
        "data:text/html,https://example.com",
        "supertokens://example.com/callback",
        "https://example.com/callback#fragment",
        "https://example.com/call back",
        "https://example.com/\ncallback",
        "https://example.com\t.evil.example/callback",
        " https://example.com/callback",
        "https://example.com/callback ",
        "https://example.com%2eevil.example/callback",
        "https://example。com/callback",
        "https://exämple.com/callback",
        "https://[::1/callback",
        "https://example.com:99999/callback",
        "https://user:pass@example.com/callback",
        "https://example.com/" + "x" * 2000,
        "com.example.app:/callback/more",
        "com.example.app:/Callback",
        "https://other.example/callback/",
        "https://other.example/callback?x",
        "https://other.example/",
        "http://other.example/callback",
    ],
)
def test_refused(uri: str) -> None:
    assert not is_allowed(uri, website=WEBSITE, listed=LISTED)
    with pytest.raises(BadInputError, match="neither on the website nor one of allowed_redirect_uris"):
        check_redirect_uri(uri, website=WEBSITE, listed=LISTED)


def test_the_website_is_not_known() -> None:
    assert not is_allowed("https://example.com/callback", website=None, listed=LISTED)
