"""`CONTROL_STATEMENTS.md` lists what the control of sessions promises; a test holds each, or it is open."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
NUMBERS = range(1, 41)

_ROW = re.compile(r"^\| (\d+) \| \S[^|]+ \| ([^|]*) \|$", re.MULTILINE)


def test_every_statement_is_tested_or_said_to_be_open() -> None:
    """A number stands in the docstring of a test, or the table says why there is none; never both."""
    sources = (path.read_text() for path in HERE.rglob("test_*.py") if "node_modules" not in path.parts)
    tested = {int(number) for source in sources for number in re.findall(r"\bCP-(\d+)", source)}
    rows = _ROW.findall((HERE / "CONTROL_STATEMENTS.md").read_text())
    assert [int(number) for number, _ in rows] == [*NUMBERS]
    still_open = {int(number) for number, reason in rows if reason}
    assert tested & still_open == set()
    assert tested | still_open == set(NUMBERS)
