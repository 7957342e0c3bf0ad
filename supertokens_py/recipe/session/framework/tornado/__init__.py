"""`verify_session` for Tornado."""

from supertokens_py.framework.tornado import verify_session

__all__ = ["verify_session"]
