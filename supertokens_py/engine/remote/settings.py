"""How long the remote engine waits and what it keeps: `SUPERTOKENS_CORE_*` variables over defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from supertokens_py.settings import resolve, setting


@dataclass(frozen=True, kw_only=True)
class RemoteSettings:
    """Settings of the connection to a core; seconds unless a name says otherwise.

    Each is taken from `SUPERTOKENS_CORE_<FIELD>` by `from_environment`, else it is the default in brackets.
    """

    #: Longest wait for an answer [10].
    timeout: float = setting(10, float, 0.01, 3600)
    #: Longest wait for a connection, or for a free one in the pool [5].
    connect_timeout: float = setting(5, float, 0.01, 3600)
    #: Connections to all hosts of the core together, per process [32].
    pool_size: int = setting(32, int, 1, 10_000)
    #: The key set is loaded again after this time, however long its `Cache-Control` allows [14400].
    jwks_cache_limit: float = setting(14_400, float, 1, 604_800)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> RemoteSettings:
        """Return the settings of the environment.

        Raises:
            ConfigError: names the first variable that holds no usable number.
        """
        return cls(**resolve(cls(), os.environ if environ is None else environ, prefix="SUPERTOKENS_CORE_"))
