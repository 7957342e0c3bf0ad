"""What the log says when an app starts."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from supertokens_py import EngineConfig, InputAppInfo, SupertokensConfig
from supertokens_py.config import AppInfo
from supertokens_py.engine.environment_variables import misspelt_variables
from supertokens_py.start_report import report_start


def info(api_domain: str = "https://api.example.com", **settings: Any) -> AppInfo:
    given = {"website_domain": "https://example.com", **settings}
    return AppInfo.from_input(InputAppInfo("Shop", api_domain, **given), None, None)


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("sqlite:////var/lib/x.db", "/var/lib/x.db"),
        ("postgresql://me:hush@a:1,b:2/shop?sslmode=require", "postgresql://me:***@a:1,b:2/shop"),
        (
            "https://me:hush@core/base;core.example.com",
            "the SuperTokens core at https://core/base, https://core.example.com",
        ),
    ],
)
def test_the_log_names_the_place_without_a_secret(
    uri: str, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One line at INFO."""
    caplog.set_level(logging.INFO)
    report_start(SupertokensConfig(uri), info("https://api.example.com"), {})
    assert caplog.messages == [f"sessions are kept in {place}"]


def test_memory_is_worth_a_warning_on_a_public_server_only(caplog: pytest.LogCaptureFixture) -> None:
    """Tests choose it."""
    caplog.set_level(logging.INFO)
    report_start(SupertokensConfig("sqlite://"), info("http://localhost:8000"), {})
    report_start(SupertokensConfig("sqlite://"), info("https://api.example.com"), {})
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"]
    assert caplog.messages == [
        "sessions are kept in memory",
        "sessions are kept in the memory of this process: other workers do not see them, and a restart "
        "logs everybody out",
    ]


def test_a_default_file_on_a_public_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A container forgets it with each deploy; a file that was there is none of that kind."""
    monkeypatch.chdir(tmp_path)
    report_start(SupertokensConfig(), info("http://localhost:8000"), {})
    assert caplog.messages == []
    report_start(SupertokensConfig(), info("https://api.example.com"), {})
    assert f"a new SQLite file, {tmp_path}/supertokens.db" in caplog.messages[0]
    (tmp_path / "supertokens.db").touch()
    report_start(SupertokensConfig(), info("https://api.example.com"), {})
    assert len(caplog.messages) == 1


def test_settings_without_effect(caplog: pytest.LogCaptureFixture) -> None:
    """A core has settings of its own; the clock and the cache of tokens are the SDK's."""
    engine = EngineConfig(pool_size=3, table_prefix="x", verified_token_cache_size=5)
    report_start(SupertokensConfig("http://localhost:3567", engine=engine), info("http://localhost"), {})
    assert caplog.messages == [
        "EngineConfig(pool_size, table_prefix) has no effect: the core has its own settings"
    ]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"api_domain": "https://api.example.com/v1"},
            "api_domain has a path, /v1, which is dropped, as origins have none; "
            'set api_base_path="/v1/auth", or api_gateway_path="/v1" where a gateway strips it',
        ),
        (
            {"api_domain": "api.example.com/V1/?a=b", "api_base_path": "/"},
            "api_domain has a path, /V1, which is dropped, as origins have none; "
            'set api_base_path="/V1", or api_gateway_path="/V1" where a gateway strips it',
        ),
        (
            {"website_domain": "https://example.com/shop/"},
            "website_domain has a path, /shop, which is dropped, as origins have none; "
            'set website_base_path="/shop/auth"',
        ),
        (
            {"origin": "https://example.com/shop"},
            "origin has a path, /shop, which is dropped, as origins have none; "
            'set website_base_path="/shop/auth"',
        ),
        ({"api_domain": "https://api.example.com/v1", "api_base_path": "/v1/auth"}, None),
        ({"api_domain": "https://api.example.com/v1", "api_gateway_path": "/v1"}, None),
        ({"website_domain": "https://example.com/auth"}, None),
        ({"api_domain": "https://api.example.com/", "website_domain": "localhost:3000//?a=/b"}, None),
        ({"origin": lambda *_: "https://example.com"}, None),
    ],
)
def test_a_path_in_a_domain_is_worth_a_warning(
    settings: dict[str, Any], told: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """It is no part of an origin; where another setting has it, that is what was meant."""
    report_start(SupertokensConfig("http://localhost:3567"), info(**settings), {})
    assert caplog.messages == ([] if told is None else [told])


def test_misspelt_variables_are_named() -> None:
    """Those of Kubernetes for a service called supertokens are not ours, nor are an application's own."""
    environ = {
        "SUPERTOKENS_POOLSIZE": "5",
        "SUPERTOKENS_TABLE_SCHEMA": "auth",
        "SUPERTOKENS_CORE_URL": "x",
        "SUPERTOKENS_PORT": "tcp://10.0.0.1:80",
        "SUPERTOKENS_PORT_80_TCP_ADDR": "10.0.0.1",
        "SUPERTOKENS_SERVICE_HOST": "10.0.0.1",
        "SUPERTOKENS_SERVICE_PORT_SUPER_HTTP": "80",
        "SUPERTOKENS_CORE_PORT": "tcp://10.0.0.9:3567",
        "SUPERTOKENS_POOL_PORT": "tcp://10.0.0.8:1",
    }
    assert misspelt_variables(environ) == [("SUPERTOKENS_POOLSIZE", "SUPERTOKENS_POOL_SIZE")]
    wrong = ("SUPERTOKENS_CONECTION_URI", "SUPERTOKENS_CONNECTIONURI")
    meant = "SUPERTOKENS_CONNECTION_URI"
    assert misspelt_variables(dict.fromkeys(wrong, "x")) == [(name, meant) for name in wrong]


def test_a_misspelt_variable_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    """At the start of an application, in one line."""
    report_start(SupertokensConfig("sqlite://"), info("http://localhost"), {"SUPERTOKENS_POOLSIZE": "5"})
    assert caplog.messages == [
        "the environment variable SUPERTOKENS_POOLSIZE is read by nothing; "
        "did you mean SUPERTOKENS_POOL_SIZE?"
    ]
