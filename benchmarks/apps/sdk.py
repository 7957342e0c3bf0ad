"""Our SDK and supertokens-python through the API that they share; only names and the store differ."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from support.rounds import require_measured_package

OURS, THEIRS = "supertokens_py", "supertokens_python"
LABELS = {OURS: "ours", THEIRS: "supertokens-python"}


def module(package: str, name: str) -> ModuleType:
    return importlib.import_module(f"{package}.{name}" if name else package)


def core_uri() -> str:
    return os.environ["BENCH_CORE"]


def start(
    package: str,
    framework: str,
    *,
    uri: str | None = None,
    recipe: Mapping[str, Any] | None = None,
    **settings: Any,
) -> None:
    """Call `init`; `settings` are those of our engine, `recipe` those of `session.init`."""
    root, session = module(package, ""), module(package, "recipe.session")
    require_measured_package()
    config = {
        "connection_uri": uri
        or (core_uri() if package == THEIRS else os.environ.get("BENCH_STORE", "sqlite://"))
    }
    if package == OURS and settings:
        config["engine"] = module(package, "engine.config").EngineConfig(**settings)
    root.init(
        app_info=root.InputAppInfo(
            app_name="benchmark", api_domain="http://localhost:8000", website_domain="http://localhost:3000"
        ),
        framework=framework,
        supertokens_config=root.SupertokensConfig(**config),
        recipe_list=[session.init(**(recipe or {}))],
        mode="wsgi" if framework in ("flask", "django-wsgi") else "asgi",
    )


def user(package: str) -> Any:
    """Return the user id in the form that this generation of the API wants."""
    return module(package, "types").RecipeUserId("user-1") if package == THEIRS else "user-1"


def two_validators(package: str) -> Any:
    """Return an `override_global_claim_validators` that adds two validators that pass on `CLAIMS`."""
    claims = module(package, "recipe.session.claims")

    async def fetch(*_: Any) -> Any:
        return True

    second_factor = claims.BooleanClaim(key="2fa", fetch_value=fetch)
    plan = claims.PrimitiveClaim(key="plan", fetch_value=fetch)
    added = [second_factor.validators.is_true(None), plan.validators.has_value("pro", None)]
    return lambda validators, session, user_context: [*validators, *added]


CLAIMS = {"2fa": {"v": True, "t": 4_000_000_000_000}, "plan": {"v": "pro", "t": 4_000_000_000_000}}
