"""The link in messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from supertokens_py.secret import SecretText

if TYPE_CHECKING:
    from supertokens_py.config import AppInfo
    from supertokens_py.framework.request import BaseRequest


def get_magic_link(
    app_info: AppInfo,
    pre_auth_session_id: str,
    link_code: str,
    tenant_id: str,
    request: BaseRequest | None,
    user_context: dict[str, Any],
) -> str:
    """Return the website's page that signs in. The code is in the fragment, which reaches no server's log.

    The website is the one that is configured, never one that a request names.
    """
    query = urlencode({"preAuthSessionId": pre_auth_session_id, "tenantId": tenant_id})
    page = f"{app_info.get_origin(request, user_context)}{app_info.website_base_path}/verify?{query}"
    return SecretText(f"{page}#{link_code}")
