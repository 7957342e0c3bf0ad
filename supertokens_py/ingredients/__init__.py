"""What recipes are given by applications to do their work with: ways to deliver messages."""
