"""What thousands of engines and applications of one process have in common, made once."""

from __future__ import annotations

import functools
import importlib.util
from types import FunctionType
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

from supertokens_py.engine.embedded import EmbeddedEngine, found_features, inspection
from supertokens_py.engine.embedded.accounts import user_layout
from supertokens_py.engine.embedded.accounts.account_rows import AccountRows
from supertokens_py.engine.embedded.accounts.accounts import Accounts
from supertokens_py.engine.embedded.accounts.counts import Counts
from supertokens_py.engine.embedded.accounts.user_ids import UserIds
from supertokens_py.engine.embedded.cleanup import Cleaner
from supertokens_py.engine.embedded.importing import source
from supertokens_py.engine.embedded.keys import key_rows
from supertokens_py.engine.embedded.metadata import MetadataStore
from supertokens_py.engine.embedded.roles import RoleStore
from supertokens_py.engine.embedded.session_state import activity
from supertokens_py.engine.embedded.session_state.device_rows import DeviceStatements
from supertokens_py.engine.embedded.session_state.session_details import DetailStatements
from supertokens_py.engine.embedded.session_state.session_rows import RotationStatements, SessionStatements
from supertokens_py.engine.embedded.sessions.replacement import FormerRows
from supertokens_py.engine.embedded.sessions.session_limits import SessionCounts
from supertokens_py.engine.embedded.sessions.session_lists import SessionLists
from supertokens_py.engine.embedded.storage import connections, database
from supertokens_py.engine.embedded.storage.tables import Tables
from supertokens_py.engine.embedded.tenants import TenantStore
from tests.engine.driver import NO_THREAD

from .keys import next_pair

#: Making their statements took three quarters of the time that making an engine takes.
HOLDERS = (
    Counts,
    DetailStatements,
    DeviceStatements,
    FormerRows,
    MetadataStore,
    RoleStore,
    RotationStatements,
    SessionCounts,
    SessionStatements,
    TenantStore,
    UserIds,
)
#: Those that have a method for it, since they hold more than their statements.
PREPARING = (AccountRows, Accounts, Cleaner, SessionLists, key_rows.KeyRows)


def make_once(patch: pytest.MonkeyPatch) -> None:
    """Have engines share parsed keys, tables, statements and their SQL, and applications the rules of URLs.

    Most databases here are copies with the same keys and tables. Other engines get a pair of RSA keys that
    was made before. None starts a thread by itself, however long a test takes.
    """
    defaults: Any = EmbeddedEngine.__init__.__kwdefaults__
    patch.setitem(defaults, "new_key", next_pair)
    patch.setitem(defaults, "pace", NO_THREAD)
    patch.setattr(key_rows, "parse_key", functools.cache(key_rows.parse_key))
    tables: Any = functools.cache(Tables)
    for module in (database, user_layout, found_features, inspection, source):
        patch.setattr(module, "Tables", tables)
    patch.setattr(user_layout, "memberships_of_all", functools.cache(user_layout.memberships_of_all))
    for holder in HOLDERS:
        _once(patch, holder)
    for holder in PREPARING:
        _once(patch, holder, "_prepare_statements")
    for module in (activity, key_rows):
        patch.setattr(module, "upsert", functools.cache(module.upsert))
    _share_sql(patch)
    if importlib.util.find_spec("werkzeug"):
        _share_rules(patch)


def _once(patch: pytest.MonkeyPatch, holder: type[Any], method: str = "__init__") -> None:
    """Have a class make its statements once for the same tables, and then take those that it has made.

    It may hold besides them what it is given, and nothing else that is its own.
    """
    make, made = getattr(holder, method), dict[Any, tuple[dict[str, Any], dict[str, int]]]()

    def take(self: Any, *given: Any, **named: Any) -> None:
        values = (*given, *named.values())
        key = (*named, *(_told_apart_by(value) for value in values or (self._database,)))
        if any(value is None for value in values):  # for which it may make something of its own
            make(self, *given, **named)
        elif key in made:
            shared, places = made[key]
            vars(self).update(shared, **{name: values[place] for name, place in places.items()})
        else:
            before = dict(vars(self))
            make(self, *given, **named)
            added = {name: value for name, value in vars(self).items() if before.get(name, self) is not value}
            places = {name: n for name in added for n, value in enumerate(values) if added[name] is value}
            made[key] = {name: added[name] for name in added.keys() - places}, places

    patch.setattr(holder, method, take)


def _told_apart_by(value: Any) -> Any:
    """Return by what a value leads to other statements."""
    if isinstance(value, database.Database):
        return value.tables, value.location.is_sqlite
    return value if isinstance(value, Tables | FunctionType | bool | str) else type(value)


def _share_sql(patch: pytest.MonkeyPatch) -> None:
    shared: Any = LRUCache(5000)
    open_pool = connections.open_pool

    def sharing(*args: Any) -> Engine:
        pool = open_pool(*args)
        pool.update_execution_options(compiled_cache=shared)
        return pool

    patch.setattr(connections, "open_pool", sharing)
    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        patch.setattr(dialect, "__eq__", _writes_alike, raising=False)
        patch.setattr(dialect, "__hash__", lambda self: hash(type(self)), raising=False)


def _writes_alike(one: Any, other: object) -> bool:
    return type(one) is type(other) and one.server_version_info == getattr(other, "server_version_info", None)


def _share_rules(patch: pytest.MonkeyPatch) -> None:
    from werkzeug.routing import Rule

    name = "_compile_builder"
    compile_builder, made = getattr(Rule, name), dict[Any, Any]()

    def compiled(self: Rule, append_unknown: bool = True) -> Any:
        if "<" in self.rule or self.host or self.subdomain or self.defaults:
            return compile_builder(self, append_unknown)
        key = self.rule, self.merge_slashes, append_unknown
        if key not in made:
            made[key] = compile_builder(self, append_unknown)
        return made[key]

    patch.setattr(Rule, name, compiled)
