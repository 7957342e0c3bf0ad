"""Logs of servers with failures, and which tests belong on one worker."""

from tests.servers.plugin import pytest_collection_modifyitems, pytest_runtest_makereport

__all__ = ["pytest_collection_modifyitems", "pytest_runtest_makereport"]
