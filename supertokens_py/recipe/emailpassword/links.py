"""The links in e-mails: to the website that is configured, never to where a request says it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from supertokens_py.secret import hidden

if TYPE_CHECKING:
    from supertokens_py.config import AppInfo
    from supertokens_py.framework.request import BaseRequest


def get_password_reset_link(
    app_info: AppInfo,
    token: str,
    tenant_id: str,
    request: BaseRequest | None,
    user_context: dict[str, Any],
) -> str:
    """Return the website's page for a new password, with the token."""
    origin = app_info.get_origin(request, user_context)
    query = hidden(urlencode({"token": token, "tenantId": tenant_id}))
    return hidden(f"{origin}{app_info.website_base_path}/reset-password?{query}")
