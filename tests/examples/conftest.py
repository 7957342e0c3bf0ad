"""Logs of servers with failures."""

from tests.servers.plugin import pytest_runtest_makereport

__all__ = ["pytest_runtest_makereport"]
