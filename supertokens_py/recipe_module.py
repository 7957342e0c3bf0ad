"""What the app knows of a recipe: its name, its routes, its errors."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias, TypeVar, cast

from .engine.session_records import NO_FEATURES, SessionFeatures
from .exceptions import ConfigError
from .framework.request import BaseRequest
from .framework.response import BaseResponse, uncached

if TYPE_CHECKING:
    from .client_addresses import ClientAddresses
    from .config import AppInfo
    from .engine.interface import Engine

RouteHandler: TypeAlias = Callable[
    [BaseRequest, BaseResponse, str, dict[str, Any]], Awaitable[BaseResponse | None]
]

#: `(tenant id of the path, user context)` to the tenant that is meant.
TenantChoice: TypeAlias = Callable[[str, dict[str, Any]], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Route:
    """One HTTP API below the base path; `enabled` is asked at each request."""

    method: str
    path: str
    handler: RouteHandler  #: (request, response, tenant id, user context) -> response, or None: not handled
    enabled: Callable[[], bool]
    #: Whether a recipe that has the same path goes first, even if it is listed later.
    yields: bool = False
    #: Whether it says the same to everybody for a while, so that caches may keep it.
    is_published: bool = False

    def finished(self, answer: BaseResponse | None) -> BaseResponse | None:
        """Return what the handler has answered, as it is sent: caches keep only what is published."""
        return answer if answer is None or self.is_published else uncached(answer)


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
    #: Returns the tenant that a request to one of the SDK's routes means; None: this recipe has no say in it.
    choose_tenant: TenantChoice | None = None
    #: Whether the HTTP APIs are served; the functions work in any case.
    serves_routes: bool = True
    #: What this recipe needs an engine to do with sessions besides.
    session_features: SessionFeatures = NO_FEATURES

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

    def as_page(self, answer: BaseResponse, request: BaseRequest) -> BaseResponse:
        """Return the answer to an error of no recipe, made a page where browsers show such."""
        return answer


def features_of(recipes: Iterable[RecipeModule]) -> SessionFeatures:
    """Return what the recipes of an app need an engine to do with sessions: one of them, at most, asks."""
    return next((one.session_features for one in recipes if one.session_features.any), NO_FEATURES)


RecipeInit: TypeAlias = Callable[[App], RecipeModule]


def check_recipe_list(recipe_list: Any) -> None:
    """Refuse what is no list of recipes.

    Raises:
        ConfigError: it names what is wrong.
    """
    if isinstance(recipe_list, str) or not isinstance(recipe_list, Sequence | None):
        raise ConfigError("recipe_list must be a list, such as [session.init()]")
    if not recipe_list:
        raise ConfigError("Please provide at least one recipe to the supertokens.init function call")
    for make in cast("Sequence[Any]", recipe_list):
        forgot_parentheses = isinstance(make, type) and not issubclass(cast("type[Any]", make), RecipeModule)
        if isinstance(make, ModuleType):
            name = make.__name__.rpartition(".")[2]
            raise ConfigError(f"recipe_list holds the module {name}: write {name}.init()")
        if (called := _name_of_init(make)) is not None:
            raise ConfigError(f"recipe_list holds the function {called}: write {called}()")
        if not callable(make) or forgot_parentheses:
            raise ConfigError(f"recipe_list contains {make!r}, which is not the result of a recipe's init()")


def _name_of_init(make: Any) -> str | None:
    """Return what an application calls the `init` of a recipe, such as "session.init"; None: not an init."""
    package = str(getattr(make, "__module__", "")).rpartition(".")[0]
    is_init = make is not None and getattr(sys.modules.get(package), "init", None) is make
    return f"{package.rpartition('.')[2]}.init" if is_init else None
