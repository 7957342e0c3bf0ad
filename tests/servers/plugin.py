"""Hooks for folders whose tests start servers; their conftest.py imports them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.harness import LIVING

__all__ = ["pytest_collection_modifyitems", "pytest_runtest_makereport"]

FOLDERS = (Path(__file__).parent, Path(__file__).parents[1] / "examples")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one server on one xdist worker, or each worker would start a server of its own."""
    for item in items:
        if item.path.parent in FOLDERS and item.get_closest_marker("xdist_group") is None:
            params = item.callspec.params if hasattr(item, "callspec") else {}
            kind = params.get("kind") or params.get("server")
            parts = (item.path.stem, getattr(kind, "name", ""), params.get("database", ""))
            item.add_marker(pytest.mark.xdist_group("-".join(parts)))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show the end of the servers' logs with a test that failed."""
    outcome = yield
    report: pytest.TestReport = outcome.get_result()  # type: ignore[attr-defined]
    if report.failed and item.path.parent in FOLDERS:
        for server in LIVING:
            report.sections.append((f"log of {server.kind.name}", server.logs()[-6000:]))
