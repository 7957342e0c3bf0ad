"""`flask supertokens ...`: the command `supertokens`, on the database of the application."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from supertokens_py.cli import run_for_application


@click.command(
    "supertokens",
    help="Sessions, users and keys of this application, as the command `supertokens` shows them.",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
@with_appcontext
def supertokens(context: click.Context, arguments: tuple[str, ...]) -> None:
    """Hand everything to the command line of the package, and end with its exit code."""
    context.exit(run_for_application(arguments, program="flask supertokens"))
