"""What `-m quick` chooses: most functions of the tests, each with one of its parametrisations.

Which framework that is follows from the test's name, so that every one of them has its share and each run
chooses alike; of the classes that hold one suite for many frameworks it is one per test. Left out is what
starts programs (PostgreSQL is one), takes seconds, or repeats other tests over HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from zlib import crc32

import pytest

from .groups import PER_PROGRAM, WHOLE

LEFT_OUT = (
    *PER_PROGRAM,
    *WHOLE,
    "tests/cli/test_cli_import.py",
    "tests/cli/test_cli_import_users.py",
    "tests/docs/",
    "tests/engine/remote/test_remote_contract.py",
    "tests/engine/test_concurrency.py",
    "tests/engine/test_forks.py",
    "tests/engine/test_forks_in_c.py",
    "tests/engine/test_official_users.py",
    "tests/engine/test_racing_refreshes.py",
    "tests/engine/test_user_layouts.py",
    "tests/framework/test_django_idioms.py",
    "tests/framework/test_django_login_signals.py",
    "tests/framework/test_django_site.py",
    "tests/framework/test_openapi_sign_in.py",
    "tests/security/test_faults.py",
    "tests/security/test_frames.py",
    "tests/security/test_fuzz.py",
    "tests/security/test_greenlets.py",
    "tests/security/test_life.py",
    "tests/security/test_load.py",
    "tests/security/test_sign_in_frames.py",
    "tests/server/test_official_sdks.py",
    "tests/server/test_scale_out_example.py",
    "tests/server/test_server_description.py",
    "tests/server/test_server_process.py",
    "tests/test_isolation.py",
    "tests/test_restored_databases.py",
    "tests/testing/",
)
#: Each holds one suite by many classes.
SUITES = ("tests/framework/test_conformance.py", "tests/framework/test_documented_adapters.py")


def is_left_out(module: Path, root: Path) -> bool:
    """Return whether no test of a module is quick, not even by a marker of its own: it need not be read."""
    if module.suffix != ".py" or not module.relative_to(root).as_posix().startswith(LEFT_OUT):
        return False
    return "mark.quick" not in module.read_text()


def mark_quick(items: Iterable[pytest.Item]) -> None:
    """Mark one test of each function that is not left out; a test may carry the marker by itself as well."""
    chosen: dict[str, tuple[int, pytest.Item]] = {}
    for item in items:
        name = item.nodeid
        if name.startswith(LEFT_OUT) or any(
            item.get_closest_marker(marker) for marker in ("real", "postgres")
        ):
            continue
        rank, function = crc32(name.encode()), _function_of(name)
        if function not in chosen or rank < chosen[function][0]:
            chosen[function] = rank, item
    for _, item in chosen.values():
        item.add_marker(pytest.mark.quick)


def _function_of(nodeid: str) -> str:
    name = nodeid.partition("[")[0]
    module, _, rest = name.partition("::")
    return f"{module}::{rest.rpartition('::')[2]}" if module in SUITES else name
