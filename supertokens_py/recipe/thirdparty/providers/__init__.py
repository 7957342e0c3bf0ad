"""The client of providers: one generic implementation, and the built-in providers as data."""
