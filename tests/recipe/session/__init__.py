"""Tests of the session recipe."""
