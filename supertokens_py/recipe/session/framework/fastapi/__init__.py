"""`verify_session` for FastAPI."""

from supertokens_py.framework.fastapi.session import session_exception_handler, verify_session

__all__ = ["session_exception_handler", "verify_session"]
