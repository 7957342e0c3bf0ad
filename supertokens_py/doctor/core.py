"""What is noteworthy about a SuperTokens core at an http(s) address."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import SplitResult

from supertokens_py.constants import SUPPORTED_CDI_VERSIONS
from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.factory import MISSING_CLIENT
from supertokens_py.engine.uris import core_places
from supertokens_py.exceptions import ConfigError, SuperTokensError
from supertokens_py.formatting import counted
from supertokens_py.urls import is_local

from .findings import Finding

_TOPIC = "core"


def check_core(uri: str, settings: ResolvedEngineConfig, *, api_key: str | None = None) -> list[Finding]:
    """Ask a core for its version, keys and tenants.

    Raises:
        ConfigError: the URI cannot work, or the HTTP client is not installed.
    """
    try:
        from supertokens_py.engine.remote import RemoteEngine  # noqa: PLC0415  (an optional extra)
    except ImportError as error:
        raise ConfigError(MISSING_CLIENT) from error
    engine = RemoteEngine(uri, settings, api_key=api_key)
    try:
        version = engine.negotiated_version()
        keys = engine.keys.jwks().keys
        tenants = engine.tenants.all()
    except SuperTokensError as error:
        return [Finding("error", _TOPIC, str(error), "check address, API key and version of the core")]
    finally:
        engine.close()
    hosts = core_places(uri)
    shown = ";".join(host.geturl() for host in hosts)
    return [
        Finding("ok", _TOPIC, f"{shown} answers, CDI {version} is spoken"),
        Finding("ok", "keys", f"published: {counted(len(keys), 'verification key')}"),
        Finding("ok", _TOPIC, counted(len(tenants), "tenant")),
        *_version(version),
        *_plain_http(hosts),
    ]


def _version(version: str) -> Iterator[Finding]:
    if version != SUPPORTED_CDI_VERSIONS[-1]:
        text = f"with CDI {version} the first use of each refreshed token costs a call to the core"
        yield Finding("note", _TOPIC, text)


def _plain_http(hosts: Iterable[SplitResult]) -> Iterator[Finding]:
    for host in hosts:
        if host.scheme == "http" and not is_local(host.hostname or ""):
            text = f"{host.geturl()} is plain http: keys and tokens travel openly"
            yield Finding("warning", _TOPIC, text, "use https, or a private network")
