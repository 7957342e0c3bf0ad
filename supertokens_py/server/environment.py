"""The server that the environment describes: `uvicorn --factory supertokens_py.server.environment:create`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from supertokens_py.constants import MAX_BODY_BYTES
from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.environment_variables import CONNECTION_URI, unknown_variables
from supertokens_py.engine.factory import DEFAULT_DATABASE, check_connection_uri, check_location, open_engine
from supertokens_py.engine.session_records import SessionFeatures
from supertokens_py.exceptions import ConfigError
from supertokens_py.secret import SecretEnviron, masked
from supertokens_py.settings import resolve, setting

from .app import create_app
from .auth import parse_api_keys

if TYPE_CHECKING:
    from starlette.applications import Starlette

_PREFIX = "SUPERTOKENS_"
API_KEYS = f"{_PREFIX}API_KEYS"
BASE_PATH = f"{_PREFIX}BASE_PATH"
ALLOW_NO_API_KEY = f"{_PREFIX}ALLOW_NO_API_KEY"
SESSIONS_ONLY = f"{_PREFIX}SESSIONS_ONLY"
MISSING_BCRYPT = (
    f"serving users needs the extra 'server' (docs/installation.md); without bcrypt set {SESSIONS_ONLY}=1"
)

_CLIENT_API_KEY = f"{_PREFIX}API_KEY"
#: How the names begin that tests and the scripts of the repository read.
_OF_DEVELOPMENT = (f"{_PREFIX}TEST_", f"{_PREFIX}SKIP_INSTALL")


def _flag(value: object, source: str) -> bool:
    if value not in ("0", "1"):
        raise ConfigError(f"{source} must be 0 or 1, not {value!r}")
    return value == "1"


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """The variables `SUPERTOKENS_<FIELD>` of the server; what they mean is said at `create_app`.

    `sessions_only` leaves out users who sign in, and makes no tables for them.
    """

    connection_uri: str = setting(DEFAULT_DATABASE, is_secret=True)  # it may hold a password
    api_keys: str | None = setting(None, is_secret=True)
    allow_no_api_key: bool = setting(default=False, check=_flag)
    sessions_only: bool = setting(default=False, check=_flag)
    base_path: str = setting("")
    min_cdi_version: str | None = setting(None)
    max_cdi_version: str | None = setting(None)
    max_body_bytes: int = setting(MAX_BODY_BYTES, int, 1024, 2**30)
    ip_allow_regex: str | None = setting(None)
    ip_deny_regex: str | None = setting(None)
    metrics_keys: str | None = setting(None, is_secret=True)


def create() -> Starlette:
    """Return the application for `os.environ`."""
    return create_from(os.environ)


def create_from(environ: Mapping[str, str], *, features: SessionFeatures | None = None) -> Starlette:
    """Return the application that `environ` describes.

    `features` are those that the database has tables of, which is looked at where that is None.

    Raises:
        ConfigError: names the first variable that cannot work, or whose name is misspelt; or there are no API
            keys, and nothing says that none are wanted.
        EngineUnavailableError: the database cannot be read.
    """
    environ = SecretEnviron(environ)
    settings = ServerSettings(**resolve(ServerSettings(), environ, prefix=_PREFIX))
    _refuse_misspelt(environ, settings)
    check_connection_uri(masked(environ.get(CONNECTION_URI, settings.connection_uri).strip()))
    check_location(settings.connection_uri)
    keeps_users = not settings.sessions_only
    if keeps_users and find_spec("bcrypt") is None:
        raise ConfigError(MISSING_BCRYPT)
    engine = open_engine(
        settings.connection_uri, EngineConfig().resolve(environ), keeps_users=keeps_users, features=features
    )
    return create_app(
        engine,
        api_keys=parse_api_keys(settings.api_keys),
        allow_no_api_key=settings.allow_no_api_key,
        base_path=settings.base_path,
        min_cdi_version=settings.min_cdi_version,
        max_cdi_version=settings.max_cdi_version,
        max_body_bytes=settings.max_body_bytes,
        ip_allow_regex=settings.ip_allow_regex,
        ip_deny_regex=settings.ip_deny_regex,
        metrics_keys=parse_api_keys(settings.metrics_keys),
    )


def _refuse_misspelt(environ: Mapping[str, str], settings: ServerSettings) -> None:
    """Refuse names that nothing reads: what they were to say could leave the server open."""
    if _CLIENT_API_KEY in environ and not settings.allow_no_api_key and settings.api_keys is None:
        raise ConfigError(f"{_CLIENT_API_KEY} is what clients show: the server reads {API_KEYS}")
    for name, meant in unknown_variables(environ):
        if not name.startswith(_OF_DEVELOPMENT):
            raise ConfigError(
                f"{name} is no setting: did you mean {meant}?"
                if meant
                else f"{name} is no setting: remove it"
            )
