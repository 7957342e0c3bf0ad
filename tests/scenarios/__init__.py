"""Behaviour across modules."""
