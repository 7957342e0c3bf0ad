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


def about_cookies(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Return what was told, but for where sessions are kept."""
    return [
        (record.levelname, record.getMessage())
        for record in caplog.records
        if record.name != "supertokens_py.start_report"
    ]


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
    assert about_cookies(caplog) == ([] if told is None else [("WARNING", told)])


TWO_SITES = "are two sites to a browser: cookies of one are not sent from pages of the other; use the same "


@pytest.mark.parametrize(
    ("api", "website", "told"),
    [
        (
            "http://localhost:3001",
            "http://127.0.0.1:5173",
            "127.0.0.1 and localhost are both this machine, but two sites to a browser: cookies of one are "
            "not sent from pages of the other; use the same name for both, such as localhost",
        ),
        (
            "http://192.168.1.5:8000",
            "http://localhost:3000",
            f"localhost and 192.168.1.5 {TWO_SITES}name or address for both",
        ),
        (
            "http://0.0.0.0:8000",
            "http://localhost:3000",
            f"localhost and 0.0.0.0 {TWO_SITES}name or address for both",
        ),
        (
            "https://192.168.1.5",
            "https://192.168.1.6",
            f"192.168.1.6 and 192.168.1.5 {TWO_SITES}name or address for both",
        ),
        (
            "http://localhost:8000",
            "http://[fd00::1]:3000",
            f"fd00::1 and localhost {TWO_SITES}name or address for both",
        ),
        ("http://192.168.1.5:8000", "http://192.168.1.5:3000", None),
        ("http://localhost:3001", "http://localhost:5173", None),
        ("http://127.0.0.1:3001", "http://127.0.0.1:5173", None),
        ("https://api.example.com", "https://example.com", None),
        ("https://192.168.1.5", "https://example.com", None),  # SameSite=None; Secure is derived
    ],
)
def test_two_sites_that_pass_for_one_are_told_at_init(
    api: str, website: str, told: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """The browser keeps nothing, although log-in answers 200."""
    Supertokens.reset()
    init(InputAppInfo(app_name="a", api_domain=api, website_domain=website), recipe_list=[session.init()])
    Supertokens.reset()
    assert about_cookies(caplog) == ([] if told is None else [("WARNING", told)])


@pytest.mark.parametrize("settings", [{"cookie_same_site": "none"}, {"get_token_transfer_method": "header"}])
def test_two_addresses_whose_tokens_cross_sites_are_no_problem(
    settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """SameSite=None; Secure crosses sites, and so do headers."""
    Supertokens.reset()
    init(
        InputAppInfo(app_name="a", api_domain="https://192.168.1.5", website_domain="https://192.168.1.6"),
        recipe_list=[session.init(**settings)],
    )
    Supertokens.reset()
    assert about_cookies(caplog) == []


@pytest.mark.parametrize(
    ("api", "website", "settings", "told"),
    [
        ("http://api.example.com", "http://example.org", {}, True),
        ("http://api.example.com", "https://example.com", {}, True),
        ("http://localhost:8000", "https://example.com", {}, True),
        ("https://api.example.com", "https://example.org", {"cookie_secure": False}, True),
        ("https://api.example.com", "https://example.org", {}, False),
        ("http://api.example.com", "http://example.com", {}, False),
        ("http://localhost:8000", "http://localhost:3000", {}, False),
        ("http://api.example.com", "http://example.org", {"get_token_transfer_method": "header"}, False),
        ("http://api.example.com", "http://example.org", {"cookie_same_site": "lax"}, False),
    ],
)
def test_another_site_over_http_is_told_at_init(
    api: str, website: str, settings: dict[str, Any], told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """In the words of the error with which each log-in by cookies would fail."""
    Supertokens.reset()
    init(
        InputAppInfo(app_name="a", api_domain=api, website_domain=website),
        recipe_list=[session.init(**settings)],
    )
    Supertokens.reset()
    text = (
        f"cookies cannot work here: the website ({website}) is on another site than the API ({api}), and "
        "browsers keep such cookies over https only. Serve the API over https, with "
        "api_domain='https://...' and without cookie_secure=False, or let the frontend use header mode "
        "(tokenTransferMethod: 'header')"
    )
    assert about_cookies(caplog) == ([("WARNING", text)] if told else [])


def test_two_local_sites_of_two_schemes_are_told_at_init(caplog: pytest.LogCaptureFixture) -> None:
    """Chrome drops SameSite=None without Secure at localhost, too; others may not, so no log-in fails."""
    Supertokens.reset()
    info = {"api_domain": "http://localhost:8000", "website_domain": "https://localhost:3000"}
    init(InputAppInfo(app_name="a", **info), recipe_list=[session.init()])
    Supertokens.reset()
    text = (
        "of the website (https://localhost:3000) and the API (http://localhost:8000) one is on https: "
        "browsers take them for two sites, and most keep no cookies of the API that are not Secure. In "
        "development, serve both over http, or both over https"
    )
    assert about_cookies(caplog) == [("WARNING", text)]


def origin(request: Any, user_context: dict[str, Any]) -> str:
    return "https://example.com"


DANGER = (
    "anti_csrf is NONE and cookies may be SameSite=None: any website can act as your users. Leave anti_csrf "
    "out, or set cookie_same_site to lax or strict"
)


@pytest.mark.parametrize(
    ("info", "settings", "level", "told"),
    [
        ({}, {}, "INFO", "anti_csrf is NONE (derived): cookies are SameSite=lax"),
        (
            {"website_domain": "https://other.org"},
            {},
            "INFO",
            "anti_csrf is VIA_CUSTOM_HEADER (derived): cookies are SameSite=none",
        ),
        (
            {"origin": origin},
            {},
            "INFO",
            "anti_csrf is VIA_CUSTOM_HEADER (derived): cookies are SameSite=lax or none, as the function "
            "`origin` answers",
        ),
        (
            {"origin": origin},
            {"cookie_same_site": "strict"},
            "INFO",
            "anti_csrf is NONE (derived): cookies are SameSite=strict",
        ),
        ({}, {"cookie_same_site": "none", "anti_csrf": "NONE"}, "WARNING", DANGER),
        ({"website_domain": "https://other.org"}, {"anti_csrf": "NONE"}, "WARNING", DANGER),
        ({"origin": origin}, {"anti_csrf": "NONE"}, "WARNING", DANGER),
        ({}, {"anti_csrf": "NONE"}, None, None),
        ({"origin": origin}, {"anti_csrf": "VIA_TOKEN"}, None, None),
    ],
)
def test_the_proof_is_told_at_init(
    info: dict[str, Any],
    settings: dict[str, Any],
    level: str | None,
    told: str | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Which anti-CSRF mode was derived; and a warning where there is none although cookies cross sites."""
    Supertokens.reset()
    where = {"api_domain": HTTPS, "website_domain": "https://example.com", **info}
    with caplog.at_level(logging.INFO, logger="supertokens_py.recipe.session.settings"):
        init(InputAppInfo(app_name="a", **where), recipe_list=[session.init(**settings)])
    Supertokens.reset()
    found = [
        (record.levelname, record.getMessage()) for record in caplog.records if "anti_csrf" in record.msg
    ]
    assert found == ([] if told is None else [(level, told)])
