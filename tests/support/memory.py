"""Directories in memory: a disk is asked to make and remove hundreds of files for each database of a test."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
#: What has to be free there, and in the machine, of which whoever runs the tests wants to use some as well.
#: Containers have 64 MB there by default; others may promise more than the machine has.
NEEDED_BYTES = 8 << 30
_STATE = Path("/proc/meminfo")
#: A directory of this name is locked while its run goes on, and until it has one it has another name.
_LOCKED = "supertokens-tests-run-"


@contextlib.contextmanager
def in_memory(name: str) -> Iterator[Path | None]:
    """Make a directory in memory that is gone after the block; None where there is no room for one.

    Those of runs that were killed before they could remove theirs go first.
    """
    _remove_what_is_left()
    if not _has_room():
        yield None
        return
    directory, lock = _locked_directory(name)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(lock)


def _locked_directory(name: str) -> tuple[Path, int]:
    made = Path(tempfile.mkdtemp(prefix="supertokens-tests-new-", dir=SHARED_MEMORY))
    lock = os.open(made, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return made.rename(made.with_name(f"{_LOCKED}{name}-{made.name[-8:]}")), lock


def _remove_what_is_left() -> None:
    """Remove the directories of dead processes: the system has given up their locks with them."""
    for directory in SHARED_MEMORY.glob(f"{_LOCKED}*"):
        with contextlib.suppress(OSError):  # another run removes it, or another user has made it
            lock = os.open(directory, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(directory, ignore_errors=True)
            finally:
                os.close(lock)


def _has_room() -> bool:
    if not os.access(SHARED_MEMORY, os.W_OK) or shutil.disk_usage(SHARED_MEMORY).free < NEEDED_BYTES:
        return False
    available = re.search(r"^MemAvailable: +(\d+) kB$", _STATE.read_text(), re.MULTILINE)
    return available is not None and int(available[1]) * 1024 >= NEEDED_BYTES
