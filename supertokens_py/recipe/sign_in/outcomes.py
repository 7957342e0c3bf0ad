"""What functions and APIs of sign-in recipes answer with."""

from __future__ import annotations

from typing import Any, ClassVar

from supertokens_py.recipe.overrides import Result
from supertokens_py.types.response import APIResponse

_ANSWER = Result((APIResponse,), "a result of this API or a GeneralErrorResponse")


class Outcome(APIResponse):
    """An answer whose JSON form is its status."""

    status: ClassVar[str] = "OK"

    def to_json(self) -> dict[str, Any]:
        return {"status": self.status}


def answers_of(apis: object) -> dict[str, Result]:
    """Return what an application's replacements of HTTP APIs must answer with, by the name of the API."""
    return {name: _ANSWER for name in dir(apis) if name.endswith(("_post", "_get"))}
