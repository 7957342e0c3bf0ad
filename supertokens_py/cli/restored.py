"""`supertokens restored`: say that the database was restored from a back-up, before processes use it."""

from __future__ import annotations

import argparse
from typing import Protocol, runtime_checkable

from supertokens_py.exceptions import ConfigError
from supertokens_py.formatting import moment

from .output import Output
from .store import add_store_options, open_store, store_name

HELP = "say that the database was just restored from a back-up, so that nobody is taken for a thief"


@runtime_checkable
class MarksRestores(Protocol):
    """The keys of an engine that owns its database."""

    def mark_restored(self) -> int:
        """Note that the database was restored; return when (Unix ms)."""
        ...


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_store_options(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, out: Output) -> int:
    """Note the restore, and say what follows."""
    engine = open_store(args)
    try:
        if not isinstance(engine.keys, MarksRestores):
            raise ConfigError("a core keeps its database itself: name that with --connection-uri")
        restored_ms = engine.keys.mark_restored()
    finally:
        engine.close()
    name = store_name(args)
    out.result({"restored_ms": restored_ms, "store": name})
    out.say(f"{name} was restored at {moment(restored_ms)}:")
    for line in _FOLLOWS:
        out.say(f"- {line}")
    return 0


_FOLLOWS = (
    "who was logged in at the back-up stays so: tokens tell that they are newer than the database",
    "where they cannot (an official core shares the database, or the grace period is below 5 s), who "
    "refreshed more than once since logs in again; that is reported as no theft",
    "who logged in since the back-up logs in again",
    "sessions that were revoked since the back-up exist again: `supertokens keys renew --all` ends them all",
    "processes that are running learn of this within a minute: restart them",
)
