"""The access tokens that sessions get: their claims and their lifetime (engine: Access tokens)."""

from __future__ import annotations

from dataclasses import dataclass
from random import uniform

from supertokens_py.engine import validation
from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.records import IssuedSession, IssuedToken
from supertokens_py.tokens.access_token import LATEST_VERSION, MAX_TOKEN_LENGTH, AccessToken
from supertokens_py.tokens.encoding import to_json
from supertokens_py.tokens.signatures import sign_json
from supertokens_py.types.base import JSONObject

from ..session_state.refresh_tokens import RefreshToken
from ..session_state.session_terms import USUAL_TERMS, Terms
from .key_material import SigningKey


def life_ms(settings: ResolvedEngineConfig, override_ms: int | None) -> int:
    """Return the lifetime of a new token: `override_ms`, or the configured one minus some jitter.

    Raises:
        BadInputError: the override exceeds the configured lifetime.
    """
    limit_ms = settings.access_token_validity_ms
    if override_ms is None:
        # It only spreads the refreshes of many sessions over time: no need to ask the system for randomness.
        return int(limit_ms * (1 - uniform(0, settings.access_token_validity_jitter)))  # noqa: S311
    return validation.validate_lifetime_ms(override_ms, limit_ms=limit_ms)


def session_claims(
    *,
    handle: str,
    user_id: str,
    recipe_user_id: str,
    tenant_id: str,
    refresh_token_hash1: str,
    parent_hash1: str | None = None,
    anti_csrf_token: str | None,
    version: int = LATEST_VERSION,
) -> JSONObject:
    """Return the protected claims of a token version, in their order, without the times."""
    claims: JSONObject = {"sub": user_id}
    if version >= 4:
        claims["tId"] = tenant_id
    if version >= 5:
        claims["rsub"] = recipe_user_id
    return claims | {
        "sessionHandle": handle,
        "refreshTokenHash1": refresh_token_hash1,
        "parentRefreshTokenHash1": parent_hash1,
        "antiCsrfToken": anti_csrf_token,
    }


def issue(
    claims: JSONObject,
    payload: JSONObject,
    *,
    now_ms: int,
    expires_ms: int,
    key: SigningKey,
    version: int = LATEST_VERSION,
    is_shared: bool = True,
) -> IssuedToken:
    """Sign a session token; its times are whole seconds.

    `is_shared` says that the application may change the payload later; else the token comes parsed.
    """
    created_s, expires_s = now_ms // 1000, expires_ms // 1000
    body = {"iat": created_s, "exp": expires_s, **claims, **payload}
    payload_json = to_json(body)
    text = sign_json(payload_json, key=key.private_key, kid=key.kid, version=version)
    parsed = None
    if not is_shared and len(text) <= MAX_TOKEN_LENGTH:
        parsed = AccessToken(text, version, key.kid, body, payload_json)
    return IssuedToken(text, created_s * 1000, expires_s * 1000, parsed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a new or refreshed session gives to its client, before the access token is signed."""

    token: RefreshToken
    created_ms: int  #: of the refresh token
    expires_ms: int
    user_id: str
    recipe_user_id: str
    payload: JSONObject  #: parsed just now, so that nobody else can change it
    anti_csrf_token: str | None
    terms: Terms = USUAL_TERMS


def issue_session(
    grant: Grant, *, key: SigningKey, now_ms: int, life_ms: int, version: int = LATEST_VERSION
) -> IssuedSession:
    """Return the session with its tokens, the access token of `version` signed now."""
    token = grant.token
    claims = session_claims(
        handle=token.handle,
        user_id=grant.user_id,
        recipe_user_id=grant.recipe_user_id,
        tenant_id=token.tenant_id,
        refresh_token_hash1=token.hash1,
        anti_csrf_token=grant.anti_csrf_token,
        version=version,
    )
    expires_ms = grant.terms.token_expires_ms(now_ms, life_ms=life_ms)
    return IssuedSession(
        handle=token.handle,
        user_id=grant.user_id,
        recipe_user_id=grant.recipe_user_id,
        tenant_id=token.tenant_id,
        payload=grant.payload,
        access_token=issue(
            claims,
            grant.payload,
            now_ms=now_ms,
            expires_ms=expires_ms,
            key=key,
            version=version,
            is_shared=False,
        ),
        refresh_token=IssuedToken(token.text, grant.created_ms, grant.expires_ms),
        anti_csrf_token=grant.anti_csrf_token,
        persistent=grant.terms.persistent,
    )


def reissue(
    token: AccessToken,
    ids: tuple[str, str],
    payload: JSONObject,
    *,
    key: SigningKey,
    now_ms: int,
    expires_ms: int,
) -> IssuedToken | None:
    """Return an access token with another payload; None for one that has expired.

    `ids` are the primary and the recipe user id; `expires_ms` is the end of the token, or that of its session
    if that is earlier.
    """
    if token.expires_ms < now_ms:
        return None
    claims = session_claims(
        handle=token.handle,
        user_id=ids[0],
        recipe_user_id=ids[1],
        tenant_id=token.tenant_id,
        refresh_token_hash1=token.refresh_token_hash1,
        parent_hash1=token.parent_refresh_token_hash1,
        anti_csrf_token=token.anti_csrf_token,
        version=token.version,
    )
    return issue(claims, payload, now_ms=now_ms, expires_ms=expires_ms, key=key, version=token.version)
