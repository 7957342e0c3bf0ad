"""`supertokens clean`: delete what has expired now, instead of at the engine's own next clean-up."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any, Protocol, runtime_checkable

from supertokens_py.exceptions import ConfigError

from .output import Output
from .store import add_store_options, open_store, store_name

HELP = "delete expired sessions and keys"


@runtime_checkable
class CleansUp(Protocol):
    """An engine that owns its database."""

    def clean_up(self) -> Any:
        """Delete what has expired, and return how much that was."""
        ...


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_store_options(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, out: Output) -> int:
    """Clean up once."""
    engine = open_store(args)
    try:
        if not isinstance(engine, CleansUp):
            raise ConfigError("a core cleans up itself: name its database with --connection-uri")
        counts = asdict(engine.clean_up())
    finally:
        engine.close()
    name = store_name(args)
    out.result({**counts, "store": name})
    out.say(f"deleted in {name}:")
    out.facts(counts)
    return 0
