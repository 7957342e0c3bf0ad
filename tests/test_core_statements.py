"""Every statement of the engine's checklist is held by a test or does not apply, for a reason."""

import re
from pathlib import Path

HERE = Path(__file__).parent
STATEMENTS = set(range(1, 107))


def test_every_statement_is_tested_or_explained() -> None:
    """A number stands in a docstring, or in the table of those that do not apply; never in both."""
    sources = (path.read_text() for path in HERE.rglob("test_*.py") if "node_modules" not in path.parts)
    tested = {int(number) for source in sources for number in re.findall(r"\bCS-(\d+)", source)}
    rows = re.findall(r"^\| (\d+) \| \S.+ \|$", (HERE / "CORE_STATEMENTS.md").read_text(), re.MULTILINE)
    explained = {int(number) for number in rows}
    assert tested & explained == set()
    assert tested | explained == STATEMENTS
