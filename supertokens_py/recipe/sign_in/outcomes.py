"""What functions and APIs of sign-in recipes answer with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from supertokens_py.recipe.overrides import Result
from supertokens_py.types.response import APIResponse, Shown

_ANSWER = Result((APIResponse,), "a result of this API or a GeneralErrorResponse")


class Outcome(Shown, APIResponse):
    """An answer whose JSON form is its status."""

    status: ClassVar[str] = "OK"

    def to_json(self) -> dict[str, Any]:
        return {"status": self.status}


class Refusal(Outcome):
    """A refusal with a reason that people may read."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def to_json(self) -> dict[str, Any]:
        return {"status": self.status, "reason": self.reason}


class LinkingToSessionUserFailedError(Refusal):
    """Never answered here, where accounts are not linked; a name for annotations."""

    status = "LINKING_TO_SESSION_USER_FAILED"


class EmailAlreadyExistsError(Outcome):
    """Another user of this recipe has the address in a tenant."""

    status = "EMAIL_ALREADY_EXISTS_ERROR"


class UnknownUserIdError(Outcome):
    """There is no such user of this recipe."""

    status = "UNKNOWN_USER_ID_ERROR"


class EmailChangeNotAllowedError(Refusal):
    """The user's accounts are linked by a core, which has to change the address."""

    status = "EMAIL_CHANGE_NOT_ALLOWED_ERROR"


@dataclass
class EmailExistsGetOkResult(Outcome):
    """Whether a user of this recipe has the address in this tenant."""

    exists: bool

    def to_json(self) -> dict[str, Any]:
        return {"status": self.status, "exists": self.exists}


def answers_of(apis: object) -> dict[str, Result]:
    """Return what an application's replacements of HTTP APIs must answer with, by the name of the API."""
    return {name: _ANSWER for name in dir(apis) if name.endswith(("_post", "_get"))}
