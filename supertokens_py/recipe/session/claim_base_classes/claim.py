"""What a claim and a claim validator are; the built-in kinds are in `claim_base_classes`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, cast

from supertokens_py.engine.arguments import require_instance
from supertokens_py.exceptions import BadInputError
from supertokens_py.recipe.overrides import parameter_names
from supertokens_py.runtime.bridge import blocking, call_app
from supertokens_py.types.base import RecipeUserId, context_of

if TYPE_CHECKING:
    from ..results import ClaimValidationResult

_T = TypeVar("_T")

#: (user_id, tenant_id, user_context), or
#: (user_id, recipe_user_id, tenant_id, current_payload, user_context); None for "no value".
FetchNow: TypeAlias = (
    Callable[[str, str, dict[str, Any]], _T | None]
    | Callable[[str, RecipeUserId, str, dict[str, Any], dict[str, Any]], _T | None]
)
FetchAwaited: TypeAlias = (
    Callable[[str, str, dict[str, Any]], Awaitable[_T | None]]
    | Callable[[str, RecipeUserId, str, dict[str, Any], dict[str, Any]], Awaitable[_T | None]]
)
FetchValue: TypeAlias = FetchAwaited[_T] | FetchNow[_T]


class SessionClaim(ABC, Generic[_T]):
    """A named value in the access token payload that knows how to fetch itself.

    Args:
        key: its name in the payload.
        fetch_value: `(user_id, tenant_id, user_context)` or
            `(user_id, recipe_user_id, tenant_id, current_payload, user_context)`, sync or async; None
            leaves the payload alone. The number of parameters decides, once.
    """

    def __init__(self, key: str, fetch_value: FetchValue[_T]) -> None:
        self.key = key
        self.fetch_value = fetch_value
        self._takes_five = len(parameter_names(fetch_value) or ()) == 5

    async def fetch(
        self,
        user_id: str,
        recipe_user_id: str,
        tenant_id: str,
        current_payload: dict[str, Any],
        user_context: dict[str, Any],
    ) -> _T | None:
        """Ask the application for the current value."""
        ask = cast("Callable[..., Awaitable[_T | None] | _T | None]", self.fetch_value)
        if self._takes_five:
            recipe_user = RecipeUserId(recipe_user_id)
            return await call_app(ask, user_id, recipe_user, tenant_id, current_payload, user_context)
        return await call_app(ask, user_id, tenant_id, user_context)

    async def build(
        self, user_id: str, tenant_id: str, user_context: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Fetch, and return the payload part with the value: `{}` or `{key: …}`."""
        context = context_of(user_context)
        value = await self.fetch(user_id, user_id, tenant_id, {}, context)
        return {} if value is None else self.add_to_payload_({}, value, context)

    def sync_build(
        self, user_id: str, tenant_id: str, user_context: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """As `build`, and block meanwhile: for a log-in that is no coroutine function.

        Raises:
            RuntimeError: an event loop runs in this thread; await `build` there.
        """
        return blocking(self.build)(user_id, tenant_id, user_context)

    @abstractmethod
    def add_to_payload_(
        self, payload: dict[str, Any], value: _T, user_context: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return a copy of `payload` with the value."""

    @abstractmethod
    def remove_from_payload_by_merge_(
        self, payload: dict[str, Any], user_context: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return a copy of `payload` that, when merged, removes the claim."""

    @abstractmethod
    def remove_from_payload(
        self, payload: dict[str, Any], user_context: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return a copy of `payload` without the claim."""

    @abstractmethod
    def get_value_from_payload(
        self, payload: dict[str, Any], user_context: dict[str, Any] | None = None
    ) -> _T | None:
        """Return the value in `payload`, or None."""


def as_claim(claim: SessionClaim[_T]) -> SessionClaim[_T]:
    """Return an argument that has to be a claim.

    Raises:
        BadInputError: it is something else.
    """
    require_instance("claim", claim, SessionClaim)
    return claim


class SessionClaimValidator(ABC):
    """Validates a payload. Give it a `claim` to have the claim refetched when `should_refetch` says so."""

    claim: SessionClaim[Any] | None = None

    def __init__(self, id_: str) -> None:
        self.id = id_

    def should_refetch(self, payload: dict[str, Any], user_context: dict[str, Any]) -> Awaitable[bool] | bool:
        """Return whether the claim must be fetched before `validate`; may be async."""
        return False

    @abstractmethod
    async def validate(self, payload: dict[str, Any], user_context: dict[str, Any]) -> ClaimValidationResult:
        """Validate the payload; may be written sync or async."""


def as_validators(validators: Sequence[SessionClaimValidator]) -> Sequence[SessionClaimValidator]:
    """Return an argument that has to be a list of validators; what is in it is looked at when it is asked.

    Raises:
        BadInputError: it is something else.
    """
    given: Any = validators
    if type(given) is list:  # as at nearly every request
        return validators
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        kind = type(given).__name__
        raise BadInputError(f"claim_validators must be a list of claim validators, not {kind}")
    return validators
