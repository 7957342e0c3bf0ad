"""`supertokens sessions`: look at sessions and end them."""

from __future__ import annotations

import argparse
from typing import Any, cast

from supertokens_py.engine.interface import Engine
from supertokens_py.engine.records import StoredSession
from supertokens_py.exceptions import ConfigError
from supertokens_py.formatting import moment

from .output import Output
from .store import add_store_options, open_store, store_name

HELP = "list, show and revoke sessions"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions of the command."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the live sessions of a user")
    listing.add_argument("user_id", metavar="USER")
    showing = actions.add_parser("show", help="one session, with its payload and data")
    showing.add_argument("handle", metavar="HANDLE")
    revoking = actions.add_parser("revoke", help="end sessions, by handle or all of a user")
    revoking.add_argument("handles", nargs="*", metavar="HANDLE")
    revoking.add_argument("--user", metavar="USER", help="every session of this user")
    for action in (listing, revoking):
        action.add_argument("--tenant", metavar="TENANT", help="only in this tenant [all]")
    for action in (listing, showing, revoking):
        add_store_options(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, out: Output) -> int:
    """Carry out one action; 1 where there was nothing to show or to end."""
    if args.action == "revoke" and bool(args.handles) == bool(args.user):
        raise ConfigError("say which sessions to revoke: either handles or --user")
    engine = open_store(args)
    try:
        match args.action:
            case "list":
                return _list(engine, args, out)
            case "show":
                return _show(engine, args, out)
            case _:
                return _revoke(engine, args, out)
    finally:
        engine.close()


def _list(engine: Engine, args: argparse.Namespace, out: Output) -> int:
    tenant_id = cast("str | None", args.tenant)
    handles = engine.sessions.user_handles(cast("str", args.user_id), tenant_id=tenant_id)
    found = [stored for handle in handles if (stored := engine.sessions.information(handle))]
    found.sort(key=lambda stored: stored.created_ms)
    out.result([_summary(stored) for stored in found])
    if found:
        out.table(
            ("HANDLE", "TENANT", "CREATED", "EXPIRES"),
            [
                (item.handle, item.tenant_id, moment(item.created_ms), moment(item.expires_ms))
                for item in found
            ],
        )
    else:
        out.complain(f"{args.user_id} has no live session")
    return 0 if found else 1


def _show(engine: Engine, args: argparse.Namespace, out: Output) -> int:
    stored = engine.sessions.information(cast("str", args.handle))
    if stored is None:
        out.complain(f"there is no live session {args.handle}")
        return 1
    out.result({**_summary(stored), "payload": stored.payload, "data": stored.data})
    out.facts(
        {
            "handle": stored.handle,
            "user": stored.user_id,
            "recipe user": stored.recipe_user_id,
            "tenant": stored.tenant_id,
            "created": moment(stored.created_ms),
            "expires": moment(stored.expires_ms),
            "payload": stored.payload,
            "data": stored.data,
        }
    )
    return 0


def _revoke(engine: Engine, args: argparse.Namespace, out: Output) -> int:
    if args.user:
        tenant_id = cast("str | None", args.tenant)
        revoked = engine.sessions.revoke_user(cast("str", args.user), tenant_id=tenant_id)
    else:
        revoked = engine.sessions.revoke(cast("list[str]", args.handles))
    name = store_name(args)
    out.result({"revoked": revoked, "store": name})
    for handle in revoked:
        out.say(f"revoked {handle} in {name}")
    if revoked:
        return 0
    out.complain("there was no such session")
    return 1


def _summary(stored: StoredSession) -> dict[str, Any]:
    return {
        "handle": stored.handle,
        "user_id": stored.user_id,
        "recipe_user_id": stored.recipe_user_id,
        "tenant_id": stored.tenant_id,
        "created_ms": stored.created_ms,
        "expires_ms": stored.expires_ms,
    }
