"""What an API function may answer with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar


class APIResponse(ABC):
    """An answer that knows its JSON form."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return the body as a JSON object."""


class GeneralErrorResponse(APIResponse):
    """Any API override may return this; sent with HTTP 200 and `{"status": "GENERAL_ERROR"}`."""

    status: ClassVar[str] = "GENERAL_ERROR"

    def __init__(self, message: str) -> None:
        self.message = message

    def to_json(self) -> dict[str, Any]:
        return {"status": self.status, "message": self.message}
