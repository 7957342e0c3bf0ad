"""Directories in memory: a disk is asked to make and remove hundreds of files for each database of a test."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
#: What has to be free there, and in the machine: a run takes 2.4 GB of it, and its workers as much elsewhere.
#: Containers have 64 MB there by default; others may promise more than the machine has.
NEEDED_BYTES = 8 << 30
_MEMORY = Path("/dev/shm")
#: What has to be free there, and in the machine: several times what all workers need. Containers have
#: 64 MB there by default; others may promise more than the machine has.
NEEDED_BYTES = 4 << 30
_MEMORY = Path("/proc/meminfo")


@contextlib.contextmanager
def in_memory(name: str) -> Iterator[Path | None]:
    """Make a directory in memory that is gone after the block; None where there is no room for one."""
    if not _has_room():
        yield None
        return
    directory = Path(tempfile.mkdtemp(prefix=f"supertokens-tests-{name}-", dir=SHARED_MEMORY))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _has_room() -> bool:
    if not os.access(SHARED_MEMORY, os.W_OK) or shutil.disk_usage(SHARED_MEMORY).free < NEEDED_BYTES:
        return False
    available = re.search(r"^MemAvailable: +(\d+) kB$", _MEMORY.read_text(), re.MULTILINE)
    return available is not None and int(available[1]) * 1024 >= NEEDED_BYTES
