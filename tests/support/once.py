"""What thousands of engines and applications of one process have in common, made once."""

from __future__ import annotations

import functools
import importlib.util
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

from supertokens_py.engine.embedded import EmbeddedEngine
from supertokens_py.engine.embedded.keys import key_rows
from supertokens_py.engine.embedded.session_state import session_rows
from supertokens_py.engine.embedded.storage import connections, database

from .keys import next_pair


def make_once(patch: pytest.MonkeyPatch) -> None:
    """Have engines share parsed keys, tables, statements and their SQL, and applications the rules of URLs.

    Most databases here are copies with the same keys and tables. Other engines get a pair of RSA keys that
    was made before.
    """
    defaults: Any = EmbeddedEngine.__init__.__kwdefaults__
    patch.setitem(defaults, "new_key", next_pair)
    patch.setattr(key_rows, "parse_key", functools.cache(key_rows.parse_key))
    patch.setattr(database, "Tables", functools.cache(database.Tables))
    for statements in (session_rows.RotationStatements, session_rows.SessionStatements):
        _once(patch, statements)
    _share_sql(patch)
    if importlib.util.find_spec("werkzeug"):
        _share_rules(patch)


def _once(patch: pytest.MonkeyPatch, statements: type[Any]) -> None:
    """Have a class make its statements once for each tables, and then take those that it has made."""
    make, made = statements.__init__, dict[Any, dict[str, Any]]()

    def take(self: Any, tables: Any) -> None:
        if tables not in made:
            make(self, tables)
            made[tables] = dict(vars(self))
        vars(self).update(made[tables])

    patch.setattr(statements, "__init__", take)


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
