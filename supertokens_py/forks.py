"""Who must act when the process forks: locks, connections and threads do not survive one.

Objects register themselves and are forgotten with their last reference. `os.fork()` and
`multiprocessing` reach these hooks; starting another program does not and need not.
"""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class ForkAware(Protocol):
    """What is told about forks. The child has one thread: it may replace locks without taking them."""

    def before_fork(self) -> None: ...

    def after_fork_in_parent(self) -> None: ...

    def after_fork_in_child(self) -> None: ...


_members: WeakSet[ForkAware] = WeakSet()
_forking: list[ForkAware] = []


def register(member: ForkAware) -> None:
    """Tell `member` about every fork from now on."""
    _members.add(member)


def _before() -> None:
    _forking[:] = list(_members)
    for member in _forking:
        member.before_fork()


def _in_parent() -> None:
    for member in _forking:
        member.after_fork_in_parent()
    _forking.clear()


def _in_child() -> None:
    for member in _forking:
        member.after_fork_in_child()
    _forking.clear()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows forks nothing
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
