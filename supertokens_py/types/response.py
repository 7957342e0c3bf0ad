"""What an API function may answer with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar


class Shown:
    """A result whose `repr` has its fields; what is secret among them is a text that hides itself."""

    def __repr__(self) -> str:
        fields = (f"{name}={value!r}" for name, value in vars(self).items() if not name.startswith("_"))
        return f"{type(self).__name__}({', '.join(fields)})"


class APIResponse(ABC):
    """An answer that knows its JSON form."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return the body as a JSON object."""


class GeneralErrorResponse(Shown, APIResponse):
    """Any API override may return this; sent with HTTP 200 and `{"status": "GENERAL_ERROR"}`."""

    status: ClassVar[str] = "GENERAL_ERROR"

    def __init__(self, message: str) -> None:
        self.message = message

    def to_json(self) -> dict[str, Any]:
        return {"status": self.status, "message": self.message}
