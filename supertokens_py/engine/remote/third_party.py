"""Users who sign in with an account at a provider, kept by a core."""

from __future__ import annotations

from dataclasses import replace

from supertokens_py.cdi.records import member
from supertokens_py.cdi.third_party import signed_in_up_from_wire
from supertokens_py.engine import validation
from supertokens_py.engine.providers import validate_third_party
from supertokens_py.engine.user_records import THIRD_PARTY, EmailChangeNotAllowed, SignedInUp
from supertokens_py.events import UserSignedUp, emit
from supertokens_py.types.base import JSONObject

from .core import Core, ok, tenant_path
from .users import RemoteUsers


class RemoteThirdParty:
    """`ThirdParty` over a core, which does not say whether an address was another one before."""

    def __init__(self, core: Core, users: RemoteUsers) -> None:
        self._core = core
        self._users = users

    def sign_in_up(
        self, tenant_id: str, third_party_id: str, third_party_user_id: str, *, email: str, is_verified: bool
    ) -> SignedInUp | EmailChangeNotAllowed:
        provider, there = validate_third_party(third_party_id, third_party_user_id)
        address: JSONObject = {"id": validation.stored_email(email), "isVerified": is_verified}
        body: JSONObject = {"thirdPartyId": provider, "thirdPartyUserId": there, "email": address}
        path = f"{tenant_path(tenant_id)}/recipe/signinup"
        answer = self._core.post(path, body, rid=THIRD_PARTY, tenant=tenant_id)
        if answer.get("status") == "EMAIL_CHANGE_NOT_ALLOWED_ERROR":
            return EmailChangeNotAllowed(member(answer, "reason", str))
        tenant = validation.normalise_tenant_id(tenant_id)
        result = replace(signed_in_up_from_wire(ok(answer)), tenant_id=tenant)
        if result.created:
            emit(UserSignedUp(user_id=result.user.id, tenant_id=tenant, recipe_id=THIRD_PARTY))
        return result

    def is_current(self, signed_in: SignedInUp) -> bool:
        return self._users.find_in(signed_in.tenant_id, str(signed_in.recipe_user_id)) is not None
