"""`verify_session` for Starlette."""

from supertokens_py.framework.starlette import verify_session

__all__ = ["verify_session"]
