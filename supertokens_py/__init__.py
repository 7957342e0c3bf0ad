"""Session management for FastAPI, Flask and Django, with no service to run."""
