"""`supertokens sessions`: look at sessions and end them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, TypeAlias, cast

from supertokens_py.engine.explanations import SessionExplanation, explain, explain_user
from supertokens_py.engine.interface import Engine
from supertokens_py.engine.records import StoredSession
from supertokens_py.engine.session_records import Ending, ListedSession
from supertokens_py.exceptions import ConfigError
from supertokens_py.formatting import moment

from .output import Output
from .store import add_store_options, open_store, say_how_long_tokens_verify, store_name
from .user_names import with_hint

#: A session as one of a list, or by itself.
Listed: TypeAlias = ListedSession | StoredSession

HELP = "list, show, explain and revoke sessions"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions of the command."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the live sessions of a user")
    listing.add_argument("user_id", metavar="USER")
    showing = actions.add_parser("show", help="one session, with its payload and data")
    showing.add_argument("handle", metavar="HANDLE")
    explaining = actions.add_parser("why", help="why a session ended, or until when it is alive")
    explaining.add_argument("handle", nargs="?", metavar="HANDLE")
    explaining.add_argument("--user", metavar="USER", help="every session of this user that is known of")
    revoking = actions.add_parser("revoke", help="end sessions, by handle or all of a user")
    revoking.add_argument("handles", nargs="*", metavar="HANDLE")
    revoking.add_argument("--user", metavar="USER", help="every session of this user")
    revoking.add_argument("--by", metavar="NAME", help="who ends them, for the events that are kept")
    for action in (listing, revoking):
        action.add_argument("--tenant", metavar="TENANT", help="only in this tenant [all]")
    for action in (listing, showing, explaining, revoking):
        add_store_options(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, out: Output) -> int:
    """Carry out one action; 1 where there was nothing to show or to end."""
    if args.action == "revoke" and bool(args.handles) == bool(args.user):
        raise ConfigError("say which sessions to revoke: either handles or --user")
    if args.action == "why" and bool(args.handle) == bool(args.user):
        raise ConfigError("say which session to explain: either its handle or --user")
    engine = open_store(args)
    try:
        match args.action:
            case "list":
                return _list(engine, args, out)
            case "show":
                return _show(engine, args, out)
            case "why":
                return _why(engine, args, out)
            case _:
                return _revoke(engine, args, out)
    finally:
        engine.close()


def _list(engine: Engine, args: argparse.Namespace, out: Output) -> int:
    user_id, tenant_id = cast("str", args.user_id), cast("str | None", args.tenant)
    listed = engine.sessions.listed(user_id, tenant_id=tenant_id)
    known = {one.handle for one in listed}
    handles = engine.sessions.user_handles(user_id, tenant_id=tenant_id)
    # At a core a list ends after so many sessions.
    more = [engine.sessions.information(handle) for handle in handles if handle not in known]
    found: list[Listed] = [*listed, *filter(None, more)]
    found.sort(key=lambda one: one.created_ms)
    out.result([_summary(one) | _device(one) for one in found])
    if found:
        _table(found, out)
    else:
        out.complain(with_hint(f"{user_id} has no live session", user_id))
    return 0 if found else 1


def _table(found: Sequence[Listed], out: Output) -> None:
    """Print a list; where something is known of devices, with what is."""
    columns = ("HANDLE", "TENANT", "CREATED", "EXPIRES")
    rows = [(one.handle, one.tenant_id, moment(one.created_ms), moment(one.expires_ms)) for one in found]
    if any(_device(one) for one in found):
        columns = (*columns, "SEEN", "FROM", "DEVICE")
        rows = [row + _seen(one) for row, one in zip(rows, found, strict=True)]
    out.table(columns, rows)


def _seen(one: Listed) -> tuple[str, str, str]:
    known = _device(one)
    return moment(known.get("last_seen_ms")), known.get("ip") or "-", known.get("label") or "-"


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


def _why(engine: Engine, args: argparse.Namespace, out: Output) -> int:
    if args.user:
        found = explain_user(engine, cast("str", args.user))
    else:
        found = [explain(engine, cast("str", args.handle))]
    out.result([_explanation(one) for one in found] if args.user else _explanation(found[0]))
    for one in found:
        out.say(f"{one.handle}: {one.text}")
    if not found:
        out.complain(with_hint(f"nothing is known of sessions of {args.user}", cast("str", args.user)))
    return 1 if all(one.state == "unknown" for one in found) else 0


def _revoke(engine: Engine, args: argparse.Namespace, out: Output) -> int:
    ending = Ending(reason="admin", actor_id=cast("str | None", args.by))
    if args.user:
        tenant_id = cast("str | None", args.tenant)
        revoked = engine.sessions.revoke_user(cast("str", args.user), tenant_id=tenant_id, ending=ending)
    else:
        revoked = engine.sessions.revoke(cast("list[str]", args.handles), ending=ending)
    name = store_name(args)
    out.result({"revoked": revoked, "store": name})
    for handle in revoked:
        out.say(f"revoked {handle} in {name}")
    if revoked:
        say_how_long_tokens_verify(engine, args, out)
        return 0
    out.complain(with_hint("there was no such session", cast("str", args.user or "")))
    return 1


def _explanation(one: SessionExplanation) -> dict[str, Any]:
    return {
        "handle": one.handle,
        "state": one.state,
        "text": one.text,
        "reason": one.reason,
        "at_ms": one.at_ms,
        "user_id": one.user_id,
        "actor_id": one.actor_id,
    }


def _device(one: Listed) -> dict[str, Any]:
    """Return what is known of where a session is used; {} if nothing is."""
    details = one.details if isinstance(one, ListedSession) else None
    if details is None:
        return {}
    return {
        "label": details.label,
        "agent": details.agent,
        "ip": details.ip,
        "last_seen_ms": details.last_seen_ms,
        "actor_id": details.actor.user_id if details.actor else None,
    }


def _summary(stored: Listed) -> dict[str, Any]:
    return {
        "handle": stored.handle,
        "user_id": stored.user_id,
        "recipe_user_id": stored.recipe_user_id,
        "tenant_id": stored.tenant_id,
        "created_ms": stored.created_ms,
        "expires_ms": stored.expires_ms,
    }
