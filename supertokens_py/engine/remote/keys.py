"""The keys of a core: a cached JWKS that one thread at a time loads again, and JWTs signed by the core."""

from __future__ import annotations

import logging
import re
import threading
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from supertokens_py import forks, payloads
from supertokens_py.cdi.records import member
from supertokens_py.engine import validation
from supertokens_py.engine.loading import LoadingLock
from supertokens_py.engine.records import MAX_PUBLISHED_AGE_S, Jwks, KeySet, VerificationKey
from supertokens_py.exceptions import EngineUnavailableError, GeneralError
from supertokens_py.tokens.signatures import RsaVerificationKey
from supertokens_py.types.base import JSONObject

from .core import Core, unexpected
from .transport import Transport

_log = logging.getLogger(__name__)

COOL_DOWN_MS = 5_000
_FIRST_LOAD_COOL_DOWN_MS = 1_000
_DEFAULT_MAX_AGE_S = 60
_PATH = "/.well-known/jwks.json"
_JWK_MEMBERS = ("kty", "kid", "n", "e", "alg", "use")
_MAX_AGE = re.compile(r"(?:^|,)\s*max-age\s*=\s*\"?(\d{1,9})", re.IGNORECASE)


class KeyCache:
    """The JWKS of a core. Old keys serve until new ones have arrived, however long that takes."""

    def __init__(self, transport: Transport, *, now_ms: Callable[[], int], cache_limit_s: float) -> None:
        self._transport = transport
        self._now_ms = now_ms
        self._cache_limit_ms = int(cache_limit_s * 1000)
        self._keys = KeySet(keys={}, loaded_ms=0)
        self._jwks: tuple[Mapping[str, str], ...] = ()
        self._loaded = False
        self._fresh_until_ms = 0
        self._publish_until_ms = 0
        self._attempted_ms: int | None = None
        self._failure: Exception | None = None
        self._loading = LoadingLock()

    def snapshot(self) -> KeySet:
        """Return the keys in memory; where they have aged, another thread fetches new ones meanwhile."""
        if self._loaded and self._now_ms() >= self._fresh_until_ms and not self._cooling_down():
            self._load_in_background()
        return self._keys

    def reload(self) -> KeySet:
        """Fetch again unless someone just did; concurrent callers share one fetch.

        Raises:
            EngineUnavailableError: it failed and there are no older keys.
        """
        if (cooled := self.cooled()) is not None:
            return cooled
        if not self._loading.acquire_for_reload(has_keys=self._loaded):
            return self._keys
        try:
            if not self._cooling_down():
                self._fetch()
            if not self._loaded:
                raise EngineUnavailableError(
                    "the keys of the SuperTokens core cannot be loaded"
                ) from self._failure
            return self._keys
        finally:
            self._loading.release()

    def cooled(self) -> KeySet | None:
        """Return the keys in memory if `reload` would not fetch anything anyway, without waiting."""
        forks.check()
        return self._keys if self._loaded and (self._loading.is_slow or self._cooling_down()) else None

    def jwks(self) -> Jwks:
        """Return the JSON Web Keys, fresh where the core can be reached."""
        if not self._loaded or self._now_ms() >= self._publish_until_ms:
            self.reload()
        remaining_s = (self._publish_until_ms - self._now_ms()) // 1000
        return Jwks(keys=self._jwks, max_age_s=max(1, remaining_s))

    def forget_after_fork(self) -> None:
        self._loading = LoadingLock()

    def _cooling_down(self) -> bool:
        if self._attempted_ms is None:
            return False
        wait = COOL_DOWN_MS if self._loaded else _FIRST_LOAD_COOL_DOWN_MS
        return abs(self._now_ms() - self._attempted_ms) < wait

    def _load_in_background(self) -> None:
        forks.check()
        if not self._loading.acquire(blocking=False):
            return
        if not forks.background_threads_run():
            self._fetch_and_release()
            return
        try:
            threading.Thread(target=self._fetch_and_release, name="supertokens-jwks", daemon=True).start()
        except RuntimeError:  # the interpreter is shutting down
            self._loading.release()

    def _fetch_and_release(self) -> None:
        try:
            self._fetch()
        finally:
            self._loading.release()

    def _fetch(self) -> None:
        """Load once, holding the lock; a failure keeps what there is."""
        try:
            response = self._transport.send("GET", _PATH, headers={}, intercept=False)
            if response.status_code != 200:
                raise EngineUnavailableError(
                    f"the JWKS request was answered with status {response.status_code}"
                )
            jwks, keys = _parse(response.json())
        except (GeneralError, EngineUnavailableError, ValueError, TypeError, RecursionError) as error:
            self._failure = error
            _log.warning("the key set of the core could not be loaded: %s", error)
        else:
            now = self._now_ms()
            max_age_ms = _max_age_s(response.headers.get("cache-control", "")) * 1000
            self._fresh_until_ms = now + min(max_age_ms, self._cache_limit_ms)
            self._publish_until_ms = min(self._fresh_until_ms, now + MAX_PUBLISHED_AGE_S * 1000)
            if jwks != self._jwks or not self._loaded:
                # An unchanged key set stays the same object: verified tokens stay remembered.
                self._jwks, self._keys = jwks, KeySet(keys=keys, loaded_ms=now)
            self._loaded, self._failure = True, None
        finally:
            self._attempted_ms = self._now_ms()


class RemoteKeys:
    """`Keys` over a core."""

    def __init__(self, core: Core, cache: KeyCache) -> None:
        self._core = core
        self._cache = cache

    def key_set(self) -> KeySet:
        return self._cache.snapshot()

    def cooled(self) -> KeySet | None:
        return self._cache.cooled()

    def reload(self) -> KeySet:
        return self._cache.reload()

    def jwks(self) -> Jwks:
        return self._cache.jwks()

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
