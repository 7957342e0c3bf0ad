"""The module path of 0.24 for the middleware."""

from .middleware import Middleware

__all__ = ["Middleware"]
