"""The server that the environment describes: `uvicorn --factory supertokens_py.server.environment:create`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.factory import DEFAULT_DATABASE, check_connection_uri, check_location, open_engine
from supertokens_py.exceptions import ConfigError

from .access import parse_api_keys
from .app import MAX_BODY_BYTES, create_app

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


def create() -> Starlette:
    """Return the application for `os.environ`."""
    return create_from(os.environ)


def create_from(environ: Mapping[str, str]) -> Starlette:
    """Return the application that `environ` describes.

    Raises:
        ConfigError: names the first variable that cannot work.
    """
    uri = _text(environ, CONNECTION_URI) or DEFAULT_DATABASE
    check_connection_uri(uri)
    check_location(uri)
    engine = open_engine(uri, EngineConfig().resolve(environ))
    return create_app(
        engine,
        api_keys=parse_api_keys(environ.get(API_KEYS)),
        base_path=_text(environ, BASE_PATH) or "",
        min_cdi_version=_text(environ, MIN_CDI_VERSION),
        max_cdi_version=_text(environ, MAX_CDI_VERSION),
        max_body_bytes=_bytes(environ),
        ip_allow_regex=_text(environ, IP_ALLOW_REGEX),
        ip_deny_regex=_text(environ, IP_DENY_REGEX),
    )


def _text(environ: Mapping[str, str], name: str) -> str | None:
    return environ.get(name, "").strip() or None


def _bytes(environ: Mapping[str, str]) -> int:
    text = _text(environ, MAX_BODY)
    if text is None:
        return MAX_BODY_BYTES
    if not text.isascii() or not text.isdecimal() or not 1024 <= int(text) <= 2**30:
        raise ConfigError(f"{MAX_BODY} must be a whole number from 1024 to {2**30}, not {text!r}")
    return int(text)
