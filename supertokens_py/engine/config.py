"""Settings of the embedded engine: arguments first, then `SUPERTOKENS_*` variables, then defaults."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

from supertokens_py.exceptions import ConfigError
from supertokens_py.runtime.clock import now_ms as system_now_ms
from supertokens_py.secret import SecretEnviron, SecretText
from supertokens_py.settings import explains_unknown_arguments, resolve, setting

from .uris import kind_of

ReuseBehaviour: TypeAlias = Literal["TOKEN_THEFT", "UNAUTHORISED"]
SharedWithCore: TypeAlias = Literal["AUTO", "YES", "NO"]
#: In which tables SuperTokens core 12 reads and writes users.
MigrationMode: TypeAlias = Literal["LEGACY", "DUAL_WRITE_READ_OLD", "DUAL_WRITE_READ_NEW", "MIGRATED"]
MigrationModeSetting: TypeAlias = Literal[
    "AUTO", "LEGACY", "DUAL_WRITE_READ_OLD", "DUAL_WRITE_READ_NEW", "MIGRATED"
]

_ENV_PREFIX = "SUPERTOKENS_"


def full_prefix(text: str) -> str:
    """Return the prefix of table names, derived from the setting as official cores do.

    They put "_" after it, and PostgreSQL reads their unquoted names in lower case.
    """
    return text.lower() if text.endswith("_") else f"{text.lower()}_"


def _secret(value: Any, source: str) -> SecretText:
    if not isinstance(value, str) or len(value) < 16:
        raise ConfigError(f"{source} must be a string of at least 16 characters")
    return SecretText(value)


def _salt(value: Any, source: str) -> SecretText:
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{source} must be a string")
    return SecretText(value)


def _schema(value: Any, source: str) -> str:
    if not isinstance(value, str) or not re.fullmatch("[A-Za-z0-9_]{1,40}", value):
        raise ConfigError(f"{source} may hold ASCII letters, digits and '_', 40 at most, not {value!r}")
    return value.lower()


def _postgres_uri(value: Any, source: str) -> SecretText:
    if not isinstance(value, str) or kind_of(value) != "postgresql":
        raise ConfigError(f"{source} must be the postgresql:// address of a server")
    return SecretText(value)


def _prefix(value: Any, source: str) -> str:
    return full_prefix(_schema(value, source))


#: KiB of memory times passes of one Argon2 hash at most, configured or imported: some ten seconds.
MAX_ARGON2_WORK = 6 << 20


@explains_unknown_arguments("EngineConfig")
@dataclass(frozen=True, kw_only=True)
class EngineConfig:
    """How long sessions last and how their database is used.

    Units differ from field to field, since names and units are those of the official core's configuration.

    Every field left out is taken from the environment variable `SUPERTOKENS_<FIELD>` in the same unit,
    else from the default in brackets. `resolve()` returns the validated values.
    """

    #: Lifetime of an access token in seconds [3600].
    access_token_validity: int = setting(3600, int, 1, 86_400_000)
    #: Sliding lifetime of a session in minutes [144000, 100 days].
    refresh_token_validity: float = setting(144_000, float, 0.001, 1e9)
    #: Hours until a new dynamic signing key takes over [168].
    access_token_dynamic_signing_key_update_interval: float = setting(168, float, 1, 1e6)
    #: Seconds during which a just-replaced refresh token still yields its successor, and its successor
    #: itself [30]; 0 to 300.
    refresh_token_rotation_grace_period: float = setting(30, float, 0, 300)
    #: Largest share by which an access token may live shorter, so that refreshes spread [0.05].
    access_token_validity_jitter: float = setting(0.05, float, 0, 0.25)
    #: How reuse of a recently rotated-out refresh token is reported [TOKEN_THEFT]; the session ends anyway.
    recent_token_reuse_behaviour: ReuseBehaviour = setting(
        "TOKEN_THEFT", choices=("TOKEN_THEFT", "UNAUTHORISED")
    )
    #: Whether an official core uses the same database, so that refresh tokens of its making are accepted
    #: [AUTO: if it has a core's tables].
    shared_with_core: SharedWithCore = setting("AUTO", choices=("AUTO", "YES", "NO"))
    #: In which tables an official core of version 12 that uses the same database keeps users [AUTO: as the
    #: configuration of tenants in the database says].
    migration_mode: MigrationModeSetting = setting(
        "AUTO", choices=("AUTO", "LEGACY", "DUAL_WRITE_READ_OLD", "DUAL_WRITE_READ_NEW", "MIGRATED")
    )
    #: Verified access tokens remembered per process [4096]; 0 switches the memory off.
    verified_token_cache_size: int = setting(4096, int, 0, 10_000_000)
    #: Hours between clean-ups of expired rows [12]; 0 switches them off. Correctness never depends on it.
    clean_up_interval: float = setting(12, float, 0, 1e6)
    #: Encrypts keys at rest and takes part in refresh tokens: 32 random bytes in base64 or hex
    #: (`supertokens keys secret` prints some), or a passphrase of 16 characters or more [off].
    encryption_key: str | None = setting(None, check=_secret, is_secret=True)
    #: A second secret that is accepted while `encryption_key` is introduced or changed [none].
    previous_encryption_key: str | None = setting(None, check=_secret, is_secret=True)
    #: Connections to PostgreSQL per process, at most [10].
    pool_size: int = setting(10, int, 1, 10_000)
    #: Seconds to wait for a free connection to PostgreSQL [5].
    pool_timeout: float = setting(5, float, 0.01, 3600)
    #: Uses of a statement after which PostgreSQL keeps it prepared [5]; 0: never. Ignored behind a pooler.
    prepare_threshold: int = setting(5, int, 0, 1_000_000)
    #: Address of the PostgreSQL server itself where `connection_uri` leads through a pooler, for the one
    #: connection per process that hears of revoked sessions at once [connection_uri].
    listen_uri: str | None = setting(None, check=_postgres_uri, is_secret=True)
    #: A replica of the PostgreSQL server that `check_database` and lists of sessions may be read from [none].
    read_uri: str | None = setting(None, check=_postgres_uri, is_secret=True)
    #: Seconds by which what is read there may be out of date, at most [5].
    read_max_staleness: float = setting(5, float, 0.1, 3600)
    #: Seconds that SQLite waits for another writer [10].
    sqlite_busy_timeout: float = setting(10, float, 0, 3600)
    #: Durability of SQLite [FULL]: NORMAL may lose the last commits when the power fails.
    sqlite_synchronous: Literal["FULL", "NORMAL"] = setting("FULL", choices=("FULL", "NORMAL"))
    #: PostgreSQL schema of the tables, in lower case [the connection's own].
    table_schema: str | None = setting(None, check=_schema)
    #: Prefix of each table name [none]; lower-cased and followed by "_", as an official core does.
    table_prefix: str = setting("", check=_prefix)
    #: Passes over the memory for each Argon2id password hash [1]; times the memory 6291456 at most.
    argon2_iterations: int = setting(1, int, 1, 64)
    #: Memory for each Argon2id password hash in KiB [87795].
    argon2_memory_kb: int = setting(87_795, int, 1024, 1 << 20)
    #: Lanes of each Argon2id password hash [2].
    argon2_parallelism: int = setting(2, int, 1, 64)
    #: Password hashes that a process computes at once [2]; others wait. Of those with several lanes, one.
    argon2_hashing_pool_size: int = setting(2, int, 1, 64)
    #: Sign-ins and sign-ups of a process that compute a hash, or wait for that, at once [100]: others are
    #: told to try again in 10 seconds.
    argon2_hashing_queue_size: int = setting(100, int, 1, 100_000)
    #: `SECURITY_PASSWORD_SALT` of the application whose users were imported with hashes of Flask-Security
    #: [none]. It is needed until each of them has signed in once.
    flask_security_password_salt: str | None = setting(None, check=_salt, is_secret=True)
    #: Wrong passwords for one address before each further try has to wait [10]: 1 s, doubling up to
    #: 15 minutes. 0 switches the limit off.
    sign_in_free_failures: int = setting(10, int, 0, 1_000_000)
    #: Milliseconds for which the link to reset a password is valid [3600000].
    password_reset_token_lifetime: int = setting(3_600_000, int, 1, 10**12)
    #: Milliseconds for which the link to verify an e-mail address is valid [86400000].
    email_verification_token_lifetime: int = setting(86_400_000, int, 1, 10**12)
    #: Links to verify an address that one client may have sent to it in 24 hours [20], five at once and then
    #: at that rate; all clients together twice as many, 15 seconds apart. 0 switches the limits off.
    verification_emails_per_day: int = setting(20, int, 0, 1000)
    #: Links to reset a password that one client may have sent to an address in 24 hours [20], in the same
    #: way. 0 switches the limits off.
    password_reset_emails_per_day: int = setting(20, int, 0, 1000)
    #: Wrong passwords that one client may give in an hour, whichever addresses it names [100]; then one after
    #: the other at that rate. 0 switches the limit off, as for the next four. Needs `init(client_ip=...)`.
    sign_in_failures_per_client_and_hour: int = setting(100, int, 0, 100_000)
    #: Sign-ups of one client in an hour [100].
    sign_ups_per_client_and_hour: int = setting(100, int, 0, 100_000)
    #: Requests of one client in an hour to reset a password [50].
    password_resets_per_client_and_hour: int = setting(50, int, 0, 100_000)
    #: Requests of one client in an hour for a one-time code or link [50].
    code_requests_per_client_and_hour: int = setting(50, int, 0, 100_000)
    #: Questions of one client in an hour whether an address is taken, and as many for the address of a
    #: provider to sign in with [200].
    lookups_per_client_and_hour: int = setting(200, int, 0, 100_000)
    #: Milliseconds for which a one-time code and its link are valid [600000].
    passwordless_code_lifetime: int = setting(600_000, int, 1, 10**12)
    #: Wrong codes with which an attempt to sign in is over [5]: a new one has to be asked for.
    passwordless_max_code_input_attempts: int = setting(5, int, 1, 100)
    #: Wrong codes of one client for one address or phone number in an hour, over all attempts [20]; then one
    #: after the other at that rate; all clients together twice as many. Links are not concerned. 0 switches
    #: the limit off.
    passwordless_wrong_codes_per_hour: int = setting(20, int, 0, 1000)
    #: Codes and links that one client may have sent to an address or phone number in 24 hours [20], five at
    #: once; all clients together twice as many, and each known one a share of its own beyond that.
    passwordless_messages_per_day: int = setting(20, int, 0, 1000)
    #: Text messages to all phone numbers of a tenant in an hour [1000]: what an attack can cost. 0 switches
    #: the limit off, as for the next one.
    passwordless_text_messages_per_hour: int = setting(1000, int, 0, 1_000_000)
    #: Text messages of all tenants together in an hour [5000].
    passwordless_text_messages_of_all_tenants_per_hour: int = setting(5000, int, 0, 1_000_000)
    #: The clock, in Unix milliseconds; replace it in tests.
    now_ms: Callable[[], int] = system_now_ms

    def resolve(self, environ: Mapping[str, str] | None = None) -> ResolvedEngineConfig:
        """Fill in environment and defaults, and validate every value.

        Raises:
            ConfigError: names the first field (or variable) that cannot work.
        """
        environ = SecretEnviron(os.environ if environ is None else environ)
        resolved = ResolvedEngineConfig(**resolve(self, environ, prefix=_ENV_PREFIX), now_ms=self.now_ms)
        if resolved.refresh_token_validity * 60 <= resolved.access_token_validity:
            raise ConfigError(
                f"refresh_token_validity ({resolved.refresh_token_validity:g} minutes) must be longer than "
                f"access_token_validity ({resolved.access_token_validity} seconds)"
            )
        if resolved.argon2_memory_kb * resolved.argon2_iterations > MAX_ARGON2_WORK:
            raise ConfigError(
                f"argon2_memory_kb ({resolved.argon2_memory_kb}) times argon2_iterations "
                f"({resolved.argon2_iterations}) must be {MAX_ARGON2_WORK} at most: a sign-in computes it"
            )
        return resolved


class ResolvedEngineConfig(EngineConfig):
    """`EngineConfig` with every value decided: what `EngineConfig.resolve()` returns."""

    @cached_property
    def access_token_validity_ms(self) -> int:
        return self.access_token_validity * 1000

    @cached_property
    def refresh_token_validity_ms(self) -> int:
        return int(self.refresh_token_validity * 60_000)

    @cached_property
    def key_update_interval_ms(self) -> int:
        return int(self.access_token_dynamic_signing_key_update_interval * 3_600_000)

    @cached_property
    def grace_period_ms(self) -> int:
        return int(self.refresh_token_rotation_grace_period * 1000)
