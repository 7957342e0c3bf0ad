"""The current app's origins, cookie and CORS settings, for system checks of frameworks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from supertokens_py.app import Supertokens
from supertokens_py.recipe.session import SessionRecipe


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """Domains, cookies and headers of the current app."""

    api: str  #: the origin of the API, such as "https://api.example.com"
    website: str | None  #: that of the website; None where it is decided per request
    base_path: str  #: where the SDK's routes are, such as "/auth", without what a gateway strips
    cookie_domain: str | None
    cors_headers: Sequence[str]  #: request headers that a CORS layer must allow
    login_path: str | None  #: where pages send visitors; None where `pages` is not set


def web_settings() -> WebSettings | None:
    """Return what the current app was given; None before `init`."""
    app = Supertokens.current()
    if app is None:
        return None
    info, session = app.app_info, app.recipe(SessionRecipe)
    return WebSettings(
        api=info.api_domain,
        website=info.fixed_origin,
        base_path=info.path_behind_gateway,
        cookie_domain=session.config.cookie_domain,
        cors_headers=app.get_all_cors_headers(),
        login_path=None if session.pages is None else session.pages.settings.login_path,
    )
