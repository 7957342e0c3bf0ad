"""Names on the wire of a session (protocol: Cookies, Headers, Refresh, Sign-out)."""

from __future__ import annotations

from typing import Literal, TypeAlias

from supertokens_py.constants import PROTECTED_CLAIMS

TokenTransferMethod: TypeAlias = Literal["cookie", "header"]
TokenType: TypeAlias = Literal["access", "refresh"]
AntiCsrf: TypeAlias = Literal["VIA_TOKEN", "VIA_CUSTOM_HEADER", "NONE"]

SESSION_REFRESH = "/session/refresh"
SIGNOUT = "/signout"
IMPERSONATION_END = "/impersonation/end"
SESSIONS = "/sessions"
DEVICE_REGISTER = "/session/device/register"
DEVICE_REFRESH = "/session/device/refresh"
SESSIONS_REVOKE = "/sessions/revoke"

ACCESS_TOKEN_COOKIE_KEY = "sAccessToken"  # noqa: S105
REFRESH_TOKEN_COOKIE_KEY = "sRefreshToken"  # noqa: S105
DEVICE_COOKIE_KEY = "__Host-sDevice"
RETURN_COOKIE_KEY = "sImpersonation"
RETURN_SIGN_OUT_COOKIE_KEY = "sImpersonationSignOut"
LEGACY_ID_REFRESH_TOKEN_COOKIE_KEY = "sIdRefreshToken"  # noqa: S105

ACCESS_TOKEN_HEADER_KEY = "st-access-token"  # noqa: S105
REFRESH_TOKEN_HEADER_KEY = "st-refresh-token"  # noqa: S105
FRONT_TOKEN_HEADER_SET_KEY = "front-token"  # noqa: S105
ANTI_CSRF_HEADER_KEY = "anti-csrf"
RID_HEADER_KEY = "rid"
AUTHORIZATION_HEADER_KEY = "authorization"
AUTH_MODE_HEADER_KEY = "st-auth-mode"
ACCESS_CONTROL_EXPOSE_HEADERS = "Access-Control-Expose-Headers"

available_token_transfer_methods: list[TokenTransferMethod] = ["cookie", "header"]
protected_props: list[str] = list(PROTECTED_CLAIMS)
