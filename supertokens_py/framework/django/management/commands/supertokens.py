"""`manage.py supertokens ...`: the command `supertokens`, on the database of this project."""

from __future__ import annotations

import argparse
from typing import Any, Literal

from django.core.management.base import BaseCommand, CommandError, CommandParser

from supertokens_py.cli import run_for_application
from supertokens_py.framework.django.browser_checks import allowed_origins


class Command(BaseCommand):
    """Hands its arguments to the command line of the package."""

    help = "Sessions, users and keys: `manage.py supertokens sessions list USER`, as `supertokens` does it."
    requires_system_checks: list[str] | tuple[str, ...] | Literal["__all__"] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Take everything: the command line of the package knows its own."""
        parser.add_argument("arguments", nargs=argparse.REMAINDER, help="those of the command `supertokens`")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command; its exit code is this command's."""
        code = run_for_application(
            [*args, *options["arguments"]],
            program="manage.py supertokens",
            stdout=self.stdout,
            stderr=self.stderr,
            cors_origins=allowed_origins(),
        )
        if code:
            raise CommandError("the command supertokens failed", returncode=code)
