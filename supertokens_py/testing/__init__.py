"""Help for tests of applications and adapters."""
