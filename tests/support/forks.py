"""Work in a forked child."""

from __future__ import annotations

import os
import traceback
import warnings
from collections.abc import Callable


def fork() -> int:
    with warnings.catch_warnings():
        # Newer Pythons warn about forks with threads; that is just what is tested here.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def in_child(work: Callable[[], object]) -> str:
    """Run `work` in a forked child; return what it returned, as text."""
    reading, writing = os.pipe()
    child = fork()
    if child == 0:
        answer = "died"
        try:
            answer = str(work())
        except BaseException:
            answer = traceback.format_exc()
        finally:
            os.write(writing, answer.encode())
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read().decode()
    os.waitpid(child, 0)
    return answer
