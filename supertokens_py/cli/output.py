"""What commands print: tables and progress for people, one JSON document per command for programs."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TextIO

from supertokens_py.formatting import json_text, visible


class Progress(Protocol):
    """Something that is told how far a long step came."""

    def advance(self, amount: int) -> None: ...


class Output:
    """Where a command writes. A class because the form (`--json`, terminal or pipe) is decided once."""

    def __init__(self, *, as_json: bool, stdout: TextIO | None = None, stderr: TextIO | None = None) -> None:
        self.as_json = as_json
        self.stdout: TextIO = sys.stdout if stdout is None else stdout
        self.stderr: TextIO = sys.stderr if stderr is None else stderr
        self._rich = not as_json and self.stdout.isatty() and importlib.util.find_spec("rich") is not None

    def say(self, text: str) -> None:
        """Print a line for people."""
        if not self.as_json:
            self.stdout.write(visible(text, keep="\n\t") + "\n")
            self.stdout.flush()

    def result(self, value: object) -> None:
        """Print the outcome for programs."""
        if self.as_json:
            self.stdout.write(json_text(value, indent=2) + "\n")
            self.stdout.flush()

    def complain(self, text: str) -> None:
        """Print an error, to the error stream."""
        line = json_text({"error": text}) if self.as_json else f"supertokens: {visible(text, keep=chr(10))}"
        self.stderr.write(line + "\n")
        self.stderr.flush()

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print rows for people."""
        if self.as_json:
            return
        texts = [[visible(str(cell)) for cell in row] for row in rows]
        if self._rich:
            self._rich_table(columns, texts)
            return
        widths = [max(map(len, column)) for column in zip(columns, *texts, strict=True)]
        for row in (list(columns), *texts):
            self.say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

    def facts(self, facts: Mapping[str, object]) -> None:
        """Print names and values for people."""
        width = max(map(len, facts), default=0)
        for name, value in facts.items():
            self.say(f"{name.ljust(width)}  {visible(str(value))}")

    @contextmanager
    def progress(self, label: str, total: int) -> Generator[Progress]:
        """Show how far a step came: a bar on a terminal, nothing in JSON, one line elsewhere."""
        if self._rich:
            from rich.console import Console  # noqa: PLC0415
            from rich.progress import Progress as Bars  # noqa: PLC0415

            with Bars(console=Console(file=self.stderr), transient=True) as bars:
                yield _Bar(bars, bars.add_task(label, total=total))
            return
        count = _Count()
        yield count
        if total:
            self.say(f"{label}: {count.done} of {total}")

    def _rich_table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        from rich.console import Console  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        table = Table(*columns)
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        Console(file=self.stdout).print(table)


class _Count:
    done = 0

    def advance(self, amount: int) -> None:
        self.done += amount


class _Bar:
    def __init__(self, bars: Any, task: Any) -> None:
        self._bars = bars
        self._task = task

    def advance(self, amount: int) -> None:
        self._bars.advance(self._task, amount)
