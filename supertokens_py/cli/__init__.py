"""The command `supertokens`. Exit codes: 0 done, 1 the thing asked for failed, 2 the command is wrong."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from typing import Protocol

from supertokens_py.constants import VERSION
from supertokens_py.engine.variable_spelling import misspelt_variables
from supertokens_py.exceptions import ConfigError, SuperTokensError

from . import clean, doctor, importing, keys, schema, serve, sessions, users
from .output import Output
from .parsing import CommandParser

log: logging.Logger = logging.getLogger(__name__)


class Command(Protocol):
    """A module with one command; other front ends (Django, Flask) may offer it as well."""

    @property
    def HELP(self) -> str:  # noqa: N802  (a module constant)
        """What the command does, in a line."""
        ...

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's options."""
        ...

    def run(self, args: argparse.Namespace, out: Output) -> int:
        """Carry it out and return the exit code."""
        ...


COMMANDS: dict[str, Command] = {
    "serve": serve,
    "doctor": doctor,
    "sessions": sessions,
    "users": users,
    "keys": keys,
    "clean": clean,
    "schema": schema,
    "import": importing,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    args = _parser().parse_command(arguments)
    return execute(args.command, args)


def execute(name: str, args: argparse.Namespace, out: Output | None = None) -> int:
    """Run one command on parsed arguments; errors become a line and an exit code."""
    out = out or Output(as_json=bool(getattr(args, "json", False)))
    for variable, meant in misspelt_variables(os.environ):
        log.warning("the environment variable %s is read by nothing; did you mean %s?", variable, meant)
    try:
        return COMMANDS[name].run(args, out)
    except ConfigError as error:
        out.complain(str(error))
        return 2
    except SuperTokensError as error:
        out.complain(str(error))
        return 1
    except KeyboardInterrupt:
        out.complain("interrupted")
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # whoever read the output has enough of it
        return 0


def _parser() -> CommandParser:
    parser = CommandParser(prog="supertokens", description="Sessions of supertokens_py on the command line.")
    parser.add_argument("--version", action="version", version=f"supertokens_py {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        command.configure(commands.add_parser(name, help=command.HELP, description=command.HELP))
    return parser
