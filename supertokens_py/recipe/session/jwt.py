"""Look into an access token without checking its signature; for tools and tests, never for a decision."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from typing import Any

from supertokens_py.exceptions import GeneralError
from supertokens_py.tokens.access_token import parse_access_token


@dataclass(frozen=True)
class ParsedJWTInfo:
    """The parts of an access token."""

    version: int
    raw_token_string: str = field(repr=False)
    raw_payload: str = field(repr=False)  #: as it is in the token: base64
    header: str
    payload: dict[str, Any] = field(repr=False)
    signature: str = field(repr=False)
    kid: str | None
    parsed_header: dict[str, Any]


def parse_jwt_without_signature_verification(jwt: str) -> ParsedJWTInfo:
    """Return the parts of `jwt`.

    Raises:
        GeneralError: it does not have the form of an access token.
    """
    token = parse_access_token(jwt)
    if token is None:
        raise GeneralError("invalid jwt: this does not have the form of an access token")
    header, raw_payload, signature = jwt.split(".")
    parsed_header = json.loads(urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    payload = json.loads(token.payload_json)
    return ParsedJWTInfo(
        token.version, jwt, raw_payload, header, payload, signature, token.kid or None, parsed_header
    )
