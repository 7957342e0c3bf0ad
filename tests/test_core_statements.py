"""`CORE_STATEMENTS.md` lists what the engine promises; each statement is held by a test or does not apply."""

import re
from pathlib import Path

HERE = Path(__file__).parent
COUNT = 106

_ROW = re.compile(r"^\| (\d+) \| \S[^|]+ \| ([^|]*) \|$", re.MULTILINE)


def test_every_statement_is_tested_or_explained() -> None:
    """A number stands in the docstring of a test, or the table says why it does not apply; never both."""
    sources = (path.read_text() for path in HERE.rglob("test_*.py") if "node_modules" not in path.parts)
    tested = {int(number) for source in sources for number in re.findall(r"\bCS-(\d+)", source)}
    rows = _ROW.findall((HERE / "CORE_STATEMENTS.md").read_text())
    assert [int(number) for number, _ in rows] == list(range(1, COUNT + 1))
    explained = {int(number) for number, reason in rows if reason}
    assert tested & explained == set()
    assert tested | explained == set(range(1, COUNT + 1))
