"""The link in the e-mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from supertokens_py.recipe.sign_in.mailing import website_link

if TYPE_CHECKING:
    from supertokens_py.config import AppInfo
    from supertokens_py.framework.request import BaseRequest


def get_email_verify_link(
    app_info: AppInfo,
    token: str,
    tenant_id: str,
    request: BaseRequest | None,
    user_context: dict[str, Any],
) -> str:
    """Return the website's page that verifies an address, with the token."""
    return website_link("verify-email", app_info, token, tenant_id, request, user_context)
