"""Which tests stay together on one worker of pytest-xdist: what they share is then made once."""

from __future__ import annotations

import re

from xdist.scheduler import LoadScopeScheduling

#: Modules that have other programs do one thing for all their tests.
WHOLE = ("tests/framework/test_django_admin.py", "tests/test_supply_chain.py", "tests/typing/")
#: Folders that start programs once for each application and database among the parameters.
PER_PROGRAM = ("tests/browser/", "tests/examples/", "tests/real/", "tests/servers/")
_PROGRAM = re.compile(
    r"(?:aiohttp|aws|django|fastapi|flask|litestar|quart|sanic|starlette|tornado)"
    r"(?:-(?:asgi|channels|daphne|gthread|lambda|ninja|rest|sync|uvicorn|wsgi))?"
)
_DATABASE = re.compile(r"postgres|sqlite")


def group_of(nodeid: str) -> str:
    """Return the group of a test: its function, its module, or the program that it shares with its module."""
    name, _, parameters = nodeid.partition("[")
    module, _, rest = name.partition("::")
    if name.startswith(WHOLE):
        return module
    if not name.startswith(PER_PROGRAM):
        return name
    found = (pattern.search(parameters) for pattern in (_PROGRAM, _DATABASE))
    return " ".join([module, *rest.split("::")[:-1], *(match[0] for match in found if match)])


class GroupScheduling(LoadScopeScheduling):
    """Hands out groups, the largest first.

    The marker `xdist_group` would do, but pytest-xdist 3.8 writes it where pytest 9.1 and later do not look.
    """

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
