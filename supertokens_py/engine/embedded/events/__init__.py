"""Events of sessions, and their delivery as webhooks."""
