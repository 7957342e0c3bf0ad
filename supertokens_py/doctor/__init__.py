"""Check a configuration before users do, without changing anything; `supertokens doctor` prints it."""

from __future__ import annotations

from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.uris import check_connection_uri, kind_of
from supertokens_py.exceptions import ConfigError

from .applications import web_settings_of
from .core import check_core
from .database import check_database
from .findings import Finding, Level, worst
from .probe import probe_api
from .providers import ProviderSettings, check_providers, settings_of
from .web import WebSettings, check_web

__all__ = [
    "Finding",
    "Level",
    "ProviderSettings",
    "WebSettings",
    "run",
    "settings_of",
    "web_settings_of",
    "worst",
]


def run(
    *,
    connection_uri: str | None = None,
    engine_config: EngineConfig | None = None,
    core_api_key: str | None = None,
    web: WebSettings | None = None,
    probe: bool = False,
    providers: ProviderSettings | None = None,
) -> list[Finding]:
    """Check a database or core, what a browser would make of the web settings, and a running API.

    Args:
        connection_uri: the database or core; None checks none.
        engine_config: its settings; the environment gives those that it leaves out, as in `init`.
        core_api_key: the key that a core at an http(s):// address asks for.
        web: the settings that a browser is affected by; None checks none.
        probe: whether to send requests to the running API of `web`, as a browser would.
        providers: what `thirdparty.init` gets; None checks none. No provider is asked.

    Raises:
        ConfigError: the HTTP client that `probe` needs is not installed.
    """
    findings: list[Finding] = []
    if connection_uri is not None:
        findings += _check_engine(connection_uri, engine_config or EngineConfig(), core_api_key)
    if web is not None:
        findings += check_web(web)
        if probe:
            findings += probe_api(web)
    if providers is not None:
        findings += check_providers(providers)
    return findings


def _check_engine(uri: str, config: EngineConfig, api_key: str | None) -> list[Finding]:
    try:
        settings = config.resolve()
        check_connection_uri(uri)
        if kind_of(uri) == "core":
            return check_core(uri, settings, api_key=api_key)
        return check_database(uri, settings)
    except ConfigError as error:
        return [Finding("error", "settings", str(error), "correct the setting; `init` refuses it too")]
