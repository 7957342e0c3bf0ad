"""Encrypting keys that a database has in clear: at the first start, and by command (engine: Keys at rest)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from supertokens_py.exceptions import ConfigError

from .key_rows import KEY_LOCK, KeyRows

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..storage.database import Database

log: logging.Logger = logging.getLogger(__name__)


def encrypt_at_start(database: Database, rows: KeyRows) -> None:
    """Encrypt every key, if this is the only engine that uses the database.

    Raises:
        ConfigError: an official core shares the database, or a key cannot be read.
    """
    is_claimed = database.read(rows.is_claimed)
    if database.is_shared and not is_claimed:
        raise ConfigError(
            f"an official core shares {database.location.name}, and could not read encrypted keys: "
            "leave encryption_key (SUPERTOKENS_ENCRYPTION_KEY) out, or set shared_with_core to NO "
            "(SUPERTOKENS_SHARED_WITH_CORE) if no core uses it any more"
        )
    changed = encrypt_keys(database, rows)
    log.info("%d keys in %s were encrypted", changed, database.location.name)
    if changed and not is_claimed and database.read(rows.has_sessions):
        log.critical(
            "encryption_key is set, %s has sessions, and no key in it was encrypted: they are now. That "
            "is right at the first start with encryption_key only. At any other, somebody without the "
            "encryption_key replaced every key: run `supertokens keys renew --all`",
            database.location.name,
        )


def encrypt_keys(database: Database, rows: KeyRows) -> int:
    """Encrypt every key that is not encrypted with `encryption_key`; return how many that were."""

    def unit(connection: Connection) -> int:
        database.lock(connection, KEY_LOCK)
        return rows.encrypt_all(connection)

    changed = database.write(unit)
    if changed and database.location.kind == "sqlite-file":
        _empty_log(database)
    return changed


def _empty_log(database: Database) -> None:
    """Empty SQLite's write-ahead log, in which the plain keys would stay until it is written over."""
    busy = database.single(lambda c: c.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar())
    if busy:
        log.warning(
            "another process was using %s: its file -wal may hold the keys in clear until every process "
            "has closed it",
            database.location.name,
        )
