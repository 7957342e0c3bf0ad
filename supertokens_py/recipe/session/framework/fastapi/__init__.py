"""`verify_session` for FastAPI."""

try:
    from supertokens_py.framework.fastapi.session import session_exception_handler, verify_session
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        "FastAPI needs: pip install 'supertokens-py[fastapi]'", name=_error.name
    ) from _error

__all__ = ["session_exception_handler", "verify_session"]
