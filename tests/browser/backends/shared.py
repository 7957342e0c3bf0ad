"""What the backends of the browser tests have in common: settings from the environment, claims, test state.

Environment: API_DOMAIN, WEBSITE_DOMAIN, ALLOWED_ORIGINS (space-separated), SESSION_SETTINGS (the arguments of
`session.init` as JSON), PAGES (folder of the test page), SUPERTOKENS_* (the engine).
"""

from __future__ import annotations

import json
import mimetypes
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

from supertokens_py import InputAppInfo, SupertokensConfig, init
from supertokens_py.recipe import session, userroles
from supertokens_py.recipe.session import PageSettings, SessionLifetime
from supertokens_py.recipe.session.claims import BooleanClaim
from supertokens_py.recipe.userroles import PermissionClaim, UserRoleClaim

ALLOWED_ORIGINS = os.environ.get("ALLOWED_ORIGINS", "").split()
PAGES = Path(os.environ["PAGES"])
MARKUP = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8"}

# What the application knows about its users. One process serves a test, so a dict is a database.
second_factor_done: dict[str, bool] = defaultdict(bool)
#: User names of the form posts that were let through.
accepted_posts: list[str] = []

SecondFactorClaim = BooleanClaim(
    key="2fa-completed", fetch_value=lambda user_id, *_rest: second_factor_done[user_id]
)


def configure() -> None:
    """Call `init` with what the environment says."""
    init(
        app_info=InputAppInfo(
            app_name="Browser tests",
            api_domain=os.environ["API_DOMAIN"],
            website_domain=os.environ["WEBSITE_DOMAIN"],
        ),
        supertokens_config=SupertokensConfig(connection_uri=os.environ["SUPERTOKENS_CONNECTION_URI"]),
        recipe_list=[
            session.init(**_session_settings()),
            userroles.init(),
        ],
    )


def _session_settings() -> dict[str, Any]:
    given = json.loads(os.environ.get("SESSION_SETTINGS", "{}"))
    kinds = {"lifetime": SessionLifetime, "pages": PageSettings}
    return given | {name: kind(**given[name]) for name, kind in kinds.items() if name in given}


def require_second_factor(validators: list[Any], *_rest: Any) -> list[Any]:
    """Global validators plus the one of the second factor."""
    return [*validators, SecondFactorClaim.validators.is_true()]


def require_admin(validators: list[Any], *_rest: Any) -> list[Any]:
    """Global validators plus those of the role and of what it permits."""
    return [
        *validators,
        UserRoleClaim.validators.includes("admin"),
        PermissionClaim.validators.includes("write"),
    ]


def describe(container: session.SessionContainer) -> dict[str, Any]:
    """What the protected routes answer."""
    return {
        "user": container.get_user_id(),
        "handle": container.get_handle(),
        "payload": container.get_access_token_payload(),
    }


def page_file(name: str) -> tuple[bytes, str] | None:
    """Return a file of the test page and its content type."""
    file = (PAGES / name).resolve()
    if PAGES.resolve() not in file.parents or not file.is_file():
        return None
    kind = MARKUP.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return file.read_bytes(), kind


class Refusing:
    """Answers 503 to the path that a test has named, as a proxy does that finds no server behind it."""

    path = ""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope.get("path") != self.path:
            return await self._app(scope, receive, send)
        await send({"type": "http.response.start", "status": 503, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})
