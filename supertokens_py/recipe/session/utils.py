"""Older home of the session recipe's settings; the names that applications import from here.

The `default_…` functions give the SDK's own answers, for error hooks that change only some of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from supertokens_py.urls import cookie_domain as normalise_session_scope
from supertokens_py.urls import scheme_of as get_url_scheme

from .constants import TokenTransferMethod, TokenType
from .exceptions import TOKEN_THEFT_DETECTED
from .policy.session_policy import auth_mode as get_auth_mode_from_header
from .policy.session_policy import get_token_transfer_method_default, normalise_same_site
from .recipe import SessionRecipe
from .responses.errors import TRY_REFRESH_TOKEN, UNAUTHORISED, ErrorHandlers, InputErrorHandlers
from .settings import InputOverrideConfig, SessionConfig

if TYPE_CHECKING:
    from supertokens_py.framework.request import BaseRequest
    from supertokens_py.framework.response import BaseResponse

    from .exceptions import ClaimValidationError

OverrideConfig = InputOverrideConfig


async def default_unauthorised_callback(_: BaseRequest, __: str, response: BaseResponse) -> BaseResponse:
    """Answer 401 "unauthorised"."""
    return _expired(response, UNAUTHORISED)


async def default_try_refresh_token_callback(_: BaseRequest, __: str, response: BaseResponse) -> BaseResponse:
    """Answer 401 "try refresh token"."""
    return _expired(response, TRY_REFRESH_TOKEN)


async def default_token_theft_detected_callback(
    _: BaseRequest, session_handle: str, __: str, response: BaseResponse
) -> BaseResponse:
    """End the session and answer 401 "token theft detected"."""
    await SessionRecipe.get_instance().recipe_implementation.revoke_session(session_handle, {})
    return _expired(response, TOKEN_THEFT_DETECTED)


async def default_invalid_claim_callback(
    _: BaseRequest, claim_validation_errors: list[ClaimValidationError], response: BaseResponse
) -> BaseResponse:
    """Answer 403 with every failure."""
    response.set_status_code(SessionRecipe.get_instance().config.invalid_claim_status_code)
    failures = [failure.to_json() for failure in claim_validation_errors]
    response.set_json_content({"message": "invalid claim", "claimValidationErrors": failures})
    return response


async def default_clear_duplicate_session_cookies_callback(
    _: BaseRequest, message: str, response: BaseResponse
) -> BaseResponse:
    """Answer 200 with the message."""
    response.set_status_code(200)
    response.set_json_content({"message": message})
    return response


def _expired(response: BaseResponse, message: str) -> BaseResponse:
    response.set_status_code(SessionRecipe.get_instance().config.session_expired_status_code)
    response.set_json_content({"message": message})
    return response


__all__ = [
    "ErrorHandlers",
    "InputErrorHandlers",
    "InputOverrideConfig",
    "OverrideConfig",
    "SessionConfig",
    "TokenTransferMethod",
    "TokenType",
    "default_clear_duplicate_session_cookies_callback",
    "default_invalid_claim_callback",
    "default_token_theft_detected_callback",
    "default_try_refresh_token_callback",
    "default_unauthorised_callback",
    "get_auth_mode_from_header",
    "get_token_transfer_method_default",
    "get_url_scheme",
    "normalise_same_site",
    "normalise_session_scope",
]
