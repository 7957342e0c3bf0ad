"""The application under test is the one of the framework tests; engines are those of the engine tests."""

from __future__ import annotations

from tests.engine.conftest import start
from tests.framework.conftest import bare_site, mode, site

__all__ = ["bare_site", "mode", "site", "start"]
