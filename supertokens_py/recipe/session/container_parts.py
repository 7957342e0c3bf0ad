"""What the containers of one app share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from .claim_base_classes.claim import SessionClaimValidator
from .claim_validation.authentication import Authentication
from .claim_validation.evaluation import all_pass
from .policy.session_policy import SessionPolicy
from .results import AccessTokenObj
from .session_tokens.delivery import Deliveries
from .session_tokens.reserved_claims import RESERVED

F = TypeVar("F")  #: the functions of sessions
S = TypeVar("S")  #: a session

#: `(access token, its payload, update, user_context)` to the new token, if any, and the custom claims.
MergePayload: TypeAlias = Callable[
    [str, dict[str, Any], dict[str, Any], dict[str, Any]],
    Awaitable[tuple[AccessTokenObj | None, dict[str, Any]]],
]
#: `(session, authentication, user_context)` to the session that takes its place.
Reauthenticate: TypeAlias = Callable[[S, Authentication, dict[str, Any]], Awaitable[S]]


@dataclass(slots=True)
class ContainerParts(Generic[F, S]):
    """What the containers of one app share; `SessionRecipe` fills it in once overrides are installed.

    A container calls the functions, and they return containers: the public contract ties these two to each
    other, and nothing else to both.
    """

    policy: SessionPolicy
    deliveries: Deliveries
    functions: F = field(init=False)  #: overrides included
    merge_payload: MergePayload = field(init=False)
    reauthenticate: Reauthenticate[S] = field(init=False)
    reserved: frozenset[str] = RESERVED  #: claims that only the SDK writes, besides the protected ones
    #: whether claims pass without asking the functions; nothing does where `validate_claims` was replaced
    all_pass: Callable[[Sequence[SessionClaimValidator], dict[str, Any]], bool] = all_pass
