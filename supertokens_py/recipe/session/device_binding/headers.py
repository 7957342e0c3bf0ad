"""The headers of the protocol, which are structured fields (RFC 9651). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

REGISTRATION_HEADER = "Secure-Session-Registration"
CHALLENGE_HEADER = "Secure-Session-Challenge"
RESPONSE_HEADER = "Secure-Session-Response"
ID_HEADER = "Sec-Secure-Session-Id"
SKIPPED_HEADER = "Secure-Session-Skipped"

_LONGEST = 5000
_PLAIN = re.compile(r"[!#-\[\]-~]+")  # what a string may have without escapes, and no space
_SKIPPED = re.compile(r"(?:^|,)\s*(?:unreachable|server_error|quota_exceeded)\s*(?:[;,]|$)")


def registration(algorithms: Sequence[str], path: str, challenge: str) -> str:
    """Return the offer to bind a session."""
    return f'({" ".join(algorithms)});path="{path}";challenge="{challenge}"'


def challenge(text: str, bound_id: str) -> str:
    """Return a challenge for a session."""
    return f'"{text}";id="{bound_id}"'


def read_text(value: str | None) -> str | None:
    """Return a string, which browsers may send without its quotes; None for anything else."""
    if value is None or len(value) > _LONGEST:
        return None
    text = value.strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    return text if _PLAIN.fullmatch(text) else None


def is_skipped(value: str | None) -> bool:
    """Return whether a browser says that it could not prove for now, and would have."""
    return value is not None and len(value) <= _LONGEST and _SKIPPED.search(value) is not None
