"""What the app knows of a recipe: its name, its routes, its errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias, TypeVar

from .framework.request import BaseRequest
from .framework.response import BaseResponse

if TYPE_CHECKING:
    from .client_addresses import ClientAddresses
    from .config import AppInfo
    from .engine.interface import Engine

RouteHandler: TypeAlias = Callable[
    [BaseRequest, BaseResponse, str, dict[str, Any]], Awaitable[BaseResponse | None]
]


@dataclass(frozen=True, slots=True)
class Route:
    """One HTTP API below the base path; `enabled` is asked at each request."""

    method: str
    path: str
    handler: RouteHandler  #: (request, response, tenant id, user context) -> response, or None: not handled
    enabled: Callable[[], bool]
    #: Whether a recipe that has the same path goes first, even if it is listed later.
    yields: bool = False


R = TypeVar("R", bound="RecipeModule")


class App(Protocol):
    """What a recipe may ask of its app."""

    @property
    def app_info(self) -> AppInfo: ...

    @property
    def debug(self) -> bool: ...

    @property
    def clients(self) -> ClientAddresses: ...

    @property
    def engine(self) -> Engine: ...

    @property
    def now_ms(self) -> Callable[[], int]: ...

    @property
    def verified_token_cache_size(self) -> int: ...

    def recipe(self, kind: type[R]) -> R: ...

    def has_recipe(self, recipe_id: str) -> bool: ...

    @property
    def first_factors(self) -> list[str]: ...

    def below_base(self, path: str) -> str | None: ...

    def get_request_from_user_context(self, user_context: dict[str, Any] | None) -> BaseRequest | None: ...

    def warn_of_mount(self, request: BaseRequest) -> None: ...


class RecipeModule:
    """Base class of recipes. A recipe belongs to one app and is made by its `init(...)` value."""

    recipe_id: ClassVar[str]
    name: ClassVar[str]  #: as error messages call it
    #: The ways to sign in that this recipe has, as tenants name them; none: it signs nobody in.
    first_factors: Sequence[str] = ()
    #: Whether this recipe needs an engine that keeps users.
    keeps_users: ClassVar[bool] = False

    def __init__(self, app: App) -> None:
        self.app = app

    @classmethod
    def default(cls, app: App) -> RecipeModule | None:
        """Make the recipe for an app that did not list it; None where it must be listed."""
        return None

    def connect(self) -> None:
        """Connect with the other recipes of the app, once all that were listed exist."""

    def routes(self) -> Sequence[Route]:
        """Return the HTTP APIs."""
        return ()

    async def tenant_of_request(self, tenant_id: str, user_context: dict[str, Any]) -> str:
        """Return the tenant that a request to one of the SDK's routes means; each recipe is asked in turn."""
        return tenant_id

    def cors_headers(self) -> Sequence[str]:
        """Return request headers that a CORS layer must allow."""
        return ()

    def handles(self, error: Exception) -> bool:
        """Return whether this recipe turns `error` into a response."""
        return False

    async def error_response(
        self, error: Exception, request: BaseRequest, response: BaseResponse, user_context: dict[str, Any]
    ) -> BaseResponse:
        """Turn an error that this recipe handles into a response."""
        raise error


RecipeInit: TypeAlias = Callable[[App], RecipeModule]
