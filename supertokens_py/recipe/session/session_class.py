"""Older home of the class of sessions."""

from .container import SessionContainer as Session

__all__ = ["Session"]
