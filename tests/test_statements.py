"""`STATEMENTS.md` lists what the wire protocol promises, and for each statement the tests that hold it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TABLE = HERE / "STATEMENTS.md"
COUNT = 118

_ROW = re.compile(r"^\| (\d+) \| (\S[^|]+) \| ([^|]+) \| ([^|]*) \|$", re.MULTILINE)
_TEST = re.compile(
    r"^(?:    )?(?:async )?def (test_\w+)\(.*?\) -> None:\n\s+\"\"\"(.*?)\"\"\"", re.MULTILINE | re.DOTALL
)


def named_tests() -> dict[str, set[int]]:
    """Every test with statement numbers in its docstring: `path::name` to the numbers."""
    found: dict[str, set[int]] = {}
    for path in HERE.rglob("test_*.py"):
        for name, docstring in _TEST.findall(path.read_text(encoding="utf-8")):
            numbers = {int(number) for number in re.findall(r"FP-(\d+)", docstring)}
            if numbers:
                found[f"{path.relative_to(HERE).as_posix()}::{name}"] = numbers
    return found


def rows() -> list[tuple[int, list[str]]]:
    """The table: number and tests of each statement that says something."""
    text = TABLE.read_text(encoding="utf-8")
    return [(int(number), re.findall(r"`([^`]+)`", tests)) for number, _, tests, _ in _ROW.findall(text)]


def test_every_statement_is_held_by_a_test() -> None:
    """Each number stands in the docstring of some test, and in the table, in order."""
    held = set().union(*named_tests().values())
    assert set(range(1, COUNT + 1)) - held == set()
    assert [number for number, _ in rows()] == list(range(1, COUNT + 1))


def test_the_table_names_real_tests() -> None:
    """Each test in the table exists and has the statement's number in its docstring."""
    tests = named_tests()
    for number, names in rows():
        assert names, f"statement {number} has no test"
        for name in names:
            if number not in tests.get(name, set()):
                pytest.fail(f"statement {number}: {name} does not exist or does not say FP-{number}")
