"""`supertokens keys`: which keys are published, and a new one where one may have leaked."""

from __future__ import annotations

import argparse
from typing import Protocol, cast, runtime_checkable

from supertokens_py.bridge import step
from supertokens_py.exceptions import ConfigError

from .output import Output, moment
from .store import add_store_options, open_store

HELP = "list signing keys, and replace the one in use"


@runtime_checkable
class RotatesKeys(Protocol):
    """An engine that owns its signing keys."""

    async def rotate_signing_key(self, *, drop_old: bool = False) -> str:
        """Make a key that signs at once, and return its id."""
        ...


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions of the command."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the published verification keys")
    rotating = actions.add_parser("rotate", help="sign with a new key from now on")
    rotating.add_argument(
        "--drop-old",
        action="store_true",
        help="also stop accepting tokens signed with earlier dynamic keys; sessions go on after a refresh",
    )
    for action in (listing, rotating):
        add_store_options(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, out: Output) -> int:
    """Carry out one action."""
    engine = open_store(args)
    try:
        if args.action == "rotate":
            if not isinstance(engine, RotatesKeys):
                raise ConfigError("a core rotates its keys itself: name its database with --connection-uri")
            kid = step(engine.rotate_signing_key(drop_old=cast("bool", args.drop_old)))
            out.result({"kid": kid, "dropped_old": bool(args.drop_old)})
            out.say(f"access tokens are now signed with {kid}")
            return 0
        jwks = step(engine.jwks())
    finally:
        engine.close()
    keys = [_described(key["kid"]) for key in jwks.keys]
    out.result({"keys": keys, "max_age_s": jwks.max_age_s})
    out.table(
        ("KEY", "KIND", "CREATED"),
        [(key["kid"], key["kind"], moment(cast("int | None", key["created_ms"]))) for key in keys],
    )
    return 0


def _described(kid: str) -> dict[str, object]:
    kind, _, rest = kid.partition("-")
    if kind == "d" and rest.isdecimal():
        return {"kid": kid, "kind": "dynamic", "created_ms": int(rest)}
    return {"kid": kid, "kind": "static" if kind == "s" else "unknown", "created_ms": None}
