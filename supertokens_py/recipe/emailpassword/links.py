"""The link in the e-mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from supertokens_py.recipe.sign_in.mailing import website_link

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
    return website_link("reset-password", app_info, token, tenant_id, request, user_context)
