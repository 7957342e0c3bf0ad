"""`supertokens keys`: list keys, renew those that may have leaked, encrypt them at rest."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from typing import cast

from supertokens_py.engine.interface import Engine
from supertokens_py.engine.renewal import OwnsKeys, PublishedKey, RenewalOrder, Renewed
from supertokens_py.exceptions import ConfigError
from supertokens_py.formatting import counted, moment
from supertokens_py.secret import new_secret

from .output import Output
from .store import add_store_options, open_store, store_name

HELP = "list and renew the keys of access and refresh tokens, and encrypt them"

_DAY_MS = 86_400_000
_MAX_DAYS = 36_500


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions of the command."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the published verification keys")
    rotating = actions.add_parser("rotate", help="sign access tokens with a new key from now on")
    rotating.add_argument(
        "--drop-old",
        action="store_true",
        help="a key may have leaked: also refuse tokens signed with earlier keys, static ones included; "
        "sessions go on after a refresh",
    )
    static = rotating.add_mutually_exclusive_group()
    static.add_argument("--static", action="store_true", help="also the static key, which signs JWTs")
    static.add_argument(
        "--keep-static",
        action="store_true",
        help="with --drop-old: the static key did not leak; JWTs that it signed stay valid",
    )
    renewing = actions.add_parser("renew", help="replace keys of a leaked database, or of a clone of one")
    which = renewing.add_mutually_exclusive_group(required=True)
    which.add_argument("--all", action="store_true", help="every key; earlier tokens are not accepted")
    which.add_argument("--refresh", action="store_true", help="the key of the refresh tokens only")
    renewing.add_argument(
        "--keep-sessions",
        type=_days,
        metavar="DAYS",
        help="accept earlier refresh tokens for so long; without it, every session ends",
    )
    encrypting = actions.add_parser("encrypt", help="encrypt every key with $SUPERTOKENS_ENCRYPTION_KEY")
    for action in (listing, rotating, renewing, encrypting):
        add_store_options(action)
        action.add_argument("--json", action="store_true", help="print JSON")
    secret = actions.add_parser("secret", help="print a random secret for SUPERTOKENS_ENCRYPTION_KEY")
    secret.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, out: Output) -> int:
    """Carry out one action."""
    if args.action == "secret":
        return _print_secret(out)
    engine = open_store(args)
    try:
        if args.action == "list":
            return _list(engine, out)
        if not isinstance(engine.keys, OwnsKeys):
            raise ConfigError("a core renews its keys itself: name its database with --connection-uri")
        if args.action == "encrypt":
            return _encrypt(engine.keys, store_name(args), out)
        order = _order(args)
        _report(order, engine.keys.renew(order), store_name(args), out)
        return 0
    finally:
        engine.close()


def _days(text: str) -> int:
    days = int(text)
    if not 0 < days <= _MAX_DAYS:
        raise ValueError(text)
    return days


def _order(args: argparse.Namespace) -> RenewalOrder:
    if args.action == "rotate":
        return RenewalOrder(
            dynamic=True,
            static=cast("bool", args.static),
            keep_static=cast("bool", args.keep_static),
            drop_old=cast("bool", args.drop_old),
        )
    days = cast("int | None", args.keep_sessions)
    every = cast("bool", args.all)
    keep_ms = None if days is None else days * _DAY_MS
    return RenewalOrder(dynamic=every, static=every, master=True, drop_old=every, keep_sessions_ms=keep_ms)


def _report(order: RenewalOrder, renewed: Renewed, store: str, out: Output) -> None:
    out.result(
        {
            "kid": renewed.dynamic,
            "static_kid": renewed.static,
            "refresh_token_key": renewed.master,
            "dropped_old": order.drop_old,
            "sessions_ended": renewed.sessions_ended,
            "store": store,
        }
    )
    out.say(f"renewed in {store}:")
    for line in _told(order, renewed):
        out.say(line)


def _told(order: RenewalOrder, renewed: Renewed) -> Iterator[str]:
    """Yield what was done to each family, what was not, and what follows for tokens and processes."""
    if renewed.dynamic is not None:
        earlier = "earlier ones were deleted" if order.drop_old else "earlier ones verify until they expire"
        yield f"dynamic signing key: access tokens are now signed with {renewed.dynamic}; {earlier}"
    if renewed.static is not None:
        earlier = "earlier ones were deleted, JWTs signed with them included" if order.drop_old else (
            "earlier ones still verify"
        )  # fmt: skip
        yield f"static signing key: {renewed.static} now signs; {earlier}"
    elif order.dynamic:
        yield "static signing key: kept, what it signed is accepted; --static renews it"
    if renewed.master and order.keep_sessions_ms is not None:
        days = counted(order.keep_sessions_ms // _DAY_MS, "day")
        yield f"key of refresh tokens: new; refresh tokens from before are accepted for {days}"
    elif renewed.master:
        yield f"key of refresh tokens: new; {counted(renewed.sessions_ended, 'session')} ended"
    else:
        yield "key of refresh tokens: not renewed; `keys renew` renews it"
    if order.drop_old and not renewed.master:
        yield "sessions go on: their access tokens are refused until the next refresh"
    yield (
        "processes that are running go on with the earlier keys for up to a minute, other services that "
        "verify tokens for up to five; restart what cannot wait"
    )


def _encrypt(keys: OwnsKeys, store: str, out: Output) -> int:
    changed = keys.encrypt()
    out.result({"encrypted": changed, "store": store})
    out.say(
        f"{counted(changed, 'key')} encrypted in {store}; "
        "every key is encrypted with $SUPERTOKENS_ENCRYPTION_KEY now"
    )
    out.say(
        "backups from before hold the earlier keys in clear: `supertokens keys renew` makes them worthless"
    )
    return 0


def _print_secret(out: Output) -> int:
    secret = new_secret()
    out.result({"encryption_key": secret})
    out.say(secret)
    return 0


def _list(engine: Engine, out: Output) -> int:
    jwks = engine.keys.jwks()
    keys = [PublishedKey.of(key["kid"]) for key in jwks.keys]
    out.result({"keys": [asdict(key) for key in keys], "max_age_s": jwks.max_age_s})
    out.table(("KEY", "KIND", "CREATED"), [(key.kid, key.kind, moment(key.created_ms)) for key in keys])
    return 0
