"""Names of environment variables: settings that would fail open are recognised however they are misspelt."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.environment_variables import misspelt_variables, unknown_variables
from supertokens_py.engine.remote.settings import RemoteSettings
from supertokens_py.exceptions import ConfigError
from supertokens_py.server.environment import ServerSettings, create_from
from supertokens_py.settings import settings_of

ALLOW, DENY = "SUPERTOKENS_IP_ALLOW_REGEX", "SUPERTOKENS_IP_DENY_REGEX"
SECRET, EARLIER = "SUPERTOKENS_ENCRYPTION_KEY", "SUPERTOKENS_PREVIOUS_ENCRYPTION_KEY"
MISSPELT = {
    "SUPERTOKENS_IP_ALLOW": ALLOW,
    "SUPERTOKENS_ALLOW_IP_REGEX": ALLOW,
    "SUPERTOKENS_IP_WHITELIST": ALLOW,
    "SUPERTOKENS_IP_ALLOWLIST": ALLOW,
    "SUPERTOKENS_ALLOWED_IPS": ALLOW,
    "SUPERTOKENS_IPALLOWREGEX": ALLOW,
    "SUPERTOKEN_IP_ALLOW_REGEX": ALLOW,
    "supertokens_ip_allow_regex": ALLOW,
    "SUPERTOKENS_IP_DENY": DENY,
    "SUPERTOKENS_DENIED_IPS": DENY,
    "SUPERTOKENS_IP_BLOCKLIST": DENY,
    "SUPERTOKENS_ENCRYPTION_SECRET": SECRET,
    "SUPERTOKENS_ENCRYPT_KEY": SECRET,
    "SUPERTOKENS_KEY_ENCRYPTION": SECRET,
    "SUPERTOKEN_ENCRYPTION_KEY": SECRET,
    "SUPERTOKENS_ENCRYPTION_KEY_": SECRET,
    "SUPERTOKENS_DEBUG_ENCRYPTION_KEY": SECRET,
    "SUPERTOKENS_ENCRIPTION_KEY": SECRET,
    "SUPERTOKENS_ENCRYPTION": SECRET,
    "SUPERTOKENS_PREV_ENCRYPTION_KEY": EARLIER,
    "SUPERTOKENS_POOL_SISE": "SUPERTOKENS_POOL_SIZE",
}
SERVER = {"SUPERTOKENS_CONNECTION_URI": "sqlite://", "SUPERTOKENS_ALLOW_NO_API_KEY": "1"}
LINKS = (
    "SUPERTOKENS_PORT",
    "SUPERTOKENS_PORT_3567_TCP",
    "SUPERTOKENS_PORT_3567_TCP_ADDR",
    "SUPERTOKENS_SERVICE_HOST",
    "SUPERTOKENS_SERVICE_PORT",
    "SUPERTOKENS_SERVICE_PORT_HTTP",
    "SUPERTOKENS_ENCRYPTION_SERVICE_HOST",
)


@pytest.mark.parametrize(("name", "meant"), MISSPELT.items())
def test_a_misspelt_variable_is_recognised(name: str, meant: str) -> None:
    """An app warns; the server does not start: without the setting it would be open, or its keys in clear."""
    assert misspelt_variables({name: "x"}) == [(name, meant)]
    with pytest.raises(ConfigError, match=f"^{name} is no setting: did you mean {meant}\\?$"):
        create_from({**SERVER, name: "x"})


def test_the_server_refuses_what_nothing_reads() -> None:
    """Except for the links to services that Kubernetes sets, which are nobody's settings."""
    assert create_from({**SERVER, **dict.fromkeys(LINKS, "x")}).routes
    with pytest.raises(ConfigError, match=r"^SUPERTOKENS_MAX_CONNECTIONS is no setting: remove it$"):
        create_from({**SERVER, "SUPERTOKENS_MAX_CONNECTIONS": "5"})
    assert misspelt_variables({**SERVER, "SUPERTOKENS_MAX_CONNECTIONS": "5"}) == []


@pytest.mark.parametrize(
    ("settings", "prefix"),
    [
        (EngineConfig, "SUPERTOKENS_"),
        (RemoteSettings, "SUPERTOKENS_CORE_"),
        (ServerSettings, "SUPERTOKENS_"),
    ],
)
def test_no_setting_is_taken_for_a_misspelt_one(settings: type[Any], prefix: str) -> None:
    """Names of settings that the engine cannot import are listed beside those that it can: all of them."""
    assert unknown_variables({prefix + name.upper(): "1" for name in settings_of(settings)}) == []
