"""Create, refresh, replace and end sessions, of users and of those who act as others."""
