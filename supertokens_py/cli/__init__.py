"""The command `supertokens`. Exit codes: 0 done, 1 the thing asked for failed, 2 the command is wrong."""

from __future__ import annotations

import argparse
import functools
import logging
import os
import sys
from collections.abc import Sequence
from typing import Any, Protocol

from supertokens_py.app import Supertokens
from supertokens_py.constants import VERSION
from supertokens_py.engine.environment_variables import misspelt_variables
from supertokens_py.exceptions import ConfigError, SuperTokensError

from . import admin, clean, doctor, importing, keys, restored, roles, schema, serve, sessions, users, webhooks
from .output import Output
from .parsing import CommandParser
from .store import mean_application

log: logging.Logger = logging.getLogger(__name__)

_NO_APPLICATION = (
    "the application did not call supertokens_py.init(...) while it was loaded, so its database is unknown: "
    "call it there, or name the database with --connection-uri"
)


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
    "admin": admin,
    "sessions": sessions,
    "users": users,
    "roles": roles,
    "webhooks": webhooks,
    "keys": keys,
    "clean": clean,
    "restored": restored,
    "schema": schema,
    "import": importing,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    args = _parser().parse_command(arguments)
    return execute(args.command, args)


def run_for_application(
    arguments: Sequence[str],
    *,
    program: str,
    stdout: Any = None,
    stderr: Any = None,
    cors_origins: Sequence[str] | None = None,
) -> int:
    """Run the command line of a framework, such as `manage.py`; return the exit code.

    Without --connection-uri it works on the database or core of the application, with its engine settings;
    where `init` was not called, that is an error of the command (2). `doctor` checks the domains and cookies
    of the application as well.

    Args:
        arguments: those of the command line.
        program: what help and messages call it.
        stdout: where output goes; None: where that of Python goes.
        stderr: where complaints go.
        cors_origins: origins that the framework's CORS layer allows, for `doctor`; None: not known.
    """
    args = _parser(program).parse_command(arguments)
    out = Output(as_json=bool(getattr(args, "json", False)), stdout=stdout, stderr=stderr)
    if getattr(args, "connection_uri", "") is None:
        app = Supertokens.current()
        if app is None:
            out.complain(_NO_APPLICATION)
            return 2
        mean_application(args, app)
        args.application, args.application_cors = app, cors_origins
    return execute(args.command, args, out)


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


@functools.cache  # an application may run many commands in one process
def _parser(program: str = "supertokens") -> CommandParser:
    parser = CommandParser(prog=program, description="Sessions of supertokens_py on the command line.")
    parser.add_argument("--version", action="version", version=f"supertokens_py {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        command.configure(commands.add_parser(name, help=command.HELP, description=command.HELP))
    return parser
