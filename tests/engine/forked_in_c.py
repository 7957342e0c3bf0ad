"""A program that uses the SDK and then forks in C, as uWSGI does: the hooks of `os.fork()` do not run.

    python -m tests.engine.forked_in_c URI

Prints a line for everything that went wrong, and "done". It is a program of its own because pytest has
threads: one that waits for the interpreter's lock at a fork in C leaves the child hanging.
"""

from __future__ import annotations

import asyncio
import atexit
import ctypes
import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.engine.embedded.storage.database import Database
from supertokens_py.recipe import session, userroles
from supertokens_py.recipe.session.asyncio import create_new_session_without_request_response as create_async
from supertokens_py.recipe.session.syncio import create_new_session_without_request_response as create
from supertokens_py.recipe.session.syncio import refresh_session_without_request_response as refresh
from supertokens_py.recipe.userroles.syncio import create_new_role_or_add_permissions

CHILDREN, SESSIONS, PATIENCE_S = 4, 5, 50
HERE = "http://localhost:8000"


def start(uri: str) -> None:
    Supertokens.reset()
    init(
        app_info=InputAppInfo(app_name="Shop", api_domain=HERE, website_domain=HERE),
        supertokens_config=SupertokensConfig(uri),
        recipe_list=[session.init(), userroles.init()],
    )
    create_new_role_or_add_permissions("admin", ["all"])
    create("public", "seed")


def work(child: int) -> None:
    for number in range(SESSIONS):
        user = f"{child}-{number}"
        made = create("public", user)
        token = made.get_all_session_tokens_dangerously()["refreshToken"]
        assert token is not None
        got = refresh(token).get_user_id()
        parallel = asyncio.run(several(user))
        if {made.get_user_id(), got, *parallel} != {user}:
            say(f"asked for {user}, got {made.get_user_id()}, {got}, {parallel}")


async def several(user: str) -> list[str]:
    made = await asyncio.gather(*(create_async("public", user) for _ in range(2)))
    return [one.get_user_id() for one in made]


def leave_without_use(_: int) -> None:
    """Run what a normal end of the interpreter runs."""
    atexit._run_exitfuncs()


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


def fork(work: Callable[[int], None], number: int) -> int:
    child = ctypes.PyDLL(None).fork()
    if child == 0:
        signal.alarm(PATIENCE_S)
        try:
            work(number)
        except BaseException as error:
            say(f"{type(error).__name__}: {error}")
        finally:
            os._exit(0)
    return child


def main(uri: str, *, is_busy: bool = False) -> None:
    start(uri)
    with ExitStack() as stack:
        if is_busy:
            database: Database = vars(Supertokens.get_instance().engine)["database"]
            stack.enter_context(database.pool.connect())
        children = [fork(leave_without_use, 0), *(fork(work, number) for number in range(CHILDREN))]
    for child in children:
        if (status := os.waitpid(child, 0)[1]) != 0:
            say(f"a child ended with status {status}")
    work(CHILDREN)  # the parent goes on with its own connections
    say("done")


if __name__ == "__main__":
    main(sys.argv[1], is_busy="busy" in sys.argv)
