"""Sessions kept by a core."""

from __future__ import annotations

from collections.abc import Sequence

from supertokens_py import payloads
from supertokens_py.bridge import offload
from supertokens_py.cdi.records import (
    NO_SESSION,
    issued_from_wire,
    member,
    message_of,
    regenerated_from_wire,
    stored_from_wire,
    theft_from_wire,
    token_from_wire,
)
from supertokens_py.constants import DEFAULT_TENANT_ID
from supertokens_py.engine import validation
from supertokens_py.engine.interface import (
    IssuedSession,
    Regenerated,
    StoredSession,
    TokenTheft,
    TryRefresh,
    Unauthorised,
    UnknownTenantError,
    Verified,
)
from supertokens_py.events import SessionCreated, SessionRefreshed, TokenReused, emit, emit_revoked
from supertokens_py.exceptions import BadInputError, GeneralError
from supertokens_py.secret import hidden
from supertokens_py.tokens.access_token import LATEST_VERSION, AccessToken, parse_access_token
from supertokens_py.types.base import JSONObject

from .core import Core, ok, tenant_path, unexpected
from .keys import KeyCache

_RID = "session"


class RemoteSessions:
    """`Sessions` over a core. The core decides; only what it leaves to its clients is done here."""

    def __init__(self, core: Core, cache: KeyCache) -> None:
        self._core = core
        self._cache = cache

    async def create_session(
        self,
        user_id: str,
        *,
        tenant_id: str,
        payload: JSONObject,
        data: JSONObject,
        anti_csrf: bool,
        dynamic_key: bool,
        access_token_validity_ms: int | None = None,
        token_version: int = LATEST_VERSION,
    ) -> IssuedSession:
        _require_latest(token_version)
        payloads.validate_json("session_data_in_database", data)
        payloads.validate_payload(payload)
        body: JSONObject = {
            "userId": validation.validate_user_id(user_id),
            "userDataInJWT": payload,
            "userDataInDatabase": data,
            "enableAntiCsrf": anti_csrf,
            "useDynamicSigningKey": dynamic_key,
        }
        return await offload(
            self._create, body, validation.normalise_tenant_id(tenant_id), access_token_validity_ms
        )

    async def verify_session(
        self, token: AccessToken, *, check_database: bool
    ) -> Verified | Unauthorised | TryRefresh:
        """Ask the core where it must be asked.

        A core below CDI 5.6 also has to hear of the first use of a refreshed token, and may replace it.
        """
        if not check_database and token.parent_refresh_token_hash1 is None:
            return Verified()
        return await offload(self._verify, token, check_database)

    async def refresh_session(
        self,
        refresh_token: str,
        *,
        anti_csrf_token: str | None,
        anti_csrf: bool,
        dynamic_key: bool | None,
        access_token_validity_ms: int | None = None,
        token_version: int = LATEST_VERSION,
    ) -> IssuedSession | Unauthorised | TokenTheft:
        """Rotate. Never sent twice: after a broken connection the client's next refresh finds out.

        A core must be told the key family: None means the dynamic one.
        """
        _require_latest(token_version)
        body: JSONObject = {
            "refreshToken": hidden(refresh_token),
            "enableAntiCsrf": anti_csrf,
            "useDynamicSigningKey": dynamic_key is not False,
        }
        if anti_csrf_token is not None:
            body["antiCsrfToken"] = anti_csrf_token
        return await offload(self._refresh, body, access_token_validity_ms)

    async def regenerate_session(
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
        return await offload(self._regenerate, access_token, payload, merge)

    async def revoke_sessions(self, handles: Sequence[str]) -> list[str]:
        wanted = [handle for handle in dict.fromkeys(handles) if validation.is_possible_handle(handle)]
        revoked = await offload(self._revoke, wanted) if wanted else []
        emit_revoked(revoked)
        return revoked

    async def revoke_user_sessions(
        self, user_id: str, *, tenant_id: str | None, linked_accounts: bool = True
    ) -> list[str]:
        tenant = validation.normalise_tenant_id(tenant_id or DEFAULT_TENANT_ID)
        if not validation.is_possible_user_id(user_id):
            return []
        body: JSONObject = {"userId": user_id, "revokeAcrossAllTenants": tenant_id is None}
        if not linked_accounts:
            body["revokeSessionsForLinkedAccounts"] = False
        path = f"{tenant_path(tenant)}/recipe/session/remove"
        answer = await offload(self._core.post, path, body, rid=_RID, tenant=tenant)
        revoked = list(member(ok(answer), "sessionHandlesRevoked", list))
        emit_revoked(revoked)
        return revoked

    async def user_session_handles(
        self, user_id: str, *, tenant_id: str | None, linked_accounts: bool = True
    ) -> list[str]:
        tenant = validation.normalise_tenant_id(tenant_id or DEFAULT_TENANT_ID)
        if not validation.is_possible_user_id(user_id):
            return []
        query = {"userId": user_id, "fetchAcrossAllTenants": "true" if tenant_id is None else "false"}
        if not linked_accounts:
            query["fetchSessionsForAllLinkedAccounts"] = "false"
        path = f"{tenant_path(tenant)}/recipe/session/user"
        answer = await offload(self._core.get, path, query, rid=_RID, tenant=tenant)
        return list(member(ok(answer), "sessionHandles", list))

    async def session_information(self, handle: str) -> StoredSession | None:
        return await offload(self._information, handle) if validation.is_possible_handle(handle) else None

    async def replace_session_data(self, handle: str, data: JSONObject) -> bool:
        payloads.validate_json("session_data_in_database", data)
        return await offload(self._replace, "/recipe/session/data", handle, "userDataInDatabase", data)

    async def replace_session_payload(
        self, handle: str, payload: JSONObject, *, token_version: int = LATEST_VERSION
    ) -> bool:
        _require_latest(token_version)
        payloads.validate_payload(payload)
        return await offload(self._replace, "/recipe/jwt/data", handle, "userDataInJWT", payload)

    async def merge_session_payload(self, handle: str, update: JSONObject) -> bool:
        """Read, merge at the root (None removes a key), write.

        Not atomic: CDI has no merge, so of two concurrent updates the later one can undo the earlier.
        """
        payloads.validate_payload_update(update)
        return await offload(self._merge, handle, update)

    def _create(self, body: JSONObject, tenant_id: str, validity_ms: int | None) -> IssuedSession:
        self._add_validity(body, validity_ms)
        path = f"{tenant_path(tenant_id)}/recipe/session"
        issued = issued_from_wire(ok(self._core.post(path, body, rid=_RID, tenant=tenant_id)))
        emit(SessionCreated(handle=issued.handle, user_id=issued.user_id, tenant_id=issued.tenant_id))
        return issued

    def _verify(self, token: AccessToken, check_database: bool) -> Verified | Unauthorised | TryRefresh:
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
                    return TryRefresh(message_of(answer), "core_refused")
                return Unauthorised(message_of(answer), "core_refused")
            case "TRY_REFRESH_TOKEN":
                return TryRefresh(message_of(answer), "core_refused")
            case _:
                raise unexpected(answer)

    def _refresh(
        self, body: JSONObject, validity_ms: int | None
    ) -> IssuedSession | Unauthorised | TokenTheft:
        self._add_validity(body, validity_ms)
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
                code = "core_refused" if reuse is None else "refresh_token_reused"
                return Unauthorised(message_of(answer), code, reuse)
            case "TOKEN_THEFT_DETECTED":
                theft = theft_from_wire(answer)
                if not self._core.version().rotates:
                    self._revoke([theft.handle])  # older cores leave that to their clients
                emit(TokenReused(handle=theft.handle, user_id=theft.user_id, subtype=theft.reuse))
                return theft
            case _:
                raise unexpected(answer)

    def _regenerate(
        self, access_token: str, payload: JSONObject | None, merge: JSONObject | None
    ) -> Regenerated | Unauthorised:
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
            return Unauthorised(message_of(answer), "core_refused")
        return regenerated_from_wire(ok(answer))

    def _is_signed(self, token: AccessToken) -> bool:
        """Check the signature here: an official core does not check it when it regenerates."""
        key = self._cache.snapshot().keys.get(token.kid) or self._cache.reload().keys.get(token.kid)
        return key is not None and key.matches(token.text)

    def _revoke(self, handles: list[str]) -> list[str]:
        body: JSONObject = {"sessionHandles": handles}
        try:
            answer = self._core.post("/recipe/session/remove", body, rid=_RID)
            return list(member(ok(answer), "sessionHandlesRevoked", list))
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

    def _merge(self, handle: str, update: JSONObject) -> bool:
        stored = self._information(handle) if validation.is_possible_handle(handle) else None
        if stored is None:
            return False
        payload = payloads.merge(stored.payload, update)
        payloads.validate_json("access_token_payload", payload)
        return self._replace("/recipe/jwt/data", handle, "userDataInJWT", payload)

    def _add_validity(self, body: JSONObject, validity_ms: int | None) -> None:
        if validity_ms is None:
            return
        if not self._core.version().rotates:
            raise GeneralError("an access token validity per session needs a SuperTokens core with CDI 5.6")
        body["accessTokenValidity"] = validation.validate_lifetime_ms(validity_ms)


def _require_latest(token_version: int) -> None:
    if token_version != LATEST_VERSION:
        raise BadInputError("access tokens below version 5 cannot be had from a core: speak CDI 4.0 or newer")
