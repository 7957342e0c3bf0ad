"""What commands print: lines in a pipe, a table and a bar on a terminal, one document for programs."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest

from supertokens_py.cli.output import Output

ROWS = [("h-1", "[red]ann"), ("h-2", "bob")]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")


def output(stream: io.StringIO, *, as_json: bool = False) -> tuple[Output, io.StringIO]:
    errors = Terminal()
    return Output(as_json=as_json, stdout=stream, stderr=errors), errors


def test_a_table_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a frame, and what stands in a cell is text: brackets are no colours."""
    monkeypatch.setenv("TERM", "dumb")
    terminal = Terminal()
    output(terminal)[0].table(("HANDLE", "USER"), ROWS)
    assert terminal.getvalue().splitlines() == [
        "┏━━━━━━━━┳━━━━━━━━━━┓",
        "┃ HANDLE ┃ USER     ┃",
        "┡━━━━━━━━╇━━━━━━━━━━┩",
        "│ h-1    │ [red]ann │",
        "│ h-2    │ bob      │",
        "└────────┴──────────┘",
    ]


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_a_table_in_plain_lines(stream: type[io.StringIO], monkeypatch: pytest.MonkeyPatch) -> None:
    """So in a pipe, and on a terminal without the package for frames."""
    if stream is Terminal:
        monkeypatch.setitem(sys.modules, "rich", None)
    printed = stream()
    output(printed)[0].table(("HANDLE", "USER"), ROWS)
    assert printed.getvalue() == "HANDLE  USER\nh-1     [red]ann\nh-2     bob\n"


def test_progress_on_a_terminal() -> None:
    """A bar on the error stream, wiped away at the end; what the command prints stays clean."""
    terminal = Terminal()
    out, errors = output(terminal)
    with out.progress("copied", 4) as progress:
        progress.advance(3)
        progress.advance(1)
    assert "copied" in errors.getvalue()
    assert "100%" in errors.getvalue()
    assert errors.getvalue().endswith("\x1b[2K")
    assert terminal.getvalue() == ""


@pytest.mark.parametrize(
    ("as_json", "total", "printed"), [(False, 4, "copied: 3 of 4\n"), (False, 0, ""), (True, 4, "")]
)
def test_without_a_terminal_progress_is_one_line_at_the_end(as_json: bool, total: int, printed: str) -> None:
    """One line at the end where there was something to do; nothing for programs."""
    pipe = io.StringIO()
    with output(pipe, as_json=as_json)[0].progress("copied", total) as progress:
        progress.advance(3)
    assert pipe.getvalue() == printed


def test_one_document_for_programs() -> None:
    """Lines and tables for people are left out, and errors are JSON, too."""
    pipe = io.StringIO()
    out, errors = output(pipe, as_json=True)
    out.say("hello")
    out.table(("HANDLE", "USER"), ROWS)
    out.facts({"user": "ann"})
    out.result({"user": "ünn"})
    out.complain("no")
    assert json.loads(pipe.getvalue()) == {"user": "ünn"}
    assert json.loads(errors.getvalue()) == {"error": "no"}


def test_a_reader_that_has_enough_is_no_error() -> None:
    """`supertokens … | head` ends in silence."""
    command = [sys.executable, "-m", "supertokens_py.cli", "doctor", "--connection-uri", "sqlite://"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.wait(30) == 0


HOSTILE = "x\x1b[2J\x1b]0;owned\x07\x9b31m\u202e\r\nroot  0"
SHOWN = r"x\x1b[2J\x1b]0;owned\x07\x9b31m\u202e\r\nroot  0"


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_nothing_from_outside_reaches_the_terminal_raw(
    stream: type[io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user id is chosen by others: escape sequences, line breaks and direction marks are spelt out."""
    monkeypatch.setenv("TERM", "dumb")  # on others the frame itself has bold letters
    printed = stream()
    out, errors = output(printed)
    out.say("revoked " + HOSTILE.partition("\r")[0])
    out.facts({"user": HOSTILE})
    out.table(("USER",), [(HOSTILE,)])
    out.complain(f"no session of {HOSTILE}\nsecond line")
    written = printed.getvalue() + errors.getvalue()
    assert written.count(SHOWN.split(r"\r")[0]) == 4
    assert f"revoked {SHOWN.partition(chr(92) + 'r')[0]}\n" in written
    assert f"user  {SHOWN}\n" in written
    assert [char for char in written if not char.isprintable() and char != "\n"] == []


def test_json_is_safe_to_look_at() -> None:
    """The same in JSON, which says the same to a program."""
    printed = io.StringIO()
    out, errors = output(printed, as_json=True)
    out.result({"user": HOSTILE + "\U000e0001", "name": "Łukasz"})
    out.complain(HOSTILE)
    assert json.loads(printed.getvalue()) == {"user": HOSTILE + "\U000e0001", "name": "Łukasz"}
    assert json.loads(errors.getvalue()) == {"error": HOSTILE}
    assert "Łukasz" in printed.getvalue()
    written = printed.getvalue() + errors.getvalue()
    assert [char for char in written if not char.isprintable() and char != "\n"] == []
