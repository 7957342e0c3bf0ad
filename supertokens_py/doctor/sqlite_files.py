"""What is noteworthy about the file of a SQLite database before it is opened. Nothing is made."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from .findings import Finding

_TOPIC = "database"
_CORRECT_PATH = "or correct the path: a relative one is looked for where a process was started"


def check_file(path: Path) -> Iterator[Finding]:
    """Yield why a SQLite file cannot be used, or that it is not there yet."""
    if not path.exists():
        yield _missing_file(path)
        return
    for right, verb in ((os.R_OK, "read"), (os.W_OK, "written")):
        if not os.access(path, right):
            yield Finding(
                "error",
                _TOPIC,
                f"{path} cannot be {verb} by this user: every log-in and refresh would be answered 503",
                f"give the user of the application the right to read and write it: chown … {path}",
            )
    if not os.access(path.parent, os.W_OK):
        yield Finding(
            "error",
            _TOPIC,
            f"{path.parent} cannot be written by this user, "
            f"and SQLite needs {path.name}-wal and {path.name}-shm there",
            f"give the user of the application the right to write the directory: chown … {path.parent}",
        )


def _missing_file(path: Path) -> Finding:
    missing = f"there is no database {path}"
    if path.parent.is_dir() and os.access(path.parent, os.W_OK):
        advice = f"start the application, which makes it; {_CORRECT_PATH}"
        return Finding("warning", _TOPIC, f"{missing}: nobody has a session yet", advice)
    advice = (
        f"make the directory {path.parent} and let the user of the application write there; {_CORRECT_PATH}"
    )
    return Finding("error", _TOPIC, f"{missing}, and it cannot be made", advice)
