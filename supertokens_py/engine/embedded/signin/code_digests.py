"""The bytes of one-time codes and links, as official cores make them (engine: Passwordless). Pure.

The browser holds the device's id, the database its digest and a salt, the message the code and the link. A
code is checked by the link that it makes together with id and salt: nobody can try codes without asking.
"""

from __future__ import annotations

import binascii
import hmac
import secrets
from base64 import b64decode, b64encode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256

from supertokens_py.exceptions import BadInputError
from supertokens_py.secret import SecretBytes, SecretText

_BYTES = 32
_DIGITS = 6
#: Signs of the other alphabet, which Python takes for their counterparts in one, by whether it is base64url.
_OTHERS = (frozenset("-_"), frozenset("+/"))


@dataclass(frozen=True, slots=True)
class DeviceSecret:
    """The id of a device, which only the browser that asked for a code has."""

    value: bytes = field(repr=False)

    @property
    def text(self) -> SecretText:
        """The id as it is given to the browser: base64 with padding."""
        return SecretText(b64encode(self.value).decode())

    @property
    def digest(self) -> str:
        """What is stored of it, and is also the `preAuthSessionId`: base64url without padding."""
        return _url_safe(sha256(self.value).digest()).rstrip("=")

    def link_code(self, salt: str, code: str) -> LinkCode:
        """Return the code of the link that belongs to a one-time code of this device."""
        key = SecretBytes(self.value + b64decode(salt))
        return LinkCode(hmac.digest(key, code.encode("utf-8", "replace"), "sha256"))


@dataclass(frozen=True, slots=True)
class LinkCode:
    """What a link proves a contact with."""

    value: bytes = field(repr=False)

    @property
    def text(self) -> SecretText:
        """The code as it stands in the link: base64url without padding."""
        return SecretText(_url_safe(self.value).rstrip("="))

    @property
    def digest(self) -> str:
        """What is stored of it: base64url with padding."""
        return _url_safe(sha256(self.value).digest())


def new_device() -> DeviceSecret:
    """Return an id that nobody can guess."""
    return DeviceSecret(SecretBytes(secrets.token_bytes(_BYTES)))


def new_salt() -> str:
    """Return a salt as it is stored: base64 with padding."""
    return b64encode(secrets.token_bytes(_BYTES)).decode()


def new_code() -> SecretText:
    """Return a one-time code of six digits."""
    return SecretText(f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}")


def read_device(text: str) -> DeviceSecret:
    """Return the device of an id.

    Raises:
        BadInputError: it is no base64.
    """
    return DeviceSecret(SecretBytes(_decoded("deviceId", text, url_safe=False)))


def read_link_code(text: str) -> LinkCode:
    """Return the code of a link.

    Raises:
        BadInputError: it is no base64url.
    """
    return LinkCode(SecretBytes(_decoded("linkCode", text, url_safe=True)))


def stored_digest(pre_auth_session_id: str) -> str:
    """Return what a device would be stored under: some clients pad the text, and so does PostgreSQL."""
    return pre_auth_session_id.strip().rstrip("=")


def _url_safe(value: bytes) -> str:
    return urlsafe_b64encode(value).decode()


def _decoded(name: str, text: str, *, url_safe: bool) -> bytes:
    unpadded = SecretText(text.rstrip("="))
    if _OTHERS[url_safe].isdisjoint(unpadded):
        padded = SecretText(unpadded + "=" * (-len(unpadded) % 4))
        try:
            return b64decode(padded, altchars="-_" if url_safe else None, validate=True)
        except (binascii.Error, UnicodeError, ValueError):
            pass
    raise BadInputError(f"Input encoding error in {name}")
