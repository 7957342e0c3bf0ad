"""What is stored of sessions and their refresh tokens, and the one place where sessions are deleted."""
