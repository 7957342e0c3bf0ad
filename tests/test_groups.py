"""Tests that share a program run on one worker of pytest-xdist, and other tests wherever there is room."""

from __future__ import annotations

import pytest

from tests.browser import servers as browser_servers
from tests.servers import harness
from tests.servers.harness import Kind
from tests.support.groups import group_of

KINDS = [value for found in (harness, browser_servers) for value in vars(found).values()]
NAMES = sorted({kind.name for kind in KINDS if isinstance(kind, Kind)})


@pytest.mark.quick
def test_every_server_has_a_group_of_its_own() -> None:
    """A new kind of server whose name is not known would be started on every worker."""
    groups = {name: group_of(f"tests/servers/test_x.py::test_y[{name}-sqlite-cookie]") for name in NAMES}
    assert groups == {name: f"tests/servers/test_x.py {name} sqlite" for name in NAMES}


@pytest.mark.quick
def test_the_tests_of_one_server_stay_together() -> None:
    """Whatever else they are parametrised with; elsewhere the tests of one function do."""
    cookie, header = (
        f"tests/servers/test_x.py::test_y[quart-postgres-{mode}]" for mode in ("cookie", "header")
    )
    assert group_of(cookie) == group_of(header)
    assert group_of("tests/typing/test_typing.py::test_a[x.py]") == "tests/typing/test_typing.py"
    assert group_of("tests/engine/test_x.py::test_a[sqlite]") == "tests/engine/test_x.py::test_a"
    assert group_of("tests/examples/test_x.py::TestA::test_b") == "tests/examples/test_x.py TestA"
