"""Which addresses a provider may send browsers back to. Pure.

The provider's own list is the second guard: many are written with wildcards, and a code that reaches a page
of somebody else signs in the victim there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, cast
from urllib.parse import urlsplit

from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.urls import api_origin

_LONGEST = 2000


#: A whole address: no blank, no backslash, no pattern, no fragment.
_WHOLE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[A-Za-z0-9\-._~:/?\[\]@!$&'()+,;=%]+")
#: Browsers run or read what such addresses lead to.
_NEVER = frozenset(("javascript", "data", "vbscript", "file", "blob", "about"))


def check_listed(uris: Any) -> None:
    """Refuse what cannot be meant as `allowed_redirect_uris`. Raises ConfigError."""
    if isinstance(uris, str) or not all(isinstance(uri, str) for uri in uris):
        raise ConfigError("allowed_redirect_uris must be a list of addresses")
    for uri in cast("Iterable[str]", uris):
        if not _WHOLE.fullmatch(uri) or uri.partition(":")[0].lower() in _NEVER:
            raise ConfigError(
                f"allowed_redirect_uris has {uri!r}; each must be a whole address without pattern or "
                'fragment, such as "com.example.app:/oauth" or "https://app.example.com/auth/callback"'
            )


def is_allowed(uri: str, *, website: str | None, listed: Iterable[str]) -> bool:
    """Return whether an address is on the website, or listed.

    Args:
        uri: as the browser names it.
        website: the website's origin, of which any path will do; None: not known.
        listed: further addresses, compared character by character.
    """
    if uri in listed:
        return True
    return website is not None and _web_origin(uri) == website


def check_redirect_uri(uri: str, *, website: str | None, listed: Iterable[str]) -> None:
    """Refuse an address that is not allowed.

    Raises:
        BadInputError: says what to do.
    """
    if not is_allowed(uri, website=website, listed=listed):
        raise BadInputError(
            "redirectURIOnProviderDashboard is neither on the website nor one of allowed_redirect_uris"
        )


def _web_origin(uri: str) -> str | None:
    """Return the origin of an address that every parser reads alike; None of any other."""
    if len(uri) > _LONGEST or not uri.isascii() or any(c <= " " or c in "\\\x7f#" for c in uri):
        return None
    if not uri.lower().startswith(("https://", "http://")):
        return None
    try:
        parts = urlsplit(uri)
        if "@" in parts.netloc or "%" in parts.netloc:
            return None
        return api_origin(f"{parts.scheme}://{parts.netloc}")
    except (ValueError, ConfigError):
        return None
