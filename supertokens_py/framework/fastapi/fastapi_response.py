"""Older name of the neutral response."""

from supertokens_py.framework.response import BaseResponse as FastApiResponse

__all__ = ["FastApiResponse"]
