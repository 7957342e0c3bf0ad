"""What the functions return that put users into tenants and take them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from supertokens_py.engine.code_records import PhoneNumberTaken
from supertokens_py.engine.tenant_members import AccountTaken, Associated, Association
from supertokens_py.engine.user_records import EmailTaken, UnknownUser


@dataclass
class AssociateUserToTenantOkResult:
    """The user is in the tenant, and may have been before."""

    status = "OK"
    was_already_associated: bool


@dataclass
class AssociateUserToTenantUnknownUserIdError:
    """There is no such user."""

    status = "UNKNOWN_USER_ID_ERROR"


@dataclass
class AssociateUserToTenantEmailAlreadyExistsError:
    """Another user of the recipe has the address in the tenant."""

    status = "EMAIL_ALREADY_EXISTS_ERROR"


@dataclass
class AssociateUserToTenantPhoneNumberAlreadyExistsError:
    """Another user has the phone number in the tenant."""

    status = "PHONE_NUMBER_ALREADY_EXISTS_ERROR"


@dataclass
class AssociateUserToTenantThirdPartyUserAlreadyExistsError:
    """Another user has the account at the provider in the tenant."""

    status = "THIRD_PARTY_USER_ALREADY_EXISTS_ERROR"


@dataclass
class AssociateUserToTenantNotAllowedError:
    """A core has to do it: the user is linked to others, or of a recipe that is not here; not in 0.24."""

    status = "ASSOCIATION_NOT_ALLOWED_ERROR"
    reason: str


AssociateUserToTenantResult: TypeAlias = (
    AssociateUserToTenantOkResult
    | AssociateUserToTenantUnknownUserIdError
    | AssociateUserToTenantEmailAlreadyExistsError
    | AssociateUserToTenantPhoneNumberAlreadyExistsError
    | AssociateUserToTenantThirdPartyUserAlreadyExistsError
    | AssociateUserToTenantNotAllowedError
)


@dataclass
class DisassociateUserFromTenantOkResult:
    """The user is not in the tenant, and was if `was_associated`."""

    status = "OK"
    was_associated: bool


def association_result(result: Association) -> AssociateUserToTenantResult:
    """Return what an engine says in the form of the public functions."""
    match result:
        case Associated():
            return AssociateUserToTenantOkResult(result.was_already)
        case UnknownUser():
            return AssociateUserToTenantUnknownUserIdError()
        case EmailTaken():
            return AssociateUserToTenantEmailAlreadyExistsError()
        case PhoneNumberTaken():
            return AssociateUserToTenantPhoneNumberAlreadyExistsError()
        case AccountTaken():
            return AssociateUserToTenantThirdPartyUserAlreadyExistsError()
        case _:  # it is not allowed
            return AssociateUserToTenantNotAllowedError(result.reason)
