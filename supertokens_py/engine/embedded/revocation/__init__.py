"""The log by which every process learns of revoked sessions."""
