"""`supertokens import`: copy what we keep from an official core's database into another database."""

from __future__ import annotations

import argparse

from .output import Output

HELP = "copy sessions, keys, roles, metadata and tenants from an official core's database"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""


def run(args: argparse.Namespace, out: Output) -> int:
    """Copy."""
    return 2
