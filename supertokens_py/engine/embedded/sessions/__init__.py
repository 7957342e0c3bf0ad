"""The calls about sessions: create, refresh, verify, list, revoke."""
