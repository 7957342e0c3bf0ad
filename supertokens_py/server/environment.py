"""The server that the environment describes: `uvicorn --factory supertokens_py.server.environment:create`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import TYPE_CHECKING

from supertokens_py.engine.config import EngineConfig, ResolvedEngineConfig
from supertokens_py.engine.factory import DEFAULT_DATABASE, check_connection_uri, check_location, open_engine
from supertokens_py.exceptions import ConfigError

from .app import MAX_BODY_BYTES, create_app
from .auth import parse_api_keys

if TYPE_CHECKING:
    from starlette.applications import Starlette

CONNECTION_URI = "SUPERTOKENS_CONNECTION_URI"
API_KEYS = "SUPERTOKENS_API_KEYS"
BASE_PATH = "SUPERTOKENS_BASE_PATH"
MIN_CDI_VERSION = "SUPERTOKENS_MIN_CDI_VERSION"
MAX_CDI_VERSION = "SUPERTOKENS_MAX_CDI_VERSION"
IP_ALLOW_REGEX = "SUPERTOKENS_IP_ALLOW_REGEX"
IP_DENY_REGEX = "SUPERTOKENS_IP_DENY_REGEX"
MAX_BODY = "SUPERTOKENS_MAX_BODY_BYTES"
ALLOW_NO_API_KEY = "SUPERTOKENS_ALLOW_NO_API_KEY"

_PREFIX = "SUPERTOKENS_"
_CLIENT_API_KEY = "SUPERTOKENS_API_KEY"
_OWN = (
    CONNECTION_URI,
    API_KEYS,
    BASE_PATH,
    MIN_CDI_VERSION,
    MAX_CDI_VERSION,
    IP_ALLOW_REGEX,
    IP_DENY_REGEX,
    MAX_BODY,
    ALLOW_NO_API_KEY,
)
#: How the names of other readers begin: our remote engine, the logger, the tests, Kubernetes' service links.
_OTHERS = ("CORE_", "DEBUG", "IMPORT_", "TEST_", "PORT", "SERVICE_")
#: How alike two names are where one is taken for a misspelling of the other.
_ALIKE = 0.8


def create() -> Starlette:
    """Return the application for `os.environ`."""
    return create_from(os.environ)


def create_from(environ: Mapping[str, str]) -> Starlette:
    """Return the application that `environ` describes.

    Raises:
        ConfigError: names the first variable that cannot work, or whose name is misspelt; or there are no API
            keys, and nothing says that none are wanted.
    """
    allowed = _flag(environ, ALLOW_NO_API_KEY)
    _refuse_misspelt(environ, allowed=allowed)
    uri = _text(environ, CONNECTION_URI) or DEFAULT_DATABASE
    check_connection_uri(uri)
    check_location(uri)
    engine = open_engine(uri, EngineConfig().resolve(environ))
    return create_app(
        engine,
        api_keys=parse_api_keys(environ.get(API_KEYS)),
        allow_no_api_key=allowed,
        base_path=_text(environ, BASE_PATH) or "",
        min_cdi_version=_text(environ, MIN_CDI_VERSION),
        max_cdi_version=_text(environ, MAX_CDI_VERSION),
        max_body_bytes=_bytes(environ),
        ip_allow_regex=_text(environ, IP_ALLOW_REGEX),
        ip_deny_regex=_text(environ, IP_DENY_REGEX),
    )


def _refuse_misspelt(environ: Mapping[str, str], *, allowed: bool) -> None:
    """Refuse names that resemble a setting: unread, they could leave the server open."""
    known = [name.removeprefix(_PREFIX) for name in _OWN]
    known += [field.name.upper() for field in fields(ResolvedEngineConfig)]
    for name in sorted(environ):
        setting = name.removeprefix(_PREFIX)
        if setting == name or setting in known or setting.startswith(_OTHERS):
            continue
        if name == _CLIENT_API_KEY:
            if not allowed and _text(environ, API_KEYS) is None:
                raise ConfigError(f"{name} is what clients show: the server reads {API_KEYS}")
        elif nearest := get_close_matches(setting, known, n=1, cutoff=_ALIKE):
            raise ConfigError(f"{name} is no setting: did you mean {_PREFIX}{nearest[0]}?")


def _flag(environ: Mapping[str, str], name: str) -> bool:
    text = _text(environ, name)
    if text not in (None, "0", "1"):
        raise ConfigError(f"{name} must be 0 or 1, not {text!r}")
    return text == "1"


def _text(environ: Mapping[str, str], name: str) -> str | None:
    return environ.get(name, "").strip() or None


def _bytes(environ: Mapping[str, str]) -> int:
    text = _text(environ, MAX_BODY)
    if text is None:
        return MAX_BODY_BYTES
    if not text.isascii() or not text.isdecimal() or not 1024 <= int(text) <= 2**30:
        raise ConfigError(f"{MAX_BODY} must be a whole number from 1024 to {2**30}, not {text!r}")
    return int(text)
