"""`supertokens schema`: the tables, for whoever may create them where the application may not."""

from __future__ import annotations

import argparse
from typing import Any, cast

from supertokens_py.engine.session_records import SessionFeatures
from supertokens_py.exceptions import ConfigError

from .output import Output
from .store import add_store_options, connection_uri, engine_settings, is_remote

HELP = "print or make the tables, for a database where the application may not create them"

#: Arguments of `session.init` that need a table, and which of `SessionFeatures` that is.
_FEATURES = {
    "devices": "details",
    "lifetime": "details",
    "impersonation": "details",
    "events": "events",
    "webhooks": "deliveries",
    "instant_revocation": "revocations",
    "device_binding": "device_keys",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions of the command."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    printing = actions.add_parser("print", help="the SQL for an empty database; nothing is connected to")
    creating = actions.add_parser("create", help="add missing tables and columns, as the user in the URI")
    for action in (printing, creating):
        add_store_options(action)
        action.add_argument("--users", action="store_true", help="also the tables of sign-in recipes")
        action.add_argument(
            "--feature",
            action="append",
            choices=sorted(_FEATURES),
            help="also the table of an argument of session.init; repeatable",
        )
        action.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, out: Output) -> int:
    """Carry out one action; schema and prefix are those of `SUPERTOKENS_TABLE_SCHEMA` and `..._PREFIX`."""
    from supertokens_py.engine.embedded.accounts.user_layout import UserLayout  # noqa: PLC0415
    from supertokens_py.engine.embedded.accounts.user_tables import USER_TABLES  # noqa: PLC0415
    from supertokens_py.engine.embedded.all_tables import ALL_TABLES  # noqa: PLC0415
    from supertokens_py.engine.embedded.engine import tables_of  # noqa: PLC0415
    from supertokens_py.engine.embedded.storage.database import Database  # noqa: PLC0415
    from supertokens_py.engine.embedded.storage.schema import statements  # noqa: PLC0415

    uri = connection_uri(args)
    if is_remote(uri):
        raise ConfigError("a core makes its tables itself: name a database with --connection-uri")
    settings = engine_settings(args)
    features = [_FEATURES[name] for name in cast("list[str] | None", args.feature) or ()]
    wanted: dict[str, Any] = dict.fromkeys(features, True)
    optional = tables_of(SessionFeatures(**wanted))
    tables = (*ALL_TABLES, *(USER_TABLES if args.users else ()), *optional)
    database = Database(uri, settings, tables)
    if args.users:
        database.also_check(UserLayout(database.tables, settings.migration_mode).learn)
    try:
        if args.action == "create":
            database.prepare()
            out.result({"tables": [table.fullname for table in database.tables.all()]})
            out.say(f"the tables in {database.location.name} are complete")
            return 0
        sql = list(statements(database.tables, database.location.url, now_ms=settings.now_ms()))
    finally:
        database.close()
    out.result({"statements": sql})
    for statement in sql:
        out.say(f"{statement};")
    return 0
