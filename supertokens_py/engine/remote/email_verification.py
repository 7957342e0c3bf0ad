"""Verified e-mail addresses kept by a core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supertokens_py.cdi.records import member
from supertokens_py.cdi.users import verified_from_wire
from supertokens_py.engine import validation
from supertokens_py.engine.records import UnknownTenantError
from supertokens_py.engine.user_records import VerifiedEmail
from supertokens_py.events import EmailUnverified, EmailVerificationRequested, EmailVerified, emit
from supertokens_py.secret import SecretText, masked
from supertokens_py.types.base import JSONObject
from supertokens_py.types.users import normalised_email

from .core import Core, ok, tenant_path
from .limits import LocalMessageLimits

if TYPE_CHECKING:
    from supertokens_py.engine.config import ResolvedEngineConfig

_KIND = "email verification"
_RID = "emailverification"
_PATH = "/recipe/user/email/verify"


class RemoteEmailVerification:
    """`EmailVerification` over a core."""

    def __init__(self, core: Core, settings: ResolvedEngineConfig, messages: LocalMessageLimits) -> None:
        self._core = core
        self._settings = settings
        self._messages = messages

    def create_token(self, tenant_id: str, user_id: str, email: str) -> str | None:
        body = {"userId": validation.validate_user_id(user_id), "email": validation.stored_email(email)}
        answer = self._post(tenant_id, f"{_PATH}/token", body)
        if answer.get("status") == "EMAIL_ALREADY_VERIFIED_ERROR":
            return None
        token = SecretText(member(ok(answer), "token", str))
        tenant = validation.normalise_tenant_id(tenant_id)
        emit(EmailVerificationRequested(user_id=user_id, tenant_id=tenant))
        return token

    def verify(self, tenant_id: str, token: str) -> VerifiedEmail | None:
        if not validation.is_storable(token):
            return None
        try:
            answer = self._post(tenant_id, _PATH, {"method": "token", "token": masked(token)})
        except UnknownTenantError:
            return None
        if answer.get("status") == "EMAIL_VERIFICATION_INVALID_TOKEN_ERROR":
            return None
        result = verified_from_wire(ok(answer))
        tenant = validation.normalise_tenant_id(tenant_id)
        emit(EmailVerified(user_id=result.user_id, tenant_id=tenant))
        return result

    def is_verified(self, user_id: str, email: str) -> bool:
        pair = _pair(user_id, email)
        return pair is not None and member(ok(self._core.get(_PATH, pair, rid=_RID)), "isVerified", bool)

    def revoke_tokens(self, tenant_id: str, user_id: str, email: str) -> None:
        pair = _pair(user_id, email)
        if pair is None:
            return
        try:
            ok(self._post(tenant_id, f"{_PATH}/token/remove", pair))
        except UnknownTenantError:
            return

    def unverify(self, user_id: str, email: str) -> None:
        pair = _pair(user_id, email)
        if pair is None:
            return
        was_verified = self.is_verified(user_id, email)  # a core does not say
        ok(self._core.post(f"{_PATH}/remove", dict(pair), rid=_RID))
        if was_verified:
            emit(EmailUnverified(user_id=user_id))

    def may_send(self, tenant_id: str, email: str, client: str | None = None) -> bool:
        """Return whether an address may get another e-mail now; if so, count it."""
        tenant, address = validation.normalise_tenant_id(tenant_id), normalised_email(email)
        most = self._settings.verification_emails_per_day
        return self._messages.begin(_KIND, tenant, address, per_day=most, client=client) == 0

    def not_sent(self, tenant_id: str, email: str) -> None:
        """Let another e-mail follow at once: the one that was counted could not be sent."""
        self._messages.failed(_KIND, validation.normalise_tenant_id(tenant_id), normalised_email(email))

    def _post(self, tenant_id: str, path: str, body: dict[str, str]) -> JSONObject:
        full = f"{tenant_path(tenant_id)}{path}"
        return self._core.post(full, dict(body), rid=_RID, tenant=tenant_id)


def _pair(user_id: str, email: str) -> dict[str, str] | None:
    """Return what a core is asked about; None where nothing can be kept of it."""
    address = normalised_email(email)
    is_possible = validation.is_possible_user_id(user_id) and validation.is_storable(address)
    return {"userId": user_id, "email": address} if is_possible else None
