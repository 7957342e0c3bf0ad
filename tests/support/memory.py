"""Directories in memory: a disk is asked to make and remove hundreds of files for each database of a test."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
#: What has to be free there: several times what all workers of a run need. A container has 64 MB by default.
NEEDED_BYTES = 4 << 30


@contextlib.contextmanager
def in_memory(name: str) -> Iterator[Path | None]:
    """Make a directory in memory that is gone after the block; None where there is no room for one."""
    if not os.access(SHARED_MEMORY, os.W_OK) or shutil.disk_usage(SHARED_MEMORY).free < NEEDED_BYTES:
        yield None
        return
    directory = Path(tempfile.mkdtemp(prefix=f"supertokens-tests-{name}-", dir=SHARED_MEMORY))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
