"""Create, refresh, replace and end the sessions of requests; begin and end impersonation."""
