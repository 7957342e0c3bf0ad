"""Older name of the neutral response."""

from supertokens_py.framework.response import BaseResponse as FlaskResponse

__all__ = ["FlaskResponse"]
