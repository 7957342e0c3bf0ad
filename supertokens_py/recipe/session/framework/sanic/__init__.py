"""`verify_session` for Sanic."""

from supertokens_py.framework.sanic import verify_session

__all__ = ["verify_session"]
