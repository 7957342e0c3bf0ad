"""One conformance suite over all adapters."""
