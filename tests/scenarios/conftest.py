"""The sites of the conformance suite, for stories that cross its parts."""

from tests.framework.conftest import bare_site, mode, site

__all__ = ["bare_site", "mode", "site"]
