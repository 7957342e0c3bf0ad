"""Databases of tests lie in memory where there is room, and leave nothing there."""

from __future__ import annotations

import pytest

from tests.support import memory
from tests.support.memory import in_memory


def test_a_directory_is_gone_afterwards() -> None:
    """Memory that nobody gives back would be missing until the machine starts anew."""
    with in_memory("x") as directory:
        if directory is None:
            pytest.skip("no room in memory here")
        (directory / "below").mkdir()
        (directory / "below" / "file").write_text("x")
        assert directory.parent == memory.SHARED_MEMORY
    assert not directory.exists()


def test_without_room_it_is_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container with 64 MB of it a database would fail halfway through the tests."""
    monkeypatch.setattr(memory, "NEEDED_BYTES", 1 << 60)
    with in_memory("x") as directory:
        assert directory is None
