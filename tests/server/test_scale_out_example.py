"""The scale-out example: two processes behind nginx on one PostgreSQL database, with a restart of it."""

from __future__ import annotations

import random
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
