"""The keys of a core: its JWKS, and JWTs that it signs."""

from __future__ import annotations

import re
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from types import MappingProxyType
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from supertokens_py import payloads
from supertokens_py.cdi.records import member
from supertokens_py.engine import validation
from supertokens_py.engine.key_cache import KeyCache
from supertokens_py.engine.records import MAX_PUBLISHED_AGE_S, Jwks, KeySet, VerificationKey
from supertokens_py.exceptions import EngineUnavailableError, GeneralError
from supertokens_py.tokens.signatures import RsaVerificationKey
from supertokens_py.types.base import JSONObject

from .core import Core, unexpected
from .shared_secrets import SharedSecrets

_DEFAULT_MAX_AGE_S = 60
_JWK_MEMBERS = ("kty", "kid", "n", "e", "alg", "use")
_MAX_AGE = re.compile(r"(?:^|,)\s*max-age\s*=\s*\"?([0-9]{1,9})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """The JWKS of a core as it was fetched last."""

    jwks: Sequence[Mapping[str, str]]
    key_set: KeySet
    fresh_s: float
    publish_until: float  #: monotonic seconds

    def published(self, now_s: float) -> Jwks:
        """Return what `jwks` does, at a monotonic time in seconds."""
        return Jwks(self.jwks, max_age_s=max(1, ceil(self.publish_until - now_s)))


_CLOSED = Jwks(keys=(), max_age_s=1)  #: what an engine publishes that was closed while it read its keys


class RemoteKeys(KeyCache[_Snapshot]):
    """The keys of a core; it signs JWTs itself."""

    def __init__(
        self,
        core: Core,
        *,
        now_ms: Callable[[], int],
        cache_limit_s: float,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(monotonic_s=monotonic_s)
        self._core = core
        self._now_ms = now_ms
        self._cache_limit_s = cache_limit_s
        self._secrets = SharedSecrets(core, monotonic_s=monotonic_s)

    def jwks(self) -> Jwks:
        snapshot = self._snapshot
        if snapshot is None or self.monotonic_s() >= snapshot.publish_until:
            self.reload()
            snapshot = self._snapshot
        return _CLOSED if snapshot is None else snapshot.published(self.monotonic_s())

    def shared_secrets(self, purpose: str) -> Sequence[bytes]:
        return self._secrets.of(purpose)

    def _read(self) -> _Snapshot:
        try:
            response = self._core.jwks()
            jwks, keys = _parse(response.json())
        except (GeneralError, EngineUnavailableError, ValueError, TypeError, RecursionError) as error:
            raise EngineUnavailableError(
                f"the keys of the SuperTokens core cannot be loaded: {error}"
            ) from error
        fresh_s = min(_max_age_s(response.headers.get("cache-control", "")), self._cache_limit_s)
        known = self._snapshot
        # An unchanged key set stays the same object: verified tokens stay remembered.
        unchanged = known is not None and known.jwks == jwks
        key_set = known.key_set if known and unchanged else KeySet(keys, self._now_ms())
        return _Snapshot(jwks, key_set, fresh_s, self.monotonic_s() + min(fresh_s, MAX_PUBLISHED_AGE_S))

    def create_jwt(self, payload: JSONObject, *, issuer: str, validity_s: int, static_key: bool) -> str:
        payloads.validate_jwt_claims(payload)
        payloads.validate_json("payload", payload, limit=payloads.MAX_METADATA_JSON)
        body: JSONObject = {
            "algorithm": "RS256",
            "jwksDomain": issuer,
            "payload": payload,
            "validity": validation.validate_validity_s(validity_s),
            "useStaticSigningKey": static_key,
        }
        answer = self._core.post("/recipe/jwt", body, rid="jwt")
        match answer.get("status"):
            case "OK":
                return member(answer, "jwt", str)
            case "UNSUPPORTED_ALGORITHM_ERROR":
                raise GeneralError("the SuperTokens core cannot sign with RS256")
            case _:
                raise unexpected(answer)


def _max_age_s(cache_control: str) -> int:
    match = _MAX_AGE.search(cache_control)
    return max(1, int(match[1])) if match else _DEFAULT_MAX_AGE_S


def _parse(document: object) -> tuple[tuple[Mapping[str, str], ...], Mapping[str, VerificationKey]]:
    """Return the RS256 keys of a JWKS; entries of other kinds are passed over."""
    entries: object = cast("dict[str, Any]", document).get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("the JWKS holds no list of keys")
    jwks: list[Mapping[str, str]] = []
    keys: dict[str, VerificationKey] = {}
    for item in cast("list[Any]", entries):
        entry = cast("dict[str, Any]", item) if isinstance(item, dict) else {}
        jwk = {name: str(entry[name]) for name in _JWK_MEMBERS if name in entry}
        is_ours = jwk.get("kty") == "RSA" and jwk.get("alg", "RS256") == "RS256"
        if not is_ours or not all(jwk.get(name) for name in ("kid", "n", "e")):
            continue
        jwks.append(MappingProxyType(jwk))
        keys[jwk["kid"]] = RsaVerificationKey(jwk["kid"], _public_key(jwk["n"], jwk["e"]))
    return tuple(jwks), MappingProxyType(keys)


def _public_key(modulus: str, exponent: str) -> RSAPublicKey:
    return RSAPublicNumbers(_integer(exponent), _integer(modulus)).public_key()


def _integer(text: str) -> int:
    return int.from_bytes(urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")
