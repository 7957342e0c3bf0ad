"""The module path of 0.24 for the middleware."""

from .middleware import get_middleware

__all__ = ["get_middleware"]
