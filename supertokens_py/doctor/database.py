"""What is noteworthy about a database and its server. It reads facts, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.embedded.accounts.user_tables import USER_TABLES
from supertokens_py.engine.embedded.found_features import OPTIONAL_TABLES, REVOCATIONS_TABLE
from supertokens_py.engine.embedded.inspection import (
    CreationRights,
    DatabaseFacts,
    KeyFacts,
    LayoutFacts,
    RowFacts,
    ServerFacts,
    UnreadableDatabaseError,
    inspect_database,
)
from supertokens_py.engine.embedded.keys.key_cipher import is_strong
from supertokens_py.engine.embedded.pooler_facts import PoolerFacts
from supertokens_py.engine.embedded.storage.url import Location, locate
from supertokens_py.formatting import counted, moment

from .findings import Finding
from .refreshes import dear_refreshes
from .replica import check_replica
from .sqlite_files import check_file
from .webhooks import undelivered_events

_TOPIC = "database"
_KEYS = "keys"
_CLOCK = "clock"
_POOLER = "pooler"
_SHARED = "sharing"
_CLOCK_TOLERANCE_MS = 5_000
_SHOWN_TABLES = 8


def check_database(uri: str, settings: ResolvedEngineConfig) -> list[Finding]:
    """Return what was found; the database is opened for reading only.

    Raises:
        ConfigError: the URI cannot work.
    """
    location = locate(uri)
    if location.kind == "sqlite-memory":
        advice = "use a file or PostgreSQL for anything that must outlive the process"
        return [Finding("warning", _TOPIC, "sessions are kept in memory and end with the process", advice)]
    if location.is_sqlite and (unusable := [*check_file(_path(location))]):
        return unusable
    try:
        facts = inspect_database(location, settings)
    except UnreadableDatabaseError as error:
        return [Finding("error", _TOPIC, f"cannot read {location.name}: {error}", error.advice)]
    except Exception as error:  # a driver may raise anything, and a traceback does not help an operator
        text = f"cannot read {location.name}: {type(error).__name__}: {error}"
        return [Finding("error", _TOPIC, text, "check the connection URI and the encoding of the database")]
    findings = [*_readable(location), *findings_of(facts, settings, is_sqlite=location.is_sqlite)]
    if settings.read_uri is not None and facts.server is not None and not facts.server.is_standby:
        findings += check_replica(settings.read_uri, location)
    return findings


def findings_of(
    facts: DatabaseFacts, settings: ResolvedEngineConfig, *, is_sqlite: bool
) -> Iterator[Finding]:
    """Yield what is noteworthy about the facts. Pure but for the clock of the settings."""
    now_ms = settings.now_ms()
    if facts.server is not None:
        yield from _server(facts.server, settings, now_ms)
    elif not is_sqlite:
        yield Finding(
            "note", _TOPIC, f"the schema {settings.table_schema!r} does not exist yet; it will be made"
        )
    live = 0 if facts.rows is None else facts.rows.live_sessions
    yield from _layout(facts.layout, settings, live)
    yield from _sharing(facts, settings)
    if facts.rows is not None:
        yield from _rows(facts.rows)
        yield from dear_refreshes(facts, settings)
        yield from _keys(facts.rows.keys, live, settings, now_ms)
    if facts.pooler is not None:
        yield _pooler(facts.pooler)
        yield from _revocations(facts.layout, settings)
    if facts.undelivered is not None:
        yield from undelivered_events(facts.undelivered)


def _path(location: Location) -> Path:
    return Path(location.url.database or "")


def _readable(location: Location) -> Iterator[Finding]:
    yield Finding("ok", _TOPIC, f"{location.name} can be read")
    if location.is_sqlite and _path(location).stat().st_mode & 0o077:
        text = f"{_path(location)} holds signing keys and other users may read it"
        yield Finding("warning", _TOPIC, text, f"chmod 600 {_path(location)}")


def _server(server: ServerFacts, settings: ResolvedEngineConfig, now_ms: int) -> Iterator[Finding]:
    yield Finding("ok", _TOPIC, f"PostgreSQL {server.version}")
    if server.is_standby:
        yield Finding("error", _TOPIC, "this server is a read-only standby", "connect to the primary")
    elif server.is_read_only:
        advice = "connect to the primary, or set default_transaction_read_only = off for this user"
        yield Finding("error", _TOPIC, "the server or this user is read-only", advice)
    yield from _encoding(server.encoding)
    if not server.may_create_tables:
        advice = "needed at the first start and after upgrades: GRANT CREATE ON SCHEMA … TO …"
        yield Finding("warning", _TOPIC, "this user may not create tables in the schema", advice)
    yield from _connections(server.max_connections, settings.pool_size)
    yield _clock(server.clock_ms, now_ms)


def _encoding(encoding: str) -> Iterator[Finding]:
    if encoding == "SQL_ASCII":
        text = (
            "its encoding is SQL_ASCII: it keeps the text that it is given, and other programs may misread it"
        )
        yield Finding("note", _TOPIC, text, "make new databases in UTF8")
    elif encoding != "UTF8":
        text = f"its encoding is {encoding}: text with other characters is refused (400)"
        yield Finding("warning", _TOPIC, text, "move to a database in UTF8")


def _connections(max_connections: int, pool_size: int) -> Iterator[Finding]:
    processes = max_connections // pool_size
    if processes < 8:
        enough = f"enough for {processes} {'process' if processes == 1 else 'processes'}"
        yield Finding(
            "warning" if processes < 2 else "note",
            _TOPIC,
            f"max_connections is {max_connections} and each process may use pool_size {pool_size}: "
            + (enough if processes else "one busy process alone would be refused connections"),
            "lower SUPERTOKENS_POOL_SIZE, raise max_connections, or put a pooler in between",
        )


def _clock(server_ms: int, now_ms: int) -> Finding:
    apart_ms = abs(server_ms - now_ms)
    if apart_ms <= _CLOCK_TOLERANCE_MS:
        return Finding("ok", _CLOCK, "database and this machine agree on the time")
    return Finding(
        "warning",
        _CLOCK,
        f"the clocks of database and this machine are {apart_ms / 1000:.0f} s apart",
        "set the clock of every machine by NTP: tokens made in the future are refused",
    )


def _layout(layout: LayoutFacts, settings: ResolvedEngineConfig, live: int) -> Iterator[Finding]:
    if not layout.present:
        missing = counted(len(layout.absent), "table")
        yield Finding("note", _TOPIC, f"it holds no sessions yet; {missing} will be added")
    elif layout.absent:
        yield Finding("note", _TOPIC, f"missing tables, which will be added: {', '.join(layout.absent)}")
    if layout.creation is not None and not layout.creation.allowed:
        yield _not_creatable(layout.creation, settings.table_schema)
    for table, (columns, addable) in layout.lacking.items():
        yield _lacking(table, ", ".join(columns), addable=addable)
    for table in layout.lost_keys:
        what = f"the foreign key of {table} is gone; rows of ended sessions stay until they are cleaned up"
        yield Finding("warning", _TOPIC, what, "start the application once: it puts the key back")
    if not live:
        yield from _other_prefixes(layout, settings)
    if foreign := _foreign(layout, settings):
        more = " …" if len(foreign) > _SHOWN_TABLES else ""
        shown = ", ".join(foreign[:_SHOWN_TABLES]) + more
        others = counted(len(foreign), "other table")
        yield Finding("note", _TOPIC, f"{others}, not to be touched: {shown}")
    if layout.has_users:
        yield from _users(layout)


def _users(layout: LayoutFacts) -> Iterator[Finding]:
    yield Finding("note", _TOPIC, "users are kept here; their primary and external ids are honoured")
    if layout.users_refused is not None:
        what = f"sign-in recipes, such as emailpassword.init(), refuse it: {layout.users_refused}"
        yield Finding("warning", _TOPIC, what, "leave sign-up and sign-in to the core, or do what it says")
    elif layout.migration_mode != "LEGACY":
        mode = f"users are kept in the tables of core 12 (migration_mode is {layout.migration_mode})"
        yield Finding("note", _TOPIC, f"{mode}, which sign-in recipes read and write")


def _sharing(facts: DatabaseFacts, settings: ResolvedEngineConfig) -> Iterator[Finding]:
    """Yield whether refresh tokens of a core's making are accepted; by default its tables decide that."""
    names, setting = facts.layout.core_tables, settings.shared_with_core
    if setting == "NO" or not (names or setting == "YES"):
        return
    made = f"made {' and '.join(names)}" if names else "made no table"
    yield Finding(
        "note",
        _SHARED,
        f"an official core {made} here, and shared_with_core is {setting}: refresh tokens that a core gave "
        "out and nobody has used are accepted, and whoever copies the database can make one of those from an "
        "access token",
        "set SUPERTOKENS_SHARED_WITH_CORE=NO once no core uses this database any more",
    )
    is_encrypted = facts.rows is not None and bool(facts.rows.keys.encrypted)
    if settings.encryption_key is not None and not is_encrypted:
        text = "encryption_key is set, and a core could not read encrypted keys: the engine will refuse it"
        yield Finding("error", _SHARED, text, "leave it out, or say that no core uses this database any more")


def _not_creatable(creation: CreationRights, schema: str | None) -> Finding:
    where = f"the schema {schema!r}" if schema else "the schema of the connection"
    what = f"tables in {where}" if creation.schema_exists else where
    return Finding(
        "error",
        _TOPIC,
        f"this user may not create {what}: every log-in would fail",
        "let a user who may create them run `supertokens schema create`, or what `supertokens schema print` "
        "prints, and grant this one SELECT, INSERT, UPDATE and DELETE; or GRANT CREATE",
    )


def _lacking(table: str, columns: str, *, addable: bool) -> Finding:
    if addable:
        text = f"{table} is of an older core; these columns will be added: {columns}"
        return Finding("note", _TOPIC, text)
    return Finding(
        "error",
        _TOPIC,
        f"{table} lacks {columns}: it is no table of a core of version 9 or later",
        "upgrade the core first, or use another database, schema or table_prefix",
    )


def _other_prefixes(layout: LayoutFacts, settings: ResolvedEngineConfig) -> Iterator[Finding]:
    for name, count in layout.live_elsewhere.items():
        if count:
            prefix = name.removesuffix("session_info")
            yield Finding(
                "error",
                _TOPIC,
                f"{name} holds {count} live sessions, and {settings.table_prefix}session_info none",
                f"set SUPERTOKENS_TABLE_PREFIX={prefix or '(nothing)'} to go on with them",
            )


def _rows(rows: RowFacts) -> Iterator[Finding]:
    live, expired = counted(rows.live_sessions, "live session"), counted(rows.expired_sessions, "expired one")
    yield Finding("ok", _TOPIC, f"{live}, {expired}, {counted(rows.tenants, 'tenant')}")
    if rows.tenants_of_other_apps:
        others = counted(rows.tenants_of_other_apps, "tenant")
        yield Finding("note", _TOPIC, f"{others} of other apps, not to be touched")


def _keys(keys: KeyFacts, live: int, settings: ResolvedEngineConfig, now_ms: int) -> Iterator[Finding]:
    if keys.is_master_encrypted is not None:
        text = f"the key of the refresh tokens is there{_at_rest(keys.is_master_encrypted)}"
        yield Finding("ok", _KEYS, text)
    elif live:
        advice = "restore the row of key_value from a backup; without it every refresh ends a session"
        yield Finding("error", _KEYS, "the key of the refresh tokens (refresh_token_key) is missing", advice)
    if keys.newest_ms is None:
        yield Finding("note", _KEYS, "no signing keys yet; they are made at the first start")
    else:
        yield from _dynamic_keys(keys, keys.newest_ms, now_ms)
    yield from _encryption(keys, settings.encryption_key)


def _dynamic_keys(keys: KeyFacts, newest_ms: int, now_ms: int) -> Iterator[Finding]:
    dynamic, newest = counted(keys.dynamic, "dynamic key"), moment(newest_ms)
    encrypted = _at_rest(keys.is_newest_encrypted)
    yield Finding("ok", _KEYS, f"{dynamic}, the newest of {newest}; {keys.static} static{encrypted}")
    if newest_ms > now_ms + _CLOCK_TOLERANCE_MS:
        text = f"the newest signing key was made in the future ({newest})"
        yield Finding("warning", _CLOCK, text, "compare the clocks of all machines that use this database")


def _encryption(keys: KeyFacts, secret: str | None) -> Iterator[Finding]:
    if keys.plain and secret is not None:
        advice = "start a process with the secret, or run `supertokens keys encrypt`"
        if keys.encrypted:
            advice = "find out who wrote them and delete them, unless an earlier release left them: " + advice
        plain = counted(keys.plain, "key")
        yield Finding("warning", _KEYS, f"{plain} not encrypted, and a secret is set", advice)
    if secret is not None and not is_strong(secret):
        text = "encryption_key is a passphrase: who copies the database can guess at it"
        yield Finding("note", _KEYS, text, "`supertokens keys secret` prints a key that cannot be guessed")
    if keys.encrypted and secret is None:
        advice = "set SUPERTOKENS_ENCRYPTION_KEY to the secret that they were encrypted with"
        yield Finding("error", _KEYS, "the keys are encrypted and no secret is set", advice)


def _at_rest(is_encrypted: bool) -> str:
    return " (encrypted)" if is_encrypted else ""


def _pooler(pooler: PoolerFacts) -> Finding:
    mode = "transaction mode" if pooler.lends_by_transaction else "session mode, or with much to do"
    tracks = "tracks" if pooler.tracks_statements else "does not track"
    text = f"there is one in between ({mode}); it {tracks} prepared statements, and gets none"
    return Finding("ok", _POOLER, text)


def _revocations(layout: LayoutFacts, settings: ResolvedEngineConfig) -> Iterator[Finding]:
    """Yield how soon processes behind a pooler see revoked sessions."""
    if settings.table_prefix + REVOCATIONS_TABLE not in layout.others:
        return
    if settings.listen_uri is None:
        text = "revoked sessions are seen every second only: a pooler tells nobody of them"
        advice = "set EngineConfig(listen_uri=...) or SUPERTOKENS_LISTEN_URI to a direct connection"
        yield Finding("note", _POOLER, text, advice)
    else:
        yield Finding("ok", _POOLER, "revoked sessions are heard of beside it, by listen_uri")


def _foreign(layout: LayoutFacts, settings: ResolvedEngineConfig) -> list[str]:
    """Return the tables that are not ours; those of sign-in recipes are where users are kept here."""
    ours = [*OPTIONAL_TABLES, *(one.name for one in USER_TABLES if layout.has_users)]
    named = {settings.table_prefix + name for name in ours}
    return [name for name in layout.others if name not in named]
