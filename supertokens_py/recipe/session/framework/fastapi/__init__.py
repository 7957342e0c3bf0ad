"""`verify_session` for FastAPI."""

try:
    from supertokens_py.framework.fastapi.session import session_exception_handler, verify_session
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "FastAPI needs: pip install 'supertokens-py[fastapi]'", name=error.name
    ) from error

__all__ = ["session_exception_handler", "verify_session"]
