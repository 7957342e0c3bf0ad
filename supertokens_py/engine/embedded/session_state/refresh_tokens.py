"""Refresh tokens in the official `V2` format: seal, open, derive a successor. Pure functions.

`<sealed>.<nonce>.V2`, where `sealed` is AES-256-GCM under a key that PBKDF2 makes from the app's
master key and the IV (engine: Refresh tokens). The store keeps only `hash2` of a token; access tokens
carry only `hash1`; neither can be presented as a refresh token.
"""

from __future__ import annotations

import binascii
import hmac
import json
import secrets
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any, cast
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from supertokens_py.constants import DEFAULT_TENANT_ID
from supertokens_py.secret import SecretText
from supertokens_py.tokens.encoding import constant_time_equal, to_json

from .token_families import SECRET_LENGTH

MAX_TOKEN_LENGTH = 8192

_SUFFIX = "V2"
_IV_BYTES = 12
_TIME_DIGITS = 12  #: hex digits of the time of rotation in the nonce of a successor
_KEY_ITERATIONS = 100
_MASTER_ITERATIONS = 1000
_SHA512 = SHA512()
_SUCCESSOR_PURPOSE = b"supertokens_py refresh token successor 4"


@dataclass(frozen=True, slots=True)
class MasterKey:
    """What refresh tokens of the app are sealed and derived with.

    `pepper` is a secret that is not in the database, empty where none is configured. `also` holds what
    tokens may have been made with before: it opens them and recognises successors, and makes none.
    """

    text: SecretText = field(repr=False)
    pepper: bytes = field(default=b"", repr=False)
    also: tuple[MasterKey, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, texts: Sequence[str], peppers: Sequence[bytes] = (b"",)) -> MasterKey:
        """Return the key of the first text and pepper, with every other combination in `also`."""
        first, *others = [cls(SecretText(text), pepper) for text in texts for pepper in peppers]
        return cls(first.text, first.pepper, tuple(others))


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """What is sealed inside a refresh token, and its text."""

    text: str = field(repr=False)
    handle: str
    user_id: str
    tenant_id: str = DEFAULT_TENANT_ID
    parent_hash1: str | None = field(default=None, repr=False)
    anti_csrf_token: str | None = field(default=None, repr=False)

    # Computed once: every use needs both, and `cached_property` has a lock before Python 3.12.
    hash1: str = field(init=False, repr=False)
    hash2: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hash1", hash1(self.text))
        object.__setattr__(self, "hash2", hash1(self.hash1))

    @property
    def nonce(self) -> str:
        """The middle of the three parts; it begins with the secret of the family."""
        return self.text.partition(".")[2].partition(".")[0]

    @property
    def parent_hash2(self) -> str | None:
        return None if self.parent_hash1 is None else hash1(self.parent_hash1)


def hash1(text: str) -> str:
    """Return the SHA-256 of a text as lower-case hex."""
    return sha256(text.encode()).hexdigest()


def hash2(text: str) -> str:
    """Return the SHA-256 of the hex text of the SHA-256."""
    return hash1(hash1(text))


def new_master_key() -> SecretText:
    """Return a master key string in the official form, `1000:<salt>:<key>`."""
    salt = secrets.token_bytes(64)
    key = PBKDF2HMAC(_SHA512, 64, salt, _MASTER_ITERATIONS).derive(secrets.token_bytes(64))
    return SecretText(f"{_MASTER_ITERATIONS}:{salt.hex()}:{key.hex()}")


def first_token(
    master_key: MasterKey,
    *,
    handle: str,
    user_id: str,
    tenant_id: str,
    anti_csrf_token: str | None,
    nonce: str | None = None,
) -> RefreshToken:
    """Return the random token of a new session; `nonce` is that of its family, if it has one."""
    return _sealed(
        master_key,
        iv=secrets.token_bytes(_IV_BYTES),
        nonce=nonce or hash1(str(uuid4())),
        handle=handle,
        user_id=user_id,
        tenant_id=tenant_id,
        parent_hash1=None,
        anti_csrf_token=anti_csrf_token,
    )


def successor(
    master_key: MasterKey, presented: RefreshToken, *, rotated_ms: int, anti_csrf: bool
) -> RefreshToken:
    """Return the one token that follows `presented` when it is rotated at `rotated_ms`.

    Everything random in it comes from an HMAC, so that a lost response or a second tab can be
    given the same successor again without keeping it anywhere. The HMAC covers the whole presented
    token, not its hash: a copy of the database, master key included, plus an access token must not
    be enough to compute a live refresh token. It also covers everything else that enters the
    plaintext, so that one IV never seals two plaintexts. Its key depends on the pepper: with one, not
    even a retired token is enough.
    """
    facts = to_json([presented.handle, presented.user_id, presented.text, rotated_ms, anti_csrf])
    key = _successor_key(master_key.text, master_key.pepper)
    material = hmac.digest(key, facts.encode(), "sha512")
    anti_csrf_token = str(UUID(bytes=material[44:60], version=4)) if anti_csrf else None
    proof = _proof(key, material[:12], presented.handle, presented.hash1, anti_csrf_token, rotated_ms)
    return _sealed(
        master_key,
        iv=material[:12],
        nonce=presented.nonce[:SECRET_LENGTH] + proof,
        handle=presented.handle,
        user_id=presented.user_id,
        tenant_id=presented.tenant_id,
        parent_hash1=presented.hash1,
        anti_csrf_token=anti_csrf_token,
    )


def successor_ms(master_key: MasterKey, token: RefreshToken) -> int | None:
    """Return when the rotation was (Unix ms) that made a genuine token; None: `successor` did not make it.

    Where a pepper is configured, keys without one do not count: the database alone would be enough.
    """
    iv = binascii.a2b_base64(token.text.partition(".")[0])[:_IV_BYTES]
    keys = [
        _successor_key(key.text, key.pepper)
        for key in (master_key, *master_key.also)
        if key.pepper or not master_key.pepper
    ]
    proof = token.nonce[SECRET_LENGTH:]
    try:
        rotated_ms = int(proof[:_TIME_DIGITS], 16)
    except ValueError:
        return None
    facts = (token.handle, token.parent_hash1, token.anti_csrf_token, rotated_ms)
    is_ours = any(constant_time_equal(proof, _proof(key, iv, *facts)) for key in keys)
    return rotated_ms if is_ours else None


def _proof(
    key: bytes,
    iv: bytes,
    handle: str,
    parent_hash1: str | None,
    anti_csrf_token: str | None,
    rotated_ms: int,
) -> str:
    """Return the second half of a nonce: the time of rotation in hex, and a MAC of it and all the rest."""
    facts = to_json(["proof", iv.hex(), handle, parent_hash1, anti_csrf_token, rotated_ms])
    return f"{rotated_ms:0{_TIME_DIGITS}x}" + hmac.digest(key, facts.encode(), "sha256")[:10].hex()


def open_token(master_key: MasterKey, text: str) -> RefreshToken | None:
    """Return what a presented token holds, or None if it is not one of this app's."""
    parts = text.split(".") if len(text) <= MAX_TOKEN_LENGTH and text.isascii() else []
    if len(parts) != 3 or parts[2].upper() != _SUFFIX:
        return None
    try:
        raw = binascii.a2b_base64(parts[0], strict_mode=True)
        if len(raw) <= _IV_BYTES or b64encode(raw).decode() != parts[0]:
            return None  # only one spelling of a token is that token
    except ValueError:
        return None
    for key_text in dict.fromkeys((master_key.text, *(key.text for key in master_key.also))):
        if (plaintext := _unsealed(key_text, raw)) is not None:
            return _read(plaintext, text=text, nonce=parts[1])
    return None


def may_be_token(text: str) -> bool:
    """Return whether a string that cannot be opened has the form of a refresh token."""
    return 0 < len(text) <= MAX_TOKEN_LENGTH and text.count(".") == 2 and text.upper().endswith("." + _SUFFIX)


def _unsealed(key_text: str, raw: bytes) -> bytes | None:
    iv = raw[:_IV_BYTES]
    try:
        return AESGCM(_token_key(key_text, iv)).decrypt(iv, raw[_IV_BYTES:], None)
    except InvalidTag:
        return None


def _read(plaintext: bytes, *, text: str, nonce: str) -> RefreshToken | None:
    try:
        contents: object = json.loads(plaintext.decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(contents, dict):
        return None
    values = cast("Mapping[str, Any]", contents)
    required = values.get("sessionHandle"), values.get("userId"), values.get("nonce")
    optional = values.get("parentRefreshTokenHash1"), values.get("antiCsrfToken"), values.get("tenantId")
    if not all(isinstance(value, str) for value in required):
        return None
    if not all(value is None or isinstance(value, str) for value in optional):
        return None
    handle, user_id, inner_nonce = cast("tuple[str, str, str]", required)
    parent_hash1, anti_csrf_token, tenant_id = optional
    if not constant_time_equal(inner_nonce, nonce):
        return None
    return RefreshToken(
        text=text,
        handle=handle,
        user_id=user_id,
        tenant_id=tenant_id or DEFAULT_TENANT_ID,
        parent_hash1=parent_hash1,
        anti_csrf_token=anti_csrf_token,
    )


def _sealed(
    master_key: MasterKey,
    *,
    iv: bytes,
    nonce: str,
    handle: str,
    user_id: str,
    tenant_id: str,
    parent_hash1: str | None,
    anti_csrf_token: str | None,
) -> RefreshToken:
    contents = {
        "sessionHandle": handle,
        "userId": user_id,
        "parentRefreshTokenHash1": parent_hash1,
        "nonce": nonce,
        "antiCsrfToken": anti_csrf_token,
        "tenantId": None if tenant_id == DEFAULT_TENANT_ID else tenant_id,
    }
    plaintext = to_json({name: value for name, value in contents.items() if value is not None})
    sealed = iv + AESGCM(_token_key(master_key.text, iv)).encrypt(iv, plaintext.encode(), None)
    return RefreshToken(
        text=SecretText(f"{b64encode(sealed).decode()}.{nonce}.{_SUFFIX}"),
        handle=handle,
        user_id=user_id,
        tenant_id=tenant_id,
        parent_hash1=parent_hash1,
        anti_csrf_token=anti_csrf_token,
    )


def derived_secrets(master_key: MasterKey, purpose: str) -> tuple[bytes, ...]:
    """Return keys for another purpose than refresh tokens, the one to use first.

    As with successors, keys without a pepper do not count where one is configured.
    """
    keys = [key for key in (master_key, *master_key.also) if key.pepper or not master_key.pepper]
    return tuple(dict.fromkeys(_derived(key.text, key.pepper, purpose.encode()) for key in keys))


@lru_cache(maxsize=8)
def _successor_key(master_text: str, pepper: bytes) -> bytes:
    return _derived(master_text, pepper, _SUCCESSOR_PURPOSE)


def _derived(master_text: str, pepper: bytes, purpose: bytes) -> bytes:
    key = hmac.digest(master_text.encode(), purpose, "sha256")
    return hmac.digest(key, pepper, "sha256") if pepper else key


# A token that this process sealed mostly comes back to it, to be opened: its key need not be derived again.
@lru_cache(maxsize=4096)
def _token_key(master_text: str, iv: bytes) -> bytes:
    return PBKDF2HMAC(_SHA512, 32, iv, _KEY_ITERATIONS).derive(master_text.encode())
