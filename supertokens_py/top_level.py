"""The names of the package itself, which `supertokens_py` loads when the first of them is used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .app import Supertokens
from .client_addresses import ClientIP
from .config import AppInfo, Framework, InputAppInfo, Mode, SupertokensConfig
from .engine.config import EngineConfig
from .framework.request import BaseRequest
from .recipe_module import RecipeInit, RecipeModule
from .types.base import RecipeUserId

__all__ = [
    "AppInfo",
    "BaseRequest",
    "EngineConfig",
    "InputAppInfo",
    "RecipeInit",
    "RecipeModule",
    "RecipeUserId",
    "Supertokens",
    "SupertokensConfig",
    "convert_to_recipe_user_id",
    "get_all_cors_headers",
    "get_request_from_user_context",
    "init",
    "is_recipe_initialized",
]


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
    """Configure the SDK for this process. Makes no network call and opens no database.

    A second call is ignored with a warning; a call that failed leaves nothing behind.

    Args:
        app_info: origins and paths of the API and the website.
        framework: a name of `supertokens_py.framework`, such as "fastapi"; optional, adapters know who
            they are.
        supertokens_config: which engine keeps the sessions; left out, an SQLite file.
        recipe_list: the recipes, such as `[session.init()]`; at least one.
        mode: "asgi" or "wsgi"; accepted for compatibility, nothing depends on it.
        telemetry: accepted for compatibility; nothing is ever sent anywhere.
        debug: write the SDK's decisions to stderr.
        client_ip: `(request) -> address` says whom a request comes from; limits per client need it. The
            request is the SDK's, with `get_header()`; `request.request` is your framework's.

    Raises:
        ConfigError: an argument cannot work; the message names it.
    """
    Supertokens.init(
        app_info, framework, supertokens_config, recipe_list, mode, telemetry, debug, client_ip=client_ip
    )


def get_all_cors_headers() -> list[str]:
    """Return the request headers that your CORS layer must allow, besides Content-Type."""
    return Supertokens.get_instance().get_all_cors_headers()


def get_request_from_user_context(user_context: dict[str, Any] | None) -> BaseRequest | None:
    """Return the request that a user context belongs to, or None outside a request."""
    return Supertokens.get_instance().get_request_from_user_context(user_context)


def is_recipe_initialized(recipe_id: str) -> bool:
    """Return whether the recipe with this id is in use."""
    return Supertokens.get_instance().has_recipe(recipe_id)


def convert_to_recipe_user_id(user_id: str) -> RecipeUserId:
    """Wrap a user id; without account linking both are the same text."""
    return RecipeUserId(user_id)
