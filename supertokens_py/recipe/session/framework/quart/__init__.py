"""`verify_session` for Quart."""

from supertokens_py.framework.quart import verify_session

__all__ = ["verify_session"]
