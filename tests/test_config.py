"""The arguments of `init`: checked once, each error names its argument."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.config import AppInfo
from supertokens_py.exceptions import ConfigError
from supertokens_py.recipe import session


def info(**changes: Any) -> AppInfo:
    given = {"app_name": "Test", "api_domain": "api.example.com", "website_domain": "example.com", **changes}
    return AppInfo.from_input(InputAppInfo(**given), None, None)


def test_origins_and_paths_are_kept_in_normal_form() -> None:
    """FP-2, FP-105: origins and paths are plain text in their normal form."""
    made = info(api_gateway_path="gw/", api_base_path="/Auth/", website_base_path="login")
    assert made.api_domain == "https://api.example.com"
    assert made.api_gateway_path == "/gw"
    assert made.api_base_path == "/gw/Auth"
    assert made.website_base_path == "/login"
    assert made.issuer == "https://api.example.com/gw/Auth"
    assert made.fixed_origin == "https://example.com"
    assert made.top_level_api_domain == "example.com"


def test_the_methods_that_the_incumbent_has() -> None:
    """Origins and paths also answer `get_as_string_dangerous()`."""
    made = info()
    assert made.api_domain.get_as_string_dangerous() == "https://api.example.com"
    assert made.api_base_path.get_as_string_dangerous() == "/auth"


def test_the_base_path_is_auth_without_a_gateway() -> None:
    """FP-2: /auth, no gateway."""
    made = info()
    assert (made.api_base_path, made.website_base_path, made.api_gateway_path) == ("/auth", "/auth", "")


@pytest.mark.parametrize(
    ("framework", "mode"),
    [
        (None, "asgi"),
        ("fastapi", "asgi"),
        ("flask", "wsgi"),
        ("django", "wsgi"),
        ("quart", "asgi"),
        ("aws_lambda", "wsgi"),
    ],
)
def test_the_mode_follows_the_framework_unless_given(framework: Any, mode: str) -> None:
    """It follows the framework unless given."""
    given = InputAppInfo("Test", "api.example.com", website_domain="example.com")
    assert AppInfo.from_input(given, framework, None).mode == mode
    assert AppInfo.from_input(given, framework, "asgi").mode == "asgi"


def test_origin_wins_over_website_domain() -> None:
    """FP-51: and may be a function, asked each time, normalised each time."""
    assert info(origin="www.example.com").fixed_origin == "https://www.example.com"
    asked: list[Any] = []

    def origin(request: Any, context: Any) -> str:
        asked.append((request, context))
        return "Other.Example.org:443"

    made = info(origin=origin)
    assert made.fixed_origin is None
    assert made.get_origin(None, {"a": 1}) == "https://other.example.org"
    assert made.get_top_level_website_domain(None, {}) == "example.org"
    assert asked == [(None, {"a": 1}), (None, {})]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"website_domain": None}, "website_domain or origin"),
        ({"api_domain": ""}, "valid domain name"),
        ({"api_domain": "foo"}, "api_domain: Please provide a valid domain name"),
        ({"api_domain": "htp://localhost"}, "http:// or https://, not with 'htp'"),
        ({"api_domain": None}, "api_domain"),
        ({"api_domain": 5}, "api_domain"),
        ({"website_domain": "/x"}, "website_domain: Please provide a valid domain name"),
        ({"website_domain": 5}, "website_domain"),
        ({"origin": 5}, "origin"),
        ({"origin": "foo"}, "origin: Please provide a valid domain name"),
        ({"origin": "https://co.uk"}, "origin: .*public suffix"),
        ({"api_base_path": "/a b"}, "valid URL path"),
        ({"api_base_path": None}, "api_base_path"),
        ({"api_gateway_path": 5}, "api_gateway_path"),
        ({"api_base_path": "/änderung"}, "api_base_path: '/änderung' has characters that URLs carry encoded"),
        ({"api_base_path": "/a%20b"}, "api_base_path: '/a%20b' has characters that URLs carry encoded"),
        ({"api_gateway_path": "/é"}, "api_gateway_path: '/é' has characters that URLs carry encoded"),
        ({"website_base_path": b"/x"}, "website_base_path"),
        ({"app_name": None}, "app_name"),
        ({"app_name": 5}, "app_name"),
    ],
)
def test_wrong_app_info(changes: dict[str, Any], words: str) -> None:
    """FP-85: the error names the argument, whatever type it has."""
    with pytest.raises(ConfigError, match=words):
        info(**changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"connection_uri": 5}, "connection_uri"),
        ({"connection_uri": b"sqlite://"}, "connection_uri"),
        ({"connection_uri": "mysql://x"}, "connection_uri"),
        ({"connection_uri": "nonsense"}, "connection_uri"),
        ({"connection_uri": ""}, "connection_uri is empty"),
        ({"connection_uri": " "}, "connection_uri is empty"),
        ({"connection_uri": "sqlite://x.db"}, "needs three slashes"),
        ({"connection_uri": "sessions.db"}, "no address that is understood"),
        ({"connection_uri": "http://a;b:3567"}, "'b:3567' is not the http"),
        ({"connection_uri": "http://a:35x"}, "'http://a:35x' is not the http"),
        ({"connection_uri": "postgres:/x"}, "connection_uri has no ://"),
        ({"connection_uri": "sqlite:/x.db"}, "connection_uri has no ://"),
        ({"connection_uri": "sqlite:///"}, "names no file.*sqlite:// for sessions in memory"),
        ({"connection_uri": "sqlite+pysqlite:///?timeout=5"}, "names no file"),
        ({"connection_uri": "postgresql+asyncpg://h/d"}, r"connection_uri starts with 'postgresql\+asyncpg'"),
        ({"engine": {}}, "engine"),
        ({"engine": 5}, "engine"),
        ({"api_key": 5}, "api_key"),
        ({"network_interceptor": "x"}, "network_interceptor"),
    ],
)
def test_wrong_supertokens_config(changes: dict[str, Any], words: str) -> None:
    """FP-85: the error names the argument."""
    with pytest.raises(ConfigError, match=words):
        SupertokensConfig(**changes)


@pytest.mark.parametrize(
    "uri",
    [
        None,
        "sqlite://",
        "sqlite:///x.db",
        "sqlite:///:memory:",
        "postgresql://u:p@h/d",
        "https://core",
        "http://a;http://b",
    ],
)
def test_every_documented_connection_uri_is_accepted(uri: str | None) -> None:
    """FP-85: every documented form is accepted; nothing means the SQLite file."""
    config = SupertokensConfig(uri)
    assert config.engine_uri == ((uri or "").strip() or "sqlite:///supertokens.db")


@pytest.mark.parametrize(
    ("uri", "package", "extra"),
    [
        ("postgresql://u:p@h/d", "psycopg", "postgres"),
        ("POSTGRES://u:p@h/d", "psycopg", "postgres"),
        ("https://core", "httpx2", "remote"),
    ],
)
def test_a_missing_package_is_told_at_init(
    uri: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by the first user's log-in; nothing is left behind."""
    monkeypatch.setitem(sys.modules, package, None)
    app_info = InputAppInfo("Test", "api.example.com", website_domain="example.com")
    Supertokens.reset()
    with pytest.raises(ConfigError, match=f"the extra '{extra}'"):
        init(app_info, supertokens_config=SupertokensConfig(uri), recipe_list=[session.init()])
    assert Supertokens.current() is None


def test_secrets_are_not_shown() -> None:
    """FP-85: a repr in a log has no key in it."""
    assert "secret" not in repr(SupertokensConfig("https://core", api_key="secret"))
    assert "hunter2" not in repr(SupertokensConfig("postgresql://me:hunter2@db/x"))


def test_a_bad_uri_does_not_show_its_password() -> None:
    """FP-85: nor does the error about it."""
    with pytest.raises(ConfigError) as caught:
        SupertokensConfig("mysql://me:hunter2@db/x")
    assert "hunter2" not in str(caught.value)
