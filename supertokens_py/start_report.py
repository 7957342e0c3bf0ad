"""Log once at `init` where sessions are kept, and warn of settings without effect."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import fields

from .config import SupertokensConfig
from .engine.config import EngineConfig
from .engine.environment_variables import misspelt_variables
from .engine.factory import DEFAULT_DATABASE
from .engine.uris import describe, kind_of

log: logging.Logger = logging.getLogger(__name__)

#: Fields of EngineConfig that mean something beside a core, too.
_ANYWHERE = ("now_ms", "verified_token_cache_size")


def report_start(config: SupertokensConfig, api_domain: str, environ: Mapping[str, str]) -> None:
    """Log where sessions are kept, without a secret, and warn of what has no effect or loses sessions."""
    place, is_public = describe(config.engine_uri), api_domain.startswith("https:")
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
    for name, meant in misspelt_variables(environ):
        log.warning("the environment variable %s is read by nothing; did you mean %s?", name, meant)
    if kind_of(config.engine_uri) == "core" and (ignored := _given(config.engine)):
        log.warning("EngineConfig(%s) has no effect: the core has its own settings", ", ".join(ignored))


def _given(engine: EngineConfig | None) -> list[str]:
    names = (item.name for item in fields(EngineConfig) if item.name not in _ANYWHERE)
    return [name for name in names if getattr(engine, name, None) is not None]
