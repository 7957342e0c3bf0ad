"""The security documents name tests, files and events; all of them exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from supertokens_py.events import Event

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "SECURITY.md", ROOT / "docs" / "security.md"]


def existing() -> set[str]:
    """The names of all test functions."""
    return {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        if "node_modules" not in path.parts
        for name in re.findall(r"^\s*(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE)
    }


def test_every_named_test_exists() -> None:
    """A claim whose test was renamed or removed is a claim no more."""
    named = re.findall(r"`(test_\w+)`", DOCUMENTS[1].read_text())
    assert len(set(named)) > 60
    assert sorted(set(named) - existing()) == []


def test_every_met_requirement_names_a_test() -> None:
    """ "Met" is shown, "open" and "n/a" are explained."""
    rows = [
        line.split("|")[1:-1] for line in DOCUMENTS[1].read_text().partition("## Against")[2].splitlines()
        if line.startswith("| ") and not line.startswith("| Requirement")
    ]  # fmt: skip
    assert len(rows) > 40
    for requirement, state, reason in rows:
        if state.strip().startswith("met"):
            assert "`test_" in reason, requirement
        else:
            assert state.strip() in ("open", "n/a", "open in part"), requirement
            assert len(reason.strip()) > 10, requirement


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_named_file_exists(document: Path) -> None:
    """Paths in backticks are in the repository."""
    for path in re.findall(r"`((?:tests|docs|scripts|supertokens_py)/[\w./-]+)`", document.read_text()):
        assert (ROOT / path).exists(), path
    assert (ROOT / "scripts" / "fuzz").exists()


def test_every_event_is_described() -> None:
    """The table of the audit log is complete."""
    listed = re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \|", DOCUMENTS[1].read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(kind.name for kind in Event.__subclasses__())
