"""The command line's parser: its errors repeat no value, for that could be a password or a key."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NoReturn, cast

_NOTHING_TYPED = tuple(f"the following arguments are required: {what}" for what in ("COMMAND", "ACTION"))
#: What argparse repeats from the command line, after words of its own and before a list of choices.
_REPEATED = re.compile(
    r"(?P<before>invalid choice: |invalid \w+ value: |ignored explicit argument |ambiguous option: [^\s=]+=)"
    r"(?P<value>.*?)(?P<after> \(choose from .*| could match .*)?\Z",
    re.DOTALL,
)
_WORD = re.compile(r"'[A-Za-z-]{1,20}'")


class CommandParser(argparse.ArgumentParser):
    """Prints its help where a command or an action is needed and nothing was typed."""

    def parse_command(self, arguments: Sequence[str] | None) -> argparse.Namespace:
        """Return the arguments; what no command knows ends in an error of the command that was meant."""
        args, unknown = self.parse_known_args(arguments)
        if unknown:
            meant = self
            while (deeper := meant._chosen(args)) is not None:
                meant = deeper
            meant.error(meant._explained(unknown))
        return args

    def error(self, message: str) -> NoReturn:
        if message in _NOTHING_TYPED:
            self.print_help()
            self.exit(0)
        super().error(without_values(message))

    def _chosen(self, args: argparse.Namespace) -> CommandParser | None:
        """Return the parser of the command or action that was typed."""
        for action in self._actions:
            choices: object = action.choices
            if isinstance(choices, dict):  # of names and parsers; an option has a tuple of texts
                parsers = cast("dict[str, CommandParser]", choices)
                return parsers.get(str(getattr(args, action.dest)))
        return None

    def _explained(self, unknown: Sequence[str]) -> str:
        names = [text.partition("=")[0] for text in unknown if re.match("--?[A-Za-z]", text)]
        if not names:
            return "there are more words than this command takes"
        name = names[0]
        meant = get_close_matches(name, self._option_string_actions, n=1, cutoff=0.7)
        return f"there is no option {name}" + (f": did you mean {meant[0]}?" if meant else "")


def without_values(message: str) -> str:
    """Return an error of argparse without what was typed, unless that is a plain word."""

    def shown(match: re.Match[str]) -> str:
        value = match["value"] if _WORD.fullmatch(match["value"]) else "..."
        return f"{match['before']}{value}{match['after'] or ''}"

    return _REPEATED.sub(shown, message, count=1)
