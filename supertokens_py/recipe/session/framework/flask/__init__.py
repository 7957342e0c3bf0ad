"""`verify_session` for Flask."""

from supertokens_py.framework.flask.session import verify_session

__all__ = ["verify_session"]
