"""Databases of tests lie in memory where there is room, and leave nothing there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

from tests.support import memory
from tests.support.databases import Sqlite
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


def run_of_tests() -> tuple[subprocess.Popen[str], Path]:
    """Start another process that has a directory in memory."""
    script = (
        "from tests.support.memory import in_memory\n"
        "with in_memory('x') as directory:\n"
        "    (directory / 'database').touch()\n"
        "    print(directory, flush=True)\n"
        "    input()\n"
    )
    run = subprocess.Popen([sys.executable, "-c", script], stdin=PIPE, stdout=PIPE, text=True)
    assert run.stdout is not None
    return run, Path(run.stdout.readline().strip())


def test_what_a_killed_run_has_left_goes_and_what_another_run_has_stays() -> None:
    with in_memory("x") as directory:
        if directory is None:
            pytest.skip("no room in memory here")
        (killed, left), (other, used) = run_of_tests(), run_of_tests()
        killed.kill()
        killed.communicate()
        assert (left / "database").exists()
        with in_memory("x"):
            assert not left.exists()
            assert directory.exists()
            assert (used / "database").exists()
        other.communicate("\n")
        assert (other.returncode, used.exists()) == (0, False)


def test_databases_of_tests_that_are_over_go_and_templates_stay(tmp_path: Path) -> None:
    files = Sqlite(tmp_path)
    databases = [files.create(), files.create(users=True)]
    for database in databases:
        database.query("PRAGMA journal_mode = WAL")
    Path(databases[0].path).with_name("test_made_a_directory.db").mkdir()
    files.remove()
    assert sorted(path.name for path in tmp_path.glob("*.db*")) == ["template.db", "template_users.db"]
    assert files.create().columns("session_info") != []
