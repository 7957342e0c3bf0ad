"""The names of environment variables: every one that this package reads, and misspellings of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

from supertokens_py.settings import settings_of

from .config import EngineConfig

CONNECTION_URI = "SUPERTOKENS_CONNECTION_URI"

_PREFIX = "SUPERTOKENS_"
_OTHER_VARIABLES = (
    *("CONNECTION_URI", "API_KEY", "API_KEYS", "BASE_PATH", "MIN_CDI_VERSION", "MAX_CDI_VERSION"),
    *("IP_ALLOW_REGEX", "IP_DENY_REGEX", "MAX_BODY_BYTES", "ALLOW_NO_API_KEY", "IMPORT_FROM", "DEBUG", "ENV"),
    *("CORE_TIMEOUT", "CORE_CONNECT_TIMEOUT", "CORE_POOL_SIZE", "CORE_JWKS_CACHE_LIMIT"),
)
# Kubernetes gives every container such variables for a service called "supertokens" or "supertokens-...".
_SERVICE_LINK = re.compile(r"_PORT(_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?$|_SERVICE_(HOST|PORT(_\w+)?)$")
_ALIKE = 0.85


def misspelt_variables(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the variables that look like one of ours and are none, each with the one that is meant."""
    known = [_PREFIX + name.upper() for name in settings_of(EngineConfig)]
    known += [_PREFIX + name for name in _OTHER_VARIABLES]
    found: list[tuple[str, str]] = []
    for name in sorted(environ):
        if name.startswith(_PREFIX) and name not in known and not _SERVICE_LINK.search(name):
            found += [(name, meant) for meant in get_close_matches(name, known, n=1, cutoff=_ALIKE)]
    return found
