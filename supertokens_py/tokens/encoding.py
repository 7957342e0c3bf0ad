"""How tokens are written: compact JSON, base64 without padding, comparison in constant time."""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64encode
from hmac import compare_digest
from typing import Any

# Created once: `json.dumps` creates an encoder for each call that has options.
_encode_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def constant_time_equal(one: str, other: str) -> bool:
    """Compare two strings in constant time; neither has to be ASCII."""
    return compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def to_json(value: Any) -> str:
    """Return compact JSON in the given member order, encodable as UTF-8 (lone surrogates are escaped).

    Raises:
        ValueError: `value` has no JSON form.
    """
    try:
        text = _encode_json(value)
    except (TypeError, RecursionError) as error:
        raise ValueError(f"not a JSON value: {error}") from error
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text


def decode_base64(text: str) -> bytes | None:
    """Decode either base64 alphabet, padded or not; anything else in it is refused."""
    text = text.replace("-", "+").replace("_", "/")
    missing = -len(text) % 4
    try:
        return binascii.a2b_base64(text + "==="[:missing] if missing else text, strict_mode=True)
    except ValueError:
        return None


def encode_base64(data: bytes) -> str:
    """Encode as JWTs do (RFC 7515, section 2): the URL alphabet without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
