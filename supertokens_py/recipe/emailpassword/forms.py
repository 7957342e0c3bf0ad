"""Forms: what frontends send is checked field by field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.runtime.bridge import call_app
from supertokens_py.secret import masked
from supertokens_py.types.emails import is_address, is_recipient_or_name

from .exceptions import FieldError
from .passwords import bytes_error
from .types import ErrorFormField, FormField, InputFormField, NormalisedFormField, Validate

EMAIL, PASSWORD = "email", "password"


async def default_validator(_: Any, __: str) -> str | None:
    """Accept everything."""
    return None


async def default_email_validator(value: Any, _: str) -> str | None:
    """Return what is wrong with an e-mail address, or None."""
    if not isinstance(value, str):
        return "Development bug: Please make sure the email field yields a string"
    return None if is_address(value.strip()) else "Email is not valid"


def sign_up_fields(given: Sequence[InputFormField], policy: Validate) -> list[NormalisedFormField]:
    """Return the fields of the sign-up form: the application's, and e-mail and password in any case.

    Raises:
        ConfigError: a field is no `InputFormField`, or two have one id.
    """
    usual: dict[str, Validate] = {EMAIL: default_email_validator, PASSWORD: policy}
    fields: dict[str, NormalisedFormField] = {}
    for item in given:
        if not isinstance(item, InputFormField):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigError("form_fields must be a list of InputFormField")
        if item.id in fields:
            raise ConfigError(f"form_fields has two fields {item.id!r}")
        optional = item.optional is True and item.id not in usual
        validate = item.validate or usual.get(item.id, default_validator)
        fields[item.id] = NormalisedFormField(item.id, _storable(item.id, validate), optional)
    for name, validate in usual.items():
        fields.setdefault(name, NormalisedFormField(name, _storable(name, validate), False))
    return list(fields.values())


def _storable(name: str, validate: Validate) -> Validate:
    """Return a check that also refuses what can never be stored, whatever the application's rule says."""
    if name not in (EMAIL, PASSWORD):
        return validate

    async def checked(value: Any, tenant_id: str) -> str | None:
        error = await call_app(validate, value, tenant_id)
        if error is not None or not isinstance(value, str):
            return error
        if name == PASSWORD:
            return bytes_error(value)
        return None if is_recipient_or_name(value.strip()) else "Email is not valid"

    return checked


def parsed(body: dict[str, Any], fields: Sequence[NormalisedFormField]) -> list[FormField]:
    """Return the fields of a request; the address is trimmed, and None is what browsers' "" is.

    Raises:
        BadInputError: it is no form of these fields.
    """
    given = body.get("formFields")
    if given is None:
        raise BadInputError("Missing input param: formFields")
    if not isinstance(given, list):
        raise BadInputError("formFields must be an array")
    found: dict[str, FormField] = {}
    for item in cast("list[Any]", given):
        field = _field(item)
        if field.id in found:
            raise BadInputError("formFields must not name a field twice")
        found[field.id] = field
    if len(found) > len(fields) or not found.keys() <= {field.id for field in fields}:
        raise BadInputError("Are you sending too many formFields?")
    return list(found.values())


def _field(item: Any) -> FormField:
    if not isinstance(item, dict) or "id" not in item or "value" not in item:
        raise BadInputError("All elements of formFields must contain an 'id' and 'value' field")
    name, value = cast("Any", item["id"]), masked(cast("Any", item["value"]))
    if not isinstance(name, str):
        raise BadInputError("All elements of formFields must contain an 'id' and 'value' field")
    value = "" if value is None else value
    if name in (EMAIL, PASSWORD) and not isinstance(value, str):
        raise BadInputError(f"{name} value must be a string")
    return FormField(name, str(value).strip() if name == EMAIL else value)


async def require_valid(
    given: Sequence[FormField], fields: Sequence[NormalisedFormField], tenant_id: str
) -> None:
    """Check every field.

    Raises:
        FieldError: says of each wrong field what is wrong.
    """
    values = {field.id: field.value for field in given}
    errors: list[ErrorFormField] = []
    for field in fields:
        value = values.get(field.id, "")
        if value == "":
            error = None if field.optional else "Field is not optional"
        else:
            error = await call_app(field.validate, value, tenant_id)
        if error is not None:
            errors.append(ErrorFormField(field.id, error))
    if errors:
        raise FieldError("Error in input formFields", errors)


def value_of(name: str, given: Sequence[FormField]) -> Any:
    """Return the value of a field that was checked."""
    return next(field.value for field in given if field.id == name)
