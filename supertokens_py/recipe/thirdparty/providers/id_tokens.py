"""ID tokens: which signature and which claims are accepted (OpenID Connect Core 3.1.3.7). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import jwt

from supertokens_py.tokens.encoding import constant_time_equal

from .failures import SignInFailedError

LEEWAY_S = 60
MAX_TOKEN_LENGTH = 64 * 1024

_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_CURVES = {"P-256": ("ES256",), "P-384": ("ES384",), "P-521": ("ES512",), "Ed25519": ("EdDSA", "Ed25519")}
_FEWEST_RSA_CHARACTERS = 2048 // 6  #: of the modulus in base64url
_TENANT = "{tenantid}"
_GUID = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_OFF = {f"verify_{name}": False for name in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")}

#: What tokens and keys that anybody wrote make the library raise.
_UNREADABLE = (jwt.PyJWTError, ValueError, TypeError, LookupError, AttributeError, RecursionError)

Jwk = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What an ID token has to say."""

    client_id: str
    parties: frozenset[str] = frozenset()  #: further clients of ours that may have asked for the token
    issuers: tuple[str, ...] | None  #: names of one; None: any, where the application says so
    nonce: str | None  #: None: it was not asked for
    now_s: float


class UnknownKeyError(SignInFailedError):
    """The token names a key that is not among those of the provider."""


def algorithms_of(jwk: Jwk) -> tuple[str, ...]:
    """Return the signatures that a key may make; none for keys of other kinds, symmetric ones among them."""
    if jwk.get("use", "sig") != "sig":
        return ()
    if jwk.get("kty") == "RSA":
        long_enough = len(str(jwk.get("n", ""))) >= _FEWEST_RSA_CHARACTERS
        possible = _RSA if long_enough else ()
    elif jwk.get("kty") in ("EC", "OKP"):
        possible = _CURVES.get(str(jwk.get("crv")), ())
    else:
        possible = ()
    named = jwk.get("alg")
    return possible if named is None else tuple(one for one in possible if one == named)


def verify(token: str, keys: Sequence[Jwk], expected: Expected) -> dict[str, Any]:
    """Return the claims of an ID token for us.

    Raises:
        UnknownKeyError: the key may be a new one.
        SignInFailedError: the token must not be used; the message says why.
    """
    payload = _signed_payload(token, keys)
    _check_issuer(payload, expected.issuers)
    _check_audience(payload, expected.client_id, expected.parties)
    _check_times(payload, expected.now_s)
    if expected.nonce is not None:
        nonce = payload.get("nonce")
        if not isinstance(nonce, str) or not constant_time_equal(nonce, expected.nonce):
            raise SignInFailedError("the ID token's nonce is not that of this sign-in")
    return payload


def _signed_payload(token: str, keys: Sequence[Jwk]) -> dict[str, Any]:
    if len(token) > MAX_TOKEN_LENGTH:
        raise SignInFailedError("the ID token is too long")
    try:
        header = jwt.get_unverified_header(token)
    except _UNREADABLE as error:
        raise SignInFailedError("the ID token is no JWT") from error
    key, algorithm = _key_of(header, keys)
    try:
        payload: dict[str, Any] = jwt.decode(
            token, jwt.PyJWK(dict(key), algorithm), algorithms=[algorithm], options=cast("Any", _OFF)
        )
    except _UNREADABLE as error:
        raise SignInFailedError(f"the ID token's signature is not valid ({type(error).__name__})") from error
    return payload


def _key_of(header: Mapping[str, Any], keys: Sequence[Jwk]) -> tuple[Jwk, str]:
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or not any(
        algorithm in possible for possible in (_RSA, *_CURVES.values())
    ):
        raise SignInFailedError("the ID token is signed with an algorithm that is not accepted")
    named = [key for key in keys if kid is None or key.get("kid") == kid]
    if kid is not None and not named:
        raise UnknownKeyError("the ID token names a key that the provider does not publish")
    fitting = [key for key in named if algorithm in algorithms_of(key)]
    if len(fitting) != 1:
        found = "no" if not fitting else "more than one"
        raise SignInFailedError(f"the ID token is signed with {algorithm}, and {found} key of it fits")
    return fitting[0], algorithm


def _check_issuer(payload: Mapping[str, Any], issuers: tuple[str, ...] | None) -> None:
    if issuers is None:
        return
    tenant = payload.get("tid")
    if any(_TENANT in issuer for issuer in issuers):
        if not isinstance(tenant, str) or not _GUID.fullmatch(tenant):
            raise SignInFailedError("the ID token does not name the directory that issued it")
        issuers = tuple(issuer.replace(_TENANT, tenant) for issuer in issuers)
    if payload.get("iss") not in issuers:
        raise SignInFailedError("the ID token is of another issuer")


def _check_audience(payload: Mapping[str, Any], client_id: str, others: frozenset[str]) -> None:
    """Refuse a token for somebody else, or one that somebody else asked for.

    With Google an app on Android asks for a token for the website: `aud` is the website's client, `azp` the
    app's. Clients that the application does not name may not do so, though the provider lets them.
    """
    audience = payload.get("aud")
    listed: list[object] = cast("list[object]", audience) if isinstance(audience, list) else [audience]
    if client_id not in listed:
        raise SignInFailedError("the ID token is for another client")
    party = payload.get("azp")
    if party is None and len(listed) == 1:
        return
    if not isinstance(party, str) or party not in {client_id, *others}:
        raise SignInFailedError("the ID token was issued to another client")


def _check_times(payload: Mapping[str, Any], now_s: float) -> None:
    expires, issued, begins = (_time(payload, name) for name in ("exp", "iat", "nbf"))
    if expires is None or issued is None:
        raise SignInFailedError("the ID token does not say when it was issued and when it expires")
    if now_s >= expires + LEEWAY_S:
        raise SignInFailedError("the ID token has expired")
    if max(issued, begins or 0) > now_s + LEEWAY_S:
        raise SignInFailedError("the ID token is from the future")


def _time(payload: Mapping[str, Any], name: str) -> float | None:
    value = payload.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        raise SignInFailedError(f"{name} of the ID token is no time")
    return value
