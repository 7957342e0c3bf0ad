"""Small helpers that applications import; each is at home elsewhere."""

from __future__ import annotations

import base64
from typing import Any, Final, TypeVar

from .app import request_context
from .framework.request import BaseRequest
from .framework.request_registry import as_base_request
from .runtime.clock import now_ms as get_timestamp_ms
from .types.base import MaybeAwaitable, context_of
from .urls import site_of as get_top_level_domain_for_same_site_resolution

_T = TypeVar("_T")

__all__ = [
    "FRAMEWORKS",
    "default_user_context",
    "get_timestamp_ms",
    "get_top_level_domain_for_same_site_resolution",
    "is_version_gte",
    "resolve",
    "set_request_in_user_context_if_not_defined",
    "utf_base64decode",
    "utf_base64encode",
]


class Framework:
    """Makes the neutral request of a framework's own; the type of the request decides."""

    def wrap_request(self, unwrapped: Any) -> BaseRequest:
        """Return the neutral request."""
        return as_base_request(unwrapped)


FRAMEWORKS: Final[dict[str, Framework]] = {name: Framework() for name in ("fastapi", "flask", "django")}


def default_user_context(request: BaseRequest) -> dict[str, Any]:
    """Return a new user context of a request."""
    return request_context(request)


def set_request_in_user_context_if_not_defined(
    user_context: dict[str, Any] | None, request: BaseRequest
) -> dict[str, Any]:
    """Put a request into a user context that has none, and return it."""
    context = context_of(user_context)
    context["_default"] = {"request": request, **context.get("_default", {})}
    return context


async def resolve(obj: MaybeAwaitable[_T]) -> _T:
    """Await what can be awaited; return anything else."""
    return await obj if hasattr(obj, "__await__") else obj  # type: ignore[misc, return-value]


def is_version_gte(version: str, minimum_minor_version: str) -> bool:
    """Return whether "major.minor[.patch]" is at least "major.minor"."""
    return _numbers(version)[:2] >= _numbers(minimum_minor_version)[:2]


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")[:2]]


def utf_base64encode(s: str, urlsafe: bool) -> str:
    """Encode the UTF-8 of a text as base64."""
    encode = base64.urlsafe_b64encode if urlsafe else base64.b64encode
    return encode(s.encode()).decode("ascii")


def utf_base64decode(s: str, urlsafe: bool) -> str:
    """Decode base64 of UTF-8; missing padding is put back."""
    decode = base64.urlsafe_b64decode if urlsafe else base64.b64decode
    return decode(s + "=" * (-len(s) % 4)).decode()
