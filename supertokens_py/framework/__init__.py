"""The neutral request and response that the core works with; each sub-package adapts one web framework."""

from .request import BaseRequest
from .response import BaseResponse

__all__ = ["BaseRequest", "BaseResponse"]
