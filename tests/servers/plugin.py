"""A hook for folders whose tests start servers; their conftest.py imports it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.harness import LIVING

__all__ = ["pytest_runtest_makereport"]

FOLDERS = (Path(__file__).parent, Path(__file__).parents[1] / "examples")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show the end of the servers' logs with a test that failed."""
    outcome = yield
    report: pytest.TestReport = outcome.get_result()  # type: ignore[attr-defined]
    if report.failed and item.path.parent in FOLDERS:
        for server in LIVING:
            report.sections.append((f"log of {server.kind.name}", server.logs()[-6000:]))
