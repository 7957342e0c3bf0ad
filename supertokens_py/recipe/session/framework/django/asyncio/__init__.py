"""`verify_session` for Django's `async def` views."""

from supertokens_py.framework.django.session import verify_session_async as verify_session

__all__ = ["verify_session"]
