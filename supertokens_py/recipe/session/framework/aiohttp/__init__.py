"""`verify_session` for aiohttp."""

from supertokens_py.framework.aiohttp import verify_session

__all__ = ["verify_session"]
