"""What is sent, a code, a link or both, as factors of tenants and as flow types of frontends."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, TypeAlias

from .types import FlowType

#: What a message has of a code.
Secret: TypeAlias = Literal["otp", "link"]

_SECRETS: dict[str, tuple[Secret, ...]] = {
    "USER_INPUT_CODE": ("otp",),
    "MAGIC_LINK": ("link",),
    "USER_INPUT_CODE_AND_MAGIC_LINK": ("otp", "link"),
}
FLOW_TYPES: tuple[str, ...] = tuple(_SECRETS)


def factor(secret: Secret, *, is_phone: bool) -> str:
    """Return how tenants call signing in with a code or a link, such as "otp-email"."""
    return f"{secret}-{'phone' if is_phone else 'email'}"


def factors_of(flow_type: str, *, is_phone: bool) -> tuple[str, ...]:
    """Return the factors of one kind of contact."""
    return tuple(factor(secret, is_phone=is_phone) for secret in _SECRETS[flow_type])


def narrowed(factors: Collection[str]) -> FlowType:
    """Return what is sent where a tenant has these factors of one kind of contact."""
    codes = any(one.startswith("otp-") for one in factors)
    links = any(one.startswith("link-") for one in factors)
    if codes and links:
        return "USER_INPUT_CODE_AND_MAGIC_LINK"
    return "USER_INPUT_CODE" if codes else "MAGIC_LINK"
