"""`verify_session` for Litestar."""

from supertokens_py.framework.litestar import verify_session

__all__ = ["verify_session"]
