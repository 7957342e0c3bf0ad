"""What a recipe is made of: settings that `init` takes, functions and APIs that can be overridden, routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Generic, Protocol, Self, TypeAlias, TypeVar, cast

from supertokens_py.app import Supertokens
from supertokens_py.exceptions import ConfigError, GeneralError
from supertokens_py.framework.request import BaseRequest
from supertokens_py.framework.response import BaseResponse
from supertokens_py.recipe_module import App, RecipeModule, Route
from supertokens_py.types.response import APIResponse

from .overrides import Adapters, OverrideConfig, Results, install

S = TypeVar("S", bound="HasOverride")
F = TypeVar("F")
A = TypeVar("A")


class RecipeSettings:
    """Base class of the arguments of a recipe's `init`. Called with an app, they make its recipe.

    A recipe is connected to its settings by `class MyRecipe(Recipe[…], settings=MySettings)`.
    """

    recipe_type: ClassVar[Callable[[App, Any], RecipeModule]]

    def __call__(self, app: App) -> RecipeModule:
        return type(self).recipe_type(app, self)


def check_flag(value: object, name: str) -> None:
    """Refuse what is not a bool.

    Raises:
        ConfigError: it is not; the message names it.
    """
    if not isinstance(value, bool):
        raise ConfigError(f"{name} must be True or False")


class HasOverride(Protocol):
    """What a recipe's configuration says of the application's changes."""

    @property
    def override(self) -> OverrideConfig | None: ...


class APIOptions:
    """The request of an API call and its recipe.

    `response` has the type of 0.24, though it is None in `verify_session`, which answers nothing itself.
    """

    def __init__(
        self,
        request: BaseRequest,
        response: BaseResponse,
        recipe_id: str,
        config: Any,
        recipe_implementation: Any,
    ) -> None:
        self.request = request
        self.response = response
        self.recipe_id = recipe_id
        self.config = config
        self.recipe_implementation = recipe_implementation


#: `(options, tenant_id, user_context)` to the response; `options` are those of the recipe.
ApiCall: TypeAlias = Callable[[Any, str, dict[str, Any]], Awaitable[APIResponse]]


class Recipe(RecipeModule, Generic[S, F, A]):
    """A recipe of one app: its settings `S`, functions `F` and HTTP APIs `A`, overrides applied."""

    #: Whether an app has this recipe with default settings where `recipe_list` does not name it.
    is_implicit: ClassVar[bool] = True
    #: The error of `get_instance` where an app must list the recipe and does not.
    not_initialised: ClassVar[str | None] = None
    _settings_type: ClassVar[type[RecipeSettings]]

    def __init_subclass__(cls, *, settings: type[RecipeSettings]) -> None:
        super().__init_subclass__()
        cls._settings_type = settings
        settings.recipe_type = cast("Callable[[App, Any], RecipeModule]", cls)  # subclasses add the rest

    recipe_implementation: F
    api_implementation: A

    def __init__(self, app: App, config: S) -> None:
        super().__init__(app)
        self.config: S = config
        self.serves_routes: bool = getattr(config, "routes", True)  # a setting of some recipes
        self._override = config.override or OverrideConfig()

    def install_functions(
        self, functions: F, adapters: Adapters | None = None, results: Results | None = None
    ) -> tuple[F, frozenset[str]]:
        """Apply the application's override; return the functions, and the names of those that it replaced."""
        source = f"{self.recipe_id}.init(override=…functions)"
        installed = install(functions, self._override.functions, source, adapters, results)
        self.recipe_implementation = installed[0]
        return installed

    def install_apis(
        self, apis: A, results: Results | None = None, adapters: Adapters | None = None
    ) -> tuple[A, frozenset[str]]:
        """Apply the application's override; return the APIs, and the names of those that it replaced."""
        source = f"{self.recipe_id}.init(override=…apis)"
        installed = install(apis, self._override.apis, source, adapters, results)
        self.api_implementation = installed[0]
        return installed

    def apply_override(self, override: OverrideConfig, source: str) -> None:
        """Apply a further override, given to a recipe that builds on this one as its `source`."""
        self.recipe_implementation, _ = install(
            self.recipe_implementation, override.functions, f"{source} functions"
        )
        self.api_implementation, _ = install(self.api_implementation, override.apis, f"{source} apis")

    @classmethod
    def default(cls, app: App) -> RecipeModule | None:
        return cls._settings_type()(app) if cls.is_implicit else None

    @classmethod
    def get_instance(cls) -> Self:
        """Return this recipe of the current app.

        Raises:
            GeneralError: `init` was not called, or without this recipe where it must be listed.
        """
        if cls.not_initialised:
            app = Supertokens.current()
            if app is None or not app.has_recipe(cls.recipe_id):
                raise GeneralError(cls.not_initialised)
        return Supertokens.get_instance().recipe(cls)

    def api_options(self, request: BaseRequest, response: BaseResponse) -> APIOptions:
        """Return what the functions of the APIs receive of a request."""
        return APIOptions(request, response, self.recipe_id, self.config, self.recipe_implementation)

    def json_route(
        self,
        method: str,
        path: str,
        call: ApiCall,
        enabled: Callable[[], bool],
        *,
        is_published: bool = False,
    ) -> Route:
        """Return a route that answers with the JSON form of what an API returns.

        Args:
            call: `(options, tenant_id, user_context)` to the response.
            enabled: whether the application leaves the path to the SDK; asked at each request.
            is_published: whether caches may keep what it says, which is the same for everybody.
        """

        async def answer(
            request: BaseRequest, response: BaseResponse, tenant_id: str, user_context: dict[str, Any]
        ) -> BaseResponse:
            result = await call(self.api_options(request, response), tenant_id, user_context)
            response.set_json_content(result.to_json())
            return response

        return Route(method, path, answer, enabled, is_published=is_published)
