"""Sign-in and session management for Python web frameworks, with no service to run.

from supertokens_py import InputAppInfo, init
from supertokens_py.recipe import session

init(
    app_info=InputAppInfo(app_name="Shop", api_domain="http://localhost:8000", website_domain="http://localhost:3000"),
    recipe_list=[session.init()],
)
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .event_dispatch import Event as _Event
from .event_dispatch import subscribe as _subscribe

if TYPE_CHECKING:
    from collections.abc import Callable

    from . import supertokens
    from .top_level import (
        AppInfo,
        BaseRequest,
        EngineConfig,
        InputAppInfo,
        RecipeInit,
        RecipeModule,
        RecipeUserId,
        Supertokens,
        SupertokensConfig,
        convert_to_recipe_user_id,
        get_all_cors_headers,
        get_request_from_user_context,
        init,
        is_recipe_initialized,
    )

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
    "supertokens",
]


def __getattr__(name: str) -> Any:
    """Import public names and submodules on first access.

    The pytest plugin makes pytest import this package in every run, so importing it must stay cheap.
    """
    if name in __all__ and name != "supertokens":
        value = globals()[name] = getattr(import_module(".top_level", __name__), name)
        return value
    if not name.startswith("_"):
        try:
            return import_module(f".{name}", __name__)
        except ModuleNotFoundError as error:
            if error.name != f"{__name__}.{name}":
                raise
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


@cache  # an import statement costs as much as the rest of an event that nobody listens to
def _audit_log() -> Callable[[_Event], None]:
    from .audit import log_event  # noqa: PLC0415  (loads every kind of event)

    return log_event


def _write_to_audit_log(event: _Event) -> None:
    _audit_log()(event)


# Here, because every import of the package passes here: the audit log is complete without `init`, too.
_subscribe(_write_to_audit_log)
