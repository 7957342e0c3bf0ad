"""A second checkout of the repository to measure beside the working tree."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .rounds import ROOT, Side


@dataclass(frozen=True)
class Commit:
    """What `--against` named."""

    name: str  #: as given
    short: str  #: the abbreviated hash
    subject: str


def resolve(name: str) -> Commit:
    """Find a commit; exit with git's own words if there is none."""
    found = _git("log", "-1", "--format=%h%n%s", f"{name}^{{commit}}", "--")
    short, _, subject = found.partition("\n")
    return Commit(name, short, subject)


@contextlib.contextmanager
def checked_out(commit: Commit) -> Iterator[Side]:
    """Check a commit out into a temporary directory, which is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="st-against-") as directory:
        place = Path(directory) / commit.short
        _git("worktree", "add", "--quiet", "--detach", str(place), commit.short)
        try:
            if not (place / "supertokens_py" / "__init__.py").exists():
                raise SystemExit(f"{commit.name} has no package supertokens_py at its root")
            yield Side(f"at {commit.short}", place)
        finally:
            _git("worktree", "remove", "--force", str(place))


def changes_since(commit: Commit) -> str:
    """Return in words how the measured package of the working tree differs from that of the commit."""
    changed = _git("diff", "--shortstat", commit.short, "--", "supertokens_py").strip()
    return changed or "the package is the same: every ratio shows the noise of this machine"


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr.strip(), file=sys.stderr)
        raise SystemExit(f"git {arguments[0]} failed; --against needs git and a clone with that commit")
    return done.stdout.strip()
