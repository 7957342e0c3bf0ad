"""The names that applications import to type overrides, claims and results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from supertokens_py.engine.explanations import SessionExplanation
from supertokens_py.framework.response import BaseResponse
from supertokens_py.types.base import JSONObject

from .api import APIInterface, APIOptions
from .claim_base_classes.claim import SessionClaim, SessionClaimValidator
from .container import SessionContainer
from .functions import RecipeInterface
from .responses.device_results import SessionsGetOkResult, SessionsRevokePostOkResult
from .results import (
    AccessTokenObj,
    ClaimsValidationResult,
    ClaimValidationResult,
    Device,
    GetClaimValueOkResult,
    GetSessionTokensDangerouslyDict,
    RegenerateAccessTokenOkResult,
    ReqResInfo,
    SessionDoesNotExistError,
    SessionInformationResult,
    SessionObj,
    SignOutOkayResponse,
    TokenInfo,
)

JSONPrimitive: TypeAlias = str | int | bool | dict[str, Any] | None
JSONPrimitiveList: TypeAlias = list[str] | list[int] | list[bool] | list[None] | list[dict[str, Any]]
ResponseMutator: TypeAlias = Callable[[BaseResponse, dict[str, Any]], None]

__all__ = [
    "APIInterface",
    "APIOptions",
    "AccessTokenObj",
    "ClaimValidationResult",
    "ClaimsValidationResult",
    "Device",
    "GetClaimValueOkResult",
    "GetSessionTokensDangerouslyDict",
    "JSONObject",
    "JSONPrimitive",
    "JSONPrimitiveList",
    "RecipeInterface",
    "RegenerateAccessTokenOkResult",
    "ReqResInfo",
    "ResponseMutator",
    "SessionClaim",
    "SessionClaimValidator",
    "SessionContainer",
    "SessionDoesNotExistError",
    "SessionExplanation",
    "SessionInformationResult",
    "SessionObj",
    "SessionsGetOkResult",
    "SessionsRevokePostOkResult",
    "SignOutOkayResponse",
    "TokenInfo",
]
