"""`verify_session` for FastAPI."""

try:
    from supertokens_py.framework.fastapi.session import session_exception_handler, verify_session
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        "FastAPI needs the extra 'fastapi' (docs/installation.md)", name=_error.name
    ) from _error

__all__ = ["session_exception_handler", "verify_session"]
