"""`supertokens import`: copy what we keep from an official core's database into another database."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, cast

from supertokens_py.exceptions import ConfigError
from supertokens_py.formatting import counted

from .output import Output
from .store import add_store_options, connection_uri, engine_settings, is_remote, store_name

if TYPE_CHECKING:
    from supertokens_py.engine.embedded.importing.transfer import Copied, LeftBehind, Transfer

HELP = "copy users, sessions, keys, roles, metadata and tenants from another database"
FROM_URI = "SUPERTOKENS_IMPORT_FROM"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_store_options(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--from", dest="source", metavar="URI", help=f"the database to copy from [${FROM_URI}]"
    )
    parser.add_argument("--from-schema", metavar="NAME", help="its schema [the connection's own]")
    parser.add_argument("--from-prefix", metavar="TEXT", default="", help="prefix of its table names [none]")
    parser.add_argument("--batch", type=_batch, default=1000, help="rows per transaction [%(default)s]")
    parser.add_argument("--dry-run", action="store_true", help="only count what would be copied")


def run(args: argparse.Namespace, out: Output) -> int:
    """Copy, or go on where an interrupted run stopped; 1 if users stay behind or a row did not arrive."""
    from supertokens_py.engine.embedded.importing.transfer import (  # noqa: PLC0415  (database code)
        Origin,
        open_transfer,
    )

    uri = connection_uri(args)
    if is_remote(uri):
        raise ConfigError("--connection-uri must be the database to copy into")
    out.say(f"destination: {store_name(args)}")
    from_uri = cast("str | None", args.source) or os.environ.get(FROM_URI, "").strip()
    if not from_uri:
        raise ConfigError(f"say where to copy from: --from postgresql://… or ${FROM_URI}")
    origin = Origin(uri=from_uri, schema=args.from_schema, prefix=args.from_prefix)
    with open_transfer(origin, uri, engine_settings(args), batch=args.batch) as transfer:
        for loss in transfer.left_behind().users:
            out.say(f"WARN  {loss}")
        if args.dry_run:
            return _report(transfer.counts(), transfer.left_behind(), out, dry_run=True)
        transfer.begin()
        return _copy(transfer, out)


def _copy(transfer: Transfer, out: Output) -> int:
    if transfer.resumes:
        out.say("continuing an interrupted import: what has arrived is compared, the rest is copied")
    counts = transfer.counts()
    with out.progress("copied", sum(count.source for count in counts)) as progress:
        transfer.run(counts, progress.advance)
    transfer.finish()
    return _report(counts, transfer.left_behind(), out, dry_run=False)


def _report(counts: Sequence[Copied], left_behind: LeftBehind, out: Output, *, dry_run: bool) -> int:
    arrived = dry_run or all(count.source <= count.copied == count.verified for count in counts)
    notes, losses = list(_notes(left_behind)), list(left_behind.users)
    out.result(
        {
            "tables": [asdict(count) for count in counts],
            "ended_sessions": next((one.removed for one in counts if one.table == "session_info"), 0),
            "notes": notes,
            "losses": losses,
            "complete": arrived and not losses and not dry_run,
        }
    )
    if dry_run:
        out.table(("TABLE", "ROWS"), [(count.table, count.source) for count in counts])
    else:
        rows = [(count.table, count.source, count.copied, count.verified) for count in counts]
        out.table(("TABLE", "SOURCE", "COPIED", "VERIFIED"), rows)
    removed = [counted(one.removed, one.row_name) for one in counts if one.removed]
    if removed:
        out.say(f"removed here, since the source does not have them: {', '.join(removed)}")
    for note in notes:
        out.say(f"note: {note}")
    if not arrived:
        out.complain("not every row arrived: run the command again")
    for loss in losses:
        out.complain(loss)
    return 0 if arrived and not losses else 1


def _notes(left: LeftBehind) -> Iterator[str]:
    """Yield what the operator should know about rows that stay behind."""
    if left.sessions_of_other_apps:
        sessions = counted(left.sessions_of_other_apps, "session")
        yield f"not copied, for one database serves one app: {sessions} of other apps"
    if left.users_of_other_apps:
        users = counted(left.users_of_other_apps, "user")
        yield f"not copied, for one database serves one app: {users} of other apps"
    if left.oldest_signing_key:
        yield "a signing key of the oldest form is not copied: start a newer core once, which moves it"


def _batch(text: str) -> int:
    number = int(text)
    if not 0 < number <= 5_000:
        raise argparse.ArgumentTypeError("a batch has 1 to 5000 rows")
    return number
