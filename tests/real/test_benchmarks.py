"""Each benchmark starts, measures each case once, and says what it found: the figures mean nothing here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.programs import missing

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]  # the first test installs the peers

ROOT = Path(__file__).parents[2]
#: A row that each suite prints, and with it the contestant that this row is about.
ROWS = {
    "micro": "ours: get_session(request), cookie",
    "http": "Starlette, uvicorn, token in a cookie",
    "engine": "ours, PostgreSQL: refresh, sync",
    "throughput": "pgbench, the statement alone",
    "scale": "SQLite, 2,000 sessions: revoke by user",
    "size": "PostgreSQL, 2,000 sessions: sweep 500 expired",
    "growth": "refresh: by hand, in partitions",
    "control": "PostgreSQL, on: refresh",
    "signin": "ours: POST /auth/signin",
    "enumeration": "reset: p of two runs in three",
    "revocation": "ours: a known token, instant_revocation",
    "binding": "ours: device_binding on, bound",
    "memory": "verified tokens: growth at 3 x the bound / at the bound",
    "import": "ours: recipe.session + init",
}


def run(results: Path, *arguments: str) -> str:
    """Return what `benchmarks/run` printed, which makes an environment for the peers at its first run."""
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "run", *arguments, "--once"],
        cwd=ROOT,
        env={**os.environ, "SUPERTOKENS_BENCHMARK_RESULTS": str(results)},
        capture_output=True,
        text=True,
        check=False,
    )
    if "The peers could not be installed" in done.stderr:
        missing(f"this test needs the packages of benchmarks/requirements-peers.txt: {done.stderr[-500:]}")
    assert done.returncode == 0, done.stderr[-4000:]
    assert "left out" not in done.stderr + done.stdout
    return done.stdout


@pytest.mark.parametrize("suite", ROWS)
def test_a_suite_prints_its_table(suite: str, tmp_path: Path) -> None:
    """JSON and charts as well: those of people who have measured are not touched."""
    text = run(tmp_path, suite, "--only", "starlette" if suite == "http" else "flask")
    assert ROWS[suite] in text
    report = json.loads((tmp_path / f"{suite}.json").read_text())
    assert all(claim["measured"] is not None for claim in report["claims"])
    assert sum(len(group["rows"]) for group in report["groups"]) > 1
    charts = {path.suffix for path in tmp_path.iterdir()} - {".json"}
    assert charts == ({".png", ".svg"} if suite != "enumeration" else set())


def test_a_commit_beside_the_working_tree(tmp_path: Path) -> None:
    history = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, check=False)
    if history.returncode:
        pytest.skip("this copy of the source has no history to compare with")
    text = run(tmp_path, "micro", "engine", "--against", "HEAD", "--only", "flask")
    assert "ours: token alone, repeated" in text
    assert "ours, SQLite: create, sync" in text


def test_all_suites_are_known_here() -> None:
    """A new one is added to the table above."""
    shown = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "run"], capture_output=True, text=True, check=True
    ).stdout
    listed = [line.split()[0] for line in shown.partition("suites:\n")[2].splitlines() if line.strip()]
    assert sorted(listed) == sorted(ROWS)
