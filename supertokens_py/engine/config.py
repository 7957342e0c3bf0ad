"""Settings of the embedded engine: arguments first, then `SUPERTOKENS_*` variables, then defaults."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from typing import Any, Literal, TypeAlias, cast

from supertokens_py.clock import now_ms as system_now_ms
from supertokens_py.exceptions import ConfigError
from supertokens_py.secret import SecretText

ReuseBehaviour: TypeAlias = Literal["TOKEN_THEFT", "UNAUTHORISED"]
SharedWithCore: TypeAlias = Literal["AUTO", "YES", "NO"]

_ENV_PREFIX = "SUPERTOKENS_"

log: logging.Logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class EngineConfig:
    """How sessions live and how their store is used.

    Every field left at None is taken from the environment variable `SUPERTOKENS_<FIELD>` in the same
    unit, else from the default in brackets. `resolve()` gives the checked values.
    """

    #: Life of an access token in seconds [3600].
    access_token_validity: int | None = None
    #: Sliding life of a session in minutes [144000, 100 days].
    refresh_token_validity: float | None = None
    #: Hours until a new dynamic signing key takes over [168].
    access_token_dynamic_signing_key_update_interval: float | None = None
    #: Seconds during which a just-replaced refresh token still yields its successor, and its successor
    #: itself [30]; 0 to 300.
    refresh_token_rotation_grace_period: float | None = None
    #: Largest share by which an access token may live shorter, so that refreshes spread [0.05].
    access_token_validity_jitter: float | None = None
    #: How a recently retired refresh token is reported [TOKEN_THEFT]; the session ends either way.
    recent_token_reuse_behaviour: ReuseBehaviour | None = None
    #: Whether an official core uses the same database, so that refresh tokens of its making are accepted
    #: [AUTO: if it has a core's tables].
    shared_with_core: SharedWithCore | None = None
    #: Verified access tokens remembered per process [4096]; 0 switches the memory off.
    verified_token_cache_size: int | None = None
    #: Hours between sweeps of expired rows [12]; 0 switches them off. Correctness never depends on it.
    clean_up_interval: float | None = None
    #: Encrypts keys at rest and takes part in refresh tokens: 32 random bytes in base64 or hex
    #: (`supertokens keys secret` prints some), or a passphrase of 16 characters or more [off].
    encryption_key: str | None = field(default=None, repr=False)
    #: A second secret that is accepted while `encryption_key` is introduced or changed [none].
    previous_encryption_key: str | None = field(default=None, repr=False)
    #: Connections to PostgreSQL per process, at most [10].
    pool_size: int | None = None
    #: Seconds to wait for a free connection to PostgreSQL [5].
    pool_timeout: float | None = None
    #: Uses of a statement after which PostgreSQL keeps it prepared [0]; 0: never. Ignored behind a pooler.
    prepare_threshold: int | None = None
    #: Seconds that SQLite waits for another writer [10].
    sqlite_busy_timeout: float | None = None
    #: Durability of SQLite [FULL]: NORMAL may lose the last commits when the power fails.
    sqlite_synchronous: Literal["FULL", "NORMAL"] | None = None
    #: PostgreSQL schema of the tables, in lower case [the connection's own].
    table_schema: str | None = None
    #: What stands before the name of each table [nothing], in lower case and followed by "_", as in an
    #: official core.
    table_prefix: str | None = None
    #: The clock, in Unix milliseconds; replace it in tests.
    now_ms: Callable[[], int] = system_now_ms

    def resolve(self, environ: Mapping[str, str] | None = None) -> ResolvedEngineConfig:
        """Fill in environment and defaults, and check every value.

        Raises:
            ConfigError: names the first field (or variable) that cannot work.
        """
        environ = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        for item in fields(ResolvedEngineConfig):
            given = getattr(self, item.name)
            variable = _ENV_PREFIX + item.name.upper()
            if given is None and environ.get(variable, "").strip() and item.name != "now_ms":
                values[item.name] = _checked(item.name, environ[variable].strip(), variable)
            elif given is not None:
                values[item.name] = _checked(item.name, given, f"EngineConfig.{item.name}")
        if values.get("table_prefix"):
            values["table_prefix"] = full_prefix(values["table_prefix"])
        if values.get("table_schema"):
            values["table_schema"] = values["table_schema"].lower()
        _warn_of_misspelt(environ)
        resolved = replace(ResolvedEngineConfig(), **values)
        if resolved.refresh_token_validity * 60 <= resolved.access_token_validity:
            raise ConfigError(
                f"refresh_token_validity ({resolved.refresh_token_validity:g} minutes) must be longer than "
                f"access_token_validity ({resolved.access_token_validity} seconds)"
            )
        return resolved


@dataclass(frozen=True, kw_only=True)
class ResolvedEngineConfig:
    """`EngineConfig` with every value decided; units as there."""

    access_token_validity: int = 3600
    refresh_token_validity: float = 144_000
    access_token_dynamic_signing_key_update_interval: float = 168
    refresh_token_rotation_grace_period: float = 30
    access_token_validity_jitter: float = 0.05
    recent_token_reuse_behaviour: ReuseBehaviour = "TOKEN_THEFT"  # noqa: S105
    shared_with_core: SharedWithCore = "AUTO"
    verified_token_cache_size: int = 4096
    clean_up_interval: float = 12
    encryption_key: SecretText | None = field(default=None, repr=False)
    previous_encryption_key: SecretText | None = field(default=None, repr=False)
    pool_size: int = 10
    pool_timeout: float = 5
    prepare_threshold: int = 0
    sqlite_busy_timeout: float = 10
    sqlite_synchronous: Literal["FULL", "NORMAL"] = "FULL"
    table_schema: str | None = None
    table_prefix: str = ""
    now_ms: Callable[[], int] = system_now_ms

    @property
    def access_token_validity_ms(self) -> int:
        return self.access_token_validity * 1000

    @property
    def refresh_token_validity_ms(self) -> int:
        return int(self.refresh_token_validity * 60_000)

    @property
    def key_update_interval_ms(self) -> int:
        return int(self.access_token_dynamic_signing_key_update_interval * 3_600_000)

    @property
    def grace_period_ms(self) -> int:
        return int(self.refresh_token_rotation_grace_period * 1000)


_RANGES: dict[str, tuple[type[int] | type[float], float, float]] = {
    "access_token_validity": (int, 1, 86_400_000),
    "refresh_token_validity": (float, 0.001, 1e9),
    "access_token_dynamic_signing_key_update_interval": (float, 1, 1e6),
    "refresh_token_rotation_grace_period": (float, 0, 300),
    "access_token_validity_jitter": (float, 0, 0.25),
    "verified_token_cache_size": (int, 0, 10_000_000),
    "clean_up_interval": (float, 0, 1e6),
    "pool_size": (int, 1, 10_000),
    "pool_timeout": (float, 0.01, 3600),
    "prepare_threshold": (int, 0, 1_000_000),
    "sqlite_busy_timeout": (float, 0, 3600),
}
_CHOICES = {
    "recent_token_reuse_behaviour": ("TOKEN_THEFT", "UNAUTHORISED"),
    "shared_with_core": ("AUTO", "YES", "NO"),
    "sqlite_synchronous": ("FULL", "NORMAL"),
}


def full_prefix(text: str) -> str:
    """Return what stands before table names, as official cores make it of their setting.

    They put "_" after it, and PostgreSQL reads their unquoted names in lower case.
    """
    return text.lower() if text.endswith("_") else f"{text.lower()}_"


def _warn_of_misspelt(environ: Mapping[str, str]) -> None:
    """Warn of variables that look like a setting; others of the prefix, such as Kubernetes', are not ours."""
    known = [
        _ENV_PREFIX + item.name.upper() for item in fields(ResolvedEngineConfig) if item.name != "now_ms"
    ]
    for name in environ:
        if name.startswith(_ENV_PREFIX) and name not in known:
            meant = get_close_matches(name, known, n=1, cutoff=0.9)
            if meant:
                log.warning("the environment variable %s has no effect: did you mean %s?", name, meant[0])


def _checked(name: str, value: Any, source: str) -> Any:
    if name in _RANGES:
        return _number(value, source, *_RANGES[name])
    if name in _CHOICES:
        choice = str(value).strip().upper()
        if choice not in _CHOICES[name]:
            raise ConfigError(f"{source} must be one of {', '.join(_CHOICES[name])}, not {value!r}")
        return choice
    text = value if isinstance(value, str) else ""
    if name in ("encryption_key", "previous_encryption_key"):
        if len(text) < 16:
            raise ConfigError(f"{source} must be a text of at least 16 characters")
        return SecretText(text)
    if name in ("table_schema", "table_prefix") and not re.fullmatch("[A-Za-z0-9_]{1,40}", text):
        raise ConfigError(f"{source} may hold ASCII letters, digits and '_', 40 at most, not {value!r}")
    return value


def _number(value: Any, source: str, kind: type[int] | type[float], low: float, high: float) -> float:
    try:
        number = kind(value)
    except (TypeError, ValueError):
        number = None
    wrong_kind = isinstance(value, bool) or number is None or (kind is int and number != float(value))
    if wrong_kind or not low <= cast("float", number) <= high:
        noun = "a whole number" if kind is int else "a number"
        raise ConfigError(f"{source} must be {noun} from {low:.12g} to {high:.12g}, not {value!r}")
    return cast("float", number)
