"""Log once at `init` where sessions are kept, and warn of what has no effect, a second `init` among it."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import fields

from .config import AppInfo, SupertokensConfig
from .engine.config import EngineConfig
from .engine.environment_variables import misspelt_variables
from .engine.factory import DEFAULT_DATABASE
from .engine.uris import describe, kind_of
from .exceptions import ConfigError

log: logging.Logger = logging.getLogger(__name__)

#: Fields of EngineConfig that mean something beside a core, too.
_ANYWHERE = ("now_ms", "verified_token_cache_size")


def report_start(config: SupertokensConfig, app_info: AppInfo, environ: Mapping[str, str]) -> None:
    """Log where sessions are kept, without a secret, and warn of what has no effect or loses sessions."""
    place, is_public = describe(config.engine_uri), app_info.api_domain.startswith("https:")
    if config.engine_uri == DEFAULT_DATABASE and is_public and not os.path.exists(place):
        log.warning(
            "sessions will be kept in a new SQLite file, %s, as no connection_uri is set: where the disk "
            "does not outlive a deploy (containers), each one logs everybody out",
            place,
        )
    elif is_public and place == "memory":
        log.warning(
            "sessions are kept in the memory of this process: other workers do not see them, and a restart "
            "logs everybody out"
        )
    else:
        log.info("sessions are kept in %s", place)
    for dropped in app_info.dropped_paths:
        log.warning("%s; %s", dropped.text, dropped.advice)
    for name, meant in misspelt_variables(environ):
        log.warning("the environment variable %s is read by nothing; did you mean %s?", name, meant)
    if kind_of(config.engine_uri) == "core" and (ignored := _given(config.engine)):
        log.warning("EngineConfig(%s) has no effect: the core has its own settings", ", ".join(ignored))


def report_second_init(
    first: SupertokensConfig | None, again: SupertokensConfig | None, made_at: str
) -> None:
    """Warn that a second `init` is ignored.

    Args:
        first: what the first one was given; None: nothing that an application could mean.
        again: what the second one is given.
        made_at: the place of the first call.

    Raises:
        ConfigError: it names another store, and what it wants to keep would be written to the first one.
    """
    if first is not None and again is not None and again.connection_uri is not None:
        used, meant = first.engine_uri, again.engine_uri
        if used != meant:
            raise ConfigError(
                "init was called again with another connection_uri: since the first call "
                f"({made_at}) sessions are kept in {describe(used)}, and not in {describe(meant)}. "
                "Call Supertokens.reset() in between."
            )
    log.warning(
        "init was called again and ignored; the first call stands (%s). "
        "Call Supertokens.reset() first to configure anew.",
        made_at,
    )


def _given(engine: EngineConfig | None) -> list[str]:
    names = (item.name for item in fields(EngineConfig) if item.name not in _ANYWHERE)
    return [name for name in names if getattr(engine, name, None) is not None]
