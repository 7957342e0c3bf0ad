"""The names of environment variables: every one that this package reads, and misspellings of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from supertokens_py.settings import settings_of

from .config import EngineConfig

CONNECTION_URI = "SUPERTOKENS_CONNECTION_URI"

_PREFIX = "SUPERTOKENS_"
_OTHER_VARIABLES = (
    "CONNECTION_URI", "API_KEY", "API_KEYS", "BASE_PATH", "MIN_CDI_VERSION", "MAX_CDI_VERSION",
    "IP_ALLOW_REGEX", "IP_DENY_REGEX", "MAX_BODY_BYTES", "ALLOW_NO_API_KEY", "IMPORT_FROM", "DEBUG", "ENV",
    "SESSIONS_ONLY", "METRICS_KEYS",
    "NEST_ASYNCIO",  # the official SDK's
    "CORE_TIMEOUT", "CORE_CONNECT_TIMEOUT", "CORE_POOL_SIZE", "CORE_JWKS_CACHE_LIMIT",
)  # fmt: skip
# Kubernetes gives every container such variables for a service called "supertokens" or "supertokens-...".
_SERVICE_LINK = re.compile(r"_PORT(_[0-9]+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?$|_SERVICE_(HOST|PORT(_\w+)?)$")
_ALIKE = 0.86
_OURS = re.compile("SUPERTOKENS?_", re.IGNORECASE)
# Settings that fail open where nobody reads them are recognised by their words, in any order.
_BY_WORDS = (
    (re.compile("PREV.*ENCR[YI]PT|ENCR[YI]PT.*PREV"), "PREVIOUS_ENCRYPTION_KEY"),
    (re.compile("ENCR[YI]PT"), "ENCRYPTION_KEY"),
    (
        re.compile("(?=.*(_IPS?(_|$)|_IP(ALLOW|WHITE)|(ALLOW|WHITE)\\w*IPS?)).*(ALLOW|WHITE|PERMIT)"),
        "IP_ALLOW_REGEX",
    ),
    (
        re.compile(
            "(?=.*(_IPS?(_|$)|_IP(DENY|BLOCK|BLACK)|(DENY|BLOCK|BLACK)\\w*IPS?)).*(DENY|DENIED|BLOCK|BLACK)"
        ),
        "IP_DENY_REGEX",
    ),
)


def misspelt_variables(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return misspelt `SUPERTOKENS_*` variables, each with the name that is probably meant."""
    return [(name, meant) for name, meant in unknown_variables(environ) if meant is not None]


def unknown_variables(environ: Mapping[str, str]) -> list[tuple[str, str | None]]:
    """Return the variables of our prefix that nothing reads, each with the one that is meant, or None.

    Service links are left out: Kubernetes makes them from the name of a service.
    """
    known = [_PREFIX + name.upper() for name in settings_of(EngineConfig)]
    known += [_PREFIX + name for name in _OTHER_VARIABLES]
    return [
        (name, _meant(name.upper(), known))
        for name in sorted(environ)
        if _OURS.match(name) and name not in known and not _SERVICE_LINK.search(name)
    ]


def _meant(name: str, known: Sequence[str]) -> str | None:
    for words, setting in _BY_WORDS:
        if words.search(name):
            return _PREFIX + setting
    return next(iter(get_close_matches(name, known, n=1, cutoff=_ALIKE)), None)
