"""Sessions kept by a core."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from supertokens_py import payloads
from supertokens_py.cdi.records import (
    NO_SESSION,
    issued_from_wire,
    message_of,
    regenerated_from_wire,
    stored_from_wire,
    texts,
    theft_from_wire,
    token_from_wire,
)
from supertokens_py.constants import DEFAULT_TENANT_ID
from supertokens_py.engine import validation
from supertokens_py.engine.records import (
    IssuedSession,
    NewSession,
    RefreshRequest,
    Regenerated,
    StoredSession,
    TokenTheft,
    TryRefresh,
    Unauthorised,
    UnknownTenantError,
    Verified,
)
from supertokens_py.engine.session_records import (
    BY_APPLICATION,
    Details,
    Ending,
    Lifetime,
    ListedSession,
    emit_revoked,
)
from supertokens_py.error_codes import SessionErrorCode
from supertokens_py.events import SessionCreated, SessionRefreshed, TokenReused, emit
from supertokens_py.exceptions import BadInputError, ConfigError, GeneralError
from supertokens_py.tokens.access_token import LATEST_VERSION, AccessToken, parse_access_token
from supertokens_py.types.base import JSONObject

from .beyond_cdi import NO_LIFETIMES, listed, require_plain
from .core import Core, ok, tenant_path, unexpected
from .keys import RemoteKeys

_RID = "session"
#: CDI has no codes: what the messages mean whose meaning is known. Any other is the core's own matter.
_CODES: Mapping[str, SessionErrorCode] = {
    NO_SESSION: "session_gone",
    "Invalid refresh token": "refresh_token_invalid",
    "Anti CSRF token missing, or not matching": "csrf_token_wrong",
    payloads.PROTECTED_PAYLOAD: "payload_protected",
    "the access token is not a valid one": "access_token_invalid",
}


class RemoteSessions:
    """`Sessions` over a core. The core decides; only what it leaves to its clients is done here."""

    def __init__(self, core: Core, keys: RemoteKeys) -> None:
        self._core = core
        self._keys = keys

    def create(self, new: NewSession) -> IssuedSession | Unauthorised:
        """Create a session. One that it replaces is ended after that: a core has no call for both at once.

        Raises:
            ConfigError: it is to have what a core cannot give it.
        """
        _require_latest(new.token_version)
        require_plain(new)
        if (replaces := new.replaces) is None:
            return self._create(new)
        before = self._information(replaces.handle)
        if before is None and replaces.must_exist:
            return Unauthorised(NO_SESSION, "session_gone")
        if before is not None and replaces.copies:
            new = replace(new, payload={**before.payload, **new.payload}, data={**before.data, **new.data})
        issued = self._create(new)
        if not self.revoke([replaces.handle]) and replaces.must_exist:
            self.revoke([issued.handle])  # somebody ended the former meanwhile, with all others perhaps
            return Unauthorised(NO_SESSION, "session_gone")
        if before is not None and replaces.with_others:
            self.revoke_user(before.user_id, tenant_id=None, keep=issued.handle)
        return issued

    def _create(self, new: NewSession) -> IssuedSession:
        payloads.validate_json("session_data_in_database", new.data)
        payloads.validate_payload(new.payload)
        body: JSONObject = {
            "userId": validation.validate_user_id(new.user_id),
            "userDataInJWT": new.payload,
            "userDataInDatabase": new.data,
            "enableAntiCsrf": new.anti_csrf,
            "useDynamicSigningKey": new.dynamic_key,
        }
        tenant_id = validation.normalise_tenant_id(new.tenant_id)
        self._add_validity(body, new.access_token_validity_ms)
        path = f"{tenant_path(tenant_id)}/recipe/session"
        issued = issued_from_wire(ok(self._core.post(path, body, rid=_RID, tenant=tenant_id)))
        emit(SessionCreated(handle=issued.handle, user_id=issued.user_id, tenant_id=issued.tenant_id))
        return issued

    def needs_lookup(self, token: AccessToken, *, check_database: bool) -> bool:
        """Return whether to ask the core: below CDI 5.6 also on the first use of a refreshed token."""
        return check_database or token.parent_refresh_token_hash1 is not None

    def verify(self, token: AccessToken, *, check_database: bool) -> Verified | Unauthorised | TryRefresh:
        """Ask the core where it must be asked.

        A core below CDI 5.6 also has to hear of the first use of a refreshed token, and may replace it.
        """
        if not self.needs_lookup(token, check_database=check_database):
            return Verified()
        rotates = self._core.version().rotates
        if rotates and not check_database:
            return Verified()
        body: JSONObject = {
            "accessToken": token.text,
            "enableAntiCsrf": False,  # its proof is already checked
            "doAntiCsrfCheck": False,
            "checkDatabase": check_database,
        }
        answer = self._core.post("/recipe/session/verify", body, rid=_RID)
        match answer.get("status"):
            case "OK":
                replacement = answer.get("accessToken")
                return Verified(None if replacement is None else token_from_wire(replacement))
            case "UNAUTHORISED":
                if rotates and self._information(token.handle) is not None:
                    # The session stands, only this token was rotated out: its holder need not log in again.
                    return TryRefresh(message_of(answer), "access_token_superseded")
                return _refused(answer)
            case "TRY_REFRESH_TOKEN":
                return TryRefresh(message_of(answer), "core_refused")
            case _:
                raise unexpected(answer)

    def refresh(self, request: RefreshRequest) -> IssuedSession | Unauthorised | TokenTheft:
        """Rotate. Never sent twice: after a broken connection the client's next refresh finds out.

        A core must be told the key family: None means the dynamic one.
        """
        _require_latest(request.token_version)
        body: JSONObject = {
            "refreshToken": request.refresh_token,
            "enableAntiCsrf": request.anti_csrf,
            "useDynamicSigningKey": request.dynamic_key is not False,
        }
        if request.anti_csrf_token is not None:
            body["antiCsrfToken"] = request.anti_csrf_token
        self._add_validity(body, request.access_token_validity_ms)
        answer = self._core.post("/recipe/session/refresh", body, rid=_RID)
        match answer.get("status"):
            case "OK":
                issued = issued_from_wire(answer)
                emit(SessionRefreshed(handle=issued.handle))
                return issued
            case "UNAUTHORISED":
                reuse = answer.get("recentTokenReuseSubtype")
                if reuse is not None:  # the core is set to treat reuse so; it does not name the session
                    emit(TokenReused(subtype=reuse))
                if reuse is None:
                    return _refused(answer)
                return Unauthorised(message_of(answer), "refresh_token_reused", reuse)
            case "TOKEN_THEFT_DETECTED":
                theft = theft_from_wire(answer)
                if not self._core.version().rotates:
                    self._revoke([theft.handle])  # older cores leave that to their clients
                emit(TokenReused(handle=theft.handle, user_id=theft.user_id, subtype=theft.reuse))
                return theft
            case _:
                raise unexpected(answer)

    def regenerate(
        self, access_token: str, *, payload: JSONObject | None = None, merge: JSONObject | None = None
    ) -> Regenerated | Unauthorised:
        """Reissue an access token.

        With `merge` the payload is read, merged and written: CDI has no merge, so of two concurrent
        updates of one session the later one can undo the earlier.
        """
        if payload is not None:
            payloads.validate_payload(payload)
        if merge is not None:
            payloads.validate_payload_update(merge)
        token = parse_access_token(access_token)
        if token is None or not self._is_signed(token):
            return Unauthorised("the access token is not a valid one", "access_token_invalid")
        if merge is not None:
            stored = self._information(token.handle)
            if stored is None:
                return Unauthorised(NO_SESSION, "session_gone")
            payload = payloads.merge(stored.payload if payload is None else payload, merge)
            payloads.validate_json("access_token_payload", payload)
            if not payloads.is_signable(payload):
                return Unauthorised(payloads.PROTECTED_PAYLOAD, "payload_protected")
        body: JSONObject = {"accessToken": access_token}
        if payload is not None:
            body["userDataInJWT"] = payload
        answer = self._core.post("/recipe/session/regenerate", body, rid=_RID)
        if answer.get("status") == "UNAUTHORISED":
            return _refused(answer)
        return regenerated_from_wire(ok(answer))

    def revoke(self, handles: Sequence[str], *, ending: Ending = BY_APPLICATION) -> list[str]:
        """End sessions; a core keeps no reason."""
        wanted = validation.possible_handles(handles)
        revoked = self._revoke(wanted) if wanted else []
        emit_revoked(revoked, ending)
        return revoked

    def revoke_user(
        self,
        user_id: str,
        *,
        tenant_id: str | None,
        linked_accounts: bool = True,
        keep: str | None = None,
        ending: Ending = BY_APPLICATION,
    ) -> list[str]:
        """End the sessions of a user. With `keep` they are listed first: one that begins meanwhile stays."""
        if keep is not None:
            handles = self.user_handles(user_id, tenant_id=tenant_id, linked_accounts=linked_accounts)
            return self.revoke([handle for handle in handles if handle != keep], ending=ending)
        tenant = validation.normalise_tenant_id(tenant_id or DEFAULT_TENANT_ID)
        if not validation.is_possible_user_id(user_id):
            return []
        body: JSONObject = {"userId": user_id, "revokeAcrossAllTenants": tenant_id is None}
        if not linked_accounts:
            body["revokeSessionsForLinkedAccounts"] = False
        path = f"{tenant_path(tenant)}/recipe/session/remove"
        revoked = texts(ok(self._core.post(path, body, rid=_RID, tenant=tenant)), "sessionHandlesRevoked")
        emit_revoked(revoked, ending)
        return revoked

    def user_handles(self, user_id: str, *, tenant_id: str | None, linked_accounts: bool = True) -> list[str]:
        tenant = validation.normalise_tenant_id(tenant_id or DEFAULT_TENANT_ID)
        if not validation.is_possible_user_id(user_id):
            return []
        query = {"userId": user_id, "fetchAcrossAllTenants": "true" if tenant_id is None else "false"}
        if not linked_accounts:
            query["fetchSessionsForAllLinkedAccounts"] = "false"
        path = f"{tenant_path(tenant)}/recipe/session/user"
        answer = self._core.get(path, query, rid=_RID, tenant=tenant)
        return texts(ok(answer), "sessionHandles")

    def listed(
        self, user_id: str, *, tenant_id: str | None, linked_accounts: bool = True
    ) -> list[ListedSession]:
        """Return the last sessions of a user, `MAX_LISTED` at most: a core is asked for each by itself."""
        handles = self.user_handles(user_id, tenant_id=tenant_id, linked_accounts=linked_accounts)
        return listed(handles, self._information)

    def details(self, handle: str) -> Details | None:
        """Return None: a core keeps nothing besides."""

    def seen(self, handle: str) -> None:
        """Do nothing: a core keeps nothing of the kind."""

    def shorten(self, handle: str, lifetime: Lifetime) -> bool:
        """Raise ConfigError: a core has one lifetime for all sessions."""
        raise ConfigError(NO_LIFETIMES)

    def information(self, handle: str) -> StoredSession | None:
        return self._information(handle) if validation.is_possible_handle(handle) else None

    def replace_data(self, handle: str, data: JSONObject) -> bool:
        payloads.validate_json("session_data_in_database", data)
        return self._replace("/recipe/session/data", handle, "userDataInDatabase", data)

    def replace_payload(
        self, handle: str, payload: JSONObject, *, token_version: int = LATEST_VERSION
    ) -> bool:
        _require_latest(token_version)
        payloads.validate_payload(payload)
        return self._replace("/recipe/jwt/data", handle, "userDataInJWT", payload)

    def merge_payload(
        self, handle: str, update: JSONObject, *, check: Callable[[JSONObject], None] | None = None
    ) -> bool:
        """Read, merge at the root (None removes a key), write.

        Not atomic: CDI has no merge, so of two concurrent updates the later one can undo the earlier.
        """
        payloads.validate_payload_update(update)
        stored = self._information(handle) if validation.is_possible_handle(handle) else None
        if stored is None:
            return False
        payload = payloads.merge(stored.payload, update)
        if check is not None:
            check(payload)
        payloads.validate_json("access_token_payload", payload)
        return self._replace("/recipe/jwt/data", handle, "userDataInJWT", payload)

    def _is_signed(self, token: AccessToken) -> bool:
        """Check the signature here: an official core does not check it when it regenerates."""
        key = self._keys.key_set().keys.get(token.kid) or self._keys.reload().keys.get(token.kid)
        return key is not None and key.matches(token.text)

    def _revoke(self, handles: list[str]) -> list[str]:
        body: JSONObject = {"sessionHandles": handles}
        try:
            answer = self._core.post("/recipe/session/remove", body, rid=_RID)
            return texts(ok(answer), "sessionHandlesRevoked")
        except UnknownTenantError:
            # One handle that names no tenant spoils the whole call: ask for each by itself.
            if len(handles) == 1:
                return []
            return [revoked for handle in handles for revoked in self._revoke([handle])]

    def _information(self, handle: str) -> StoredSession | None:
        try:
            answer = self._core.get("/recipe/session", {"sessionHandle": handle}, rid=_RID)
        except UnknownTenantError:
            return None
        if answer.get("status") == "UNAUTHORISED":
            return None
        return stored_from_wire(ok(answer))

    def _replace(self, path: str, handle: str, member: str, value: JSONObject) -> bool:
        if not validation.is_possible_handle(handle):
            return False
        try:
            answer = self._core.put(path, {"sessionHandle": handle, member: value}, rid=_RID)
        except UnknownTenantError:
            return False
        return answer.get("status") != "UNAUTHORISED" and bool(ok(answer))

    def _add_validity(self, body: JSONObject, validity_ms: int | None) -> None:
        if validity_ms is None:
            return
        if not self._core.version().rotates:
            raise GeneralError("an access token validity per session needs a SuperTokens core with CDI 5.6")
        body["accessTokenValidity"] = validation.validate_lifetime_ms(validity_ms)


def _require_latest(token_version: int) -> None:
    if token_version != LATEST_VERSION:
        raise BadInputError("access tokens below version 5 cannot be had from a core: speak CDI 4.0 or newer")


def _refused(answer: JSONObject) -> Unauthorised:
    message = message_of(answer)
    return Unauthorised(message, _CODES.get(message, "core_refused"))
