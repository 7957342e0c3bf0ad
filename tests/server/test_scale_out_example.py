"""The scale-out example: processes behind nginx on one PostgreSQL database or on three nodes of Patroni."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.programs import program

SCRIPT = Path(__file__).parents[2] / "example_apps" / "scale_out" / "run.py"


@pytest.mark.real
@pytest.mark.postgres
@pytest.mark.timeout(150)
def test_the_example_holds_what_it_says(postgres_server: object) -> None:
    """Any process answers, parallel refreshes agree, a killed process and a database restart end nothing."""
    program("nginx", "nginx-light")
    port = random.randrange(20_000, 30_000, 4)
    ran = subprocess.run(
        [sys.executable, str(SCRIPT), "--check", "--port", str(port)],
        capture_output=True,
        text=True,
        timeout=140,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr[-3000:]
    assert ran.stdout.endswith("all good\n")
    assert "recovered after" in ran.stdout


def _in_memory() -> dict[str, str]:
    """Return where to keep three databases: kill -9 takes no written page, of a disk or of memory."""
    memory = Path("/dev/shm")
    has_room = memory.is_dir() and shutil.disk_usage(memory).free > 2 * 1024**3
    return {"TMPDIR": str(memory)} if has_room else {}


@pytest.mark.real
@pytest.mark.timeout(400)
def test_a_primary_that_is_killed_frozen_cut_off_and_demoted_under_load() -> None:
    """No acknowledged session is lost, no log-out undone, nobody logged out, and no process restarted.

    Each time the first write is acknowledged at most two seconds after Patroni names the new primary, and no
    application stays connected to a standby.
    """
    for name, package in (("nginx", "nginx-light"), ("patroni", None), ("etcd", "etcd-server")):
        program(name, package)
    port = random.randrange(20_000, 30_000, 8)
    options = ("--cluster", "--check", "--processes", "2")
    ran = subprocess.run(
        [sys.executable, str(SCRIPT), *options, "--port", str(port)],
        capture_output=True,
        text=True,
        timeout=390,
        env=os.environ | _in_memory(),
    )
    # Whole: the reason comes first, the ends of all nodes' logs after it.
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.endswith("all good\n")
    assert "fail-overs: 4 (kill: 1, freeze: 1, cut: 1, demote: 1); 0 of " in ran.stdout
