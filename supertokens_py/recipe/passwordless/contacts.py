"""Which contacts codes are sent to: e-mail addresses, phone numbers or both, and what is checked of them."""

from __future__ import annotations

import re
from abc import ABC
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from typing import Any, ClassVar, TypeAlias

from supertokens_py.exceptions import ConfigError
from supertokens_py.runtime.bridge import call_app
from supertokens_py.types.emails import is_address, is_one_recipient
from supertokens_py.types.users import normalised_email

from .types import ContactMethod

#: `(value, tenant_id)` to what is wrong with the value, or None; sync or async.
Validate: TypeAlias = Callable[[str, str], Awaitable[str | None] | str | None]

_LONGEST_PHONE_NUMBER = 64  # with everything that people write between digits
# The library reads more than that: of "+49tel:2530000;phone-context=+1650" it makes +16502530000.
_WRITTEN_NUMBER = re.compile(r"\+?[0-9(][0-9 \t\u00a0().\-/]*")
_BAD_EMAIL, _BAD_PHONE_NUMBER = "Email is invalid", "Phone number is invalid"


async def default_validate_email(value: str, tenant_id: str) -> str | None:
    """Return what is wrong with an e-mail address, or None."""
    return None if is_address(value.strip()) else _BAD_EMAIL


async def default_validate_phone_number(value: str, tenant_id: str) -> str | None:
    """Return what is wrong with a phone number, or None.

    It begins with `+` and the country's code. Numbers of premium rates and shared costs are refused.
    """
    return _BAD_PHONE_NUMBER if e164_of(value) is None or _costs_extra(value) else None


def _costs_extra(value: str) -> bool:
    import phonenumbers  # noqa: PLC0415  (an optional extra)

    kinds = phonenumbers.PhoneNumberType
    kind = phonenumbers.number_type(phonenumbers.parse(value, None))
    return kind in (kinds.PREMIUM_RATE, kinds.SHARED_COST)


def e164_of(value: str) -> str | None:
    """Return a phone number as it is stored, such as "+16502530000"; None if it is not a phone number."""
    import phonenumbers  # noqa: PLC0415  (an optional extra)

    if len(value) > _LONGEST_PHONE_NUMBER or not _WRITTEN_NUMBER.fullmatch(value.strip()):
        return None
    try:
        number = phonenumbers.parse(value, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def stored_phone_number(value: str) -> str:
    """Return a phone number as it is stored; what an application's own check lets pass, only trimmed."""
    found = e164_of(value) if find_spec("phonenumbers") is not None else None
    return value.strip() if found is None else found


def stored_contact(email: str | None, phone_number: str | None) -> tuple[str | None, str | None]:
    """Return an address and a number as they are stored; None stays None."""
    return (
        None if email is None else normalised_email(email),
        None if phone_number is None else stored_phone_number(phone_number),
    )


class ContactConfig(ABC):
    """Which contacts codes are sent to; use one of the classes below.

    Raises:
        ConfigError: a check is no function, or `phonenumbers` is not installed.
    """

    contact_method: ClassVar[ContactMethod]

    def __init__(
        self, validate_email_address: Validate | None = None, validate_phone_number: Validate | None = None
    ) -> None:
        for check in (validate_email_address, validate_phone_number):
            given: Any = check
            if given is not None and not callable(given):
                raise ConfigError("the checks of a contact must be functions (value, tenant_id), or None")
        self.validate_email_address: Validate = validate_email_address or default_validate_email
        self.validate_phone_number: Validate = validate_phone_number or default_validate_phone_number
        if self.has_phone and find_spec("phonenumbers") is None:
            raise ConfigError("sign-in by phone number needs the extra 'phone' (docs/installation.md)")

    async def error_of(self, email: str | None, phone_number: str | None, tenant_id: str) -> str | None:
        """Return what is wrong with a contact, or None: of the very text that gets the message.

        Whatever an application's check lets pass, it is one address, or written as one number.
        """
        if email is not None:
            error = await call_app(self.validate_email_address, email, tenant_id)
            return _BAD_EMAIL if error is None and not is_one_recipient(email) else error
        number = phone_number or ""
        error = await call_app(self.validate_phone_number, number, tenant_id)
        return _BAD_PHONE_NUMBER if error is None and not _WRITTEN_NUMBER.fullmatch(number) else error

    @property
    def has_email(self) -> bool:
        """Whether codes are sent to e-mail addresses."""
        return self.contact_method != "PHONE"

    @property
    def has_phone(self) -> bool:
        """Whether codes are sent to phone numbers."""
        return self.contact_method != "EMAIL"


class ContactEmailOnlyConfig(ContactConfig):
    """Codes are sent to e-mail addresses.

    Args:
        validate_email_address: `(value, tenant_id)` to what is wrong, or None; sync or async.
    """

    contact_method: ClassVar[ContactMethod] = "EMAIL"

    def __init__(self, validate_email_address: Validate | None = None) -> None:
        super().__init__(validate_email_address)


class ContactPhoneOnlyConfig(ContactConfig):
    """Codes are sent to phone numbers.

    Args:
        validate_phone_number: `(value, tenant_id)` to what is wrong, or None; sync or async.
    """

    contact_method: ClassVar[ContactMethod] = "PHONE"

    def __init__(self, validate_phone_number: Validate | None = None) -> None:
        super().__init__(None, validate_phone_number)


class ContactEmailOrPhoneConfig(ContactConfig):
    """Codes are sent to either.

    Args:
        validate_email_address: `(value, tenant_id)` to what is wrong, or None; sync or async.
        validate_phone_number: the same for phone numbers.
    """

    contact_method: ClassVar[ContactMethod] = "EMAIL_OR_PHONE"
