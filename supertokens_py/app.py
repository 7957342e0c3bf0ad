"""The composition root: settings make an engine and recipes; requests find their route. Knows no recipe."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from . import error_answers
from .client_addresses import ClientAddresses, ClientIP
from .config import AppInfo, Framework, InputAppInfo, Mode, SupertokensConfig, check_arguments, check_switches
from .constants import FDI_HEADER, MAX_BODY_BYTES, RID_HEADER
from .engine.config import EngineConfig
from .engine.factory import check_engine, check_features, open_engine
from .exceptions import ConfigError, GeneralError
from .framework.bodies import limited_body
from .framework.request import BaseRequest
from .framework.response import BaseResponse, uncached
from .logger import enable_debugging_if_asked
from .recipe_module import RecipeInit, RecipeModule, check_recipe_list, features_of
from .routes import Routes
from .runtime import callers, fork_hooks
from .runtime.clock import now_ms as system_now_ms
from .start_report import report_second_init, report_start
from .urls import request_path

if TYPE_CHECKING:
    from .engine.interface import Engine

log: logging.Logger = logging.getLogger(__name__)
R = TypeVar("R", bound=RecipeModule)

NOT_INITIALISED = (
    "Initialisation not done. Did you forget to call the SuperTokens.init function? "
    "In Python it is supertokens_py.init(...)."
)

_FORK_TIMEOUT_S = 2.0  #: how long a fork waits for another thread that makes the engine


class Supertokens(fork_hooks.ForkAware):
    """One app: its settings, its engine, its recipes."""

    _current: Supertokens | None = None

    def __init__(
        self,
        app_info: InputAppInfo,
        framework: Framework | None,
        supertokens_config: SupertokensConfig | None,
        recipe_list: Sequence[RecipeInit] | None,
        mode: Mode | None = None,
        telemetry: bool | None = None,
        debug: bool | None = None,
        *,
        client_ip: ClientIP | None = None,
    ) -> None:
        check_arguments(app_info, framework, supertokens_config, mode)
        check_recipe_list(recipe_list)
        check_switches(telemetry=telemetry, debug=debug)
        self._with: Callable[[SupertokensConfig], Supertokens] = lambda config: Supertokens(
            app_info, framework, config, recipe_list, mode, telemetry, debug, client_ip=client_ip
        )
        self.app_info: AppInfo = AppInfo.from_input(app_info, framework, mode)
        self.supertokens_config: SupertokensConfig = supertokens_config or SupertokensConfig()
        check_engine(self.supertokens_config.engine_uri)
        self.clients: ClientAddresses = ClientAddresses(client_ip)
        self.telemetry = False  # accepted for compatibility; nothing is ever sent anywhere
        self._engine_settings = (self.supertokens_config.engine or EngineConfig()).resolve()
        self.now_ms: Callable[[], int] = self._engine_settings.now_ms
        self.verified_token_cache_size: int = self._engine_settings.verified_token_cache_size
        self._engine: Engine | None = None
        self._lock = threading.RLock()
        self._locked_for_fork = False
        fork_hooks.register(self)
        self._recipes: dict[type[RecipeModule], RecipeModule] = {}
        for make in recipe_list or ():
            self._add(make(self))
        for recipe in list(self._recipes.values()):
            recipe.connect()
        check_features(self.supertokens_config.engine_uri, features_of(self._recipes.values()))
        self._routes = Routes(self._recipes.values())
        self._base = str(self.app_info.api_base_path)
        self._below = f"{self._base}/"
        self._gateway = str(self.app_info.api_gateway_path)
        self._has_warned_of_mount = False
        self.debug: bool = enable_debugging_if_asked(debug)  #: whether responses say why they refuse
        report_start(self.supertokens_config, self.app_info, os.environ)

    def _add(self, recipe: Any) -> None:
        if not isinstance(recipe, RecipeModule):
            raise ConfigError(f"recipe_list has an item that returns {recipe!r} instead of a recipe")
        if type(recipe) in self._recipes:
            raise ConfigError(
                f"{recipe.name} recipe has already been initialised. Please check your code for bugs."
            )
        self._recipes[type(recipe)] = recipe

    # -- the current app ---------------------------------------------------------------------------

    @staticmethod
    def init(
        app_info: InputAppInfo,
        framework: Framework | None = None,
        supertokens_config: SupertokensConfig | None = None,
        recipe_list: Sequence[RecipeInit] | None = None,
        mode: Mode | None = None,
        telemetry: bool | None = None,
        debug: bool | None = None,
        *,
        client_ip: ClientIP | None = None,
    ) -> None:
        """Create the current app: `supertokens_py.init`."""
        first = Supertokens._current
        if first is not None:
            known = None if first.is_stand_in else first.supertokens_config
            report_second_init(known, supertokens_config, first.made_at)
            return
        given = (app_info, framework, supertokens_config, recipe_list, mode, telemetry, debug)
        app = Supertokens(*given, client_ip=client_ip)
        app.made_at = callers.call_site()
        Supertokens._current = app

    made_at = "unknown place"
    is_stand_in = False  #: whether a test has put it on another engine than the application says
    sends_webhooks = True  #: tests have it off: their events are nobody's news

    @staticmethod
    def get_instance() -> Supertokens:
        """Return the current app.

        Raises:
            GeneralError: `init` was not called.
        """
        app = Supertokens._current
        if app is None:
            raise GeneralError(NOT_INITIALISED)
        return app

    @staticmethod
    def current() -> Supertokens | None:
        """Return the current app, or None before `init`."""
        return Supertokens._current

    @staticmethod
    def reset() -> None:
        """Drop the current app and close its connections; `init` may then be called again."""
        app, Supertokens._current = Supertokens._current, None
        if app is not None:
            app.close()

    @contextmanager
    def using(self, config: SupertokensConfig) -> Generator[Supertokens]:
        """Replace the current app by a copy with another engine inside the `with` block; for tests."""
        app = self._with(config)
        app.is_stand_in = True
        before, Supertokens._current = Supertokens._current, app
        try:
            yield app
        finally:
            Supertokens._current = before
            app.close()

    def flush(self) -> None:
        """Do now what the engine leaves to a background thread, if it has been used."""
        if self._engine is not None:
            self._engine.flush()

    def close(self) -> None:
        """Close the engine's connections; it reopens by itself when used again."""
        if self._engine is not None:
            self._engine.close()

    def before_fork(self) -> None:
        """Let a thread that makes the engine or a recipe finish: a child could not."""
        self._locked_for_fork = self._lock.acquire(timeout=_FORK_TIMEOUT_S)

    def after_fork_in_parent(self) -> None:
        """Let other threads go on."""
        if self._locked_for_fork:
            self._lock.release()

    def after_fork_in_child(self) -> None:
        """Replace the lock: the thread that had acquired it does not exist in the child."""
        self._lock = threading.RLock()

    # -- what recipes ask for ----------------------------------------------------------------------

    @property
    def engine(self) -> Engine:
        """The engine, created lazily so that `init` imports no database driver."""
        engine = self._engine
        if engine is None:
            fork_hooks.check()
            with self._lock:
                engine = self._engine = self._engine or self.open_engine()
        return engine

    def open_engine(self) -> Engine:
        """Return a new engine of the settings; called once, at the first need."""
        config, features = self.supertokens_config, features_of(self._recipes.values())
        return open_engine(
            config.engine_uri,
            self._engine_settings,
            api_key=config.api_key,
            network_interceptor=config.network_interceptor,
            api_domain=self.app_info.api_domain,
            website_domain=self.app_info.fixed_origin or "",
            keeps_users=any(recipe.keeps_users for recipe in self._recipes.values()),
            features=features if self.sends_webhooks else replace(features, webhooks=()),
        )

    def recipe(self, kind: type[R]) -> R:
        """Return the app's recipe of a kind; one that needs no settings is created lazily.

        Raises:
            GeneralError: it must be listed in `recipe_list` and is not.
        """
        found: Any = self._recipes.get(kind)
        if found is None:
            fork_hooks.check()
            with self._lock:
                found = self._recipes.get(kind) or kind.default(self)
                if found is None:
                    if self is not Supertokens._current:  # `init` is under way
                        raise GeneralError(f"recipe_list has no {kind.recipe_id}.init()")
                    raise GeneralError(f"{NOT_INITIALISED} Add the {kind.name} recipe to recipe_list.")
                if kind not in self._recipes:
                    self._recipes[kind] = found
                    found.connect()
        return found

    def has_recipe(self, recipe_id: str) -> bool:
        """Return whether a recipe of this id was listed or created."""
        return any(recipe.recipe_id == recipe_id for recipe in self._recipes.values())

    @property
    def first_factors(self) -> list[str]:
        """The ways to sign in that the app's recipes have, as tenants name them."""
        return [factor for recipe in self._recipes.values() for factor in recipe.first_factors]

    @property
    def recipe_modules(self) -> list[RecipeModule]:
        """The recipes, in `recipe_list` order."""
        return list(self._recipes.values())

    # -- requests ----------------------------------------------------------------------------------

    @staticmethod
    def is_sdk_path(path: str) -> bool:
        """Return whether a path (decoded, mount prefix included) is below the current app's base path."""
        # Hot path (every request): `get_instance`, which explains a missing `init`, is called only then.
        return (Supertokens._current or Supertokens.get_instance()).below_base(path) is not None

    def below_base(self, path: str) -> str | None:
        """Return the part of a request path below the SDK's base path, or None: not ours. Cheap.

        The path counts as the browser sees it, mount prefix included; where a gateway strips its own
        prefix, it counts with that prefix put back.
        """
        if path.startswith(self._below):
            return path[len(self._base) :]
        if self._gateway and (full := self._gateway + path).startswith(self._below):
            return full[len(self._base) :]
        return None

    def warn_of_mount(self, request: BaseRequest) -> None:
        """Warn once if the app is mounted where browsers do not look for the SDK's routes."""
        mount = request.mount_path()
        places = (f"{mount}/", f"{self._gateway}{mount}/")
        if not mount or self._has_warned_of_mount or self._below.startswith(places):
            return
        self._has_warned_of_mount = True
        setting = f'api_gateway_path="{mount}"'
        if request.get_path().startswith(f"{mount}/"):  # no proxy strips it
            setting = f'api_base_path="{mount}{self.app_info.path_behind_gateway}"'
        log.warning(
            "the app is mounted below %s, but clients look for the SDK's routes below %s, so they can "
            "neither refresh nor sign out. Set %s in InputAppInfo, and the same in the frontend.",
            *(mount, self._below, setting),
        )

    async def handle(self, request: BaseRequest) -> BaseResponse | None:
        """Answer a request if it is for one of the SDK's routes; None leaves it to the application."""
        context = request_context(request)
        try:
            return await self.middleware(request, BaseResponse({}), context)
        except Exception as error:
            return uncached(await self.handle_supertokens_error(request, error, BaseResponse({}), context))

    async def middleware(
        self, request: BaseRequest, response: BaseResponse, user_context: dict[str, Any]
    ) -> BaseResponse | None:
        """Answer a request as `handle` does, but let errors out."""
        below = self.below_base(request.get_path())
        found = None if below is None else self._routes.of(request, request_path(below))
        if found is None:
            return None
        route, tenant_id = found
        with limited_body(request, MAX_BODY_BYTES):
            for choose_tenant in filter(None, [recipe.choose_tenant for recipe in self._recipes.values()]):
                tenant_id = await choose_tenant(tenant_id, user_context)
            return route.finished(await route.handler(request, response, tenant_id, user_context))

    def methods_of(self, path: str) -> list[str]:
        """Return the methods of the SDK's routes at a request path, for an answer to OPTIONS."""
        below = self.below_base(path)
        return [] if below is None else self._routes.methods_of(request_path(below))

    async def handle_supertokens_error(
        self, request: BaseRequest, err: Exception, response: BaseResponse, user_context: dict[str, Any]
    ) -> BaseResponse:
        """Turn an error into a response, or raise it again where it is the application's to see.

        Recipes answer their own errors; `error_answers` those that belong to none.
        """
        for recipe in self._recipes.values():
            if recipe.handles(err):
                return await recipe.error_response(err, request, response, user_context)
        answer = error_answers.answer(err, of_sdk=request.method() in self.methods_of(request.get_path()))
        for recipe in self._recipes.values():
            answer = recipe.as_page(answer, request)
        return answer

    def get_all_cors_headers(self) -> list[str]:
        """Return the request headers that a CORS layer must allow, without duplicates."""
        names = [RID_HEADER, FDI_HEADER]
        for recipe in self._recipes.values():
            names += recipe.cors_headers()
        return list(dict.fromkeys(names))

    def get_request_from_user_context(self, user_context: dict[str, Any] | None = None) -> BaseRequest | None:
        """Return the request that a user context belongs to, if any."""
        known = (user_context or {}).get("_default")
        return cast("dict[str, Any]", known).get("request") if isinstance(known, dict) else None


def request_context(request: BaseRequest | None, given: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a user context for one request: a copy of `given`, so nothing is shared between requests."""
    return {**(given or {}), "_default": {"request": request, "keep_cache_alive": True}}


def current_time_ms() -> int:
    """Return the time by the current app's clock, or by the system's before `init`."""
    app = Supertokens.current()
    return system_now_ms() if app is None else app.now_ms()
