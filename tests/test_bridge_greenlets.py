"""Blocking callers under gevent and eventlet, with application code that is async."""

import subprocess
import sys

import pytest

GEVENT = """
from gevent import monkey
monkey.patch_all()
import gevent

def run_all(jobs):
    greenlets = [gevent.spawn(*job) for job in jobs]
    gevent.joinall(greenlets, timeout=30, raise_error=True)
    return [greenlet.value for greenlet in greenlets]
"""

EVENTLET = """
import eventlet
eventlet.monkey_patch()

def run_all(jobs):
    return [greenlet.wait() for greenlet in [eventlet.spawn(*job) for job in jobs]]
"""

SCRIPT = """
import asyncio, contextvars
from supertokens_py.runtime.bridge import blocking, call_app, offload

name = contextvars.ContextVar("name")

async def hook(number):
    await asyncio.sleep(0.02)
    async with asyncio.timeout(40):
        await asyncio.sleep(0.01)
    return f"{name.get()}-{number}"

async def core(number):
    return await call_app(hook, number), await offload(lambda: number)

def request(number):
    name.set(f"user{number}")
    return blocking(core)(number)

answers = run_all([(request, number) for number in range(30)])
assert answers == [(f"user{n}-{n}", n) for n in range(30)], answers
print("all 30 answered")
"""


@pytest.mark.parametrize("greenlets", [GEVENT, EVENTLET], ids=["gevent", "eventlet"])
def test_async_hooks_of_parallel_greenlets_run_side_by_side_each_in_its_own_context(greenlets: str) -> None:
    """Greenlets share a thread, and a thread runs one loop: each hook gets a thread of its own."""
    command = [sys.executable, "-W", "ignore", "-c", greenlets + SCRIPT]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (result.stdout, result.returncode) == ("all 30 answered\n", 0), result.stderr
