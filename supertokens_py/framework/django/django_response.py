"""Older name of the neutral response."""

from supertokens_py.framework.response import BaseResponse as DjangoResponse

__all__ = ["DjangoResponse"]
