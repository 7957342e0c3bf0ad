"""Blocking callers under gevent, with application code that is async."""

import subprocess
import sys

SCRIPT = """
from gevent import monkey
monkey.patch_all()
import asyncio, contextvars
import gevent
from supertokens_py.bridge import blocking, call_app, offload

name = contextvars.ContextVar("name")

async def hook(number):
    await asyncio.sleep(0.02)
    async with asyncio.timeout(5):
        await asyncio.sleep(0.01)
    return f"{name.get()}-{number}"

async def core(number):
    return await call_app(hook, number), await offload(lambda: number)

def request(number):
    name.set(f"user{number}")
    return blocking(core)(number)

jobs = [gevent.spawn(request, number) for number in range(30)]
gevent.joinall(jobs, timeout=30, raise_error=True)
assert [job.value for job in jobs] == [(f"user{n}-{n}", n) for n in range(30)], [job.value for job in jobs]
print("all 30 answered")
"""


def test_async_hooks_of_parallel_greenlets_run_side_by_side_each_in_its_own_context() -> None:
    """Greenlets share a thread, and a thread runs one loop: each hook gets a thread of its own."""
    result = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60)
    assert (result.stdout, result.returncode) == ("all 30 answered\n", 0), result.stderr
