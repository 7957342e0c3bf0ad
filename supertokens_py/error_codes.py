"""Why a request has no session: codes that are never renamed, for logs, dashboards and tests.

`docs/errors.md` says of each what it means and what to do. Other errors have the code of their class.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

SessionErrorCode: TypeAlias = Literal[
    # Nothing that could be a session was sent, or not in a form that is accepted.
    "no_token",
    "not_a_session_token",
    "options_request",
    "not_a_navigation",
    "legacy_cookie",
    "duplicate_access_cookies",
    "duplicate_cookies",
    "duplicate_cookies_cleared",
    "cookies_impossible",
    # The access token.
    "access_token_expired",
    "access_token_due",
    "access_token_version",
    "access_token_signature",
    "access_token_not_yet_valid",
    "access_token_superseded",
    "access_token_invalid",
    "access_token_too_large",
    "signing_key_setting",
    "signing_key_unknown",
    "issuer_unknown",
    # Another origin, or a proof against one.
    "csrf_header_missing",
    "csrf_token_missing",
    "csrf_token_absent",
    "csrf_token_wrong",
    "foreign_form",
    "foreign_page",
    "foreign_websocket",
    # The refresh token.
    "refresh_token_missing",
    "refresh_token_missing_access_sent",
    "refresh_token_invalid",
    "refresh_token_reused",
    # The session.
    "session_gone",
    "session_revoked",
    "sessions_cut_off",
    "session_expired_idle",
    "session_expired_absolute",
    "payload_protected",
    "claims_failed",
    "session_limit",
    "authentication_not_fresh",
    "guest_not_allowed",
    "impersonation_refused",
    "not_a_first_factor",
    "device_not_bound",
    "device_proof_missing",
    "device_proof_delayed",
    "device_proof_wanted",
    "device_proof_wrong",
    "user_unknown",
    # Decided elsewhere.
    "core_refused",
    "application",
]
