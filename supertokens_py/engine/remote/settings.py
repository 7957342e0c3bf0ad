"""How long the remote engine waits and what it keeps: `SUPERTOKENS_CORE_*` variables over defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from supertokens_py.exceptions import ConfigError

_RANGES = {
    "timeout": (0.01, 3600.0),
    "connect_timeout": (0.01, 3600.0),
    "pool_size": (1.0, 10_000.0),
    "jwks_cache_limit": (1.0, 604_800.0),
}


@dataclass(frozen=True, kw_only=True)
class RemoteSettings:
    """Settings of the connection to a core; seconds unless a name says otherwise."""

    #: Longest wait for an answer, and for a connection (also: for a free one in the pool).
    timeout: float = 10
    connect_timeout: float = 5
    #: Connections to all hosts of the core together, per process.
    pool_size: int = 32
    #: The key set is looked at again after this time, however long its `Cache-Control` allows.
    jwks_cache_limit: float = 14_400

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> RemoteSettings:
        """Read `SUPERTOKENS_CORE_TIMEOUT`, `…_CONNECT_TIMEOUT`, `…_POOL_SIZE`, `…_JWKS_CACHE_LIMIT`.

        Raises:
            ConfigError: names the first variable that holds no usable number.
        """
        environ = os.environ if environ is None else environ
        values: dict[str, float] = {}
        for name, (low, high) in _RANGES.items():
            variable = f"SUPERTOKENS_CORE_{name.upper()}"
            text = environ.get(variable, "").strip()
            if not text:
                continue
            try:
                number = float(text)
            except ValueError:
                number = float("nan")
            if not low <= number <= high:
                raise ConfigError(f"{variable} must be a number from {low:.12g} to {high:.12g}, not {text!r}")
            values[name] = number
        defaults = cls()
        return cls(
            timeout=values.get("timeout", defaults.timeout),
            connect_timeout=values.get("connect_timeout", defaults.connect_timeout),
            pool_size=int(values.get("pool_size", defaults.pool_size)),
            jwks_cache_limit=values.get("jwks_cache_limit", defaults.jwks_cache_limit),
        )
