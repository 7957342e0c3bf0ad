"""Secrets that every process over one core derives, without anything to configure.

A core signs the same JWT with its static key in the same way each time (RS256 is deterministic), and nobody
else can. So its signature is a secret that all who may ask the core share. The JWT says that it expired long
ago, and stays in the process.
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable
from typing import Any, cast

from supertokens_py.cdi.records import member
from supertokens_py.exceptions import ConfigError, EngineUnavailableError
from supertokens_py.tokens.encoding import decode_base64

from .core import Core, ok

#: A core whose static key was replaced is noticed by then.
LIFETIME_S = 300.0


class SharedSecrets:
    """The secrets of one core; a class because it keeps them."""

    def __init__(self, core: Core, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._core = core
        self._monotonic_s = monotonic_s
        self._known: dict[str, tuple[float, tuple[bytes, ...]]] = {}

    def of(self, purpose: str) -> tuple[bytes, ...]:
        """Return the secret of a purpose, and after it the one before the core's key was replaced, if any.

        Raises:
            ConfigError: the core puts the time into every JWT, and no API key is configured.
            EngineUnavailableError: what answers is no core.
        """
        now_s = self._monotonic_s()
        at_s, known = self._known.get(purpose, (0.0, ()))
        if known and now_s - at_s < LIFETIME_S:
            return known
        found = self._derived(purpose)
        secrets = (found, *(one for one in known[:1] if one != found))
        self._known[purpose] = now_s, secrets
        return secrets

    def _derived(self, purpose: str) -> bytes:
        body = {
            "algorithm": "RS256",
            "jwksDomain": "supertokens_py",
            "payload": {"iat": 1, "exp": 2, "iss": "supertokens_py", "purpose": purpose},
            "validity": 1,
            "useStaticSigningKey": True,
        }
        jwt = member(ok(self._core.post("/recipe/jwt", body, rid="jwt")), "jwt", str)
        claims, signature = _parts(jwt)
        key = (self._core.api_key or "").encode()
        if claims.get("iat") == 1:
            return hmac.digest(key or b"none", f"supertokens_py {purpose}\0{signature}".encode(), "sha256")
        if not key:
            raise ConfigError(
                "the SuperTokens core makes no secret that all processes share; configure an API key for it"
            )
        return hmac.digest(key, f"supertokens_py {purpose}".encode(), "sha256")


def _parts(jwt: str) -> tuple[dict[str, Any], str]:
    """Return the claims and the signature of a JWT."""
    try:
        _, payload, signature = jwt.split(".")
        claims: object = json.loads(decode_base64(payload) or b"")
    except (ValueError, RecursionError):
        claims, signature = None, ""
    if not isinstance(claims, dict):
        raise EngineUnavailableError("what answered in place of the SuperTokens core sent no JWT")
    return cast("dict[str, Any]", claims), signature
