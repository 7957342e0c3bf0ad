"""What a core says of users who are put into tenants and taken out of them."""

from __future__ import annotations

from supertokens_py.engine.code_records import PhoneNumberTaken
from supertokens_py.engine.tenant_members import AccountTaken, Associated, Association, AssociationNotAllowed
from supertokens_py.engine.user_records import EmailTaken, UnknownUser
from supertokens_py.types.base import JSONObject

from .records import member

ASSOCIATE = "/recipe/multitenancy/tenant/user"
DISSOCIATE = f"{ASSOCIATE}/remove"

UNKNOWN = "UNKNOWN_USER_ID_ERROR"
NOT_ALLOWED = "ASSOCIATION_NOT_ALLOWED_ERROR"
#: What is in the way, by status.
TAKEN: dict[str, type[EmailTaken | PhoneNumberTaken | AccountTaken]] = {
    "EMAIL_ALREADY_EXISTS_ERROR": EmailTaken,
    "PHONE_NUMBER_ALREADY_EXISTS_ERROR": PhoneNumberTaken,
    "THIRD_PARTY_USER_ALREADY_EXISTS_ERROR": AccountTaken,
}


def association_to_wire(result: Association) -> JSONObject:
    """Return the answer to a call that puts a user into a tenant."""
    match result:
        case Associated():
            return {"status": "OK", "wasAlreadyAssociated": result.was_already}
        case UnknownUser():
            return {"status": UNKNOWN}
        case AssociationNotAllowed():
            return {"status": NOT_ALLOWED, "reason": result.reason}
        case _:
            return {"status": next(status for status, kind in TAKEN.items() if isinstance(result, kind))}


def refusal_from_wire(answer: JSONObject) -> Association | None:
    """Return why a core did not put a user into a tenant; None where the answer says nothing of the kind."""
    status = answer.get("status")
    if status == UNKNOWN:
        return UnknownUser()
    if status == NOT_ALLOWED:
        return AssociationNotAllowed(member(answer, "reason", str))
    return TAKEN[status]() if isinstance(status, str) and status in TAKEN else None


def dissociation_to_wire(result: bool | UnknownUser) -> JSONObject:
    """Return the answer to a call that takes a user out of a tenant."""
    if isinstance(result, UnknownUser):
        return {"status": UNKNOWN}
    return {"status": "OK", "wasAssociated": result}
