"""Fork hooks: a child process gets locks, connections and threads of its own.

`os.fork()` and `multiprocessing` run the hooks of `os.register_at_fork`. A fork in C does not (uWSGI in its
default mode, some daemonizers), so `check()` compares the process id wherever a lock, a connection, a client
or a thread is taken. Objects register themselves and are dropped with their last reference.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import Any
from weakref import WeakSet


class ForkAware:
    """What has to act on forks. The child has one thread: it may replace locks without taking them."""

    def before_fork(self) -> None:
        """Finish what must not be copied halfway. Not called for a fork in C."""

    def after_fork_in_parent(self) -> None:
        """Go on. Not called for a fork in C."""

    def after_fork_in_child(self) -> None:
        """Replace locks and threads, and leave connections to the parent."""


_members: WeakSet[ForkAware] = WeakSet()
_modules: list[Callable[[], None]] = []
_forking: list[ForkAware] = []
_process_id = os.getpid()
_resetting = threading.Lock()


def register(member: ForkAware) -> None:
    """Call the hooks of `member` at every fork from now on."""
    _members.add(member)


def call_in_child(reset: Callable[[], None]) -> None:
    """Call `reset` in every forked child from now on: for the state of a module."""
    _modules.append(reset)


def check() -> None:
    """Run the child's hooks if this process was forked without Python's knowledge.

    Called before a lock, a connection, an HTTP client or a thread of the process is taken, never while
    verifying: `os.getpid()` is a system call.
    """
    if os.getpid() != _process_id:
        _reset_unseen_child()


def _reset_unseen_child() -> None:
    with _resetting:  # threads of the child may come here together
        if os.getpid() != _process_id:
            _reset_child(list(_members))


def _reset_child(members: list[ForkAware]) -> None:
    global _process_id
    for reset in _modules:
        reset()
    for member in members:
        member.after_fork_in_child()
    _process_id = os.getpid()


def _before() -> None:
    check()  # a child of a fork in C may fork in Python
    _forking[:] = list(_members)
    for member in _forking:
        member.before_fork()


def _in_parent() -> None:
    for member in _forking:
        member.after_fork_in_parent()
    _forking.clear()


def _in_child() -> None:
    global _resetting
    _resetting = threading.Lock()
    _reset_child(_forking)
    _forking.clear()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows forks nothing
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)


def is_master_of_uwsgi() -> bool:
    """Return whether this is the process that loads the application before uWSGI forks its workers."""
    uwsgi: Any = sys.modules.get("uwsgi")  # a module that exists inside of uWSGI only
    return uwsgi is not None and uwsgi.worker_id() == 0


def background_threads_run() -> bool:
    """Return whether a thread started here makes progress while no request is handled.

    It does not in the master process of uWSGI, nor in its workers without `enable-threads`, nor on AWS
    Lambda, which freezes a process between invocations: there a thread could stop in the middle of a
    transaction, with the database locked.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        return False
    uwsgi: Any = sys.modules.get("uwsgi")
    if uwsgi is None:
        return True
    options: dict[str, Any] = {
        name.decode() if isinstance(name, bytes) else str(name): value for name, value in uwsgi.opt.items()
    }
    threaded = "enable-threads" in options or int(options.get("threads", 1)) > 1 or "gevent" in options
    return threaded and not is_master_of_uwsgi()


def join_uwsgi() -> None:
    """Reset a worker of uWSGI before its first request, where no other thread runs yet."""
    uwsgi: Any = sys.modules.get("uwsgi")
    if uwsgi is None:
        return
    others: Callable[[], object] | None = getattr(uwsgi, "post_fork_hook", None)

    def hook() -> None:
        check()
        if others is not None:
            others()

    uwsgi.post_fork_hook = hook


join_uwsgi()
