"""`supertokens users import`: users of another system, from a file, with the hashes of their passwords.

The whole file is checked before anything is written. Users are written batch by batch, and a run that was
interrupted is simply repeated.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import cast

from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.embedded.engine import EmbeddedEngine
from supertokens_py.engine.embedded.importing.users import Arrival, ImportedUser, UserImport
from supertokens_py.exceptions import ConfigError
from supertokens_py.formatting import counted

from .output import Output, visible
from .store import connection_uri, engine_settings, is_remote, refuse_missing_file, store_name
from .user_files import Inactive, Reading, Record, Refused, form_of, read, unused_columns

_SHOWN = 20  # reasons; the rest are counted


@dataclass(slots=True)
class Summary:
    """What became of the records of a file."""

    imported: int = 0
    present: int = 0
    inactive: int = 0
    without_password: int = 0
    roles: Counter[str] = field(default_factory=Counter[str])  #: how many users are given each
    in_use: int = 0  #: users whose id has sessions, roles or metadata already
    refused: int = 0
    reasons: list[Refused] = field(default_factory=list[Refused])

    def refuse(self, number: int, reason: str) -> None:
        """Count a record that is not imported, and keep the first reasons."""
        self.refused += 1
        if len(self.reasons) < _SHOWN:
            self.reasons.append(Refused(number, reason))


def run(args: argparse.Namespace, out: Output) -> int:
    """Check the file, write its users, and say what became of them; 1 where some were refused."""
    uri = connection_uri(args)
    if is_remote(uri):
        raise ConfigError("--connection-uri must be the database that keeps the users, not a core")
    refuse_missing_file(uri)
    settings = engine_settings(args)
    reading = _reading(args, settings)
    ignored = unused_columns(reading)
    if ignored:
        names = visible(", ".join(ignored))
        out.say(f"not imported: {names} (--metadata COLUMN keeps a column as metadata)")
    checked = _checked(reading)
    with closing(EmbeddedEngine(uri, settings, may_create=False, keeps_users=True)) as engine:
        users = UserImport(engine, settings, cast("str", args.tenant))
        users.check_tenant()
        _look_for_roles(users, checked, out, args)
        summary = checked
        if not checked.refused or args.skip_refused:
            summary = _import(users, reading, checked, out, args)
    return _report(summary, out, args, wrote=summary is not checked and not args.dry_run)


def _reading(args: argparse.Namespace, settings: ResolvedEngineConfig) -> Reading:
    path = Path(cast("str", args.file))
    return Reading(
        path=path,
        form=args.format or form_of(path),
        metadata_columns=tuple(cast("list[str]", args.metadata or [])),
        reset_passwords=args.reset_passwords,
        flask_security=args.flask_security,
        single_hash=args.single_hash,
        has_salt=settings.flask_security_password_salt is not None,
    )


def _checked(reading: Reading) -> Summary:
    """Read the whole file once; count what could be imported, and keep why some could not."""
    summary = Summary()
    with read(reading) as records:
        for record in records:
            if (user := _user_or_count(record, summary)) is not None:
                summary.imported += 1
                summary.without_password += user.password_hash is None
                summary.roles.update(set(user.roles))
    return summary


def _user_or_count(record: Record, summary: Summary) -> ImportedUser | None:
    match record:
        case Refused(number, reason):
            summary.refuse(number, reason)
        case Inactive():
            summary.inactive += 1
        case _:
            return record
    return None


def _look_for_roles(users: UserImport, checked: Summary, out: Output, args: argparse.Namespace) -> None:
    missing = users.missing_roles(checked.roles) if checked.roles else []
    if not missing:
        return
    names = visible(", ".join(missing))
    if not args.create_roles:
        raise ConfigError(f"there are no such roles: {names}: create them first, or use --create-roles")
    if not args.dry_run:
        users.create_roles(missing)
    out.say(f"new roles, without permissions: {names}")


def _import(
    users: UserImport, reading: Reading, checked: Summary, out: Output, args: argparse.Namespace
) -> Summary:
    summary = Summary()
    write = users.preview if args.dry_run else users.write
    label = "checked" if args.dry_run else "imported"
    with read(reading) as records, out.progress(label, checked.imported) as progress:
        for batch in _batches(_users(records, summary), args.batch):
            in_use = users.in_use(batch)
            for user, outcome in zip(batch, write(batch), strict=True):
                _count(summary, user, outcome, in_use)
            progress.advance(len(batch))
    return summary


def _batches(users: Iterator[ImportedUser], size: int) -> Iterator[list[ImportedUser]]:
    while batch := list(islice(users, size)):
        yield batch


def _users(records: Iterable[Record], summary: Summary) -> Iterator[ImportedUser]:
    for record in records:
        if (user := _user_or_count(record, summary)) is not None:
            yield user


def _count(
    summary: Summary, user: ImportedUser, outcome: Arrival | str, in_use: Container[str | None]
) -> None:
    match outcome:
        case Arrival.IMPORTED:
            summary.imported += 1
            summary.without_password += user.password_hash is None
            summary.roles.update(set(user.roles))
            summary.in_use += user.user_id in in_use
        case Arrival.PRESENT:
            summary.present += 1
        case reason:
            summary.refuse(user.number, reason)


def _report(summary: Summary, out: Output, args: argparse.Namespace, *, wrote: bool) -> int:
    store = store_name(args)
    out.result(
        {
            "imported": summary.imported if wrote else 0,
            "importable": summary.imported,
            "present": summary.present,
            "inactive": summary.inactive,
            "without_password": summary.without_password,
            "roles": dict(sorted(summary.roles.items())),
            "ids_in_use": summary.in_use,
            "refused": summary.refused,
            "reasons": [{"line": one.number, "reason": one.reason} for one in summary.reasons],
            "store": store,
            "tenant": args.tenant,
        }
    )
    for line in _lines(summary, store, wrote=wrote, tenant=cast("str", args.tenant)):
        out.say(visible(line))
    for one in summary.reasons:
        out.complain(visible(f"line {one.number}: {one.reason}"))
    if summary.refused:
        out.complain(_advice(summary, args, wrote=wrote))
    return 1 if summary.refused else 0


def _lines(summary: Summary, store: str, *, wrote: bool, tenant: str) -> Iterator[str]:
    action = "imported" if wrote else "would be imported (nothing was written):"
    yield f"{action} {counted(summary.imported, 'user')} into {store}, tenant {tenant}"
    if summary.present:
        yield f"already there, left as they are: {counted(summary.present, 'user')}"
    if summary.inactive:
        yield f"left out, for they are not active: {counted(summary.inactive, 'user')}"
    if summary.without_password:
        yield f"without a password, until they reset it: {counted(summary.without_password, 'user')}"
    yield from _given(summary)


def _given(summary: Summary) -> Iterator[str]:
    """Yield what users get besides a way to sign in: look whether they should."""
    if summary.roles:
        roles = (f"{role} ({counted(count, 'user')})" for role, count in sorted(summary.roles.items()))
        yield f"with roles: {', '.join(roles)}"
    if summary.in_use:
        yield (
            f"{counted(summary.in_use, 'user')} get a user id that has sessions, roles or metadata already, "
            "which become theirs"
        )


def _advice(summary: Summary, args: argparse.Namespace, *, wrote: bool) -> str:
    more = summary.refused - len(summary.reasons)
    said = f" ({more} more)" if more > 0 else ""
    refused = f"{counted(summary.refused, 'line')} refused{said}"
    if wrote:
        return f"{refused}: correct them and run the command again, it imports what is missing"
    if args.skip_refused or args.dry_run:
        return refused
    return f"{refused}, so nothing was written: correct them, or import the others with --skip-refused"
