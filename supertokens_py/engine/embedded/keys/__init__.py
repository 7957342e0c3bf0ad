"""Signing keys: stored, encrypted, renewed; and what they sign."""
