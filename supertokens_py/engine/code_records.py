"""The frozen records of sign-in without passwords, by one-time codes and links (engine: Passwordless).

A *contact* is the e-mail address or phone number that codes are sent to. A *device* is one attempt to sign in
with it, not hardware: it has one code, or several after they were sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, final

from supertokens_py.secret import masked
from supertokens_py.types.users import User


@final
class Keep:
    """A value that is to stay as it is, where None would clear it."""

    def __repr__(self) -> str:
        return "KEEP"


KEEP: Final = Keep()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCode:
    """What a code is made for: a contact, or a device that was made before. Exactly one of the three."""

    email: str | None = None
    phone_number: str | None = None  #: as in E.164, such as "+16502530000"
    device_id: str | None = field(default=None, repr=False)
    #: The device must be the one of this id, where the caller knows both.
    pre_auth_session_id: str | None = None
    #: The code; by default it is made up.
    user_input_code: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        _hide(self, "device_id", "user_input_code")


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedCode:
    """A new code, with everything that is sent or given to the browser; only digests of it are stored."""

    pre_auth_session_id: str
    code_id: str
    device_id: str = field(repr=False)
    user_input_code: str = field(repr=False)
    link_code: str = field(repr=False)
    created_ms: int
    lifetime_ms: int


@dataclass(frozen=True, slots=True)
class RestartFlow:
    """The attempt is over (used, expired, revoked, guessed at too often): a new code has to be made."""


@dataclass(frozen=True, slots=True)
class CodeAlreadyUsed:
    """The device has this very code already: another one may be given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentedCode:
    """What somebody proves a contact with: the code of a link, or the device's id and its code."""

    pre_auth_session_id: str
    link_code: str | None = field(default=None, repr=False)
    device_id: str | None = field(default=None, repr=False)
    user_input_code: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        _hide(self, "link_code", "device_id", "user_input_code")


@dataclass(frozen=True, slots=True)
class WrongCode:
    """The code is not one of the device's, or has expired; it was counted as a failed attempt."""

    expired: bool
    failed_attempts: int
    max_attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCode:
    """A code of a device, without anything that it could be presented by."""

    code_id: str
    created_ms: int
    lifetime_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One attempt to sign in; either `email` or `phone_number` is set."""

    pre_auth_session_id: str
    failed_attempts: int
    email: str | None = None
    phone_number: str | None = None
    codes: Sequence[DeviceCode] = ()  #: oldest first; empty where they are not asked for


@dataclass(frozen=True, slots=True)
class ConsumedCode:
    """Whose code it was; `created` says whether the user is new.

    `device` is what was used up; None from a core before CDI 5.0. `tenant_id` is the tenant of the code.
    """

    user: User
    recipe_user_id: str
    created: bool
    device: Device | None
    tenant_id: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class CheckedCode:
    """A code that is right, and was not used up."""

    device: Device


@dataclass(frozen=True, slots=True)
class PhoneNumberTaken:
    """Another user of the recipe has the phone number in a tenant."""


@dataclass(frozen=True, slots=True)
class PhoneNumberChangeNotAllowed:
    """The user's login methods are linked, so that a core has to change the number."""

    reason: str


def _hide(record: object, *names: str) -> None:
    """Have fields of a new record show nothing in the variables of whoever reads them."""
    for name in names:
        object.__setattr__(record, name, masked(getattr(record, name)))
