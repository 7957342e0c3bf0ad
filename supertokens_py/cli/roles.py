"""`supertokens roles`: who has which role, for the first admin and whoever has a shell."""

from __future__ import annotations

import argparse
from typing import cast

from supertokens_py.engine.interface import Engine

from .output import Output
from .store import add_store_options, open_store
from .user_names import with_hint

HELP = "list roles, give them to users and take them away"

_SESSIONS = (
    "open sessions show it when they fetch the roles again: within five minutes where a validator asks "
    "(default_max_age_in_sec), else after the next log-in"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions of the command."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="every role, with its permissions")
    having = actions.add_parser("of", help="the roles of a user")
    adding = actions.add_parser("add", help="give a user a role")
    removing = actions.add_parser("remove", help="take a role from a user")
    for action in (having, adding, removing):
        action.add_argument("user_id", metavar="USER")
        action.add_argument("--tenant", metavar="TENANT", default="public", help="[public]")
    for action in (adding, removing):
        action.add_argument("role", metavar="ROLE")
    adding.add_argument("--create", action="store_true", help="create the role if there is none")
    for action in (listing, having, adding, removing):
        add_store_options(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, out: Output) -> int:
    """Carry out one action; 1 where there was nothing to show or to change."""
    engine = open_store(args)
    try:
        match args.action:
            case "list":
                return _list(engine, out)
            case "of":
                return _of(engine, args, out)
            case "add":
                return _add(engine, args, out)
            case _:
                return _remove(engine, args, out)
    finally:
        engine.close()


def _list(engine: Engine, out: Output) -> int:
    found = {role: engine.roles.permissions(role) or [] for role in engine.roles.all()}
    out.result([{"role": role, "permissions": permissions} for role, permissions in found.items()])
    if not found:
        out.complain("there is no role")
        return 1
    out.table(("ROLE", "PERMISSIONS"), [(role, ", ".join(found[role])) for role in found])
    return 0


def _of(engine: Engine, args: argparse.Namespace, out: Output) -> int:
    user_id, tenant_id = _whom(args)
    roles = engine.roles.of_user(user_id, tenant_id=tenant_id)
    out.result(roles)
    for role in roles:
        out.say(role)
    if roles:
        return 0
    out.complain(with_hint(f"{user_id} has no role in the tenant {tenant_id}", user_id))
    return 1


def _add(engine: Engine, args: argparse.Namespace, out: Output) -> int:
    (user_id, tenant_id), role = _whom(args), cast("str", args.role)
    if args.create:
        engine.roles.add(role, [])
    added = engine.roles.assign(user_id, role, tenant_id=tenant_id)
    if added is None:
        out.complain(f"there is no role {role}: --create makes it")
        return 1
    out.result({"role": role, "had_it": not added})
    out.say(with_hint(f"{user_id} has the role {role} in the tenant {tenant_id}", user_id))
    out.say(_SESSIONS)
    return 0


def _remove(engine: Engine, args: argparse.Namespace, out: Output) -> int:
    (user_id, tenant_id), role = _whom(args), cast("str", args.role)
    removed = engine.roles.unassign(user_id, role, tenant_id=tenant_id)
    if removed is None:
        out.complain(f"there is no role {role}")
        return 1
    out.result({"role": role, "had_it": removed})
    if not removed:
        out.complain(with_hint(f"{user_id} had no role {role} in the tenant {tenant_id}", user_id))
        return 1
    out.say(f"{user_id} has no role {role} in the tenant {tenant_id} any more")
    out.say(_SESSIONS)
    return 0


def _whom(args: argparse.Namespace) -> tuple[str, str]:
    return cast("str", args.user_id), cast("str", args.tenant)
