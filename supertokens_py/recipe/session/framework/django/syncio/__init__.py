"""`verify_session` for Django's `def` views."""

from supertokens_py.framework.django.session import verify_session_sync as verify_session

__all__ = ["verify_session"]
