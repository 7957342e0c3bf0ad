"""Settings that `session.init` accepts and a browser does not."""

import logging

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
