"""Parse access tokens without checking their signature. Pure.

An access token is an RS256 JWT with a `version` member in its header (engine: Access tokens). A JWT
without that member, such as one made by the JWT recipe, is never a session.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from supertokens_py.constants import DEFAULT_TENANT_ID
from supertokens_py.types.numbers import whole_number

from .encoding import decode_base64

if TYPE_CHECKING:
    from supertokens_py.types.base import JSONObject

LATEST_VERSION = 5
MAX_TOKEN_LENGTH = 65_536
#: Above this no cookie holds a token, and decoding the payload may cost more than checking the signature.
LONG_TOKEN = 4096
_MAX_HEADER_LENGTH = 1024
_MAX_FOREIGN_HEADER_LENGTH = 8192  #: JWTs of others bring certificates

_LEGACY_HEADERS = frozenset(
    (
        "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsInZlcnNpb24iOiIxIn0=",
        "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsInZlcnNpb24iOiIyIn0=",
    )
)
_REQUIRED_STRING_CLAIMS = {
    3: ("sub", "sessionHandle", "refreshTokenHash1"),
    4: ("sub", "sessionHandle", "refreshTokenHash1", "tId"),
    5: ("sub", "sessionHandle", "refreshTokenHash1", "tId", "rsub"),
}
#: Claims of a session token that are the SDK's, whatever its version.
_SDK_CLAIMS = frozenset(
    ("sub", "iat", "exp", "sessionHandle", "refreshTokenHash1", "parentRefreshTokenHash1", "antiCsrfToken")
)
_LEGACY_STRING_CLAIMS = ("sessionHandle", "userId", "refreshTokenHash1")


@dataclass(frozen=True, slots=True, eq=False)
class AccessToken:
    """A string that has the form of a session token; nothing about its signature is known yet.

    So a reader that comes before the check may find no payload, and in version 2 claims of other names: ask
    `payload` before a property of it. It is shared by every reader: copy it (or parse `payload_json` again)
    before handing it out.
    """

    text: str = field(repr=False)
    version: int  #: 3, 4 or 5; 2 means the two legacy forms, which can only be refreshed
    kid: str
    payload: JSONObject = field(repr=False)  #: empty where only the header was read
    payload_json: str = field(repr=False)
    # Looked up once: every verification reads these two.
    user_id: str = field(init=False, repr=False)
    parent_refresh_token_hash1: str | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "user_id", str(self.payload.get("sub")).strip())
        object.__setattr__(self, "parent_refresh_token_hash1", self.payload.get("parentRefreshTokenHash1"))

    @property
    def recipe_user_id(self) -> str:
        # Before version 5, `rsub` is a claim like any other, and the application's.
        return str(self.payload["rsub" if self.version >= 5 else "sub"]).strip()

    @property
    def tenant_id(self) -> str:
        return self.payload["tId"] if self.version >= 4 else DEFAULT_TENANT_ID

    @property
    def custom_claims(self) -> JSONObject:
        """The claims of the application, in an object of their own."""
        own = _SDK_CLAIMS.union(_REQUIRED_STRING_CLAIMS[min(self.version, LATEST_VERSION)])
        return {name: value for name, value in self.payload.items() if name not in own}

    @property
    def handle(self) -> str:
        return self.payload["sessionHandle"]

    @property
    def refresh_token_hash1(self) -> str:
        return self.payload["refreshTokenHash1"]

    @property
    def anti_csrf_token(self) -> str | None:
        return self.payload.get("antiCsrfToken")

    @property
    def expires_ms(self) -> int:
        return int(self.payload["exp"] * 1000)

    @property
    def created_ms(self) -> int:
        return int(self.payload["iat"] * 1000)


@dataclass(frozen=True, slots=True)
class _Header:
    kid: str
    version: int


# Few headers exist (one per signing key), and each is decoded once; forged ones cannot make it grow.
_known_headers: dict[str, _Header] = {}
_MAX_KNOWN_HEADERS = 64


def parse_access_token(text: str) -> AccessToken | None:
    """Return the token if `text` has the form of one of ours, else None (protocol: Token form)."""
    parts = _parts(text)
    header = None if parts is None else _known_headers.get(parts[0]) or _decode_header(parts[0])
    if parts is None or header is None:
        return None
    decoded = _decode_json(parts[1])
    if decoded is None:
        return None
    payload, payload_json = decoded
    if not _has_required_claims(payload, header.version):
        return None
    return AccessToken(text, header.version, header.kid, payload, payload_json)


def parse_header(text: str) -> AccessToken | None:
    """Return the token without its payload if the header of `text` is that of one of ours, else None.

    Whether the payload has the form is open: for readers that check the signature first.
    """
    parts = _parts(text)
    header = None if parts is None else _known_headers.get(parts[0]) or _decode_header(parts[0])
    return None if header is None else AccessToken(text, header.version, header.kid, {}, "")


def _parts(text: str) -> list[str] | None:
    if len(text) > MAX_TOKEN_LENGTH:
        return None
    parts = text.split(".")
    return parts if len(parts) == 3 else None


def looks_like_jwt(text: str) -> bool:
    """Return whether the first part of `text` is a JSON object, as in a JWT, unlike a refresh token."""
    head, separator, _ = text.partition(".")
    if not separator or len(head) > _MAX_FOREIGN_HEADER_LENGTH or len(text) > MAX_TOKEN_LENGTH:
        return False
    return _decode_json(head) is not None


def _decode_header(part: str) -> _Header | None:
    if len(part) > _MAX_HEADER_LENGTH:
        return None
    if part in _LEGACY_HEADERS:
        return _Header(kid="", version=2)
    decoded = _decode_json(part)
    if decoded is None:
        return None
    values = decoded[0]
    kid, version = values.get("kid"), values.get("version")
    if values.get("typ") != "JWT" or values.get("alg") != "RS256" or not isinstance(kid, str):
        return None
    number = whole_number(version, digits=3) if isinstance(version, str) else None
    if number is None or number < 3:
        return None
    header = _Header(kid, number)
    if len(_known_headers) >= _MAX_KNOWN_HEADERS:
        _known_headers.clear()
    _known_headers[part] = header
    return header


def _has_required_claims(payload: JSONObject, version: int) -> bool:
    if payload.get("stt", 0) != 0:
        return False
    if version == 2:
        numbers, strings = ("expiryTime", "timeCreated"), _LEGACY_STRING_CLAIMS
        if payload.get("userData") is None:
            return False
    else:
        numbers, strings = ("exp", "iat"), _REQUIRED_STRING_CLAIMS[min(version, LATEST_VERSION)]
    for name in strings:
        if type(payload.get(name)) is not str:
            return False
    for name in numbers:
        value = payload.get(name)
        if type(value) is not int and not (type(value) is float and abs(value) < 1e15):
            return False
    return True


def _decode_json(part: str) -> tuple[JSONObject, str] | None:
    raw = decode_base64(part)
    if raw is None:
        return None
    try:
        text = raw.decode()
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return (cast("JSONObject", value), text) if isinstance(value, dict) else None
