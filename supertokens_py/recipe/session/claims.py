"""The claims that applications make, and the one of the SDK about authentication."""

from __future__ import annotations

from . import interfaces
from .claim_base_classes import boolean_claim, primitive_array_claim, primitive_claim
from .claim_base_classes.boolean_claim import BooleanClaim
from .claim_base_classes.claim import SessionClaim
from .claim_base_classes.primitive_array_claim import PrimitiveArrayClaim
from .claim_base_classes.primitive_claim import PrimitiveClaim
from .claim_validation.authentication import AuthenticationClaim
from .claim_validation.refusals import NotImpersonated

__all__ = [
    "AuthenticationClaim",
    "BooleanClaim",
    "NotImpersonated",
    "PrimitiveArrayClaim",
    "PrimitiveClaim",
    "SessionClaim",
    "boolean_claim",
    "interfaces",
    "primitive_array_claim",
    "primitive_claim",
]
