"""The worker side of the suites: what is measured, one module per kind of contestant."""
