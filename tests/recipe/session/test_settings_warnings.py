"""Settings that `session.init` accepts and a browser does not."""

import logging
from typing import Any

import pytest

from supertokens_py import InputAppInfo, Supertokens, init
from supertokens_py.recipe import session


@pytest.mark.parametrize(
    ("api", "warned"), [("http://localhost:8000", True), ("https://api.example.com", False)]
)
def test_same_site_none_without_https_is_told_at_init(
    api: str, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Browsers drop SameSite=None cookies that are not Secure, silently; the log is not silent."""
    Supertokens.reset()
    with caplog.at_level(logging.WARNING):
        init(
            InputAppInfo(app_name="a", api_domain=api, website_domain=api),
            recipe_list=[session.init(cookie_same_site="none")],
        )
    Supertokens.reset()
    assert ("browsers drop such cookies" in caplog.text) is warned


HTTP = "http://api.example.com"
HTTPS = "https://api.example.com"


@pytest.mark.parametrize(
    ("api", "settings", "told"),
    [
        (
            HTTP,
            {"cookie_secure": True},
            "a browser drops Secure cookies that come over http: every request stays without a session; "
            "serve the API over https, or set cookie_secure=False on a development machine",
        ),
        ("http://localhost:8000", {"cookie_secure": True}, None),
        ("http://127.0.0.1:8000", {"cookie_secure": True}, None),
        (HTTP, {}, None),
        (
            HTTPS,
            {"cookie_domain": "example.org"},
            "api.example.com may not set cookies for example.org: a browser drops them; "
            "use api.example.com or one of its parents, or leave cookie_domain out",
        ),
        (
            HTTPS,
            {"cookie_domain": ".www.example.com"},
            "api.example.com may not set cookies for www.example.com: a browser drops them; "
            "use api.example.com or one of its parents, or leave cookie_domain out",
        ),
        (
            HTTPS,
            {"cookie_domain": "com"},
            "Please make sure that the apiDomain and websiteDomain have correct values: 'com' is a public "
            "suffix, so it cannot hold cookies; correct cookie_domain",
        ),
        (HTTPS, {"cookie_domain": ".example.com"}, None),
        (HTTPS, {"cookie_domain": "api.example.com"}, None),
    ],
)
def test_cookies_that_a_browser_drops_are_told_at_init(
    api: str, settings: dict[str, Any], told: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """What `supertokens doctor` calls an error, in the same words."""
    Supertokens.reset()
    init(
        InputAppInfo(app_name="a", api_domain=api, website_domain=api),
        recipe_list=[session.init(**settings)],
    )
    Supertokens.reset()
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == (
        [] if told is None else [("WARNING", told)]
    )
