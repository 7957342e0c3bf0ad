"""The sites of the conformance suite, for stories that cross its parts."""

from tests.framework.conftest import _made_once, bare_site, mode, site

__all__ = ["_made_once", "bare_site", "mode", "site"]
