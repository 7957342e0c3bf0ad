"""Where a form was sent from: what protects the admin page from forms of other sites. Pure.

A page of another origin can make an administrator's browser send a form, but it can neither forge
`Sec-Fetch-Site` and `Origin` nor read the token. (The page says `Referrer-Policy: no-referrer`, for which
browsers send `Origin: null` with its own forms: those that know no Fetch Metadata are refused.)
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

#: The field of the anti-CSRF token.
FORM_FIELD: Final = "form_token"
#: What the secrets of the tokens are derived for.
PURPOSE: Final = "admin forms"
#: More than any form of the page has (bytes).
MAX_BODY = 16_384


def was_sent_here(headers: Mapping[str, str]) -> bool:
    """Return whether a page of this very origin sent a form. Header names are lower case."""
    place = headers.get("sec-fetch-site")
    if place is not None:
        return place == "same-origin"
    host = headers.get("host", "")
    try:
        origin = urlsplit(headers.get("origin", "")).netloc
    except ValueError:  # such as "http://["
        return False
    return host != "" and origin.lower() == host.lower()


def was_led_here(headers: Mapping[str, str]) -> bool:
    """Return whether a link of another site led to a page. Header names are lower case."""
    return headers.get("sec-fetch-site", "none") not in ("same-origin", "none")


def form_token(secret: bytes, form_key: str) -> str:
    """Return the token of every form of a session."""
    return hmac.new(secret, form_key.encode(), sha256).hexdigest()


def is_form_token(secrets: Sequence[bytes], form_key: str, given: str) -> bool:
    """Return whether a form has the token of its session."""
    return any(
        hmac.compare_digest(form_token(secret, form_key).encode(), given.encode("utf-8", "replace"))
        for secret in secrets
    )
