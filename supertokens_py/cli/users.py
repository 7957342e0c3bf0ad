"""`supertokens users`: look at users of sign-in recipes, delete them, and import others."""

from __future__ import annotations

import argparse
from typing import cast

from supertokens_py.engine.interface import Engine
from supertokens_py.engine.user_records import UserQuery
from supertokens_py.formatting import moment
from supertokens_py.types.users import User

from .output import Output
from .store import add_store_options, open_store, say_how_long_tokens_verify, store_name
from .user_names import with_hint

HELP = "list, show, delete and import users"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions of the command."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="users of a tenant, those who joined last first")
    listing.add_argument("--tenant", metavar="TENANT", default="public", help="[public]")
    listing.add_argument("--email", metavar="TEXT", help="only where address or domain begins so")
    listing.add_argument("--limit", metavar="N", type=int, default=100, help="at most so many [100]")
    listing.add_argument("--after", metavar="TOKEN", help="the next page, as the page before names it")
    showing = actions.add_parser("show", help="one user, with every way to sign in")
    deleting = actions.add_parser("delete", help="delete a user with sessions, roles and metadata")
    for action in (showing, deleting):
        action.add_argument("user_id", metavar="USER")
    importing = actions.add_parser("import", help="users of another system, with hashes of their passwords")
    _configure_import(importing)
    for action in (listing, showing, deleting, importing):
        add_store_options(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def _configure_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="CSV with names of columns, or a JSON object per line")
    parser.add_argument("--format", choices=("csv", "jsonl"), help="[by the name of the file]")
    parser.add_argument("--tenant", metavar="TENANT", default="public", help="[public]")
    parser.add_argument(
        "--metadata", metavar="COLUMN", action="append", help="keep a further column as metadata; repeatable"
    )
    parser.add_argument("--create-roles", action="store_true", help="create roles that do not exist")
    parser.add_argument(
        "--reset-passwords",
        action="store_true",
        help="also take users whose hash is missing or cannot be verified: they reset their passwords",
    )
    parser.add_argument(
        "--flask-security",
        action="store_true",
        help="the hashes are those of Flask-Security [where there is a column fs_uniquifier]",
    )
    parser.add_argument(
        "--single-hash",
        action="store_true",
        help="the same, made with SECURITY_PASSWORD_SINGLE_HASH: of the passwords themselves",
    )
    parser.add_argument("--skip-refused", action="store_true", help="import the others if lines are refused")
    parser.add_argument("--batch", type=_batch, default=500, help="users per transaction [%(default)s]")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be imported")


def _batch(text: str) -> int:
    number = int(text)
    if not 0 < number <= 5_000:
        raise argparse.ArgumentTypeError("a batch has 1 to 5000 users")
    return number


def run(args: argparse.Namespace, out: Output) -> int:
    """Carry out one action; 1 where there was nothing to show or to delete."""
    if args.action == "import":
        from . import user_import  # noqa: PLC0415  (database code)

        return user_import.run(args, out)
    engine = open_store(args, keeps_users=True)
    try:
        match args.action:
            case "list":
                return _list(engine, args, out)
            case "show":
                return _show(engine, args, out)
            case _:
                return _delete(engine, args, out)
    finally:
        engine.close()


def _list(engine: Engine, args: argparse.Namespace, out: Output) -> int:
    query = UserQuery(limit=args.limit, newest_first=True, token=args.after, email=args.email)
    page = engine.users.page(cast("str", args.tenant), query)
    out.result({"users": [user.to_json() for user in page.users], "next": page.next_token})
    if not page.users:
        out.complain("there is no such user")
        return 1
    out.table(
        ("USER", "E-MAIL", "JOINED"),
        [(user.id, ", ".join(user.emails), moment(user.time_joined)) for user in page.users],
    )
    if page.next_token is not None:
        out.say(f"there are more: --after {page.next_token}")
    return 0


def _show(engine: Engine, args: argparse.Namespace, out: Output) -> int:
    user = engine.users.find(cast("str", args.user_id))
    if user is None:
        return _nobody(args, out)
    out.result(user.to_json())
    out.facts(_facts(user))
    return 0


def _delete(engine: Engine, args: argparse.Namespace, out: Output) -> int:
    user_id = cast("str", args.user_id)
    if engine.users.find(user_id) is None:
        return _nobody(args, out)
    engine.users.remove(user_id)
    name = store_name(args)
    out.result({"deleted": user_id, "store": name})
    out.say(f"deleted {user_id} in {name}")
    say_how_long_tokens_verify(engine, args, out)
    return 0


def _nobody(args: argparse.Namespace, out: Output) -> int:
    out.complain(with_hint(f"there is no user {args.user_id}", cast("str", args.user_id)))
    return 1


def _facts(user: User) -> dict[str, object]:
    facts: dict[str, object] = {"user": user.id, "joined": moment(user.time_joined)}
    for method in user.login_methods:
        verified = "verified" if method.verified else "not verified"
        facts[f"{method.recipe_id} {method.recipe_user_id}"] = (
            f"{method.email or '-'} ({verified}), in {', '.join(method.tenant_ids) or 'no tenant'}"
        )
    return facts
