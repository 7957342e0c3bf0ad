"""Errors of the e-mail and password recipe."""

from __future__ import annotations

from typing import Any, NoReturn

from supertokens_py.exceptions import AnsweredError, SuperTokensError

from .types import ErrorFormField


class SuperTokensEmailPasswordError(SuperTokensError):
    """Base class of this recipe's errors."""


class FieldError(SuperTokensEmailPasswordError, AnsweredError):
    """Fields of a form are wrong; answered as `{"status": "FIELD_ERROR"}`, of a view's own form with 400."""

    code = "form_fields"

    def __init__(self, message: str, form_fields: list[ErrorFormField]) -> None:
        super().__init__(message)
        self.form_fields = form_fields

    def to_json(self) -> dict[str, Any]:
        return {"status": "FIELD_ERROR", "formFields": self.get_json_form_fields()}

    def get_json_form_fields(self) -> list[dict[str, str]]:
        """Return the errors as frontends get them."""
        return [{"id": field.id, "error": field.error} for field in self.form_fields]


def raise_form_field_exception(message: str, form_fields: list[ErrorFormField]) -> NoReturn:
    """Raise a `FieldError`."""
    raise FieldError(message, form_fields)
