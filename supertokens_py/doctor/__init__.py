"""Check a configuration before users do."""
